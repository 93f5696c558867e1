// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_bind.h"

#include <assert.h>
#include <string.h>

#include "revtun/revtun_account.h"
#include "revtun/revtun_denial.h"
#include "revtun/revtun_hub_priv.h"
#include "revtun/revtun_link.h"
#include "revtun/revtun_service.h"

#define PROBE_NS (3 * SECOND_NS)
#define PROBE_LASTS_NS (15 * SECOND_NS) // how long its answer counts

enum { BUSY_RETRY_S = 30, PACE_RETRY_S = 1 };

// A request under way.
struct wish {
    uint32_t link;
    uint32_t account;
    const struct revtun_message *message;
};

static const struct revtun_denial granted = {.kind = REVTUN_DENIAL_NONE};

static struct revtun_denial refused(enum revtun_denial_kind kind, uint64_t retry_s)
{
    return (struct revtun_denial){.kind = kind, .retry_s = retry_s};
}

static struct revtun_denial refused_text(enum revtun_denial_kind kind, struct bytes given)
{
    return (struct revtun_denial){.kind = kind, .given = given};
}

static struct revtun_denial refused_number(enum revtun_denial_kind kind, uint64_t number)
{
    return (struct revtun_denial){.kind = kind, .number = number};
}

static bool is_refused(const struct revtun_denial *denial)
{
    return denial->kind != REVTUN_DENIAL_NONE;
}

// --- who has the name ----------------------------------------------------------------------------

// Another control connection of the agent has the name: whether it loses it.
static struct revtun_denial contest(struct revtun_hub *hub, struct now now, const struct wish *wish,
                                    uint32_t rival)
{
    const struct revtun_link *other = revtun_link_at(hub, rival);
    const uint64_t probed_ns = other->probed_ns;

    if (wish->message->bind.take == 1 ||
        other->instance == revtun_link_at(hub, wish->link)->instance) {
        return granted;
    }
    const bool is_probed = probed_ns != 0 && now.mono_ns - probed_ns < PROBE_LASTS_NS;
    if (is_probed && other->heard_ns > probed_ns) {
        return refused(REVTUN_DENIAL_NAME_TAKEN, 0);
    }
    if (is_probed && now.mono_ns - probed_ns >= PROBE_NS) {
        return granted;
    }
    if (!is_probed) {
        revtun_link_probe(hub, now, rival);
    }
    return refused(REVTUN_DENIAL_NAME_TAKEN, PROBE_NS / SECOND_NS);
}

// --- its place -----------------------------------------------------------------------------------

static struct revtun_denial denial_of(enum revtun_names_outcome outcome,
                                      const struct revtun_names_wish *wish)
{
    switch (outcome) {
    case REVTUN_NAMES_OK:
        return granted;
    case REVTUN_NAMES_DENIED:
        return refused_number(REVTUN_DENIAL_PORT, wish->port);
    case REVTUN_NAMES_BOUND:
    case REVTUN_NAMES_PORT_TAKEN:
        return refused_number(REVTUN_DENIAL_PORT_TAKEN, wish->port);
    case REVTUN_NAMES_NO_PORT:
        return refused(REVTUN_DENIAL_NO_PORT, 0);
    case REVTUN_NAMES_QUOTA:
        return refused_number(REVTUN_DENIAL_TUNNELS, wish->owner_max);
    }
    assert(!"an outcome");
    return granted;
}

// A port for a service, which keeps the one that it has if it gets no other.
static struct revtun_denial place_at_port(struct revtun_hub *hub, struct now now, uint32_t index,
                                          const struct wish *wish)
{
    const struct revtun_account *account = revtun_account_at(hub, wish->account);
    const uint16_t former = revtun_service_at(hub, index)->port;
    const uint16_t wanted = (uint16_t)wish->message->bind.port;
    struct revtun_names_wish names_wish = {
        .owner = revtun_account_owner(account),
        .name = wish->message->bind.name,
        .ports = account->entry->ports,
        .port = wanted,
        .owner_max = account->entry->tunnel_max,
    };
    uint16_t port = 0;

    if (former != 0 && (wanted == 0 || wanted == former)) {
        return granted;
    }
    if (account->entry->ports.len == 0) {
        return refused_number(REVTUN_DENIAL_PORT, 0);
    }
    revtun_service_set_port(hub, now, index, 0);
    const struct revtun_denial denial =
        denial_of(revtun_names_bind(hub->names, &names_wish, now.wall_s, &port), &names_wish);
    if (is_refused(&denial) && former != 0) {
        names_wish.port = former;
        const enum revtun_names_outcome again =
            revtun_names_bind(hub->names, &names_wish, now.wall_s, &port);
        assert(again == REVTUN_NAMES_OK); // it has just been its own
    }
    revtun_service_set_port(hub, now, index, port);
    if (!is_refused(&denial)) {
        revtun_hosts_release(&hub->hosts, &revtun_service_at(hub, index)->hosts);
    }
    return denial;
}

// The hosts of a service as a list: no longer than the one that it was bound with.
static struct bytes hosts_of(const struct revtun_hub *hub, const struct revtun_service *service,
                             uint8_t text[REVTUN_MESSAGE_HOSTS_MAX])
{
    struct wr wr = wr_init(text, REVTUN_MESSAGE_HOSTS_MAX);
    uint32_t cursor = service->hosts.first;
    struct bytes pattern = {0};

    while (revtun_hosts_next(&hub->hosts, &cursor, &pattern)) {
        wr_text(&wr, wr.len > 0 ? "," : "");
        wr_bytes(&wr, pattern);
    }
    assert(wr_ok(&wr));
    return wr_done(&wr);
}

// The first of a list that an agent may not have, or none.
static struct revtun_denial deny_hosts(const struct revtun_access_entry *entry, struct bytes hosts)
{
    struct bytes host = {0};

    if (entry->hosts.len == 0) {
        return refused(REVTUN_DENIAL_HOST, 0);
    }
    while (revtun_pattern_take(&hosts, &host)) {
        if (!revtun_access_may_hosts(entry, host)) {
            return refused_text(REVTUN_DENIAL_HOST, host);
        }
    }
    return granted;
}

// How many more patterns of hosts a service may have, those that it has included.
static uint32_t host_room(const struct revtun_hub *hub, uint32_t index)
{
    const struct revtun_account *account =
        revtun_account_at(hub, revtun_service_at(hub, index)->account);
    uint64_t others = 0;

    for (uint32_t i = account->first_service; i != POOL_NONE;
         i = revtun_service_at(hub, i)->chain.next) {
        others += i != index ? revtun_service_at(hub, i)->hosts.count : 0;
    }
    return others < account->entry->host_max ? (uint32_t)(account->entry->host_max - others) : 0;
}

// Hosts for a service, which keeps those that it has if it does not get all.
static struct revtun_denial place_at_hosts(struct revtun_hub *hub, struct now now, uint32_t index,
                                           const struct wish *wish)
{
    const struct revtun_access_entry *entry = revtun_account_at(hub, wish->account)->entry;
    struct revtun_service *service = revtun_service_at(hub, index);
    uint8_t text[REVTUN_MESSAGE_HOSTS_MAX];
    struct bytes last = {0};

    if (hub->config.tls_port == 0) {
        return refused(REVTUN_DENIAL_UNSUPPORTED, 0);
    }
    const struct revtun_denial denial = deny_hosts(entry, wish->message->bind.hosts);
    if (is_refused(&denial)) {
        return denial;
    }
    // What it has makes room for what it wants.
    const struct bytes former = hosts_of(hub, service, text);
    revtun_hosts_release(&hub->hosts, &service->hosts);
    service->hosts.max = host_room(hub, index);
    const enum revtun_hosts_outcome outcome =
        revtun_hosts_bind(&hub->hosts, wish->message->bind.hosts, &service->hosts, &last);
    if (outcome != REVTUN_HOSTS_OK && former.len > 0) {
        service->hosts.max = UINT32_MAX; // if it may have fewer by now
        const enum revtun_hosts_outcome again =
            revtun_hosts_bind(&hub->hosts, former, &service->hosts, &last);
        assert(again == REVTUN_HOSTS_OK); // they have just been its own
    }
    switch (outcome) {
    case REVTUN_HOSTS_OK:
        revtun_service_set_port(hub, now, index, 0);
        break;
    case REVTUN_HOSTS_TAKEN:
        return refused_text(REVTUN_DENIAL_HOST_TAKEN, last);
    case REVTUN_HOSTS_MANY:
        return refused_number(REVTUN_DENIAL_HOSTS, entry->host_max);
    case REVTUN_HOSTS_FULL:
        return refused(REVTUN_DENIAL_ROOM, BUSY_RETRY_S);
    }
    return granted;
}

// --- the whole -----------------------------------------------------------------------------------

// Takes from the agent's budget. Its tunnels may all be bound anew within a second.
static struct revtun_denial keep_pace(const struct revtun_hub *hub, struct now now,
                                      struct revtun_account *account)
{
    const uint32_t tunnel_max = account->entry->tunnel_max < hub->config.max_services
                                    ? account->entry->tunnel_max
                                    : hub->config.max_services;
    const struct bucket_rate rate = bucket_rate_of(
        tunnel_max > hub->config.binds_per_second ? tunnel_max : hub->config.binds_per_second);

    if (!bucket_has(&account->binds, &rate, now.mono_ns, 1)) {
        return refused(REVTUN_DENIAL_PACE, PACE_RETRY_S);
    }
    bucket_take(&account->binds, &rate, now.mono_ns, 1);
    return granted;
}

static struct revtun_denial find_room(const struct revtun_hub *hub, uint32_t account)
{
    const struct revtun_account *owner = revtun_account_at(hub, account);
    const uint64_t tunnel_max = owner->entry->tunnel_max;

    if (owner->bound_count >= tunnel_max) {
        return refused_number(REVTUN_DENIAL_TUNNELS, tunnel_max);
    }
    if (owner->service_count >= tunnel_max + hub->config.max_ended_per_agent) {
        return refused(REVTUN_DENIAL_ENDED, BUSY_RETRY_S);
    }
    if (pool_is_full(&hub->services)) {
        return refused(REVTUN_DENIAL_ROOM, BUSY_RETRY_S);
    }
    return granted;
}

static struct revtun_denial place(struct revtun_hub *hub, struct now now, const struct wish *wish,
                                  uint32_t *out)
{
    const struct bytes name = wish->message->bind.name;
    uint32_t index = revtun_service_find(hub, wish->account, name);
    struct revtun_denial denial = keep_pace(hub, now, revtun_account_at(hub, wish->account));

    if (is_refused(&denial)) {
        return denial;
    }
    if (!revtun_access_may_name(revtun_account_at(hub, wish->account)->entry, name)) {
        return refused_text(REVTUN_DENIAL_NAME, name);
    }
    const bool is_new = index == POOL_NONE;
    if (is_new) {
        denial = find_room(hub, wish->account);
    } else {
        const uint32_t holder = revtun_service_at(hub, index)->link;
        if (holder != POOL_NONE && holder != wish->link) {
            denial = contest(hub, now, wish, holder);
        }
    }
    if (is_refused(&denial)) {
        return denial;
    }
    if (is_new) {
        index = revtun_service_open(hub, wish->account, name);
    }
    denial = wish->message->bind.kind == REVTUN_MESSAGE_KIND_TCP
                 ? place_at_port(hub, now, index, wish)
                 : place_at_hosts(hub, now, index, wish);
    if (is_refused(&denial) && is_new) {
        revtun_service_end(hub, now, index, false);
    }
    *out = index;
    return denial;
}

static void say_bound(struct revtun_hub *hub, struct now now, const struct wish *wish,
                      uint32_t index)
{
    const struct revtun_service *service = revtun_service_at(hub, index);
    const struct revtun_link *link = revtun_link_at(hub, wish->link);
    uint8_t at[REVTUN_MESSAGE_AT_MAX];
    struct wr wr = wr_init(at, sizeof at);

    wr_bytes(&wr, hub->config.host);
    wr_text(&wr, ":");
    wr_decimal(&wr, service->port != 0 ? service->port : hub->config.tls_port);
    assert(wr_ok(&wr));
    revtun_link_say(hub, now, wish->link,
                    &(struct revtun_message){
                        .verb = REVTUN_MESSAGE_BOUND,
                        .bound = {.rid = wish->message->bind.rid,
                                  .name = revtun_service_name(service),
                                  .at = wr_done(&wr),
                                  .lease_s = service->port != 0 ? hub->config.lease_s : 0},
                    });
    revtun_outbox_report(&hub->outbox,
                         &(struct revtun_command_report){
                             .event = REVTUN_EVENT_BOUND,
                             .control = link->conn,
                             .pair = POOL_NONE,
                             .from = link->peer,
                             .owner = revtun_account_owner(revtun_account_at(hub, wish->account)),
                             .name = revtun_service_name(service),
                             .port = service->port,
                             .tunnel = pool_ref(&hub->services, index),
                         });
}

// A name that outlives the message.
static struct bytes name_kept(struct revtun_hub *hub, struct bytes name)
{
    memcpy(hub->denied_name, name.ptr, name.len);
    return (struct bytes){hub->denied_name, name.len};
}

// The agent and the log are told what it does not get, and why.
static void say_refused(struct revtun_hub *hub, struct now now, const struct wish *wish,
                        const struct revtun_denial *denial)
{
    const struct revtun_link *link = revtun_link_at(hub, wish->link);
    const char *key = revtun_denial_key(denial->kind);
    struct wr wr = wr_init(hub->denial_text, sizeof hub->denial_text);

    revtun_denial_write(&wr, denial);
    assert(wr_ok(&wr));
    hub->stats.binds_refused++;
    (*revtun_hub_stats_denied(&hub->stats, denial->kind))++;
    revtun_link_say(hub, now, wish->link,
                    &(struct revtun_message){
                        .verb = REVTUN_MESSAGE_ERROR,
                        .error = {.rid = wish->message->bind.rid,
                                  .code = revtun_denial_code(denial->kind),
                                  .key = key != NULL ? bytes_of_text(key) : (struct bytes){0},
                                  .text = wr_done(&wr),
                                  .retry_s = denial->retry_s},
                    });
    revtun_outbox_report(&hub->outbox,
                         &(struct revtun_command_report){
                             .event = REVTUN_EVENT_BIND_REFUSED,
                             .control = link->conn,
                             .pair = POOL_NONE,
                             .from = link->peer,
                             .owner = revtun_account_owner(revtun_account_at(hub, wish->account)),
                             .name = name_kept(hub, wish->message->bind.name),
                             .port = (uint16_t)wish->message->bind.port,
                             .code = revtun_denial_code(denial->kind),
                             .detail = wr_done(&wr),
                         });
}

void revtun_bind(struct revtun_hub *hub, struct now now, uint32_t link,
                 const struct revtun_message *message)
{
    const struct wish wish = {link, revtun_link_at(hub, link)->account, message};
    uint32_t index = POOL_NONE;
    const struct revtun_denial denial = place(hub, now, &wish, &index);

    if (is_refused(&denial)) {
        say_refused(hub, now, &wish, &denial);
        return;
    }
    struct revtun_service *service = revtun_service_at(hub, index);
    if (service->link != POOL_NONE && service->link != link) {
        revtun_link_say_unbound(hub, now, service->link, 0, revtun_service_name(service),
                                REVTUN_MESSAGE_CODE_REPLACED);
    }
    hub->stats.binds_done++;
    service->max = (uint32_t)message->bind.max;
    say_bound(hub, now, &wish, index);
    revtun_service_hold(hub, now, index, link);
}

void revtun_bind_unbind(struct revtun_hub *hub, struct now now, uint32_t link,
                        const struct revtun_message *message)
{
    const uint32_t account = revtun_link_at(hub, link)->account;
    const uint32_t index = revtun_service_find(hub, account, message->unbind.name);

    const struct revtun_service *service =
        index != POOL_NONE ? revtun_service_at(hub, index) : NULL;

    // What is kept is its agent's to leave, as it is to take. Of what is another's it is only true
    // that it is not bound here.
    if (service != NULL && (service->state == REVTUN_SERVICE_KEPT || service->link == link)) {
        revtun_service_end(hub, now, index, false);
        // The report outlives the message; the service still has its name.
        revtun_link_say_unbound(hub, now, link, message->unbind.rid, revtun_service_name(service),
                                REVTUN_MESSAGE_CODE_ASKED);
        return;
    }
    revtun_link_say(hub, now, link,
                    &(struct revtun_message){
                        .verb = REVTUN_MESSAGE_UNBOUND,
                        .unbound = {.rid = message->unbind.rid,
                                    .name = message->unbind.name,
                                    .code = REVTUN_MESSAGE_CODE_ASKED},
                    });
}

// --- another access list -------------------------------------------------------------------------

static bool is_allowed(const struct revtun_hub *hub, const struct revtun_access_entry *entry,
                       const struct revtun_service *service)
{
    uint32_t cursor = service->hosts.first;
    struct bytes pattern = {0};

    if (service->state == REVTUN_SERVICE_ENDED) {
        return true;
    }
    if (!revtun_access_may_name(entry, revtun_service_name(service)) ||
        (service->port != 0 && !revtun_access_may_port(entry, service->port))) {
        return false;
    }
    while (revtun_hosts_next(&hub->hosts, &cursor, &pattern)) {
        if (!revtun_access_may_hosts(entry, pattern)) {
            return false;
        }
    }
    return true;
}

void revtun_bind_review(struct revtun_hub *hub, struct now now, uint32_t account)
{
    const struct revtun_access_entry *entry = revtun_account_at(hub, account)->entry;
    uint32_t i = revtun_account_at(hub, account)->first_service;

    for (; i != POOL_NONE; i = revtun_service_at(hub, i)->chain.next) {
        if (entry == NULL) {
            revtun_service_end(hub, now, i, true);
        } else if (!is_allowed(hub, entry, revtun_service_at(hub, i))) {
            revtun_service_revoke(hub, now, i);
        }
    }
}
