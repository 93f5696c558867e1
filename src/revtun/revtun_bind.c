// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_bind.h"

#include <assert.h>

#include "revtun/revtun_account.h"
#include "revtun/revtun_hub_priv.h"
#include "revtun/revtun_link.h"
#include "revtun/revtun_service.h"

#define PROBE_NS (3 * SECOND_NS)
#define PROBE_LASTS_NS (15 * SECOND_NS) // how long its answer counts

enum { BUSY_RETRY_S = 30 };

// A request under way.
struct wish {
    uint32_t link;
    uint32_t account;
    const struct revtun_message *message;
};

// Whether it is refused: with which code, and when it helps to ask again.
struct verdict {
    bool is_refused;
    enum revtun_message_code code;
    uint64_t retry_s;
};

static const struct verdict granted = {0};

static struct verdict refused(enum revtun_message_code code, uint64_t retry_s)
{
    return (struct verdict){.is_refused = true, .code = code, .retry_s = retry_s};
}

// --- who has the name ----------------------------------------------------------------------------

// Another control connection of the agent has the name: whether it loses it.
static struct verdict contest(struct revtun_hub *hub, struct now now, const struct wish *wish,
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
        return refused(REVTUN_MESSAGE_CODE_NAME_TAKEN, 0);
    }
    if (is_probed && now.mono_ns - probed_ns >= PROBE_NS) {
        return granted;
    }
    if (!is_probed) {
        revtun_link_probe(hub, now, rival);
    }
    return refused(REVTUN_MESSAGE_CODE_NAME_TAKEN, PROBE_NS / SECOND_NS);
}

// --- its place -----------------------------------------------------------------------------------

static struct verdict verdict_of(enum revtun_names_outcome outcome)
{
    switch (outcome) {
    case REVTUN_NAMES_OK:
        return granted;
    case REVTUN_NAMES_DENIED:
        return refused(REVTUN_MESSAGE_CODE_DENIED, 0);
    case REVTUN_NAMES_BOUND:
    case REVTUN_NAMES_PORT_TAKEN:
        return refused(REVTUN_MESSAGE_CODE_PORT_TAKEN, 0);
    case REVTUN_NAMES_NO_PORT:
        return refused(REVTUN_MESSAGE_CODE_NO_PORT, 0);
    case REVTUN_NAMES_QUOTA:
        return refused(REVTUN_MESSAGE_CODE_QUOTA, 0);
    }
    assert(!"an outcome");
    return granted;
}

// A port for a service, which keeps the one that it has if it gets no other.
static struct verdict place_at_port(struct revtun_hub *hub, struct now now, uint32_t index,
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
        return refused(REVTUN_MESSAGE_CODE_DENIED, 0);
    }
    revtun_service_set_port(hub, now, index, 0);
    const struct verdict verdict =
        verdict_of(revtun_names_bind(hub->names, &names_wish, now.wall_s, &port));
    if (verdict.is_refused && former != 0) {
        names_wish.port = former;
        const enum revtun_names_outcome again =
            revtun_names_bind(hub->names, &names_wish, now.wall_s, &port);
        assert(again == REVTUN_NAMES_OK); // it has just been its own
    }
    revtun_service_set_port(hub, now, index, port);
    if (!verdict.is_refused) {
        revtun_hosts_release(&hub->hosts, &revtun_service_at(hub, index)->hosts);
    }
    return verdict;
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

// Hosts for a service, which keeps those that it has if it does not get all.
static struct verdict place_at_hosts(struct revtun_hub *hub, struct now now, uint32_t index,
                                     const struct wish *wish)
{
    struct revtun_service *service = revtun_service_at(hub, index);
    const struct bytes hosts = wish->message->bind.hosts;
    uint8_t text[REVTUN_MESSAGE_HOSTS_MAX];

    if (hub->config.tls_port == 0) {
        return refused(REVTUN_MESSAGE_CODE_UNSUPPORTED, 0);
    }
    if (!revtun_access_may_hosts(revtun_account_at(hub, wish->account)->entry, hosts)) {
        return refused(REVTUN_MESSAGE_CODE_DENIED, 0);
    }
    // What it has makes room for what it wants.
    const struct bytes former = hosts_of(hub, service, text);
    revtun_hosts_release(&hub->hosts, &service->hosts);
    const enum revtun_hosts_outcome outcome =
        revtun_hosts_bind(&hub->hosts, hosts, &service->hosts);
    if (outcome != REVTUN_HOSTS_OK && former.len > 0) {
        const enum revtun_hosts_outcome again =
            revtun_hosts_bind(&hub->hosts, former, &service->hosts);
        assert(again == REVTUN_HOSTS_OK); // they have just been its own
    }
    switch (outcome) {
    case REVTUN_HOSTS_OK:
        revtun_service_set_port(hub, now, index, 0);
        break;
    case REVTUN_HOSTS_TAKEN:
        return refused(REVTUN_MESSAGE_CODE_HOST_TAKEN, 0);
    case REVTUN_HOSTS_FULL:
        return refused(REVTUN_MESSAGE_CODE_BUSY, BUSY_RETRY_S);
    }
    return granted;
}

// --- the whole -----------------------------------------------------------------------------------

static struct verdict find_room(const struct revtun_hub *hub, uint32_t account)
{
    const struct revtun_account *owner = revtun_account_at(hub, account);

    if (owner->bound_count >= owner->entry->tunnel_max) {
        return refused(REVTUN_MESSAGE_CODE_QUOTA, 0);
    }
    if (pool_is_full(&hub->services)) {
        return refused(REVTUN_MESSAGE_CODE_BUSY, BUSY_RETRY_S);
    }
    return granted;
}

static struct verdict place(struct revtun_hub *hub, struct now now, const struct wish *wish,
                            uint32_t *out)
{
    const struct bytes name = wish->message->bind.name;
    uint32_t index = revtun_service_find(hub, wish->account, name);
    struct verdict verdict = granted;

    if (!revtun_access_may_name(revtun_account_at(hub, wish->account)->entry, name)) {
        return refused(REVTUN_MESSAGE_CODE_DENIED, 0);
    }
    const bool is_new = index == POOL_NONE;
    if (is_new) {
        verdict = find_room(hub, wish->account);
    } else {
        const uint32_t holder = revtun_service_at(hub, index)->link;
        if (holder != POOL_NONE && holder != wish->link) {
            verdict = contest(hub, now, wish, holder);
        }
    }
    if (verdict.is_refused) {
        return verdict;
    }
    if (is_new) {
        index = revtun_service_open(hub, wish->account, name);
    }
    verdict = wish->message->bind.kind == REVTUN_MESSAGE_KIND_TCP
                  ? place_at_port(hub, now, index, wish)
                  : place_at_hosts(hub, now, index, wish);
    if (verdict.is_refused && is_new) {
        revtun_service_end(hub, now, index, false);
    }
    *out = index;
    return verdict;
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
                         });
}

void revtun_bind(struct revtun_hub *hub, struct now now, uint32_t link,
                 const struct revtun_message *message)
{
    const struct wish wish = {link, revtun_link_at(hub, link)->account, message};
    uint32_t index = POOL_NONE;
    const struct verdict verdict = place(hub, now, &wish, &index);

    if (verdict.is_refused) {
        const struct revtun_message_fault fault = {.rid = message->bind.rid};
        hub->stats.binds_refused++;
        revtun_link_say_error(hub, now, link, &fault, verdict.code, verdict.retry_s);
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
