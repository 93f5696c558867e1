// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_answer.h"

#include <stdlib.h>

#include "io/io_clock.h"
#include "revtun/revtun_hub_look.h"
#include "revtun/revtun_look.h"
#include "revtun/revtun_pairs.h"
#include "tunnel/tunnel_sample.h"
#include "tunnel/tunnel_why.h"
#include "tunnel/tunnel_why_agents.h"

enum {
    SHORT_MAX = 4096, // bytes of an answer that has few lines
    HOSTS_MAX = 160,  // bytes of the hosts of a row
};

#define MILLI_NS (SECOND_NS / 1000)
#define SURVEY_WAIT_NS (SECOND_NS / 2)
#define SURVEY_TICK_NS (SECOND_NS / 1000)

static void line_write(struct wr *wr, const char *name, uint64_t value)
{
    wr_text(wr, name);
    wr_text(wr, ": ");
    wr_decimal(wr, value);
    wr_text(wr, "\n");
}

// Control connections of agents that have proven who they are.
static uint32_t agent_count(const struct tunnel_second *second)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < revtun_hub_look_link_count(second->hub); i++) {
        struct revtun_hub_look_link link;

        count += revtun_hub_look_link(second->hub, i, &link);
    }
    return count;
}

static void agents_status(struct wr *wr, const struct tunnel_broker *broker)
{
    const struct tunnel_second *second = &broker->second;
    const struct revtun_hub_gauges gauges = revtun_hub_gauges(second->hub);

    line_write(wr, "agents", agent_count(second));
    line_write(wr, "tunnels of agents", gauges.services);
    line_write(wr, "sessions of agents", gauges.sessions);
    line_write(wr, "clients that wait for agents", gauges.waiting);
    line_write(wr, "connections that stand by", gauges.standing);
    line_write(wr, "ports of agents", broker->second.port_count);
    line_write(wr, "free ports of agents", tunnel_second_ports_free(second, io_clock_now()));
}

static void status(const struct tunnel_answer *of, struct daemon_ctl_reply *reply)
{
    const struct tunnel_broker *broker = of->broker;
    const struct revtun_gauges gauges = revtun_relay_gauges(broker->pairs.core);

    if (!daemon_ctl_reserve(reply, SHORT_MAX)) {
        return;
    }
    struct wr *wr = &reply->wr;
    wr_text(wr, "version: " FAIRLEAD_VERSION "\nstate: ");
    wr_text(wr, of->drain->state == DAEMON_DRAIN_SERVING ? "serving\n" : "draining\n");
    line_write(wr, "workers", broker->crew.worker_count);
    line_write(wr, "workers that do not answer", tunnel_crew_missing(&broker->crew));
    line_write(wr, "pairs of ports", broker->pairs.limits.pair_count);
    line_write(wr, "free pairs", gauges.pairs_free);
    line_write(wr, "servers", gauges.controls);
    line_write(wr, "sessions", gauges.sessions);
    line_write(wr, "clients that wait", gauges.waiting);
    line_write(wr, "handshakes", broker->controls.stranger_count);
    if (tunnel_second_is_open(&broker->second)) {
        agents_status(wr, broker);
    }
}

// A host is looked for in lower case. No name of a tunnel has a dot.
static struct bytes lower_host(uint8_t out[DAEMON_CTL_REQUEST_MAX], struct bytes text)
{
    const bool is_host = bytes_index(text, '.') < text.len;
    struct wr wr = wr_init(out, DAEMON_CTL_REQUEST_MAX);

    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        wr_u8(&wr, is_host && c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c);
    }
    return wr_done(&wr);
}

static void why(const struct tunnel_answer *of, struct bytes text, struct daemon_ctl_reply *reply)
{
    const struct tunnel_broker *broker = of->broker;
    const struct tunnel_why why = {
        .limits = &broker->pairs.limits,
        .core = broker->pairs.core,
        .hub = broker->second.hub,
        .hub_limits = &broker->second.limits,
        .ledger = &broker->past.ledger,
        .refusals = &broker->past.refusals,
        .now = io_clock_now(),
    };
    struct addr address;
    uint8_t word[DAEMON_CTL_REQUEST_MAX];
    uint64_t port = 0;

    if (!daemon_ctl_reserve(reply, TUNNEL_WHY_TEXT_MAX)) {
        return;
    }
    if (bytes_to_number(text, UINT16_MAX, &port) && port > 0) {
        tunnel_why_port_write(&reply->wr, &why, (uint16_t)port);
    } else if (addr_read(text, &address) || addr_read_with_port(text, &address)) {
        tunnel_why_address_write(&reply->wr, &why, &address);
    } else if (why.hub != NULL) {
        tunnel_why_agents_word_write(&reply->wr, &why, lower_host(word, text));
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

struct sums {
    struct carried *pairs;   // by pair
    struct carried *tunnels; // by the index of a tunnel
};

static void add_told(struct carried *carried, const struct tunnel_session *session)
{
    carried->from_clients += atomic_load(&session->told_bytes[0]);
    carried->to_clients += atomic_load(&session->told_bytes[1]);
}

static void add_session_of_pair(struct sums *sums, const struct tunnel_broker *broker,
                                const struct tunnel_session *session)
{
    if (session->pair < broker->pairs.limits.pair_count &&
        session->begun_ns >= broker->past.ledger.entries[session->pair].linked_ns) {
        add_told(&sums->pairs[session->pair], session);
    }
}

static void add_session_of_tunnel(struct sums *sums, const struct tunnel_broker *broker,
                                  uint32_t place, const struct tunnel_session *session,
                                  uint64_t owner)
{
    const struct pool_ref ref = {.index = place, .generation = tunnel_session_generation(owner)};
    struct revtun_hub_tunnel tunnel;

    if (revtun_hub_tunnel_of(broker->second.hub, ref, &tunnel)) {
        add_told(&sums->tunnels[tunnel.tunnel.index], session);
    }
}

// What the sessions of each pair and tunnel have told that go on. Memory of malloc(), or NULL.
static struct sums sum_sessions(const struct tunnel_broker *broker)
{
    const uint32_t first_count = broker->pairs.limits.max_sessions;
    struct sums sums = {
        .pairs = calloc((size_t)broker->pairs.limits.pair_count + 1, sizeof *sums.pairs),
        .tunnels = calloc((size_t)broker->past.ledger.tunnel_count + 1, sizeof *sums.tunnels),
    };

    for (uint32_t i = 0; sums.pairs != NULL && sums.tunnels != NULL && i < broker->crew.session_max;
         i++) {
        const struct tunnel_session *session = &broker->crew.sessions[i];
        const uint64_t owner = atomic_load(&session->owner);

        if (owner != 0 && i < first_count) {
            add_session_of_pair(&sums, broker, session);
        } else if (owner != 0) {
            add_session_of_tunnel(&sums, broker, i - first_count, session, owner);
        }
    }
    return sums;
}

static void server_write(struct wr *wr, const struct tunnel_broker *broker, uint32_t pair,
                         const struct revtun_look *look, const struct carried *carried,
                         struct now now)
{
    const struct revtun_config *limits = &broker->pairs.limits;
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

static void tunnel_write(struct wr *wr, const struct tunnel_broker *broker, uint32_t index,
                         const struct revtun_hub_look *look, const struct carried *carried,
                         struct now now)
{
    static const struct tunnel_ledger_entry never = {.linked_s = 0};
    const struct tunnel_ledger_entry *found = tunnel_ledger_of(&broker->past.ledger, look->tunnel);
    const struct tunnel_ledger_entry *entry = found != NULL ? found : &never;
    const int64_t age_s = found != NULL ? now.wall_s - entry->linked_s : 0;
    const bool is_kept = look->kept_until_ns != NEVER;
    uint8_t text[ADDR_TEXT_MAX];
    uint8_t hosts_text[HOSTS_MAX];
    struct wr agent = wr_init(text, sizeof text);
    struct wr hosts = wr_init(hosts_text, sizeof hosts_text);

    if (look->agent.family != ADDR_NONE) {
        addr_write(&agent, &look->agent);
    } else {
        wr_text(&agent, "none");
    }
    revtun_hub_look_hosts_write(broker->second.hub, index, HOSTS_MAX, &hosts);
    wr_text(&hosts, hosts.len == 0 ? "-" : "");
    daemon_sample_row_write(
        wr, &tunnel_sample_kinds[TUNNEL_SAMPLE_TUNNEL],
        &(struct daemon_sample_row){
            .numbers =
                {
                    [TUNNEL_SAMPLE_PORT] = look->port,
                    [TUNNEL_SAMPLE_LINKED_S] = (uint64_t)entry->linked_s,
                    [TUNNEL_SAMPLE_AGE_S] = age_s > 0 ? (uint64_t)age_s : 0,
                    [TUNNEL_SAMPLE_SESSIONS] = look->sessions,
                    [TUNNEL_SAMPLE_WAITING] = look->waiting,
                    [TUNNEL_SAMPLE_ENDED] = entry->sessions,
                    [TUNNEL_SAMPLE_FROM_CLIENTS] = entry->bytes[0] + carried->from_clients,
                    [TUNNEL_SAMPLE_TO_CLIENTS] = entry->bytes[1] + carried->to_clients,
                    [TUNNEL_SAMPLE_STANDING] = look->standing,
                    [TUNNEL_SAMPLE_IS_KEPT] = is_kept,
                    [TUNNEL_SAMPLE_GRACE_MS] = is_kept && look->kept_until_ns > now.mono_ns
                                                   ? (look->kept_until_ns - now.mono_ns) / MILLI_NS
                                                   : 0,
                },
            .texts =
                {
                    [TUNNEL_SAMPLE_ADDR] = wr_done(&agent),
                    [TUNNEL_SAMPLE_OWNER] = look->owner,
                    [TUNNEL_SAMPLE_NAME] = look->name,
                    [TUNNEL_SAMPLE_HOSTS] = wr_done(&hosts),
                },
        });
}

static void tunnels_write(struct wr *wr, const struct tunnel_broker *broker,
                          const struct carried *sums, struct now now)
{
    const struct revtun_hub *hub = broker->second.hub;

    for (uint32_t i = 0; i < revtun_hub_look_count(hub); i++) {
        struct revtun_hub_look look;

        if (revtun_hub_look(hub, i, &look)) {
            tunnel_write(wr, broker, i, &look, &sums[i], now);
        }
    }
}

static uint32_t tunnel_count(const struct tunnel_second *second)
{
    return tunnel_second_is_open(second) ? revtun_hub_gauges(second->hub).services : 0;
}

static void gauges_write(struct wr *wr, const struct tunnel_broker *broker)
{
    const struct revtun_gauges first = revtun_relay_gauges(broker->pairs.core);
    struct revtun_hub_gauges second = {.links = 0};
    uint32_t agents = 0;

    if (tunnel_second_is_open(&broker->second)) {
        second = revtun_hub_gauges(broker->second.hub);
        agents = agent_count(&broker->second);
    }
    gauge_write(wr, "servers", first.controls);
    gauge_write(wr, "pairs", broker->pairs.limits.pair_count);
    gauge_write(wr, "agents", agents);
    gauge_write(wr, "tunnels", second.services);
    gauge_write(wr, "standing", second.standing);
    gauge_write(wr, "sessions", first.sessions + second.sessions);
    gauge_write(wr, "waiting", first.waiting + second.waiting);
    gauge_write(wr, "handshakes", broker->controls.stranger_count);
}

static void sample_write(struct wr *wr, const struct tunnel_broker *broker, const struct sums *sums,
                         struct now now)
{
    daemon_sample_head_write(wr, now.mono_ns);
    gauges_write(wr, broker);
    for (uint32_t pair = 0; pair < broker->pairs.limits.pair_count; pair++) {
        struct revtun_look look;

        if (revtun_look_pair(broker->pairs.core, pair, &look)) {
            server_write(wr, broker, pair, &look, &sums->pairs[pair], now);
        }
    }
    if (tunnel_second_is_open(&broker->second)) {
        tunnels_write(wr, broker, sums->tunnels, now);
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
    const size_t row_count = broker->pairs.limits.pair_count + tunnel_count(&broker->second);
    const size_t room = SHORT_MAX + row_count * TUNNEL_SAMPLE_LINE_MAX;
    uint8_t *text = malloc(room);
    struct sums sums = sum_sessions(broker);
    struct wr wr = wr_init(text, text == NULL ? 0 : room);
    if (text != NULL && sums.pairs != NULL && sums.tunnels != NULL) {
        sample_write(&wr, broker, &sums, now);
    }
    daemon_ctl_answer(of->ctl, of->survey_count, wr_done(&wr));
    free(sums.pairs);
    free(sums.tunnels);
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
