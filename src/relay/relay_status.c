// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_status.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "io/io_fd.h"

int relay_status_open(struct relay_status *status)
{
    status->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&status->portal, RELAY_STATUS_PORTAL_NONE);
    atomic_init(&status->is_serving, false);
    atomic_init(&status->is_draining, false);
    return status->fd < 0 ? -errno : 0;
}

void relay_status_close(struct relay_status *status)
{
    io_fd_close(&status->fd);
}

void relay_status_connecting(struct relay_status *status)
{
    atomic_store(&status->portal, RELAY_STATUS_PORTAL_CONNECTING);
}

void relay_status_joined(struct relay_status *status)
{
    atomic_store(&status->portal, RELAY_STATUS_PORTAL_JOINED);
}

void relay_status_refused(struct relay_status *status)
{
    atomic_store(&status->portal, RELAY_STATUS_PORTAL_REFUSED);
    IGNORE(eventfd_write(status->fd, 1)); // it fails when nobody has looked for 2^64 times
}

void relay_status_serving(struct relay_status *status, bool is_serving)
{
    atomic_store(&status->is_serving, is_serving);
}

void relay_status_draining(struct relay_status *status)
{
    atomic_store(&status->is_draining, true);
}

void relay_status_hush(struct relay_status *status)
{
    eventfd_t count = 0;

    IGNORE(eventfd_read(status->fd, &count)); // it may not have rung
}

enum relay_status_portal relay_status_portal(struct relay_status *status)
{
    return atomic_load(&status->portal);
}

bool relay_status_is_draining(struct relay_status *status)
{
    return atomic_load(&status->is_draining);
}

bool relay_status_is_ready(struct relay_status *status)
{
    const enum relay_status_portal portal = relay_status_portal(status);
    const bool is_known =
        portal == RELAY_STATUS_PORTAL_NONE || portal == RELAY_STATUS_PORTAL_JOINED;

    return atomic_load(&status->is_serving) && !relay_status_is_draining(status) && is_known;
}
