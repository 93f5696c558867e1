// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_answer.h"

#include <stdlib.h>

#include "io/io_clock.h"
#include "revtun/revtun_look.h"
#include "revtun/revtun_pairs.h"
#include "tunnel/tunnel_sample.h"
#include "tunnel/tunnel_why.h"

enum { SHORT_MAX = 4096 }; // bytes of an answer that has few lines

#define SURVEY_WAIT_NS (SECOND_NS / 2)
#define SURVEY_TICK_NS (SECOND_NS / 1000)

static void line_write(struct wr *wr, const char *name, uint64_t value)
{
    wr_text(wr, name);
    wr_text(wr, ": ");
    wr_decimal(wr, value);
    wr_text(wr, "\n");
}

static void status(const struct tunnel_answer *of, struct daemon_ctl_reply *reply)
{
    const struct tunnel_broker *broker = of->broker;
    const struct revtun_gauges gauges = revtun_relay_gauges(broker->core);

    if (!daemon_ctl_reserve(reply, SHORT_MAX)) {
        return;
    }
    struct wr *wr = &reply->wr;
    wr_text(wr, "version: " FAIRLEAD_VERSION "\nstate: ");
    wr_text(wr, of->drain->state == DAEMON_DRAIN_SERVING ? "serving\n" : "draining\n");
    line_write(wr, "workers", broker->crew.worker_count);
    line_write(wr, "workers that do not answer", tunnel_crew_missing(&broker->crew));
    line_write(wr, "pairs of ports", broker->limits.pair_count);
    line_write(wr, "free pairs", gauges.pairs_free);
    line_write(wr, "servers", gauges.controls);
    line_write(wr, "sessions", gauges.sessions);
    line_write(wr, "clients that wait", gauges.waiting);
    line_write(wr, "handshakes", broker->controls.stranger_count);
    if (tunnel_second_is_open(&broker->second)) {
        const struct revtun_hub_gauges agents = revtun_hub_gauges(broker->second.hub);

        line_write(wr, "agents", agents.agents);
        line_write(wr, "their tunnels", agents.services);
        line_write(wr, "their sessions", agents.sessions);
        line_write(wr, "their clients that wait", agents.waiting);
        line_write(wr, "their connections that stand by", agents.standing);
    }
}

static void why(const struct tunnel_answer *of, struct bytes text, struct daemon_ctl_reply *reply)
{
    const struct tunnel_broker *broker = of->broker;
    const struct tunnel_why why = {
        .limits = &broker->limits,
        .core = broker->core,
        .ledger = &broker->past.ledger,
        .refusals = &broker->past.refusals,
        .now = io_clock_now(),
    };
    struct addr address;
    uint64_t port = 0;

    if (!daemon_ctl_reserve(reply, TUNNEL_WHY_TEXT_MAX)) {
        return;
    }
    if (bytes_to_number(text, UINT16_MAX, &port) && port > 0) {
        tunnel_why_port_write(&reply->wr, &why, (uint16_t)port);
    } else if (addr_read(text, &address) || addr_read_with_port(text, &address)) {
        tunnel_why_address_write(&reply->wr, &why, &address);
    } else {
        wr_text(&reply->wr, "error: neither a port, such as 12101, nor an address, such as "
                            "192.0.2.7 or 2001:db8::7\n");
    }
}

static void reload(const struct tunnel_answer *of, struct daemon_ctl_reply *reply)
{
    if (daemon_ctl_reserve(reply, TUNNEL_ANSWER_RELOAD_MAX)) {
        of->reload(of->context, &reply->wr);
    }
}

// --- top -----------------------------------------------------------------------------------------

struct carried {
    uint64_t from_clients;
    uint64_t to_clients;
};

// What the sessions of each pair have told that go on, which are version 1's. Memory of malloc(),
// or NULL.
static struct carried *sum_sessions(const struct tunnel_broker *broker)
{
    const uint32_t pair_count = broker->limits.pair_count;
    struct carried *sums = calloc((size_t)pair_count + 1, sizeof *sums);

    for (uint32_t i = 0; sums != NULL && i < broker->limits.max_sessions; i++) {
        const struct tunnel_session *session = &broker->crew.sessions[i];

        if (atomic_load(&session->owner) == 0 || session->pair >= pair_count ||
            session->begun_ns < broker->past.ledger.entries[session->pair].linked_ns) {
            continue;
        }
        sums[session->pair].from_clients += atomic_load(&session->told_bytes[0]);
        sums[session->pair].to_clients += atomic_load(&session->told_bytes[1]);
    }
    return sums;
}

static void server_write(struct wr *wr, const struct tunnel_broker *broker, uint32_t pair,
                         const struct revtun_look *look, const struct carried *carried,
                         struct now now)
{
    const struct revtun_config *limits = &broker->limits;
    const struct tunnel_ledger_entry *entry = &broker->past.ledger.entries[pair];
    uint8_t text[ADDR_TEXT_MAX];
    struct wr server = wr_init(text, sizeof text);
    const int64_t age_s = now.wall_s - entry->linked_s;

    addr_write(&server, &look->server);
    daemon_sample_row_write(
        wr, &tunnel_sample_kinds[TUNNEL_SAMPLE_SERVER],
        &(struct daemon_sample_row){
            .numbers =
                {
                    [TUNNEL_SAMPLE_PORT] =
                        revtun_pairs_public_port(limits->control_port, limits->pair_count, pair),
                    [TUNNEL_SAMPLE_LINKED_S] = (uint64_t)entry->linked_s,
                    [TUNNEL_SAMPLE_AGE_S] = age_s > 0 ? (uint64_t)age_s : 0,
                    [TUNNEL_SAMPLE_SESSIONS] = look->sessions,
                    [TUNNEL_SAMPLE_WAITING] = look->waiting,
                    [TUNNEL_SAMPLE_ENDED] = entry->sessions,
                    [TUNNEL_SAMPLE_FROM_CLIENTS] = entry->bytes[0] + carried->from_clients,
                    [TUNNEL_SAMPLE_TO_CLIENTS] = entry->bytes[1] + carried->to_clients,
                },
            .texts = {[TUNNEL_SAMPLE_ADDR] = wr_done(&server)},
        });
}

static void gauge_write(struct wr *wr, const char *name, uint64_t value)
{
    daemon_sample_named_write(wr, DAEMON_SAMPLE_GAUGE, name, value);
}

static void sample_write(struct wr *wr, const struct tunnel_broker *broker,
                         const struct carried *sums, struct now now)
{
    const struct revtun_gauges gauges = revtun_relay_gauges(broker->core);

    daemon_sample_head_write(wr, now.mono_ns);
    gauge_write(wr, "servers", gauges.controls);
    gauge_write(wr, "pairs", broker->limits.pair_count);
    gauge_write(wr, "sessions", gauges.sessions);
    gauge_write(wr, "waiting", gauges.waiting);
    gauge_write(wr, "handshakes", broker->controls.stranger_count);
    for (uint32_t pair = 0; pair < broker->limits.pair_count; pair++) {
        struct revtun_look look;

        if (revtun_look_pair(broker->core, pair, &look)) {
            server_write(wr, broker, pair, &look, &sums[pair], now);
        }
    }
    wr_text(wr, "end\n");
}

static void top(struct tunnel_answer *of, struct daemon_ctl_reply *reply)
{
    if (of->survey_end_ns == 0) {
        of->survey_count++;
        of->survey_end_ns = io_clock_mono_ns() + SURVEY_WAIT_NS;
        tunnel_crew_survey(&of->broker->crew);
    }
    reply->ticket = of->survey_count;
}

uint64_t tunnel_answer_tick(struct tunnel_answer *of, struct now now)
{
    const struct tunnel_broker *broker = of->broker;

    if (of->survey_end_ns == 0) {
        return NEVER;
    }
    if (tunnel_crew_missing(&broker->crew) > 0 && now.mono_ns < of->survey_end_ns) {
        return now.mono_ns + SURVEY_TICK_NS;
    }
    const size_t room = SHORT_MAX + (size_t)broker->limits.pair_count * TUNNEL_SAMPLE_LINE_MAX;
    uint8_t *text = malloc(room);
    struct carried *sums = sum_sessions(broker);
    struct wr wr = wr_init(text, text == NULL ? 0 : room);
    if (text != NULL && sums != NULL) {
        sample_write(&wr, broker, sums, now);
    }
    daemon_ctl_answer(of->ctl, of->survey_count, wr_done(&wr));
    free(sums);
    free(text);
    of->survey_end_ns = 0;
    return NEVER;
}

void tunnel_answer_request(void *context, struct bytes request, struct daemon_ctl_reply *reply)
{
    struct tunnel_answer *of = context;
    const size_t len = bytes_index(request, ' ');
    const struct bytes command = bytes_first(request, len);
    const struct bytes argument = bytes_trim(bytes_from(request, len));

    if (bytes_equal_text(command, "why")) {
        why(of, argument, reply);
    } else if (bytes_equal_text(request, "status")) {
        status(of, reply);
    } else if (bytes_equal_text(request, "top")) {
        top(of, reply);
    } else if (bytes_equal_text(request, "reload")) {
        reload(of, reply);
    } else if (daemon_ctl_reserve(reply, SHORT_MAX)) {
        wr_text(&reply->wr, "error: no such command; there are status, top, why and reload\n");
    }
}
