// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/hub/story.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/revtun/hub/agents.h"
#include "sim/revtun/hub/events.h"
#include "sim/revtun/hub/judge.h"

enum { STORM_S = 200, END_S = 200 };

static struct revtun_hub_config any_config(struct world *w)
{
    struct revtun_hub_config config = revtun_hub_config_default();

    config.host = bytes_of_text(world_chance(w, 50) ? "relay.test" : "[2001:db8::1]");
    config.program = bytes_of_text("oracle/2");
    config.first_port = WORLD_FIRST_PORT;
    config.port_count = (uint16_t)(1 + world_below(w, ORACLE_PORTS));
    config.tls_port = world_chance(w, 80) ? WORLD_TLS_PORT : 0;
    config.data = (enum revtun_message_data)world_below(w, 3);
    config.lease_s = 1 + (uint32_t)world_below(w, world_chance(w, 50) ? 60 : 2000);
    config.grace_s = 1 + (uint32_t)world_below(w, 90);
    config.ping_s = 1 + (uint32_t)world_below(w, 15);
    config.dead_s = config.ping_s + 1 + (uint32_t)world_below(w, 30);
    config.ttl_s = 1 + (uint32_t)world_below(w, 20);
    config.max_links = world_chance(w, 30) ? 1 + (uint32_t)world_below(w, 6) : 32;
    config.max_links_per_agent = 1 + (uint32_t)world_below(w, 4);
    config.max_services = world_chance(w, 30) ? 1 + (uint32_t)world_below(w, 5) : ORACLE_SERVICES;
    config.max_ended_per_agent = world_chance(w, 80) ? 1 : 16;
    config.binds_per_second = world_chance(w, 50) ? 1 + (uint32_t)world_below(w, 4) : 64;
    config.max_hosts = world_chance(w, 40) ? 1 + (uint32_t)world_below(w, 5) : 64;
    config.max_standing = world_chance(w, 15)   ? 0
                          : world_chance(w, 20) ? 1 + (uint32_t)world_below(w, 6)
                                                : ORACLE_STANDS_ENOUGH;
    config.max_sessions = world_chance(w, 30) ? 1 + (uint32_t)world_below(w, 40) : 2048;
    config.max_waiting = world_chance(w, 30) ? 1 + (uint32_t)world_below(w, 30) : 1024;
    config.max_waiting_per_name = world_chance(w, 30) ? 1 + (uint32_t)world_below(w, 20) : 256;
    config.max_waiting_per_address = world_chance(w, 30) ? 1 + (uint32_t)world_below(w, 10) : 256;
    if (w->is_crowded) {
        config.tls_port = WORLD_TLS_PORT;
        config.grace_s += 60;
        config.ttl_s += 10;
        config.max_sessions = 2048;
        config.max_waiting = 1024;
        config.max_waiting_per_name = 512;
        config.max_waiting_per_address = 512;
    }
    return config;
}

static void found(struct world *w)
{
    w->is_crowded = world_chance(w, 3);
    world_set_time(w, SECOND_NS);
    w->config = any_config(w);
    world_choose_terms(w);
    oracle_begin(&w->oracle, &w->config, w->now);
    events_open_hub(w);
    agents_found(w);
    w->pause_ns = 1 + world_below(w, w->is_crowded ? 500 * MS : 6 * SECOND_NS);
    world_plan(w, 0, CROWD_COMES, 0);
    world_plan(w, world_below(w, 300 * SECOND_NS), LIST_CHANGES, 0);
    world_plan(w, world_below(w, 400 * SECOND_NS), CLOCK_CHANGES, 0);
    if (world_chance(w, 25)) {
        world_plan(w, world_below(w, STORM_S * SECOND_NS), HUB_DRAINS, 0);
    }
}

// Lives until a moment. The hub's turn may begin a little late, as it does when it is busy, or much
// too late.
static void live_until(struct world *w, uint64_t end_ns)
{
    for (;;) {
        struct world_event *next = world_next(w);
        const uint64_t event_ns = next != NULL ? next->at_ns : NEVER;
        const uint64_t hub_ns = revtun_hub_deadline(w->hub);
        const uint64_t oracle_ns = oracle_deadline(&w->oracle);
        const uint64_t due_ns = hub_ns < oracle_ns ? hub_ns : oracle_ns;
        uint64_t at_ns = event_ns < due_ns ? event_ns : due_ns;
        if (at_ns > end_ns) {
            break;
        }
        at_ns = at_ns > w->now.mono_ns ? at_ns : w->now.mono_ns;
        if (world_chance(w, 3)) {
            at_ns += world_below(w, 3 * SECOND_NS);
        } else if (world_below(w, 2000) == 0) {
            at_ns += world_below(w, 200 * SECOND_NS);
            w->cover->seen[COVER_SLEPT]++;
        }
        world_set_time(w, at_ns);
        if (due_ns <= at_ns) {
            judge_tick(w);
        }
        if (next != NULL && next->at_ns <= at_ns) {
            struct world_event event = *next;
            *next = w->events[--w->event_count];
            events_happen(w, &event);
            free(event.text);
        }
    }
    world_set_time(w, end_ns > w->now.mono_ns ? end_ns : w->now.mono_ns);
}

static void forget_events(struct world *w)
{
    for (size_t i = 0; i < w->event_count; i++) {
        free(w->events[i].text);
    }
    w->event_count = 0;
}

// All go, and nobody comes.
static void end(struct world *w)
{
    const struct revtun_hub_stats *stats = revtun_hub_stats(w->hub);
    uint8_t text[ORACLE_PORTS * REVTUN_NAMES_LINE_MAX + 1];

    judge_tick(w);
    forget_events(w);
    for (size_t i = 0; i < w->oracle.link_count; i++) {
        events_end_wire(w, i);
    }
    for (size_t i = 0; i < w->oracle.client_count; i++) {
        events_client_goes(w, i);
    }
    forget_events(w);
    live_until(w, w->now.mono_ns + END_S * SECOND_NS);
    const struct revtun_hub_gauges gauges = revtun_hub_gauges(w->hub);
    const struct revtun_hub_gauges none = {0};
    if (memcmp(&gauges, &none, sizeof gauges) != 0 || revtun_hub_deadline(w->hub) != NEVER) {
        world_fail(w, "something is left");
    }
    if (stats->agents_welcomed != stats->agents_lost ||
        stats->hub_sessions_joined != stats->hub_sessions_ended ||
        stats->hub_clients_waiting != stats->hub_sessions_joined + stats->hub_clients_denied +
                                          stats->hub_clients_left + stats->hub_clients_timed_out +
                                          stats->hub_clients_cut) {
        world_fail(w, "the counters do not add up");
    }
    judge_leases(w, text, sizeof text);
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
    found(w);
    live_until(w, STORM_S * SECOND_NS);
    end(w);
    cover->seen[COVER_RESUMED] += w->oracle.resumed_count;
    cover->seen[COVER_CAME_BACK] += w->oracle.recalled_count;
    free(w->hub);
    free(w);
}
