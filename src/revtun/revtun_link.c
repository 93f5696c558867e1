// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_link.h"

#include <assert.h>
#include <string.h>

#include "crypto/crypto_wipe.h"
#include "revtun/revtun_account.h"
#include "revtun/revtun_hub_priv.h"
#include "revtun/revtun_service.h"
#include "revtun/revtun_stand.h"
#include "revtun/revtun_visit.h"

#define HELLO_NS (5 * SECOND_NS)

enum { BUSY_RETRY_S = 30 };

_Static_assert(sizeof(struct revtun_link) % 8 == 0, "as a pool wants its items");

struct revtun_link *revtun_link_at(const struct revtun_hub *hub, uint32_t index)
{
    return pool_at(&hub->links, index);
}

struct revtun_link *revtun_link_find(const struct revtun_hub *hub, struct pool_ref ref)
{
    struct revtun_link *link = pool_find(&hub->links, ref);

    return link != NULL && link->state != REVTUN_LINK_GONE ? link : NULL;
}

static struct bytes sid_of(const uint8_t sid[REVTUN_MESSAGE_SID_LEN])
{
    return (struct bytes){sid, REVTUN_MESSAGE_SID_LEN};
}

static bool has_sid(const void *context, uint32_t index, const void *key)
{
    return memcmp(revtun_link_at(context, index)->sid, key, REVTUN_MESSAGE_SID_LEN) == 0;
}

uint32_t revtun_link_of_sid(const struct revtun_hub *hub, const uint8_t sid[REVTUN_MESSAGE_SID_LEN])
{
    const uint32_t index =
        table_find(&hub->links_by_sid, siphash(&hub->key, sid_of(sid)), has_sid, hub, sid);

    return index != TABLE_NONE ? index : POOL_NONE;
}

// --- timers --------------------------------------------------------------------------------------

static uint64_t min_ns(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void revtun_link_set_timer(struct revtun_hub *hub, uint32_t index)
{
    const struct revtun_link *link = revtun_link_at(hub, index);
    uint64_t deadline_ns = 0;

    switch ((enum revtun_link_state)link->state) {
    case REVTUN_LINK_UP:
        deadline_ns = link->up_ns + HELLO_NS;
        break;
    case REVTUN_LINK_OPEN:
        deadline_ns = min_ns(link->said_ns + hub->config.ping_s * SECOND_NS,
                             link->heard_ns + hub->config.dead_s * SECOND_NS);
        deadline_ns = min_ns(deadline_ns, min_ns(link->want_ns, link->again_ns));
        deadline_ns = min_ns(deadline_ns, link->stale_ns);
        if (link->said_len - link->pinged_len >= REVTUN_LINK_PING_LEN) {
            deadline_ns = 0;
        }
        if (hub->drain_ns != NEVER) {
            deadline_ns = link->is_drain_told ? min_ns(deadline_ns, hub->drain_ns) : 0;
        }
        if (revtun_account_at(hub, link->account)->entry == NULL) {
            deadline_ns = 0;
        }
        break;
    case REVTUN_LINK_GONE:
        break;
    }
    heap_set(&hub->link_timers, index, deadline_ns);
}

// --- what is said --------------------------------------------------------------------------------

void revtun_link_say(struct revtun_hub *hub, struct now now, uint32_t index,
                     const struct revtun_message *message)
{
    struct revtun_link *link = revtun_link_at(hub, index);
    struct wr wr = revtun_outbox_text(&hub->outbox);

    assert(link->state != REVTUN_LINK_GONE);
    revtun_message_write(&wr, message);
    revtun_outbox_send(&hub->outbox, link->conn, &wr);
    link->said_ns = now.mono_ns;
    link->said_len += wr.len;
    revtun_link_set_timer(hub, index);
}

void revtun_link_say_unbound(struct revtun_hub *hub, struct now now, uint32_t index, uint64_t rid,
                             struct bytes name, enum revtun_message_code code)
{
    const struct revtun_link *link = revtun_link_at(hub, index);

    revtun_link_say(hub, now, index,
                    &(struct revtun_message){
                        .verb = REVTUN_MESSAGE_UNBOUND,
                        .unbound = {.rid = rid, .name = name, .code = code},
                    });
    revtun_outbox_report(&hub->outbox,
                         &(struct revtun_command_report){
                             .event = REVTUN_EVENT_UNBOUND,
                             .control = link->conn,
                             .pair = POOL_NONE,
                             .from = link->peer,
                             .owner = revtun_account_owner(revtun_account_at(hub, link->account)),
                             .name = name,
                             .code = code,
                         });
}

static struct bytes words(enum revtun_message_code code)
{
    return bytes_of_text(revtun_message_code_meaning(code));
}

void revtun_link_say_error(struct revtun_hub *hub, struct now now, uint32_t index,
                           const struct revtun_message_fault *fault, enum revtun_message_code code,
                           uint64_t retry_s)
{
    revtun_link_say(
        hub, now, index,
        &(struct revtun_message){
            .verb = REVTUN_MESSAGE_ERROR,
            .error = {.rid = fault->rid,
                      .code = code,
                      .key = fault->key != NULL ? bytes_of_text(fault->key) : (struct bytes){0},
                      .text = words(code),
                      .retry_s = retry_s},
        });
}

static void ping(struct revtun_hub *hub, struct now now, uint32_t index)
{
    struct revtun_link *link = revtun_link_at(hub, index);

    link->pinged_len = link->said_len;
    revtun_link_say(hub, now, index,
                    &(struct revtun_message){
                        .verb = REVTUN_MESSAGE_PING,
                        .ping = {.n = link->pinged_len},
                    });
}

void revtun_link_probe(struct revtun_hub *hub, struct now now, uint32_t index)
{
    revtun_link_at(hub, index)->probed_ns = now.mono_ns;
    ping(hub, now, index);
}

bool revtun_link_may_announce(const struct revtun_link *link)
{
    return link->said_len - link->read_len < REVTUN_LINK_AHEAD_MAX;
}

// Those whose clients it has are all of its account's.
static void announce_withheld(struct revtun_hub *hub, uint32_t index)
{
    uint32_t i = revtun_account_at(hub, revtun_link_at(hub, index)->account)->first_service;

    for (; i != POOL_NONE; i = revtun_service_at(hub, i)->chain.next) {
        if (revtun_service_at(hub, i)->link == index) {
            revtun_visit_announce_withheld(hub, i);
        }
    }
}

void revtun_link_acknowledge(struct revtun_hub *hub, uint32_t index, uint64_t n)
{
    struct revtun_link *link = revtun_link_at(hub, index);

    if (n > link->said_len || n <= link->read_len) {
        return;
    }
    link->read_len = n;
    if (link->has_withheld && revtun_link_may_announce(link)) {
        link->has_withheld = false;
        announce_withheld(hub, index);
    }
}

// --- its end -------------------------------------------------------------------------------------

struct bytes revtun_link_owner(const struct revtun_hub *hub, const struct revtun_link *link)
{
    return link->account != POOL_NONE ? revtun_account_owner(revtun_account_at(hub, link->account))
                                      : (struct bytes){0};
}

static void leave_names(struct revtun_hub *hub, struct now now, uint32_t index, bool is_bye)
{
    uint32_t next = POOL_NONE;
    uint32_t i = revtun_account_at(hub, revtun_link_at(hub, index)->account)->first_service;

    for (; i != POOL_NONE; i = next) {
        const struct revtun_service *service = revtun_service_at(hub, i);
        next = service->chain.next;
        if (service->state == REVTUN_SERVICE_BOUND && service->link == index) {
            if (is_bye) {
                revtun_service_end(hub, now, i, false);
            } else {
                revtun_service_keep(hub, now, i);
            }
        }
    }
}

static void leave(struct revtun_hub *hub, struct now now, uint32_t index,
                  enum revtun_message_code code, bool is_bye)
{
    struct revtun_link *link = revtun_link_at(hub, index);

    revtun_outbox_report(
        &hub->outbox,
        &(struct revtun_command_report){
            .event = REVTUN_EVENT_AGENT_DOWN,
            .control = link->conn,
            .pair = POOL_NONE,
            .from = link->peer,
            .owner = revtun_link_owner(hub, link),
            .name = {link->claim, link->claim_len},
            .code = code,
            .detail = link->wrong != NULL ? bytes_of_text(link->wrong) : (struct bytes){0},
        });
    if (link->state == REVTUN_LINK_OPEN) {
        leave_names(hub, now, index, is_bye);
        hub->stats.agents_lost++;
    }
    table_remove(&hub->links_by_sid, siphash(&hub->key, sid_of(link->sid)), index);
    revtun_secrets_deinit(&link->secrets);
    link->state = REVTUN_LINK_GONE;
    revtun_link_set_timer(hub, index);
}

void revtun_link_lose(struct revtun_hub *hub, struct now now, uint32_t index,
                      enum revtun_message_code code)
{
    leave(hub, now, index, code, false);
}

static void close_conn(struct revtun_hub *hub, uint64_t conn)
{
    revtun_outbox_add(&hub->outbox, &(struct revtun_command){
                                        .type = REVTUN_COMMAND_CLOSE,
                                        .close = {.control = conn},
                                    });
}

// Whether an agent with which nothing is wrong is to come back, and in how many seconds.
static uint64_t retry_s_of(const struct revtun_hub *hub, struct now now,
                           enum revtun_message_code code)
{
    switch ((int)code) {
    case REVTUN_MESSAGE_CODE_SILENT:
    case REVTUN_MESSAGE_CODE_TIMEOUT:
        return 1;
    case REVTUN_MESSAGE_CODE_BUSY:
        return BUSY_RETRY_S;
    case REVTUN_MESSAGE_CODE_SHUTDOWN:
        // What comes behind this relay is there when it has ended.
        return 1 + (hub->drain_ns > now.mono_ns ? (hub->drain_ns - now.mono_ns) / SECOND_NS : 0);
    default: // denied, revoked, or not of this protocol: that does not pass by itself
        return 0;
    }
}

void revtun_link_doubt(struct revtun_hub *hub, uint32_t index, struct bytes claim,
                       const char *wrong)
{
    struct revtun_link *link = revtun_link_at(hub, index);

    assert(link->state == REVTUN_LINK_UP);
    assert(claim.len <= sizeof link->claim);
    link->claim_len = (uint8_t)claim.len;
    if (claim.len > 0) {
        memcpy(link->claim, claim.ptr, claim.len);
    }
    link->wrong = wrong;
}

void revtun_link_end(struct revtun_hub *hub, struct now now, uint32_t index,
                     enum revtun_message_code code)
{
    revtun_link_say(
        hub, now, index,
        &(struct revtun_message){
            .verb = REVTUN_MESSAGE_BYE,
            .bye = {.code = code, .text = words(code), .retry_s = retry_s_of(hub, now, code)},
        });
    close_conn(hub, revtun_link_at(hub, index)->conn);
    leave(hub, now, index, code, false);
}

void revtun_link_bye(struct revtun_hub *hub, struct now now, uint32_t index,
                     enum revtun_message_code code)
{
    close_conn(hub, revtun_link_at(hub, index)->conn);
    leave(hub, now, index, code, true);
}

static void settle(struct revtun_hub *hub, uint32_t index)
{
    const uint32_t account = revtun_link_at(hub, index)->account;

    crypto_wipe(revtun_link_at(hub, index), sizeof(struct revtun_link));
    pool_give(&hub->links, index);
    if (account != POOL_NONE) {
        revtun_account_at(hub, account)->link_count--;
        revtun_account_settle(hub, account);
    }
}

// --- its life ------------------------------------------------------------------------------------

struct pool_ref revtun_link_open(struct revtun_hub *hub, struct now now,
                                 const struct revtun_hub_arrival *arrival)
{
    struct pool_ref ref = {.index = POOL_NONE};

    if (revtun_link_of_sid(hub, arrival->sid) != POOL_NONE || !pool_take(&hub->links, &ref)) {
        close_conn(hub, arrival->conn);
        return ref;
    }
    struct revtun_link *link = revtun_link_at(hub, ref.index);
    revtun_stream_init(&link->stream);
    link->conn = arrival->conn;
    link->peer = arrival->peer;
    link->account = POOL_NONE;
    link->secrets = revtun_secrets_read(arrival->exported);
    memcpy(link->sid, arrival->sid, sizeof link->sid);
    link->has_cert = arrival->cert != NULL;
    if (link->has_cert) {
        memcpy(link->cert, arrival->cert, sizeof link->cert);
    }
    link->up_ns = now.mono_ns;
    link->heard_ns = now.mono_ns;
    link->said_ns = now.mono_ns;
    link->want_ns = NEVER;
    link->again_ns = NEVER;
    link->stale_ns = NEVER;
    link->first_stand = POOL_NONE;
    link->state = REVTUN_LINK_UP;
    table_add(&hub->links_by_sid, siphash(&hub->key, sid_of(link->sid)), ref.index);
    revtun_link_set_timer(hub, ref.index);
    return ref;
}

// --- standing connections ------------------------------------------------------------------------

void revtun_link_stand_used(struct revtun_hub *hub, struct now now, uint32_t index)
{
    struct revtun_link *link = revtun_link_at(hub, index);

    if (link->state == REVTUN_LINK_OPEN) {
        link->wanted_count++;
        link->want_ns = now.mono_ns;
        revtun_link_set_timer(hub, index);
    }
}

void revtun_link_stand_missed(struct revtun_hub *hub, struct now now, uint32_t index)
{
    struct revtun_link *link = revtun_link_at(hub, index);

    if (link->state == REVTUN_LINK_OPEN) {
        link->missed_count++;
        link->again_ns = min_ns(link->again_ns, now.mono_ns + hub->config.ping_s * SECOND_NS);
        revtun_link_set_timer(hub, index);
    }
}

// --- what is due ---------------------------------------------------------------------------------

static void expire_open(struct revtun_hub *hub, struct now now, uint32_t index)
{
    struct revtun_link *link = revtun_link_at(hub, index);

    if (revtun_account_at(hub, link->account)->entry == NULL) {
        revtun_link_end(hub, now, index, REVTUN_MESSAGE_CODE_REVOKED);
    } else if (hub->drain_ns <= now.mono_ns) {
        revtun_link_end(hub, now, index, REVTUN_MESSAGE_CODE_SHUTDOWN);
    } else if (now.mono_ns - link->heard_ns >= hub->config.dead_s * SECOND_NS) {
        hub->stats.agents_silent++;
        revtun_link_end(hub, now, index, REVTUN_MESSAGE_CODE_SILENT);
    } else if (hub->drain_ns != NEVER && !link->is_drain_told) {
        link->is_drain_told = true;
        revtun_link_say(hub, now, index,
                        &(struct revtun_message){
                            .verb = REVTUN_MESSAGE_DRAIN,
                            .drain = {.in_s = (hub->drain_ns - now.mono_ns) / SECOND_NS},
                        });
    } else if (link->said_len - link->pinged_len >= REVTUN_LINK_PING_LEN) {
        ping(hub, now, index);
    } else if (link->stale_ns <= now.mono_ns) {
        revtun_stand_give_up(hub, now, index);
    } else if (link->again_ns <= now.mono_ns) {
        link->again_ns = NEVER;
        link->wanted_count += link->missed_count;
        link->missed_count = 0;
        link->want_ns = now.mono_ns;
    } else if (link->want_ns <= now.mono_ns) {
        revtun_stand_ask(hub, now, index);
    } else if (now.mono_ns - link->said_ns >= hub->config.ping_s * SECOND_NS) {
        ping(hub, now, index);
    }
}

void revtun_link_expire(struct revtun_hub *hub, struct now now, uint32_t index)
{
    const struct revtun_link *link = revtun_link_at(hub, index);

    switch ((enum revtun_link_state)link->state) {
    case REVTUN_LINK_UP:
        revtun_link_end(hub, now, index, REVTUN_MESSAGE_CODE_TIMEOUT);
        break;
    case REVTUN_LINK_OPEN:
        expire_open(hub, now, index);
        break;
    case REVTUN_LINK_GONE:
        for (int i = 0; i < REVTUN_HUB_STEP; i++) {
            if (!revtun_stand_dismiss(hub, index)) {
                settle(hub, index);
                return;
            }
        }
        break;
    }
    revtun_link_set_timer(hub, index);
}
