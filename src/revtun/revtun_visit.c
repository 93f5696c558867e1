// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_visit.h"

#include <assert.h>
#include <string.h>

#include "revtun/revtun_account.h"
#include "revtun/revtun_hub_priv.h"
#include "revtun/revtun_link.h"
#include "revtun/revtun_service.h"
#include "revtun/revtun_stand.h"

_Static_assert(sizeof(struct revtun_visit) % 8 == 0, "as a pool wants its items");
_Static_assert(sizeof(struct revtun_wait) % 8 == 0, "likewise");

static struct revtun_visit *visit_at(const struct revtun_hub *hub, uint32_t index)
{
    return pool_at(&hub->visits, index);
}

static struct revtun_wait *wait_at(const struct revtun_hub *hub, uint32_t index)
{
    return pool_at(&hub->waits, index);
}

static struct revtun_account *account_of(const struct revtun_hub *hub,
                                         const struct revtun_service *service)
{
    return revtun_account_at(hub, service->account);
}

// --- coming --------------------------------------------------------------------------------------

static enum revtun_refusal refusal_for(const struct revtun_hub *hub,
                                       const struct revtun_service *service,
                                       const struct addr *from)
{
    const struct revtun_hub_config *config = &hub->config;
    const struct revtun_account *account = account_of(hub, service);
    const uint32_t account_max = account->entry->connection_max;

    if (pool_is_full(&hub->visits)) {
        return REVTUN_REFUSAL_SESSIONS;
    }
    if ((service->max > 0 && service->wait_count + service->session_count >= service->max) ||
        (account_max > 0 && account->visit_count >= account_max)) {
        return REVTUN_REFUSAL_PAIR_SESSIONS;
    }
    if (pool_is_full(&hub->waits)) {
        return REVTUN_REFUSAL_WAITING;
    }
    if (service->wait_count >= config->max_waiting_per_name) {
        return REVTUN_REFUSAL_PAIR_WAITING;
    }
    if (revtun_sources_count(&hub->sources, from) >= config->max_waiting_per_address) {
        return REVTUN_REFUSAL_ADDRESS_WAITING;
    }
    return REVTUN_REFUSAL_NONE;
}

static void reset(struct revtun_hub *hub, uint64_t conn)
{
    revtun_outbox_add(&hub->outbox, &(struct revtun_command){
                                        .type = REVTUN_COMMAND_RESET,
                                        .reset = {.conn = conn},
                                    });
}

static void report(struct revtun_hub *hub, uint32_t index, const struct addr *from,
                   enum revtun_event event, enum revtun_refusal refusal)
{
    const struct revtun_service *service = revtun_service_at(hub, index);

    revtun_outbox_report(&hub->outbox, &(struct revtun_command_report){
                                           .event = event,
                                           .pair = POOL_NONE,
                                           .from = *from,
                                           .refusal = refusal,
                                           .owner = revtun_account_owner(account_of(hub, service)),
                                           .name = revtun_service_name(service),
                                           .tunnel = pool_ref(&hub->services, index),
                                       });
}

static struct revtun_message announcement(const struct revtun_service *service,
                                          const struct revtun_wait *wait,
                                          const struct revtun_visit *visit, uint64_t id)
{
    return (struct revtun_message){
        .verb = REVTUN_MESSAGE_NEW_CONNECTION,
        .new_connection = {.id = id,
                           .name = revtun_service_name(service),
                           .src = visit->from,
                           .dst = wait->dst,
                           .sni = {wait->host, wait->host_len}},
    };
}

// Tells the agent of who waits; or later, if that has too much to read.
static void announce(struct revtun_hub *hub, struct now now, uint32_t index)
{
    struct revtun_wait *wait = wait_at(hub, index);
    const struct revtun_visit *visit = visit_at(hub, wait->visit);
    const struct revtun_service *service = revtun_service_at(hub, visit->service);
    struct revtun_link *link = revtun_link_at(hub, service->link);

    if (!revtun_link_may_announce(link)) {
        link->has_withheld = true;
        heap_set(&hub->wait_timers, index, wait->until_ns);
        return;
    }
    wait->until_ns = now.mono_ns + hub->config.ttl_s * SECOND_NS;
    wait->id = revtun_hub_new_id(hub, index);
    const struct revtun_message message = announcement(service, wait, visit, wait->id);
    revtun_link_say(hub, now, service->link, &message);
    heap_set(&hub->wait_timers, index, wait->until_ns);
}

// It waits no more, whatever becomes of it.
static void stop_waiting(struct revtun_hub *hub, uint32_t index)
{
    const struct revtun_wait *wait = wait_at(hub, index);
    struct revtun_visit *visit = visit_at(hub, wait->visit);
    struct revtun_service *service = revtun_service_at(hub, visit->service);

    heap_clear(&hub->wait_timers, index);
    revtun_sources_leave(&hub->sources, wait->source);
    chain_remove(&hub->waits, &service->first_wait, index);
    assert(service->wait_count > 0);
    service->wait_count--;
    visit->wait = POOL_NONE;
    pool_give(&hub->waits, index);
}

// It begins its session with a data connection.
static void join(struct revtun_hub *hub, struct now now, uint32_t index, uint64_t reverse,
                 struct bytes head)
{
    struct revtun_visit *visit = visit_at(hub, index);
    struct revtun_service *service = revtun_service_at(hub, visit->service);

    assert(visit->wait == POOL_NONE);
    chain_add(&hub->visits, &service->first_session, index);
    service->session_count++;
    hub->stats.hub_sessions_joined++;
    revtun_outbox_add(&hub->outbox, &(struct revtun_command){
                                        .type = REVTUN_COMMAND_JOIN,
                                        .join =
                                            {
                                                .session = pool_ref(&hub->visits, index),
                                                .client = visit->conn,
                                                .reverse = reverse,
                                                .pair = POOL_NONE,
                                                .from = visit->from,
                                                .waited_ns = now.mono_ns - visit->since_ns,
                                                .head = head,
                                            },
                                    });
}

// Gives a client that has just come a standing connection, if there is one.
static bool use_standing(struct revtun_hub *hub, struct now now, uint32_t index)
{
    const struct revtun_wait *wait = wait_at(hub, index);
    const uint32_t visit = wait->visit;
    const struct revtun_service *service = revtun_service_at(hub, visit_at(hub, visit)->service);
    uint64_t conn = 0;
    struct bytes head = {0};

    const struct revtun_message message =
        announcement(service, wait, visit_at(hub, visit), revtun_hub_new_id(hub, index));
    if (!revtun_stand_use(hub, now, service->link, &message, &conn, &head)) {
        return false;
    }
    stop_waiting(hub, index);
    hub->stats.hub_sessions_standing++;
    join(hub, now, visit, conn, head);
    return true;
}

// A client that is let in.
static struct pool_ref enter(struct revtun_hub *hub, struct now now, uint32_t index,
                             const struct revtun_hub_client *client)
{
    struct revtun_service *service = revtun_service_at(hub, index);
    struct pool_ref ref = {0};
    struct pool_ref waiting = {0};

    assert(client->host.len <= REVTUN_HOST_MAX);
    const bool has_room = pool_take(&hub->visits, &ref) && pool_take(&hub->waits, &waiting);
    assert(has_room);
    struct revtun_visit *visit = visit_at(hub, ref.index);
    struct revtun_wait *wait = wait_at(hub, waiting.index);
    visit->conn = client->conn;
    visit->from = client->from;
    visit->service = index;
    visit->wait = waiting.index;
    visit->since_ns = now.mono_ns;
    wait->visit = ref.index;
    wait->source = revtun_sources_enter(&hub->sources, &client->from);
    wait->until_ns = now.mono_ns + hub->config.ttl_s * SECOND_NS;
    wait->dst = client->dst;
    if (client->host.len > 0) {
        wait->host_len = (uint8_t)client->host.len;
        memcpy(wait->host, client->host.ptr, client->host.len);
    }
    chain_add(&hub->waits, &service->first_wait, waiting.index);
    service->wait_count++;
    account_of(hub, service)->visit_count++;
    hub->stats.hub_clients_waiting++;
    return ref;
}

struct pool_ref revtun_visit_open(struct revtun_hub *hub, struct now now, uint32_t index,
                                  const struct revtun_hub_client *client)
{
    const struct revtun_service *service = revtun_service_at(hub, index);
    const enum revtun_refusal refusal = refusal_for(hub, service, &client->from);

    if (refusal != REVTUN_REFUSAL_NONE) {
        hub->stats.hub_clients_refused++;
        reset(hub, client->conn);
        report(hub, index, &client->from, REVTUN_EVENT_REFUSED, refusal);
        return (struct pool_ref){.index = POOL_NONE};
    }
    const struct pool_ref ref = enter(hub, now, index, client);
    const uint32_t wait = visit_at(hub, ref.index)->wait;
    if (service->state == REVTUN_SERVICE_BOUND && !use_standing(hub, now, wait)) {
        announce(hub, now, wait);
    }
    return ref;
}

// --- waiting -------------------------------------------------------------------------------------

void revtun_visit_recall(struct revtun_hub *hub, struct now now, uint32_t index)
{
    const struct revtun_service *service = revtun_service_at(hub, index);
    const bool is_bound = service->state == REVTUN_SERVICE_BOUND;

    for (uint32_t i = service->first_wait; i != POOL_NONE; i = wait_at(hub, i)->chain.next) {
        struct revtun_wait *wait = wait_at(hub, i);
        wait->id = 0;
        wait->until_ns = now.mono_ns + hub->config.ttl_s * SECOND_NS;
        // Due at once, and who has waited for the longest time first.
        heap_set(&hub->wait_timers, i, is_bound ? visit_at(hub, wait->visit)->since_ns : NEVER);
    }
}

void revtun_visit_announce_withheld(struct revtun_hub *hub, uint32_t index)
{
    uint32_t i = revtun_service_at(hub, index)->first_wait;

    for (; i != POOL_NONE; i = wait_at(hub, i)->chain.next) {
        const struct revtun_wait *wait = wait_at(hub, i);
        if (wait->id == 0) {
            heap_set(&hub->wait_timers, i, visit_at(hub, wait->visit)->since_ns);
        }
    }
}

uint32_t revtun_visit_find(const struct revtun_hub *hub, uint32_t link, uint64_t id)
{
    const uint32_t index = revtun_hub_index_of_id(id);

    if (id == 0 || !pool_has(&hub->waits, index)) {
        return POOL_NONE;
    }
    const struct revtun_wait *wait = wait_at(hub, index);
    const uint32_t service = visit_at(hub, wait->visit)->service;
    return wait->id == id && revtun_service_at(hub, service)->link == link ? index : POOL_NONE;
}

void revtun_visit_accept(struct revtun_hub *hub, struct now now, uint32_t index, uint64_t conn)
{
    const uint32_t visit = wait_at(hub, index)->visit;

    stop_waiting(hub, index);
    join(hub, now, visit, conn, (struct bytes){0});
}

// --- leaving -------------------------------------------------------------------------------------

// It is over, and neither waits nor is a session of its service.
static void forget(struct revtun_hub *hub, uint32_t index)
{
    const uint32_t service = visit_at(hub, index)->service;
    struct revtun_account *account = account_of(hub, revtun_service_at(hub, service));

    assert(account->visit_count > 0);
    account->visit_count--;
    pool_give(&hub->visits, index);
    revtun_service_settle(hub, service);
}

// Ends who waits. Returns its connection.
static uint64_t drop(struct revtun_hub *hub, uint32_t index)
{
    const uint32_t visit = wait_at(hub, index)->visit;
    const uint64_t conn = visit_at(hub, visit)->conn;

    stop_waiting(hub, index);
    forget(hub, visit);
    return conn;
}

static void close_waiting(struct revtun_hub *hub, uint32_t index)
{
    const uint64_t conn = drop(hub, index);

    revtun_outbox_add(&hub->outbox, &(struct revtun_command){
                                        .type = REVTUN_COMMAND_REFUSE,
                                        .refuse = {.conn = conn},
                                    });
}

void revtun_visit_deny(struct revtun_hub *hub, uint32_t index)
{
    const struct revtun_visit *visit = visit_at(hub, wait_at(hub, index)->visit);

    hub->stats.hub_clients_denied++;
    report(hub, visit->service, &visit->from, REVTUN_EVENT_DENIED, REVTUN_REFUSAL_NONE);
    reset(hub, drop(hub, index));
}

// Takes a session off its service.
static void leave_session(struct revtun_hub *hub, uint32_t index)
{
    struct revtun_service *service = revtun_service_at(hub, visit_at(hub, index)->service);

    chain_remove(&hub->visits, &service->first_session, index);
    assert(service->session_count > 0);
    service->session_count--;
}

bool revtun_visit_dismiss(struct revtun_hub *hub, uint32_t index)
{
    struct revtun_service *service = revtun_service_at(hub, index);

    if (service->first_wait != POOL_NONE) {
        const uint64_t conn = visit_at(hub, wait_at(hub, service->first_wait)->visit)->conn;
        const uint32_t visit = wait_at(hub, service->first_wait)->visit;
        stop_waiting(hub, service->first_wait);
        account_of(hub, service)->visit_count--;
        pool_give(&hub->visits, visit);
        hub->stats.hub_clients_cut++;
        revtun_outbox_add(&hub->outbox, &(struct revtun_command){
                                            .type = REVTUN_COMMAND_REFUSE,
                                            .refuse = {.conn = conn},
                                        });
        return true;
    }
    if (!service->is_cut || service->first_session == POOL_NONE) {
        return false;
    }
    const uint32_t first = service->first_session;
    struct revtun_visit *visit = visit_at(hub, first);
    leave_session(hub, first);
    account_of(hub, service)->visit_count--;
    visit->service = POOL_NONE;
    hub->stats.hub_sessions_cut++;
    revtun_outbox_add(&hub->outbox,
                      &(struct revtun_command){
                          .type = REVTUN_COMMAND_END,
                          .end = {.session = pool_ref(&hub->visits, first), .client = visit->conn},
                      });
    return true;
}

// Tells the agent that who waits is over.
static void say_gone(struct revtun_hub *hub, struct now now, uint32_t index,
                     enum revtun_message_code code)
{
    const struct revtun_wait *wait = wait_at(hub, index);
    const struct revtun_service *service =
        revtun_service_at(hub, visit_at(hub, wait->visit)->service);

    if (wait->id != 0) {
        assert(service->state == REVTUN_SERVICE_BOUND);
        revtun_link_say(hub, now, service->link,
                        &(struct revtun_message){
                            .verb = REVTUN_MESSAGE_GONE,
                            .gone = {.id = wait->id, .code = code},
                        });
    }
}

void revtun_visit_gone(struct revtun_hub *hub, struct now now, uint32_t index)
{
    const struct revtun_visit *visit = visit_at(hub, index);

    if (visit->wait != POOL_NONE) {
        hub->stats.hub_clients_left++;
        say_gone(hub, now, visit->wait, REVTUN_MESSAGE_CODE_LEFT);
        (void)drop(hub, visit->wait);
        return;
    }
    hub->stats.hub_sessions_ended++;
    if (visit->service == POOL_NONE) {
        pool_give(&hub->visits, index);
        return;
    }
    leave_session(hub, index);
    forget(hub, index);
}

void revtun_visit_expire(struct revtun_hub *hub, struct now now, uint32_t index)
{
    const struct revtun_wait *wait = wait_at(hub, index);

    if (wait->id == 0 && now.mono_ns < wait->until_ns) {
        announce(hub, now, index);
        return;
    }
    const struct revtun_visit *visit = visit_at(hub, wait->visit);
    hub->stats.hub_clients_timed_out++;
    report(hub, visit->service, &visit->from, REVTUN_EVENT_TIMED_OUT, REVTUN_REFUSAL_NONE);
    say_gone(hub, now, index, REVTUN_MESSAGE_CODE_TIMEOUT);
    close_waiting(hub, index);
}
