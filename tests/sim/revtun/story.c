// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/story.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/revtun/events.h"
#include "sim/revtun/judge.h"

enum { STORM_S = 150 };

static struct world_event *next_event(struct world *w)
{
    struct world_event *next = NULL;

    for (size_t i = 0; i < w->event_count; i++) {
        struct world_event *event = &w->events[i];
        if (next == NULL || event->at_ns < next->at_ns) {
            next = event;
        }
    }
    return next;
}

// Lives until a moment. The relay's turn may begin a little late, as it does when it is busy.
static void live_until(struct world *w, uint64_t end_ns)
{
    for (;;) {
        struct world_event *next = next_event(w);
        const uint64_t event_ns = next != NULL ? next->at_ns : NEVER;
        const uint64_t due_ns = revtun_relay_deadline(w->relay);
        const uint64_t at_ns = event_ns < due_ns ? event_ns : due_ns;
        if (at_ns > end_ns) {
            break;
        }
        if (at_ns > w->now.mono_ns) {
            w->now.mono_ns = at_ns;
        }
        if (rng_chance(&w->rng, 5)) {
            w->now.mono_ns += world_below(w, 3 * SECOND_NS);
        }
        if (due_ns <= w->now.mono_ns) {
            judge_tick(w);
        }
        if (next != NULL && next->at_ns <= w->now.mono_ns) {
            const struct world_event event = *next;
            *next = w->events[--w->event_count];
            if (events_is_alive(w, &event)) {
                events_happen(w, &event);
            }
        }
    }
    w->now.mono_ns = end_ns > w->now.mono_ns ? end_ns : w->now.mono_ns;
}

// What a relay is made with.
static struct revtun_config any_config(struct world *w)
{
    struct revtun_config config = revtun_config_default();

    config.control_port = (uint16_t)(1 + world_below(w, 60000));
    config.pair_count = 1 + (uint32_t)world_below(w, 4);
    config.host = bytes_of_text("relay.example");
    config.max_sessions = 1 + (uint32_t)world_below(w, 60);
    config.max_waiting = 1 + (uint32_t)world_below(w, 60);
    world_choose_terms(w, &config);
    return config;
}

static void found(struct world *w, uint64_t seed)
{
    const uint8_t key[REVTUN_RELAY_SEED_LEN] = {(uint8_t)seed};

    w->now.mono_ns = SECOND_NS;
    w->config = any_config(w);
    void *memory = calloc(1, revtun_relay_size(&w->config));
    assert(memory != NULL);
    w->relay = revtun_relay_init(memory, &w->config, key);
    oracle_begin(&w->oracle, &w->config);
    for (size_t i = 0; i < WORLD_SERVERS; i++) {
        struct world_server *server = &w->servers[i];
        const uint8_t number = (uint8_t)(i + 1);
        server->addr = rng_chance(&w->rng, 20) ? world_host6(9, number) : world_host(2, number);
        server->dialer = server->addr;
        if (rng_chance(&w->rng, 10)) {
            server->dialer = rng_chance(&w->rng, 50) ? world_host(3, number) : world_host6(9, 77);
        } else if (server->addr.family == ADDR_IP4 && rng_chance(&w->rng, 20)) {
            server->addr = world_mapped(&server->addr);
        }
        server->fail_percent = rng_chance(&w->rng, 50) ? (unsigned)world_below(w, 30) : 0;
        world_plan(w, world_below(w, 30 * SECOND_NS), SERVER_COMES, i);
    }
    w->pause_ns = 1 + world_below(w, 5 * SECOND_NS);
    world_plan(w, 0, CROWD_COMES, 0);
    world_plan(w, 0, STRAY, 0);
    if (rng_chance(&w->rng, 30)) {
        world_plan(w, world_below(w, STORM_S * SECOND_NS), RELOAD, 0);
    }
}

// Nothing fails any more, and nobody who is there is stopped.
static void calm_down(struct world *w)
{
    size_t kept = 0;

    w->is_calm = true;
    for (size_t i = 0; i < w->event_count; i++) {
        const enum world_kind kind = w->events[i].kind;
        if (kind == SERVER_COMES || kind == SERVER_READS || kind == DIAL || kind == CLIENT_GOES) {
            w->events[kept++] = w->events[i];
        }
    }
    w->event_count = kept;
    for (size_t i = 0; i < WORLD_SERVERS; i++) {
        w->servers[i].dialer = w->servers[i].addr;
        if (w->servers[i].is_stopped) {
            events_server_goes_on(w, i);
        }
    }
}

static void check_that_all_are_served(const struct world *w)
{
    if (revtun_relay_gauges(w->relay).waiting != 0) {
        world_fail(w, "somebody still waits, though nothing fails");
    }
}

// What began has ended, and is counted once on either side.
static void check_counters(const struct world *w)
{
    const struct revtun_stats *stats = revtun_relay_stats(w->relay);

    if (stats->clients_waiting != stats->sessions_joined + stats->clients_reset +
                                      stats->clients_timed_out + stats->clients_cut ||
        stats->clients_waiting != stats->announcements + stats->announcements_withheld ||
        stats->sessions_joined != stats->sessions_ended ||
        stats->controls_linked != stats->controls_lost + stats->controls_spoke) {
        world_fail(w, "the counters do not add up");
    }
}

static void check_that_nothing_is_left(struct world *w)
{
    for (size_t i = 0; i < WORLD_SERVERS; i++) {
        if (w->servers[i].is_up) {
            events_server_leaves(w, i);
        }
    }
    for (size_t i = 0; i < w->oracle.client_count; i++) {
        events_client_goes(w, i);
    }
    const struct revtun_gauges gauges = revtun_relay_gauges(w->relay);
    if (gauges.controls != 0 || gauges.waiting != 0 || gauges.sessions != 0 ||
        gauges.pairs_free != w->config.pair_count || revtun_relay_deadline(w->relay) != NEVER) {
        world_fail(w, "something is left");
    }
    check_counters(w);
}

void story_run(uint64_t seed, bool is_verbose, struct cover *cover)
{
    struct world *w = calloc(1, sizeof *w);

    assert(w != NULL);
    w->seed = seed;
    w->is_verbose = is_verbose;
    w->cover = cover;
    w->rng = rng_init(seed);
    w->next_conn = 1;
    found(w, seed);
    live_until(w, STORM_S * SECOND_NS);
    calm_down(w);
    live_until(w, w->now.mono_ns + WORLD_CALM_S * SECOND_NS);
    check_that_all_are_served(w);
    check_that_nothing_is_left(w);
    oracle_end(&w->oracle);
    free(w->relay);
    free(w);
}
