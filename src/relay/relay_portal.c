// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_portal.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "daemon/daemon_secret.h"
#include "log/log.h"

void relay_portal_make_secret(struct relay_config *config, uint8_t secret[RELAY_PORTAL_SECRET_LEN])
{
    assert(config->stamp_secret.len == 0);
    config->stamp_secret = daemon_secret_make(secret, RELAY_PORTAL_SECRET_LEN);
}

static void on_changed(void *context, enum portal_link_state state)
{
    struct relay_portal *portal = context;

    switch (state) {
    case PORTAL_LINK_CONNECTING:
        relay_status_connecting(portal->status);
        break;
    case PORTAL_LINK_JOINED:
        relay_status_joined(portal->status);
        break;
    case PORTAL_LINK_REFUSED:
        relay_status_refused(portal->status);
        break;
    case PORTAL_LINK_LEFT:
        relay_status_connecting(portal->status); // it is not joined, and that is all that is asked
        break;
    }
}

static void *run(void *context)
{
    struct relay_portal *portal = context;

    while (portal_link_turn(&portal->link)) {
    }
    return NULL;
}

int relay_portal_open(struct relay_portal *portal, const struct relay_config *config,
                      struct relay_status *status)
{
    char ca_path[PATH_MAX] = {0};

    *portal = (struct relay_portal){.status = status};
    if (!config->has_portal) {
        return 0;
    }
    assert(config->portal_ca.len < sizeof ca_path);
    if (config->portal_ca.len > 0) {
        memcpy(ca_path, config->portal_ca.ptr, config->portal_ca.len);
    }
    const int error =
        portal_link_open(&portal->link, &(struct portal_link_options){
                                            .url = config->api_url,
                                            .self = {.name = config->name,
                                                     .ip4 = config->public_ip4,
                                                     .ip6 = config->public_ip6,
                                                     .port = config->listen_port},
                                            .token = config->token,
                                            .secret = config->stamp_secret,
                                            .ca_path = config->portal_ca.len > 0 ? ca_path : NULL,
                                            .changed = on_changed,
                                            .context = portal,
                                        });
    if (error == -EINVAL) {
        LOG_ERROR("--portal-ca has no certificates that can be read", LOG_TEXT("file", ca_path));
    } else if (error != 0) {
        LOG_ERROR("the portal's connection cannot be prepared", LOG_ERROR_NUMBER("error", error));
    }
    portal->is_open = error == 0;
    if (portal->is_open) {
        relay_status_connecting(status);
    }
    return error;
}

int relay_portal_start(struct relay_portal *portal)
{
    if (!portal->is_open) {
        return 0;
    }
    const int error = io_thread_start(&portal->thread, "portal", run, portal);
    if (error != 0) {
        LOG_ERROR("the portal's thread cannot start", LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

void relay_portal_leave(struct relay_portal *portal)
{
    if (portal->thread.is_running) {
        portal_link_leave(&portal->link);
    }
}

void relay_portal_stop(struct relay_portal *portal)
{
    relay_portal_leave(portal);
    const int error = io_thread_join_within(&portal->thread, RELAY_PORTAL_STOP_S);
    if (error != 0) {
        LOG_WARN("ending without waiting for the portal's thread",
                 LOG_ERROR_NUMBER("error", error));
        portal->is_open = false; // its memory is the thread's until the process is gone
    }
}

void relay_portal_close(struct relay_portal *portal)
{
    assert(!portal->thread.is_running);
    if (portal->is_open) {
        portal_link_close(&portal->link);
        portal->is_open = false;
    }
}
