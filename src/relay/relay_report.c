// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_report.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>

#include "log/log.h"

// All of this is caused by clients, and what is said of credentials by anybody, as often as they
// like. So each kind of line has a limit, and none hides another: a client that is denied one kind
// of peer after the other can neither fill a disk nor cover up that somebody guesses passwords. A
// busy relay's allocations are all logged, but for a flood: 1000 at once, then 100 a second.
#define LIFE_LIMIT                                                                                 \
    {                                                                                              \
        .interval_ns = SECOND_NS / 100, .burst = 1000                                              \
    }

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

static void log_denied(const struct turn_command_report *report, const char *message)
{
    LOG_LIMITED(limit_of(report->refusal), LOG_LEVEL_WARN, message,
                LOG_ADDR("client", &report->tuple.client), LOG_ADDR("peer", &report->peer),
                LOG_TEXT("reason", turn_refusal_words(report->refusal)));
}

static void log_exhausted(const struct turn_command_report *report)
{
    LOG_LIMITED(limit_of(report->refusal), LOG_LEVEL_WARN, "request refused",
                LOG_ADDR("client", &report->tuple.client),
                LOG_TEXT("reason", turn_refusal_words(report->refusal)));
}

// Whoever guesses may do so under another's address, as long as he has no nonce that was sent
// there.
static void log_unproven(const struct turn_command_report *report)
{
    LOG_LIMITED(limit_of(report->refusal), LOG_LEVEL_WARN, "credential refused",
                LOG_ADDR("client", &report->tuple.client),
                LOG_TEXT("address", report->is_client_certain ? "certain" : "maybe forged"),
                LOG_BYTES("username", report->username),
                LOG_TEXT("reason", turn_refusal_words(report->refusal)));
}

void relay_report_log(const struct turn_command_report *report)
{
    static struct log_limit created = LIFE_LIMIT;
    static struct log_limit deleted = LIFE_LIMIT;
    static struct log_limit expired = LIFE_LIMIT;
    static struct log_limit replaced = LIFE_LIMIT;
    static struct log_limit refused = LOG_LIMIT_DEFAULT;
    const struct addr *client = &report->tuple.client;

    switch (report->event) {
    case TURN_EVENT_ALLOCATED:
        LOG_LIMITED(&created, LOG_LEVEL_INFO, "allocation created", LOG_ADDR("client", client),
                    LOG_ADDR("relayed", &report->relayed), LOG_BYTES("username", report->username),
                    LOG_NUMBER("lifetime_s", report->lifetime_s));
        return;
    case TURN_EVENT_DELETED:
        LOG_LIMITED(&deleted, LOG_LEVEL_INFO, "allocation deleted by its client",
                    LOG_ADDR("client", client), LOG_ADDR("relayed", &report->relayed));
        return;
    case TURN_EVENT_EXPIRED:
        LOG_LIMITED(&expired, LOG_LEVEL_INFO, "allocation expired", LOG_ADDR("client", client),
                    LOG_ADDR("relayed", &report->relayed));
        return;
    case TURN_EVENT_REPLACED:
        LOG_LIMITED(&replaced, LOG_LEVEL_INFO, "allocation replaced by a new one of its user",
                    LOG_ADDR("client", client), LOG_ADDR("relayed", &report->relayed));
        return;
    case TURN_EVENT_PEER_DENIED:
        log_denied(report, "peer denied; --allow-peer would allow it");
        return;
    case TURN_EVENT_PEER_BARRED:
        log_denied(report, "peer denied");
        return;
    case TURN_EVENT_PORT_REFUSED:
        LOG_LIMITED(&refused, LOG_LEVEL_WARN, "the system refuses a relayed port; trying another",
                    LOG_ADDR("relayed", &report->relayed));
        return;
    case TURN_EVENT_EXHAUSTED:
        log_exhausted(report);
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
