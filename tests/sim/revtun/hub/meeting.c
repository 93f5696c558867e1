// SPDX-License-Identifier: Apache-2.0
// revtun_hub_meeting: a hub and the machines of its agents talk to one another, one world for each
// seed: what the one says the other understands, whatever is lost on the way names come back to
// their ports, sessions go on, nobody connects faster than it may, and all are served in the end.
//
// Connections break, dials fail, clients come and go, the hub drains and begins anew; then
// nothing fails.
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "sim/revtun/hub/meeting.h"

enum {
    WORLDS = 500,
    STORM_S = 200,
    OUTAGE_S = 120,
    // Waits grow by half each time from 500 ms to 30 s, and are made shorter by up to their half.
    OUTAGE_CONNECTS = 24,
    CALM_S = 200,  // until all is well again: silence, then half a minute, then one and a half
    SERVED_S = 60, // until those have left who came then
    QUIET_S = 60,  // in which nobody comes
    CALM_CLIENTS = 30,
};

static struct meeting meeting;

void meeting_fail(const struct meeting *m, const char *what)
{
    fprintf(stderr, "revtun_hub_meeting --seed %" PRIu64 ", at %.6f s: %s\n", m->seed,
            (double)m->now.mono_ns / 1e9, what);
    abort();
}

void meeting_hold(const struct meeting *m, bool is_true, const char *what)
{
    if (!is_true) {
        meeting_fail(m, what);
    }
}

uint64_t meeting_below(struct meeting *m, uint64_t bound)
{
    return bound > 0 ? rng_below(&m->rng, bound) : 0;
}

uint64_t meeting_delay(struct meeting *m)
{
    return 1 + meeting_below(m, 200 * MS);
}

bool meeting_fails(struct meeting *m, unsigned percent)
{
    return !m->is_calm && rng_chance(&m->rng, percent);
}

struct meeting_event *meeting_plan(struct meeting *m, uint64_t in_ns, enum meeting_kind kind,
                                   size_t who)
{
    meeting_hold(m, m->event_count < MEETING_EVENTS, "there are not so many events");
    struct meeting_event *event = &m->events[m->event_count++];
    *event = (struct meeting_event){
        .at_ns = m->now.mono_ns + in_ns, .order = ++m->order, .kind = kind, .who = who};
    return event;
}

static struct meeting_event *next_event(struct meeting *m)
{
    struct meeting_event *next = NULL;

    for (size_t i = 0; i < m->event_count; i++) {
        struct meeting_event *event = &m->events[i];
        if (next == NULL || event->at_ns < next->at_ns ||
            (event->at_ns == next->at_ns && event->order < next->order)) {
            next = event;
        }
    }
    return next;
}

// Whoever is due first: an agent, MEETING_AGENTS for the hub.
static size_t first_due(const struct meeting *m, uint64_t *due_ns)
{
    size_t first = MEETING_AGENTS;

    *due_ns = revtun_hub_deadline(m->hub);
    for (size_t i = 0; i < MEETING_AGENTS; i++) {
        const uint64_t deadline_ns = revtun_spoke_deadline(m->agents[i].spoke);
        if (deadline_ns < *due_ns) {
            *due_ns = deadline_ns;
            first = i;
        }
    }
    return first;
}

static void go_to(struct meeting *m, uint64_t at_ns)
{
    if (at_ns > m->now.mono_ns) {
        m->now.mono_ns = at_ns;
        m->now.wall_s = 1700000000 + (int64_t)(at_ns / SECOND_NS);
    }
}

static void live_until(struct meeting *m, uint64_t end_ns)
{
    for (;;) {
        struct meeting_event *next = next_event(m);
        uint64_t due_ns = 0;
        const size_t due = first_due(m, &due_ns);
        const bool is_event = next != NULL && next->at_ns < due_ns;
        const uint64_t at_ns = is_event ? next->at_ns : due_ns;
        if (at_ns > end_ns) {
            break;
        }
        go_to(m, at_ns);
        if (is_event) {
            struct meeting_event event = *next;
            *next = m->events[--m->event_count];
            meeting_happen(m, &event);
            free(event.bytes);
        } else if (due == MEETING_AGENTS) {
            meeting_obey_hub(m);
        } else {
            meeting_obey_spoke(m, due);
        }
    }
    go_to(m, end_ns);
}

// --- its beginning -------------------------------------------------------------------------------

static void found_agent(struct meeting *m, size_t place, struct wr *list)
{
    static const char *const names[] = {"web", "api", "ssh", "db", "n0", "n1", "n2", "n3"};
    static const uint8_t pin[REVTUN_TOKEN_PIN_LEN] = {0};
    struct meeting_agent *agent = &m->agents[place];
    const char *id = place < 2 ? "laptop" : "shop"; // two programs each
    const uint8_t secret[REVTUN_TOKEN_SECRET_LEN] = {(uint8_t)(place / 2 + 1)};
    uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN];

    revtun_token_init(&agent->token, bytes_of_text(id), secret, pin);
    revtun_token_verifier(&agent->token, verifier);
    if (place % 2 == 0) {
        revtun_access_token_write(list, bytes_of_text(id), verifier);
        wr_text(list, " ports=*\n");
    }
    agent->config = (struct revtun_spoke_config){
        .token = &agent->token,
        .instance = rng_next(&m->rng),
        .services = agent->services,
        .service_count = 1 + (uint32_t)meeting_below(m, MEETING_SERVICES),
        .session_max = MEETING_CALLS / 2,
        .pool = (uint32_t)meeting_below(m, 4) * (uint32_t)meeting_below(m, 3),
        .retry = REVTUN_SPOKE_RETRY_ALWAYS,
        .key = {rng_next(&m->rng), 1},
    };
    for (uint32_t i = 0; i < agent->config.service_count; i++) {
        agent->services[i] = (struct revtun_spoke_service){
            .name = bytes_of_text(names[place % 2 * 4 + i]),
            .kind = REVTUN_MESSAGE_KIND_TCP,
        };
    }
    for (size_t i = 0; i < MEETING_CALLS; i++) {
        agent->calls[i].ref.index = POOL_NONE;
    }
    for (size_t i = 0; i < REVTUN_SPOKE_LINK_MAX; i++) {
        agent->wires[i] = MEETING_NONE;
    }
    void *memory = calloc(1, revtun_spoke_size(&agent->config));
    assert(memory != NULL);
    agent->spoke = revtun_spoke_init(memory, &agent->config);
}

static void found(struct meeting *m, uint64_t seed)
{
    struct wr list = wr_init((uint8_t *)m->list, sizeof m->list);
    struct revtun_access_mistakes mistakes = {0};

    memset(m, 0, sizeof *m);
    m->seed = seed;
    m->rng = rng_init(seed);
    go_to(m, SECOND_NS);
    m->config = revtun_hub_config_default();
    m->config.host = bytes_of_text("relay.test");
    m->config.first_port = MEETING_PORT;
    m->config.port_count = MEETING_PORTS;
    m->config.grace_s = 10 + (uint32_t)meeting_below(m, 60);
    m->config.ping_s = 1 + (uint32_t)meeting_below(m, 15);
    m->config.dead_s = m->config.ping_s + 1 + (uint32_t)meeting_below(m, 30);
    m->config.ttl_s = 5 + (uint32_t)meeting_below(m, 15);
    for (size_t i = 0; i < MEETING_AGENTS; i++) {
        found_agent(m, i, &list);
    }
    m->access = (struct revtun_access){.entries = m->entries, .capacity = COUNT_OF(m->entries)};
    const bool is_read = wr_ok(&list) && revtun_access_read(wr_done(&list), &m->access, &mistakes);
    meeting_hold(m, is_read, "the access list is right");
    meeting_open_hub(m, (struct bytes){0});
    for (size_t i = 0; i < MEETING_AGENTS; i++) {
        meeting_obey_spoke(m, i);
    }
    meeting_plan(m, 0, CLIENT_COMES, 0);
    if (meeting_below(m, 2) == 0) {
        meeting_plan(m, meeting_below(m, STORM_S * SECOND_NS), DRAINS, 0);
    }
}

// Nobody reaches the hub for a while: agents come back less and less often.
static void go_out(struct meeting *m)
{
    uint64_t before[MEETING_AGENTS];

    m->is_outage = true;
    for (size_t i = 0; i < m->wire_count; i++) {
        m->wires[i].is_broken = true;
        meeting_plan(m, meeting_delay(m), HUB_DOWN, i);
        meeting_plan(m, meeting_delay(m), SPOKE_DOWN, i);
    }
    for (size_t i = 0; i < MEETING_AGENTS; i++) {
        before[i] = m->agents[i].connect_count;
    }
    live_until(m, m->now.mono_ns + OUTAGE_S * SECOND_NS);
    for (size_t i = 0; i < MEETING_AGENTS; i++) {
        const uint64_t count = m->agents[i].connect_count - before[i];
        meeting_hold(m, count >= 3 && count <= OUTAGE_CONNECTS, "they come back, ever less often");
    }
    m->is_outage = false;
}

// --- its end -------------------------------------------------------------------------------------

static void calm_down(struct meeting *m)
{
    size_t kept = 0;

    m->is_calm = true;
    for (size_t i = 0; i < m->event_count; i++) {
        if (m->events[i].kind != BREAKS) {
            m->events[kept++] = m->events[i];
        }
    }
    m->event_count = kept;
}

static uint32_t standing_of(const struct meeting *m)
{
    uint32_t count = 0;

    for (size_t i = 0; i < MEETING_AGENTS; i++) {
        count += m->agents[i].config.pool;
    }
    return count;
}

// All is as if nothing had happened.
static void check_calm(struct meeting *m, uint64_t lines_before)
{
    const struct revtun_hub_gauges has = revtun_hub_gauges(m->hub);
    uint32_t services = 0;

    for (size_t i = 0; i < MEETING_AGENTS; i++) {
        const struct revtun_spoke_gauges gauges = revtun_spoke_gauges(m->agents[i].spoke);
        services += m->agents[i].config.service_count;
        meeting_hold(m, gauges.bound == m->agents[i].config.service_count, "all names come back");
        meeting_hold(m, gauges.standing == m->agents[i].config.pool, "standing connections too");
        meeting_hold(m, gauges.sessions == 0, "sessions have ended");
    }
    meeting_hold(m, has.links == MEETING_AGENTS, "each agent has one control connection");
    meeting_hold(m, has.services == services, "no name is left that is nobody's");
    meeting_hold(m, has.waiting == 0 && has.sessions == 0, "nobody waits");
    meeting_hold(m, has.standing == standing_of(m), "nor is a standing connection missing");
    // Who has nothing to say says ping, and hears pong, and may do so in both directions.
    const uint64_t rounds = QUIET_S / m->config.ping_s + 2;
    meeting_hold(m, m->line_count - lines_before <= MEETING_AGENTS * rounds * 4,
                 "nobody talks without need");
}

static void close_all(struct meeting *m)
{
    for (size_t i = 0; i < m->event_count; i++) {
        free(m->events[i].bytes);
    }
    for (size_t i = 0; i < MEETING_AGENTS; i++) {
        free(m->agents[i].spoke);
    }
    free(m->hub);
}

struct tally {
    uint64_t lines, joins, standing, losses, restarts;
};

static void run(uint64_t seed, struct tally *tally)
{
    struct meeting *m = &meeting;

    found(m, seed);
    live_until(m, STORM_S * SECOND_NS);
    // A hub that drains begins anew yet.
    live_until(m, m->now.mono_ns + 20 * SECOND_NS);
    go_out(m);
    calm_down(m);
    live_until(m, m->now.mono_ns + CALM_S * SECOND_NS);
    const uint64_t joins_before = m->join_count;
    const size_t wires_before = m->wire_count;
    uint64_t clients = 0;
    for (size_t i = 0; i < CALM_CLIENTS; i++) {
        const uint64_t unbound = revtun_hub_stats(m->hub)->hub_clients_unbound;
        meeting_plan(m, 0, CLIENT_COMES, 0);
        live_until(m, m->now.mono_ns + SECOND_NS);
        clients += revtun_hub_stats(m->hub)->hub_clients_unbound == unbound;
    }
    meeting_hold(m, m->join_count - joins_before == clients, "each client is served within 1 s");
    live_until(m, m->now.mono_ns + SERVED_S * SECOND_NS);
    const uint64_t lines_before = m->line_count;
    live_until(m, m->now.mono_ns + QUIET_S * SECOND_NS);
    check_calm(m, lines_before);
    meeting_hold(m, m->wire_count == wires_before, "what is well is not begun anew");
    tally->lines += m->line_count;
    tally->joins += m->join_count;
    tally->standing += m->standing_count;
    tally->losses += m->loss_count;
    tally->restarts += m->restart_count;
    close_all(m);
}

int main(int argc, char **argv)
{
    uint64_t first = 1;
    uint64_t count = WORLDS;
    struct tally tally = {0};

    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        first = strtoull(argv[2], NULL, 0);
        count = 1;
    } else if (argc == 3 && strcmp(argv[1], "--count") == 0) {
        count = strtoull(argv[2], NULL, 0);
    } else if (argc != 1) {
        fputs("Usage: revtun_hub_meeting [--seed N | --count N]\n", stderr);
        return 2;
    }
    for (uint64_t i = 0; i < count; i++) {
        run(first + i, &tally);
    }
    printf("%" PRIu64 " worlds, %" PRIu64 " lines, %" PRIu64 " sessions, %" PRIu64
           " of them on standing connections; %" PRIu64 " control connections lost, %" PRIu64
           " relays begun anew\n",
           count, tally.lines, tally.joins, tally.standing, tally.losses, tally.restarts);
    const bool is_whole = count < WORLDS || (tally.standing > 0 && tally.losses > 0 &&
                                             tally.restarts > 0 && tally.joins > 0);
    if (!is_whole) {
        fputs("the worlds have stopped to exercise something\n", stderr);
    }
    return is_whole ? 0 : 1;
}
