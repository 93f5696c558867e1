// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/hub/events.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "sim/revtun/hub/agents.h"
#include "sim/revtun/hub/judge.h"

enum { HOSTS = 6 };

// --- clients -------------------------------------------------------------------------------------

static struct addr any_address(struct world *w)
{
    const uint8_t number = (uint8_t)world_below(w, HOSTS);
    const uint16_t port = (uint16_t)(1024 + w->next_conn % 60000);
    const uint8_t ip6[ADDR_IP6_LEN] = {
        0x20, 0x01, 0x0d, 0xb8, [7] = number / 3, [15] = (uint8_t)world_below(w, 9)};

    return world_chance(w, 60) ? addr_ip4((const uint8_t[]){198, 51, 100, number}, port)
                               : addr_ip6(ip6, port);
}

static void any_host(struct world *w, char host[ORACLE_HOST_MAX])
{
    static const char *const hosts[] = {"a.test",   "b.a.test",    "c.b.a.test", "x.test",
                                        "y.test",   "q.q.y.test",  "test",       "other",
                                        "yxa.test", "d.c.b.a.test"};

    snprintf(host, ORACLE_HOST_MAX, "%s", hosts[world_below(w, COUNT_OF(hosts))]);
    if (w->is_crowded && world_chance(w, 80)) {
        // As long as a host may be: 253 bytes.
        host[0] = 0;
        for (size_t i = 0; i < 247; i++) {
            host[i] = i % 50 == 49 ? '.' : (char)('a' + i % 26);
        }
        memcpy(host + 247, "a.test", sizeof "a.test");
        host[246] = '.';
    }
}

static void client_comes(struct world *w)
{
    const struct addr from = any_address(w);
    const bool is_sni = world_chance(w, w->is_crowded ? 80 : 35);
    const uint8_t ip6[ADDR_IP6_LEN] = {0x20, 0x01, [15] = 7};
    const uint16_t port =
        is_sni ? WORLD_TLS_PORT
               : (uint16_t)(WORLD_FIRST_PORT - 1 + world_below(w, w->config.port_count + 2U));
    const size_t place = w->oracle.client_count;
    struct revtun_hub_client client = {
        .conn = w->next_conn++,
        .from = from,
        .dst = world_chance(w, 70) ? addr_ip4((const uint8_t[]){203, 0, 113, 1}, port)
                                   : addr_ip6(ip6, port),
    };
    char host[ORACLE_HOST_MAX] = "";

    if (is_sni) {
        any_host(w, host);
        client.host = bytes_of_text(host);
    }
    const bool is_in = oracle_client(&w->oracle, client.conn, &client.from, &client.dst, host);
    const struct pool_ref ref = revtun_hub_client(w->hub, w->now, &client);
    if ((ref.index != POOL_NONE) != is_in) {
        world_fail(w, "client %" PRIu64 " is let in, or not", client.conn);
    }
    memset(host, '?', sizeof host - 1); // it was borrowed
    if (is_in) {
        w->refs[place] = ref;
        if (world_chance(w, 20)) {
            world_plan(w, world_below(w, 3) * world_below(w, 20 * SECOND_NS), CLIENT_GOES, place);
        }
    }
    judge_event(w);
    const struct oracle_client *it = &w->oracle.clients[place];
    w->cover->seen[COVER_WITHHELD] += is_in && it->state == ORACLE_WAITS && it->id == 0 &&
                                      w->oracle.services[it->service].state == ORACLE_BOUND;
}

static void crowd_comes(struct world *w)
{
    const uint64_t more = world_chance(w, 5) ? world_below(w, 12) : 0;

    for (uint64_t i = 0; i <= more && w->oracle.client_count < ORACLE_CLIENTS; i++) {
        client_comes(w);
    }
    world_plan(w, world_below(w, w->pause_ns), CROWD_COMES, 0);
}

void events_client_goes(struct world *w, size_t place)
{
    w->cover->seen[COVER_STALE] += w->oracle.clients[place].state == ORACLE_OVER;
    oracle_client_gone(&w->oracle, place);
    revtun_hub_gone(w->hub, w->now, w->refs[place]);
    judge_event(w);
}

// --- connections ---------------------------------------------------------------------------------

void events_end_wire(struct world *w, size_t index)
{
    struct world_wire *wire = &w->wires[index];

    w->cover->seen[COVER_STALE] += !wire->is_up;
    oracle_down(&w->oracle, index);
    revtun_hub_link_down(w->hub, w->now, wire->link);
    wire->is_up = false;
    judge_event(w);
}

static void standing_ends(struct world *w, const struct world_event *event)
{
    size_t link = 0;

    w->cover->seen[COVER_STANDING_ENDED] += oracle_stand_of(&w->oracle, event->conn, &link) != NULL;
    oracle_standing_gone(&w->oracle, event->conn);
    revtun_hub_standing_gone(w->hub, w->now, event->ref);
    judge_event(w);
}

// --- the hub -------------------------------------------------------------------------------------

void events_open_hub(struct world *w)
{
    uint8_t seed[REVTUN_HUB_SEED_LEN];
    void *memory = calloc(1, revtun_hub_size(&w->config));

    assert(memory != NULL);
    assert(revtun_hub_config_is_sound(&w->config));
    rng_fill(&w->rng, seed, sizeof seed);
    world_write_list(w);
    w->hub = revtun_hub_init(memory, &w->config, &w->accesses[w->list], seed);
}

// What is bound rests from now on, behind all that rests already.
static void rest_leases(struct world *w)
{
    struct oracle *oracle = &w->oracle;

    for (size_t i = 0; i < w->config.port_count; i++) {
        struct oracle_lease *lease = &oracle->leases[i];
        const bool is_over = lease->state == ORACLE_RESTS && w->now.wall_s >= lease->released_s &&
                             w->now.wall_s - lease->released_s >= (int64_t)w->config.lease_s;
        if (lease->state == ORACLE_TAKEN) {
            lease->state = ORACLE_RESTS;
            lease->released_s = w->now.wall_s;
            lease->left = ++oracle->left_serial;
        } else if (is_over || lease->state == ORACLE_FREE) {
            lease->state = ORACLE_FREE;
            lease->left = 0;
        } else if (lease->released_s > w->now.wall_s) {
            lease->released_s = w->now.wall_s; // it was left when the clock was ahead
        }
    }
}

static void restart(struct world *w)
{
    uint8_t text[ORACLE_PORTS * REVTUN_NAMES_LINE_MAX + 1];
    const size_t len = judge_leases(w, text, sizeof text);

    free(w->hub);
    w->life++;
    for (size_t i = 0; i < WORLD_AGENTS; i++) {
        w->agents[i].wire = ORACLE_NOBODY;
        world_plan(w, world_below(w, 5 * SECOND_NS), AGENT_COMES, i);
    }
    rest_leases(w);
    oracle_begin(&w->oracle, &w->config, w->now);
    events_open_hub(w);
    const struct revtun_names_dropped dropped =
        revtun_names_read(revtun_hub_names(w->hub), (struct bytes){text, len}, w->now.wall_s);
    if (dropped.count > 0) {
        world_fail(w, "a lease is dropped: %s", (const char *)text);
    }
    world_plan(w, 0, CROWD_COMES, 0);
    world_plan(w, world_below(w, 300 * SECOND_NS), LIST_CHANGES, 0);
    world_plan(w, world_below(w, 400 * SECOND_NS), CLOCK_CHANGES, 0);
    w->cover->seen[COVER_RESTARTED]++;
}

static void drain(struct world *w)
{
    const uint32_t in_s = (uint32_t)world_below(w, 30);

    oracle_drain(&w->oracle, in_s);
    revtun_hub_drain(w->hub, w->now, in_s);
    judge_event(w);
    world_plan(w, in_s * SECOND_NS + world_below(w, 5 * SECOND_NS), HUB_RESTARTS, 0);
}

static void list_changes(struct world *w)
{
    world_choose_terms(w);
    world_write_list(w);
    oracle_adopt(&w->oracle);
    revtun_hub_adopt(w->hub, w->now, &w->accesses[w->list]);
    judge_event(w);
    w->cover->seen[COVER_LISTED]++;
    world_plan(w, world_below(w, 100 * SECOND_NS), LIST_CHANGES, 0);
}

// Forward mostly, and back.
static void clock_changes(struct world *w)
{
    w->wall_offset_s += (int64_t)world_below(w, 3000) - 500;
    world_set_time(w, w->now.mono_ns);
    w->cover->seen[COVER_CLOCK]++;
    world_plan(w, world_below(w, 200 * SECOND_NS), CLOCK_CHANGES, 0);
}

// --- all -----------------------------------------------------------------------------------------

// It is about what is there still.
static bool is_alive(const struct world *w, const struct world_event *event)
{
    const struct world_agent *agent = &w->agents[event->who < WORLD_AGENTS ? event->who : 0];

    if (event->life != w->life) {
        return false;
    }
    switch (event->kind) {
    case AGENT_BREAKS:
    case AGENT_ACTS:
    case AGENT_STOPS:
        return agent->wire != ORACLE_NOBODY && w->wires[agent->wire].conn == event->conn;
    case WIRE_HEARS:
    case WIRE_BINDS:
        return !w->wires[event->who].is_cut;
    case AGENT_COMES:
    case AGENT_GOES_ON:
    case WIRE_ENDS:
    case DATA_COMES:
    case STANDING_ENDS:
    case CROWD_COMES:
    case CLIENT_GOES:
    case LIST_CHANGES:
    case CLOCK_CHANGES:
    case HUB_DRAINS:
    case HUB_RESTARTS:
    case WORLD_KINDS:
        break;
    }
    return true;
}

// Until its agent goes on.
static void hear(struct world *w, const struct world_event *event)
{
    const struct world_wire *wire = &w->wires[event->who];

    if (w->agents[wire->agent].is_stopped) {
        struct world_event *again = world_plan(w, 500 * MS, WIRE_HEARS, event->who);
        again->text = strdup(event->text);
        again->order = event->order;
        return;
    }
    agents_hear(w, event->who, event->text);
}

void events_happen(struct world *w, const struct world_event *event)
{
    static const char *const names[WORLD_KINDS] = {
        "agent comes",   "agent breaks",  "agent acts",  "agent stops",
        "agent goes on", "wire hears",    "wire binds",  "wire ends",
        "data comes",    "standing ends", "crowd comes", "client goes",
        "list changes",  "clock changes", "hub drains",  "hub restarts",
    };

    if (!is_alive(w, event)) {
        return;
    }
    world_note(w, names[event->kind], event->who);
    switch (event->kind) {
    case AGENT_COMES:
        agents_come(w, event->who);
        break;
    case AGENT_BREAKS:
        agents_break(w, event->who);
        break;
    case AGENT_ACTS:
        agents_act(w, event->who);
        break;
    case AGENT_STOPS:
        agents_stop(w, event->who);
        break;
    case AGENT_GOES_ON:
        w->agents[event->who].is_stopped = false;
        break;
    case WIRE_HEARS:
        hear(w, event);
        break;
    case WIRE_BINDS:
        agents_bind(w, event->who, event->want);
        break;
    case WIRE_ENDS:
        events_end_wire(w, event->who);
        break;
    case DATA_COMES:
        agents_dial(w, event);
        break;
    case STANDING_ENDS:
        standing_ends(w, event);
        break;
    case CROWD_COMES:
        crowd_comes(w);
        break;
    case CLIENT_GOES:
        events_client_goes(w, event->who);
        break;
    case LIST_CHANGES:
        list_changes(w);
        break;
    case CLOCK_CHANGES:
        clock_changes(w);
        break;
    case HUB_DRAINS:
        drain(w);
        break;
    case HUB_RESTARTS:
        restart(w);
        break;
    case WORLD_KINDS:
        break;
    }
}
