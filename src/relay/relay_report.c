// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_report.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>

#include "log/log.h"
#include "relay/relay_life.h"
#include "turn/turn_advice.h"

// All of this is caused by clients, and what is said of credentials by anybody, as often as they
// like. So each kind of line has a limit, and none hides another: a client that is denied one kind
// of peer after the other can neither fill a disk nor cover up that somebody guesses passwords.

// Guesses share a limit, whether there is such a user or not: if one were written and the other
// held back, whoever guesses could tell them apart by the time that it takes.
static bool is_guess(enum turn_refusal refusal)
{
    return refusal == TURN_REFUSAL_STRANGER || refusal == TURN_REFUSAL_PASSWORD ||
           refusal == TURN_REFUSAL_REST_PASSWORD;
}

static struct log_limit *limit_of(enum turn_refusal refusal)
{
    static struct log_limit limits[TURN_REFUSAL_END] = {
#define LIMIT(NAME, name, words) [TURN_REFUSAL_##NAME] = LOG_LIMIT_DEFAULT,
        TURN_REFUSALS(LIMIT)
#undef LIMIT
    };

    assert(refusal > TURN_REFUSAL_NONE);
    assert(refusal < TURN_REFUSAL_END);
    return &limits[is_guess(refusal) ? TURN_REFUSAL_STRANGER : refusal];
}

// What a line says of each refusal, behind what the client did.
#define WHY_FIELDS(report)                                                                         \
    LOG_TEXT("reason", turn_refusal_words((report)->refusal)),                                     \
        LOG_NUMBER("code", (uint64_t)turn_advice_code((report)->refusal)),                         \
        LOG_TEXT("advice", turn_advice_words((report)->refusal))

static void log_denied(const struct turn_command_report *report, const char *message)
{
    LOG_LIMITED(limit_of(report->refusal), LOG_LEVEL_WARN, message,
                LOG_ADDR("client", &report->tuple.client), LOG_ADDR("peer", &report->peer),
                WHY_FIELDS(report));
}

// What a client does wrong is its own trouble; the limit that it meets may be the operator's.
static void log_refused(const struct turn_command_report *report, enum log_level level)
{
    LOG_LIMITED(limit_of(report->refusal), level, "request refused",
                LOG_ADDR("client", &report->tuple.client), LOG_BYTES("username", report->username),
                WHY_FIELDS(report));
}

// Whoever guesses may do so under another's address, as long as he has no nonce that was sent
// there.
static void log_unproven(const struct turn_command_report *report)
{
    LOG_LIMITED(limit_of(report->refusal), LOG_LEVEL_WARN, "credential refused",
                LOG_ADDR("client", &report->tuple.client),
                LOG_TEXT("address", report->is_client_certain ? "certain" : "maybe forged"),
                LOG_BYTES("username", report->username), WHY_FIELDS(report));
}

void relay_report_log(const struct turn_command_report *report, const struct turn_usage *kernel,
                      struct now now)
{
    static struct log_limit refused = LOG_LIMIT_DEFAULT;

    switch (report->event) {
    case TURN_EVENT_ALLOCATED:
        relay_life_begun(report);
        return;
    case TURN_EVENT_DELETED:
        relay_life_ended(&report->life, kernel, RELAY_LIFE_DELETED, now);
        return;
    case TURN_EVENT_EXPIRED:
        relay_life_ended(&report->life, kernel, RELAY_LIFE_EXPIRED, now);
        return;
    case TURN_EVENT_REPLACED:
        relay_life_ended(&report->life, kernel, RELAY_LIFE_REPLACED, now);
        return;
    case TURN_EVENT_PEER_DENIED:
        log_denied(report, "peer denied; --allow-peer would allow it");
        return;
    case TURN_EVENT_PEER_BARRED:
        log_denied(report, "peer denied");
        return;
    case TURN_EVENT_MISTAKEN:
        log_refused(report, LOG_LEVEL_INFO);
        return;
    case TURN_EVENT_PORT_REFUSED:
        LOG_LIMITED(&refused, LOG_LEVEL_WARN, "the system refuses a relayed port; trying another",
                    LOG_ADDR("relayed", &report->relayed));
        return;
    case TURN_EVENT_EXHAUSTED:
        log_refused(report, LOG_LEVEL_WARN);
        return;
    case TURN_EVENT_UNPROVEN:
        log_unproven(report);
        return;
    }
}

void relay_report_unsent(const struct addr *to, bool is_to_peer, int error)
{
    static struct {
        int error;
        struct log_limit to_client;
        struct log_limit to_peer;
    } kinds[] = {
        {-ENETUNREACH, LOG_LIMIT_DEFAULT, LOG_LIMIT_DEFAULT},
        {-EHOSTUNREACH, LOG_LIMIT_DEFAULT, LOG_LIMIT_DEFAULT},
        {-EPERM, LOG_LIMIT_DEFAULT, LOG_LIMIT_DEFAULT},
        {-EACCES, LOG_LIMIT_DEFAULT, LOG_LIMIT_DEFAULT},
        {-EMSGSIZE, LOG_LIMIT_DEFAULT, LOG_LIMIT_DEFAULT},
        {-EINVAL, LOG_LIMIT_DEFAULT, LOG_LIMIT_DEFAULT},
        {0, LOG_LIMIT_DEFAULT, LOG_LIMIT_DEFAULT}, // any other
    };
    size_t kind = 0;

    assert(error < 0);
    while (kinds[kind].error != error && kinds[kind].error != 0) {
        kind++;
    }
    struct log_limit *limit = is_to_peer ? &kinds[kind].to_peer : &kinds[kind].to_client;
    LOG_LIMITED(limit, LOG_LEVEL_WARN, "a packet could not be sent", LOG_ADDR("to", to),
                LOG_ERROR_NUMBER("error", error));
}

void relay_report_buffer(uint32_t wanted_len, uint32_t given_len)
{
    static atomic_flag is_told = ATOMIC_FLAG_INIT;

    if (given_len < wanted_len && !atomic_flag_test_and_set(&is_told)) {
        LOG_INFO("the system's limit gives sockets shorter receive buffers than are wanted, which "
                 "bursts may fill; raise net.core.rmem_max",
                 LOG_NUMBER("wanted", wanted_len), LOG_NUMBER("given", given_len));
    }
}
