// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_service.h"

#include <assert.h>
#include <string.h>

#include "revtun/revtun_account.h"
#include "revtun/revtun_hub_priv.h"
#include "revtun/revtun_link.h"
#include "revtun/revtun_visit.h"

_Static_assert(sizeof(struct revtun_service) % 8 == 0, "as a pool wants its items");

struct revtun_service *revtun_service_at(const struct revtun_hub *hub, uint32_t index)
{
    return pool_at(&hub->services, index);
}

struct bytes revtun_service_name(const struct revtun_service *service)
{
    return (struct bytes){service->name, service->name_len};
}

uint32_t revtun_service_find(const struct revtun_hub *hub, uint32_t account, struct bytes name)
{
    uint32_t index = revtun_account_at(hub, account)->first_service;

    while (index != POOL_NONE) {
        const struct revtun_service *service = revtun_service_at(hub, index);
        if (service->state != REVTUN_SERVICE_ENDED &&
            bytes_equal(revtun_service_name(service), name)) {
            break;
        }
        index = service->chain.next;
    }
    return index;
}

uint32_t revtun_service_open(struct revtun_hub *hub, uint32_t account, struct bytes name)
{
    struct revtun_account *owner = revtun_account_at(hub, account);
    struct pool_ref ref = {0};

    assert(name.len <= REVTUN_NAME_MAX);
    const bool has_room = pool_take(&hub->services, &ref);
    assert(has_room);
    struct revtun_service *service = revtun_service_at(hub, ref.index);
    service->account = account;
    service->link = POOL_NONE;
    service->hosts = (struct revtun_hosts_list){.tunnel = ref.index, .first = POOL_NONE};
    service->first_wait = POOL_NONE;
    service->first_session = POOL_NONE;
    service->told.index = POOL_NONE;
    service->state = REVTUN_SERVICE_KEPT;
    service->name_len = (uint8_t)name.len;
    memcpy(service->name, name.ptr, name.len);
    chain_add(&hub->services, &owner->first_service, ref.index);
    owner->service_count++;
    owner->bound_count++;
    return ref.index;
}

void revtun_service_hold(struct revtun_hub *hub, struct now now, uint32_t index, uint32_t link)
{
    struct revtun_service *service = revtun_service_at(hub, index);

    assert(service->state != REVTUN_SERVICE_ENDED);
    heap_clear(&hub->service_timers, index);
    const bool is_new = service->link != link;
    service->state = REVTUN_SERVICE_BOUND;
    service->link = link;
    if (is_new) {
        revtun_visit_recall(hub, now, index);
    }
}

void revtun_service_keep(struct revtun_hub *hub, struct now now, uint32_t index)
{
    struct revtun_service *service = revtun_service_at(hub, index);

    assert(service->state == REVTUN_SERVICE_BOUND);
    service->state = REVTUN_SERVICE_KEPT;
    service->link = POOL_NONE;
    revtun_visit_recall(hub, now, index);
    heap_set(&hub->service_timers, index, now.mono_ns + hub->config.grace_s * SECOND_NS);
}

void revtun_service_set_port(struct revtun_hub *hub, struct now now, uint32_t index, uint16_t port)
{
    struct revtun_service *service = revtun_service_at(hub, index);

    if (service->port != 0) {
        hub->by_port[service->port - hub->config.first_port] = 0;
        revtun_names_release(hub->names, service->port, now.wall_s);
    }
    service->port = port;
    if (port != 0) {
        hub->by_port[port - hub->config.first_port] = index + 1;
    }
}

void revtun_service_end(struct revtun_hub *hub, struct now now, uint32_t index, bool is_cut)
{
    struct revtun_service *service = revtun_service_at(hub, index);
    struct revtun_account *account = revtun_account_at(hub, service->account);

    if (service->state != REVTUN_SERVICE_ENDED) {
        revtun_service_set_port(hub, now, index, 0);
        revtun_hosts_release(&hub->hosts, &service->hosts);
        service->state = REVTUN_SERVICE_ENDED;
        service->link = POOL_NONE;
        revtun_visit_recall(hub, now, index);
        assert(account->bound_count > 0);
        account->bound_count--;
    }
    service->is_cut = service->is_cut || is_cut;
    heap_set(&hub->service_timers, index, now.mono_ns);
}

void revtun_service_revoke(struct revtun_hub *hub, struct now now, uint32_t index)
{
    struct revtun_service *service = revtun_service_at(hub, index);

    if (service->state == REVTUN_SERVICE_BOUND) {
        service->told = pool_ref(&hub->links, service->link);
    }
    revtun_service_end(hub, now, index, true);
}

void revtun_service_settle(struct revtun_hub *hub, uint32_t index)
{
    const struct revtun_service *service = revtun_service_at(hub, index);
    const uint32_t account = service->account;

    if (service->state != REVTUN_SERVICE_ENDED || service->wait_count > 0 ||
        service->session_count > 0 || heap_at(&hub->service_timers, index) != NEVER) {
        return;
    }
    chain_remove(&hub->services, &revtun_account_at(hub, account)->first_service, index);
    revtun_account_at(hub, account)->service_count--;
    pool_give(&hub->services, index);
    revtun_account_settle(hub, account);
}

static void tell(struct revtun_hub *hub, struct now now, struct revtun_service *service)
{
    if (revtun_link_find(hub, service->told) != NULL) {
        revtun_link_say_unbound(hub, now, service->told.index, 0, revtun_service_name(service),
                                REVTUN_MESSAGE_CODE_REVOKED);
    }
    service->told.index = POOL_NONE;
}

void revtun_service_expire(struct revtun_hub *hub, struct now now, uint32_t index)
{
    struct revtun_service *service = revtun_service_at(hub, index);

    if (service->state == REVTUN_SERVICE_KEPT) {
        revtun_service_end(hub, now, index, false);
        return;
    }
    assert(service->state == REVTUN_SERVICE_ENDED);
    tell(hub, now, service);
    for (int i = 0; i < REVTUN_HUB_STEP - 2 && revtun_visit_dismiss(hub, index); i++) {
    }
    if (service->wait_count > 0 || (service->is_cut && service->session_count > 0)) {
        heap_set(&hub->service_timers, index, now.mono_ns);
    }
    revtun_service_settle(hub, index);
}
