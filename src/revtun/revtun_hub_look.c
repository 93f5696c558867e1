// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hub_look.h"

#include <assert.h>

#include "revtun/revtun_account.h"
#include "revtun/revtun_hub_priv.h"
#include "revtun/revtun_link.h"
#include "revtun/revtun_service.h"
#include "revtun/revtun_stand.h"
#include "revtun/revtun_visit.h"

static uint64_t oldest_ns(const struct revtun_hub *hub, const struct revtun_service *service)
{
    uint64_t oldest_ns = NEVER;

    for (uint32_t i = service->first_wait; i != POOL_NONE;) {
        const struct revtun_wait *wait = pool_at(&hub->waits, i);
        const struct revtun_visit *visit = pool_at(&hub->visits, wait->visit);

        oldest_ns = visit->since_ns < oldest_ns ? visit->since_ns : oldest_ns;
        i = wait->chain.next;
    }
    return oldest_ns;
}

// Those that are there, not those that are asked for.
static uint32_t standing_of(const struct revtun_hub *hub, const struct revtun_link *link)
{
    uint32_t count = 0;

    for (uint32_t i = link->first_stand; i != POOL_NONE;) {
        const struct revtun_stand *stand = pool_at(&hub->stands, i);

        count += stand->is_there;
        i = stand->chain.next;
    }
    return count;
}

uint32_t revtun_hub_look_count(const struct revtun_hub *hub)
{
    return hub->services.touched;
}

bool revtun_hub_look(const struct revtun_hub *hub, uint32_t index, struct revtun_hub_look *out)
{
    if (!pool_has(&hub->services, index)) {
        return false;
    }
    const struct revtun_service *service = revtun_service_at(hub, index);
    struct revtun_hub_look look = {
        .tunnel = pool_ref(&hub->services, index),
        .owner = revtun_account_owner(revtun_account_at(hub, service->account)),
        .name = revtun_service_name(service),
        .port = service->port,
        .has_ended = service->state == REVTUN_SERVICE_ENDED,
        .kept_until_ns = NEVER,
        .waiting = service->wait_count,
        .sessions = service->session_count,
        .max = service->max,
        .waiting_since_ns = oldest_ns(hub, service),
    };

    if (service->link != POOL_NONE) {
        const struct revtun_link *link = revtun_link_at(hub, service->link);
        look.agent = link->peer;
        look.agent_up_ns = link->up_ns;
        look.standing = standing_of(hub, link);
    } else if (service->state == REVTUN_SERVICE_KEPT) {
        look.kept_until_ns = heap_at(&hub->service_timers, index);
    }
    *out = look;
    return true;
}

uint32_t revtun_hub_look_port(const struct revtun_hub *hub, uint16_t port)
{
    const uint32_t place = (uint32_t)port - hub->config.first_port; // wraps around for ports below

    return place < hub->config.port_count && hub->by_port[place] != 0 ? hub->by_port[place] - 1
                                                                      : POOL_NONE;
}

uint32_t revtun_hub_look_host(const struct revtun_hub *hub, struct bytes host)
{
    const uint32_t found = revtun_hosts_find(&hub->hosts, host);

    return found != REVTUN_HOSTS_NONE ? found : POOL_NONE;
}

void revtun_hub_look_hosts_write(const struct revtun_hub *hub, uint32_t index, size_t max,
                                 struct wr *wr)
{
    static const char more[] = "...";
    uint32_t cursor = revtun_service_at(hub, index)->hosts.first;
    struct bytes pattern = {0};
    size_t len = 0;

    while (revtun_hosts_next(&hub->hosts, &cursor, &pattern)) {
        const bool has_room = len + 1 + pattern.len + sizeof more <= max;

        wr_text(wr, len > 0 ? "," : "");
        if (!has_room) {
            wr_text(wr, more);
            return;
        }
        wr_bytes(wr, pattern);
        len += 1 + pattern.len;
    }
}

uint32_t revtun_hub_look_link_count(const struct revtun_hub *hub)
{
    return hub->links.touched;
}

bool revtun_hub_look_link(const struct revtun_hub *hub, uint32_t index,
                          struct revtun_hub_look_link *out)
{
    if (!pool_has(&hub->links, index) || revtun_link_at(hub, index)->state != REVTUN_LINK_OPEN) {
        return false;
    }
    const struct revtun_link *link = revtun_link_at(hub, index);
    struct revtun_hub_look_link look = {
        .owner = revtun_link_owner(hub, link),
        .peer = link->peer,
        .up_ns = link->up_ns,
        .standing = standing_of(hub, link),
    };

    for (uint32_t i = revtun_account_at(hub, link->account)->first_service; i != POOL_NONE;) {
        const struct revtun_service *service = revtun_service_at(hub, i);

        look.tunnels += service->link == index;
        i = service->chain.next;
    }
    *out = look;
    return true;
}
