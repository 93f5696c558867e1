// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOSTS = 5 };

void world_fail(const struct world *w, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "seed %" PRIu64 ", at %.6f s: ", w->seed, (double)w->now.mono_ns / 1e9);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    for (size_t i = 0; i < w->oracle.expected_count; i++) {
        fprintf(stderr, "  expected: %s\n", w->oracle.expected[i]);
    }
    fprintf(stderr, "see it again: build-test/tests/sim/revtun_sim --seed %" PRIu64 " --verbose\n",
            w->seed);
    abort();
}

void world_note(const struct world *w, const char *what, uint64_t number)
{
    if (w->is_verbose) {
        printf("%12.6f  %s %" PRIu64 "\n", (double)w->now.mono_ns / 1e9, what, number);
    }
}

uint64_t world_below(struct world *w, uint64_t bound)
{
    return bound > 0 ? rng_below(&w->rng, bound) : 0;
}

struct world_event *world_plan(struct world *w, uint64_t in_ns, enum world_kind kind, size_t who)
{
    assert(w->event_count < WORLD_EVENTS);
    struct world_event *event = &w->events[w->event_count++];
    *event = (struct world_event){.at_ns = w->now.mono_ns + in_ns, .kind = kind, .who = who};
    return event;
}

struct world_event *world_plan_life(struct world *w, uint64_t in_ns, enum world_kind kind,
                                    size_t server)
{
    struct world_event *event = world_plan(w, in_ns, kind, server);

    event->life = w->servers[server].conn;
    return event;
}

struct addr world_host(uint8_t network, uint8_t number)
{
    return addr_ip4((const uint8_t[]){192, 0, network, number}, 40000);
}

struct addr world_host6(uint8_t network, uint8_t number)
{
    return addr_ip6(
        (const uint8_t[ADDR_IP6_LEN]){0x20, 0x01, 0x0d, 0xb8, [7] = network, [15] = number}, 40000);
}

struct addr world_mapped(const struct addr *ip4)
{
    uint8_t ip[ADDR_IP6_LEN] = {[10] = 0xff, [11] = 0xff};

    memcpy(ip + 12, ip4->ip, ADDR_IP4_LEN);
    return addr_ip6(ip, ip4->port);
}

struct addr world_any_host(struct world *w)
{
    const uint8_t number = (uint8_t)world_below(w, HOSTS);

    switch (world_below(w, 4)) {
    case 0:
        return world_host6(1, number);
    case 1:
        return world_host6((uint8_t)(2 + world_below(w, 3)), 1);
    default:
        return world_host(1, number);
    }
}

void world_choose_terms(struct world *w, struct revtun_config *config)
{
    config->reverse_policy = rng_chance(&w->rng, 30) ? REVTUN_CONFIG_ANY : REVTUN_CONFIG_SAME_IP;
    config->pending_timeout_ns = rng_chance(&w->rng, 50) ? 0 : 1 + world_below(w, 20 * SECOND_NS);
    config->max_sessions_per_pair = 1 + (uint32_t)world_below(w, 40);
    config->max_waiting_per_pair = 1 + (uint32_t)world_below(w, 30);
    config->max_waiting_per_address = 1 + (uint32_t)world_below(w, 15);
}
