// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_web.h"

#include <assert.h>

#include "io/io_clock.h"
#include "relay/relay_metrics.h"

_Static_assert((int)RELAY_METRICS_TEXT_MAX <= (int)WEB_CONNECTION_BODY_MAX, "the metrics fit");

static const char *why_unready(void *context)
{
    const struct relay_web *web = context;

    if (relay_status_is_ready(web->status)) {
        return NULL;
    }
    if (relay_status_is_draining(web->status)) {
        return "the relay drains\n";
    }
    switch (relay_status_portal(web->status)) {
    case RELAY_STATUS_PORTAL_NONE:
    case RELAY_STATUS_PORTAL_JOINED:
        return "the relay does not serve\n";
    case RELAY_STATUS_PORTAL_CONNECTING:
        return "the relay is not connected to its portal\n";
    case RELAY_STATUS_PORTAL_REFUSED:
        return "the portal refuses the relay\n";
    }
    assert(!"a state of the portal that there is not");
    return NULL;
}

static void metrics_write(void *context, struct wr *wr)
{
    struct relay_web *web = context;

    relay_metrics_write(wr, relay_scrape_take(&web->scrape, io_clock_now()));
}

static bool is_anything_served(const struct relay_config *config)
{
    for (size_t i = 0; i < COUNT_OF(config->daemon.sites); i++) {
        if (config->daemon.sites[i].addr.family != ADDR_NONE) {
            return true;
        }
    }
    return config->demo.addr.family != ADDR_NONE;
}

uint64_t relay_web_descriptors(const struct relay_config *config)
{
    return is_anything_served(config) ? DAEMON_WEB_DESCRIPTORS : 0;
}

int relay_web_open(struct relay_web *web, const struct relay_config *config,
                   struct relay_status *status, const struct relay_worker_share *share)
{
    const struct daemon_web_subject subject = {why_unready, metrics_write, web};
    const struct web_site demo = {
        .routes = relay_demo_routes,
        .route_count = RELAY_DEMO_ROUTE_COUNT,
        .context = &web->demo,
        .is_local = true,
        .is_origin_known = true,
    };

    assert(web->status == NULL);
    if (!is_anything_served(config)) {
        return 0;
    }
    web->status = status;
    relay_scrape_init(&web->scrape, share);
    relay_demo_init(&web->demo, config, &web->scrape);
    const int error = daemon_web_open(&web->daemon, &config->daemon, &subject);
    if (error != 0) {
        return error;
    }
    return daemon_web_serve(&web->daemon, "demo", &config->demo, &demo, &web->demo_bound);
}

void relay_web_close(struct relay_web *web)
{
    if (web->status == NULL) {
        return;
    }
    daemon_web_stop(&web->daemon);
    relay_demo_deinit(&web->demo);
    daemon_web_close(&web->daemon);
    web->status = NULL;
}
