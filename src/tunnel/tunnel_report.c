// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_report.h"

#include <assert.h>
#include <errno.h>

#include "base/siphash.h"
#include "log/log.h"

#define MILLI_NS (SECOND_NS / 1000)

enum {
    AGENT_LIMITS = 256,
    AGENT_LINES = 64, // at once; then one a second
};

// What an agent does has a limit of its own in the log, which it may share with few others: enough
// for all of its tunnels at once.
static struct log_limit *limit_of(const struct revtun_command_report *report)
{
    static struct log_limit limits[AGENT_LIMITS];
    static const struct siphash_key key; // agents do not choose what they are called
    struct log_limit *limit = &limits[siphash(&key, report->owner) % AGENT_LIMITS];

    limit->interval_ns = SECOND_NS;
    limit->burst = AGENT_LINES;
    return limit;
}

static void log_bind_refused(const struct revtun_command_report *report)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;

    LOG_LIMITED(&limit, LOG_LEVEL_INFO, "a name was refused", LOG_ADDR("agent", &report->from),
                LOG_BYTES("owner", report->owner), LOG_BYTES("name", report->name),
                LOG_TEXT("code", revtun_message_code_word(report->code)),
                LOG_BYTES("reason", report->detail));
}

// Anybody may cause it, so each limit that is met has a limit of its own in the log.
static void log_refused(const struct revtun_command_report *report)
{
    static struct log_limit limits[REVTUN_REFUSAL_END] = {
#define LIMIT(NAME, name, words) [REVTUN_REFUSAL_##NAME] = LOG_LIMIT_DEFAULT,
        REVTUN_REFUSALS(LIMIT)
#undef LIMIT
    };

    const char *reason = revtun_refusal_words(report->refusal);

    if (report->pair != POOL_NONE) {
        LOG_LIMITED(&limits[report->refusal], LOG_LEVEL_WARN, "a client was refused",
                    LOG_ADDR("client", &report->from), LOG_NUMBER("pair", report->pair),
                    LOG_TEXT("reason", reason));
    } else {
        LOG_LIMITED(&limits[report->refusal], LOG_LEVEL_WARN, "a client was refused",
                    LOG_ADDR("client", &report->from), LOG_BYTES("owner", report->owner),
                    LOG_BYTES("name", report->name), LOG_TEXT("reason", reason));
    }
}

void tunnel_report_crowded(const struct addr *from, uint32_t pair)
{
    log_refused(&(struct revtun_command_report){
        .pair = pair, .from = *from, .refusal = REVTUN_REFUSAL_SESSIONS});
}

static void log_timed_out(const struct revtun_command_report *report)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;

    if (report->pair != POOL_NONE) {
        LOG_LIMITED(&limit, LOG_LEVEL_WARN,
                    "a client was closed: no reverse connection came for it",
                    LOG_ADDR("client", &report->from), LOG_NUMBER("pair", report->pair));
    } else {
        LOG_LIMITED(&limit, LOG_LEVEL_WARN, "a client was closed: no data connection came for it",
                    LOG_ADDR("client", &report->from), LOG_BYTES("owner", report->owner),
                    LOG_BYTES("name", report->name));
    }
}

void tunnel_report_agent_down(const struct revtun_command_report *report, const char *reason)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    static struct log_limit refused = LOG_LIMIT_DEFAULT;
    const char *words = reason != NULL ? reason : revtun_message_code_meaning(report->code);

    if (report->owner.len > 0) {
        LOG_LIMITED(limit_of(report), LOG_LEVEL_INFO, "a control connection of an agent has ended",
                    LOG_ADDR("agent", &report->from), LOG_BYTES("owner", report->owner),
                    LOG_TEXT("reason", words));
    } else if (report->detail.len > 0) { // which anybody may cause
        LOG_LIMITED(&refused, LOG_LEVEL_INFO, "an agent was not let in",
                    LOG_ADDR("from", &report->from), LOG_BYTES("claims", report->name),
                    LOG_BYTES("reason", report->detail));
    } else { // likewise
        LOG_LIMITED(&limit, LOG_LEVEL_INFO, "an agent has not proven who it is",
                    LOG_ADDR("from", &report->from), LOG_TEXT("reason", words));
    }
}

static void log_lost(const struct revtun_command_report *report, const char *message)
{
    LOG_INFO(message, LOG_ADDR("server", &report->from), LOG_NUMBER("pair", report->pair),
             LOG_NUMBER("waiting", report->waiting_count),
             LOG_NUMBER("sessions", report->session_count));
}

static void log_forged(const struct revtun_command_report *report)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;

    LOG_LIMITED(&limit, LOG_LEVEL_WARN,
                "a data connection was reset: its preface is of no agent that is here",
                LOG_ADDR("from", &report->from));
}

void tunnel_report(const struct revtun_command_report *report)
{
    static struct log_limit full = LOG_LIMIT_DEFAULT;
    static struct log_limit again = LOG_LIMIT_DEFAULT;
    static struct log_limit foreign = LOG_LIMIT_DEFAULT;

    switch (report->event) {
    case REVTUN_EVENT_LINKED:
        LOG_INFO("a server is linked", LOG_ADDR("server", &report->from),
                 LOG_NUMBER("pair", report->pair));
        break;
    case REVTUN_EVENT_FULL:
        LOG_LIMITED(&full, LOG_LEVEL_WARN, "a server was turned away: all pairs of ports are taken",
                    LOG_ADDR("server", &report->from));
        break;
    case REVTUN_EVENT_SPOKE:
        log_lost(report, "a server is unlinked, since it sent what nobody understands");
        break;
    case REVTUN_EVENT_LOST:
        log_lost(report, "a server is unlinked: its control connection is gone");
        break;
    case REVTUN_EVENT_REFUSED:
        log_refused(report);
        break;
    case REVTUN_EVENT_TIMED_OUT:
        log_timed_out(report);
        break;
    case REVTUN_EVENT_AGAIN:
        LOG_LIMITED(&again, LOG_LEVEL_WARN, "clients wait for long, and are announced once more",
                    LOG_NUMBER("pair", report->pair), LOG_NUMBER("count", report->count));
        break;
    case REVTUN_EVENT_FOREIGN:
        LOG_LIMITED(&foreign, LOG_LEVEL_WARN,
                    "a reverse connection was refused: it comes from elsewhere than its server",
                    LOG_ADDR("from", &report->from), LOG_ADDR("server", &report->peer),
                    LOG_NUMBER("pair", report->pair));
        break;
    case REVTUN_EVENT_OTHER_FAMILY:
        LOG_INFO("a reverse connection came by the other family than its server's control "
                 "connection, and cannot be compared with it",
                 LOG_ADDR("from", &report->from), LOG_ADDR("server", &report->peer),
                 LOG_NUMBER("pair", report->pair));
        break;
    case REVTUN_EVENT_AGENT_UP:
        LOG_LIMITED(limit_of(report), LOG_LEVEL_INFO, "an agent is here",
                    LOG_ADDR("agent", &report->from), LOG_BYTES("owner", report->owner));
        break;
    case REVTUN_EVENT_AGENT_DOWN:
        tunnel_report_agent_down(report, NULL);
        break;
    case REVTUN_EVENT_BOUND:
        LOG_LIMITED(limit_of(report), LOG_LEVEL_INFO, "a name is bound",
                    LOG_BYTES("owner", report->owner), LOG_BYTES("name", report->name),
                    LOG_NUMBER("port", report->port));
        break;
    case REVTUN_EVENT_UNBOUND:
        LOG_LIMITED(limit_of(report), LOG_LEVEL_INFO, "a name is unbound",
                    LOG_BYTES("owner", report->owner), LOG_BYTES("name", report->name),
                    LOG_TEXT("reason", revtun_message_code_meaning(report->code)));
        break;
    case REVTUN_EVENT_BIND_REFUSED:
        log_bind_refused(report);
        break;
    case REVTUN_EVENT_DENIED: // which the agent's own log tells
    case REVTUN_EVENT_NOBODY: // which whoever scans ports causes
        break;                // they are counted, and kept for who asks
    case REVTUN_EVENT_FORGED:
        log_forged(report);
        break;
    }
}

const char *tunnel_report_why(enum io_pump_why why)
{
    switch (why) {
    case IO_PUMP_FINISHED:
        return "finished";
    case IO_PUMP_TOLD:
        return "unlinked";
    case IO_PUMP_LOST_A:
        return "client lost";
    case IO_PUMP_LOST_B:
        return "server lost";
    case IO_PUMP_SILENT:
        return "silent";
    case IO_PUMP_NO_MEMORY:
        return "no memory";
    case IO_PUMP_FAILED:
        return "failed";
    }
    assert(!"a reason that there is not");
    return NULL;
}

void tunnel_report_end(const struct tunnel_session *session, struct now now)
{
    LOG_INFO("session ended", LOG_ADDR("client", &session->from), LOG_NUMBER("pair", session->pair),
             LOG_NUMBER("bytes_from_client", session->pump.flows[0].byte_count),
             LOG_NUMBER("bytes_to_client", session->pump.flows[1].byte_count),
             LOG_NUMBER("waited_ms", session->waited_ns / MILLI_NS),
             LOG_NUMBER("duration_ms", (now.mono_ns - session->begun_ns) / MILLI_NS),
             LOG_TEXT("reason", tunnel_report_why(session->why)));
}

void tunnel_report_end_of(const struct tunnel_session *session, struct bytes owner,
                          struct bytes name, struct now now)
{
    LOG_INFO("session ended", LOG_ADDR("client", &session->from), LOG_BYTES("owner", owner),
             LOG_BYTES("name", name),
             LOG_NUMBER("bytes_from_client", session->pump.flows[0].byte_count),
             LOG_NUMBER("bytes_to_client", session->pump.flows[1].byte_count),
             LOG_NUMBER("waited_ms", session->waited_ns / MILLI_NS),
             LOG_NUMBER("duration_ms", (now.mono_ns - session->begun_ns) / MILLI_NS),
             LOG_TEXT("reason", owner.len > 0 ? tunnel_report_why(session->why) : "agent revoked"));
}
