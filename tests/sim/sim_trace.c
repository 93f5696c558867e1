// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/now.h"

static void text_of(const struct addr *addr, char text[ADDR_TEXT_MAX + 1])
{
    struct wr wr = wr_init((uint8_t *)text, ADDR_TEXT_MAX);

    addr_write(&wr, addr);
    text[wr_done(&wr).len] = '\0';
}

static void print(FILE *to, const struct sim_trace_event *event)
{
    char from[ADDR_TEXT_MAX + 1];
    char where[ADDR_TEXT_MAX + 1];

    text_of(&event->from, from);
    text_of(&event->to, where);
    fprintf(to, "%6" PRIu64 ".%09" PRIu64 "  %-22s", event->at_ns / SECOND_NS,
            event->at_ns % SECOND_NS, event->what);
    if (event->to.family != ADDR_NONE) {
        fprintf(to, " %s -> %s, %zu bytes ", from, where, event->len);
        for (size_t i = 0; i < event->len && i < SIM_TRACE_HEAD; i++) {
            fprintf(to, "%02x", event->head[i]);
        }
    } else {
        fprintf(to, " %s %" PRIu64, event->from.family != ADDR_NONE ? from : "", event->number);
    }
    fputc('\n', to);
}

static uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

// Nobody attacks this hash, and it goes over every byte of a world: it must be quick.
static void mix(struct sim_trace *trace, const void *ptr, size_t len)
{
    const uint8_t *at = ptr;
    uint64_t word = 0;

    for (; len > sizeof word; len -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        trace->hash = mixed(trace->hash, word);
    }
    word = 0;
    if (len > 0) {
        memcpy(&word, at, len);
    }
    trace->hash = mixed(mixed(trace->hash, word), len);
}

static void mix_event(struct sim_trace *trace, const struct sim_trace_event *event,
                      struct bytes datagram)
{
    mix(trace, &event->at_ns, sizeof event->at_ns);
    mix(trace, event->what, strlen(event->what));
    mix(trace, &event->from, sizeof event->from);
    mix(trace, &event->to, sizeof event->to);
    mix(trace, &event->number, sizeof event->number);
    mix(trace, datagram.ptr, datagram.len);
}

static void add(struct sim_trace *trace, struct sim_trace_event event, struct bytes datagram)
{
    event.at_ns = trace->now_ns;
    if (trace->is_hashed) {
        mix_event(trace, &event, datagram);
    }
    trace->kept[trace->count++ % SIM_TRACE_KEPT] = event;
    if (trace->is_verbose) {
        print(stdout, &event);
    }
}

void sim_trace_packet(struct sim_trace *trace, const char *what, const struct addr *from,
                      const struct addr *to, struct bytes datagram)
{
    struct sim_trace_event event = {.what = what, .from = *from, .to = *to, .len = datagram.len};
    struct bytes head = bytes_first(datagram, SIM_TRACE_HEAD);

    if (head.len > 0) {
        memcpy(event.head, head.ptr, head.len);
    }
    add(trace, event, datagram);
}

void sim_trace_note(struct sim_trace *trace, const char *what, const struct addr *about,
                    uint64_t number)
{
    struct sim_trace_event event = {.what = what, .number = number};

    if (about != NULL) {
        event.from = *about;
    }
    add(trace, event, (struct bytes){0});
}

void sim_trace_fail(const struct sim_trace *trace, const char *format, ...)
{
    uint64_t first = trace->count > SIM_TRACE_KEPT ? trace->count - SIM_TRACE_KEPT : 0;
    va_list args;

    fflush(stdout);
    fprintf(stderr, "\nseed %" PRIu64 ", the last events:\n", trace->seed);
    for (uint64_t i = first; i < trace->count; i++) {
        print(stderr, &trace->kept[i % SIM_TRACE_KEPT]);
    }
    fprintf(stderr, "\nseed %" PRIu64 " failed at %" PRIu64 ".%09" PRIu64 " s: ", trace->seed,
            trace->now_ns / SECOND_NS, trace->now_ns % SECOND_NS);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nsee it again: build-test/tests/sim/sim --seed %" PRIu64 " --verbose\n",
            trace->seed);
    exit(1);
}
