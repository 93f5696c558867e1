// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/hub/world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

enum { WALL_START_S = 1700000000 };

void world_fail(const struct world *w, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "seed %" PRIu64 ", at %.6f s: ", w->seed, (double)w->now.mono_ns / 1e9);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    for (size_t i = 0; i < w->oracle.expected_count; i++) {
        fprintf(stderr, "  expected%s: %s\n", w->has_come[i] ? ", and has come" : "",
                w->oracle.expected[i]);
    }
    fprintf(stderr,
            "see it again: build-test/tests/sim/revtun_hub_sim --seed %" PRIu64 " --verbose\n",
            w->seed);
    abort();
}

void world_note(const struct world *w, const char *what, uint64_t number)
{
    if (w->is_verbose) {
        printf("%12.6f  %s %" PRIu64 "\n", (double)w->now.mono_ns / 1e9, what, number);
        fflush(stdout);
    }
}

uint64_t world_below(struct world *w, uint64_t bound)
{
    return bound > 0 ? rng_below(&w->rng, bound) : 0;
}

bool world_chance(struct world *w, unsigned percent)
{
    return rng_chance(&w->rng, percent);
}

void world_set_time(struct world *w, uint64_t mono_ns)
{
    assert(mono_ns >= w->now.mono_ns);
    w->now.mono_ns = mono_ns;
    w->now.wall_s = WALL_START_S + w->wall_offset_s + (int64_t)(mono_ns / SECOND_NS);
    w->oracle.now = w->now;
}

struct world_event *world_plan(struct world *w, uint64_t in_ns, enum world_kind kind, size_t who)
{
    assert(w->event_count < WORLD_EVENTS);
    struct world_event *event = &w->events[w->event_count++];
    *event = (struct world_event){.at_ns = w->now.mono_ns + in_ns,
                                  .order = ++w->next_order,
                                  .kind = kind,
                                  .life = w->life,
                                  .who = who};
    return event;
}

struct world_event *world_next(struct world *w)
{
    struct world_event *next = NULL;

    for (size_t i = 0; i < w->event_count; i++) {
        struct world_event *event = &w->events[i];
        if (next == NULL || event->at_ns < next->at_ns ||
            (event->at_ns == next->at_ns && event->order < next->order)) {
            next = event;
        }
    }
    return next;
}

// --- the access list -----------------------------------------------------------------------------

static void choose(struct world *w, struct oracle_terms *terms)
{
    static const char *const names[][ORACLE_LIST_MAX] = {
        {"*"}, {"*"}, {"*"}, {"web", "api*"}, {"api-*", "ssh"}, {"web"}};
    static const char *const hosts[][ORACLE_LIST_MAX] = {
        {NULL}, {"*"}, {"*"}, {"a.test", "*.a.test"}, {"*.test"}, {"x.test", "*.b.a.test"}};
    const uint16_t first = WORLD_FIRST_PORT;
    const uint16_t count = w->config.port_count;

    *terms = (struct oracle_terms){
        .is_listed = true, .secret = terms->secret, .tunnels = 16, .hosts_max = 256};
    memcpy(terms->names, names[world_below(w, COUNT_OF(names))], sizeof names[0]);
    memcpy(terms->hosts, hosts[world_below(w, COUNT_OF(hosts))], sizeof hosts[0]);
    if (world_chance(w, 60)) {
        terms->ports[0][0] = 1;
        terms->ports[0][1] = UINT16_MAX;
    } else if (world_chance(w, 80)) {
        terms->ports[0][0] = (uint16_t)(first + world_below(w, count));
        terms->ports[0][1] = (uint16_t)(terms->ports[0][0] + world_below(w, 3));
        terms->ports[1][0] = (uint16_t)(first + world_below(w, count));
        terms->ports[1][1] = terms->ports[1][0];
    }
    if (world_chance(w, 40)) {
        terms->tunnels = 1 + (uint32_t)world_below(w, world_chance(w, 40) ? 1 : 4);
    }
    if (world_chance(w, 30)) {
        terms->hosts_max = 1 + (uint32_t)world_below(w, 3);
    }
    if (world_chance(w, 30)) {
        terms->connections = 1 + (uint32_t)world_below(w, 12);
    }
}

void world_choose_terms(struct world *w)
{
    struct oracle_terms *terms = w->oracle.terms;

    for (size_t i = 0; i < ORACLE_OWNERS; i++) {
        // Mostly as before.
        if (!terms[i].is_listed || world_chance(w, 30)) {
            choose(w, &terms[i]);
        }
        terms[i].is_listed = world_chance(w, 90);
        terms[i].secret += world_chance(w, 5);
        if (w->is_crowded) {
            terms[i].is_listed = true;
            terms[i].names[0] = "*";
            terms[i].names[1] = NULL;
            terms[i].hosts[0] = "*";
            terms[i].hosts[1] = NULL;
            terms[i].connections = 0;
        }
    }
    choose(w, &terms[ORACLE_ANY]);
    terms[ORACLE_ANY].is_listed = world_chance(w, 50);
}

static void list_write(struct wr *wr, const char *key, const char *const *items)
{
    for (size_t i = 0; items[i] != NULL; i++) {
        wr_text(wr, i == 0 ? key : ",");
        wr_text(wr, items[i]);
    }
}

static void terms_write(struct wr *wr, const struct oracle_terms *terms)
{
    list_write(wr, " names=", terms->names);
    list_write(wr, " sni=", terms->hosts);
    for (size_t i = 0; terms->ports[i][0] != 0; i++) {
        wr_text(wr, i == 0 ? " ports=" : ",");
        wr_decimal(wr, terms->ports[i][0]);
        if (terms->ports[i][1] != terms->ports[i][0]) {
            wr_text(wr, "-");
            wr_decimal(wr, terms->ports[i][1]);
        }
    }
    wr_text(wr, " tunnels=");
    wr_decimal(wr, terms->tunnels);
    wr_text(wr, " hosts=");
    wr_decimal(wr, terms->hosts_max);
    if (terms->connections > 0) {
        wr_text(wr, " connections=");
        wr_decimal(wr, terms->connections);
    }
    wr_text(wr, "\n");
}

void world_write_list(struct world *w)
{
    const size_t next = 1 - w->list;
    struct revtun_access *access = &w->accesses[next];
    struct wr wr = wr_init((uint8_t *)w->lists[next], WORLD_LIST_MAX);
    struct revtun_access_mistakes mistakes;

    for (size_t i = 0; i <= ORACLE_OWNERS; i++) {
        const struct oracle_terms *terms = &w->oracle.terms[i];
        uint8_t verifier[SEALS_LEN];
        if (!terms->is_listed) {
            continue;
        }
        if (i < ORACLE_TOKENS) {
            seals_verifier(oracle_owner_names[i], terms->secret, verifier);
            wr_text(&wr, "token ");
            wr_text(&wr, oracle_owner_names[i]);
            wr_text(&wr, " ");
            wr_hex(&wr, (struct bytes){verifier, sizeof verifier});
        } else {
            wr_text(&wr, "cert ");
            wr_text(&wr, i == ORACLE_ANY ? "any" : oracle_owner_names[i] + strlen("cert:"));
        }
        terms_write(&wr, terms);
    }
    w->list = next;
    *access = (struct revtun_access){.entries = w->entries[next], .capacity = ORACLE_OWNERS + 1};
    if (!wr_ok(&wr) || !revtun_access_read(wr_done(&wr), access, &mistakes)) {
        world_fail(w, "the access list cannot be read");
    }
}
