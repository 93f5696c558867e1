// SPDX-License-Identifier: Apache-2.0
// What happened in a world, in order: a hash over all of it, and the last events in full.
#pragma once

#include <stdnoreturn.h>

#include "base/addr.h"
#include "base/bytes.h"

enum {
    SIM_TRACE_KEPT = 40,  // events that a failure prints
    SIM_TRACE_HEAD = 128, // bytes kept of each datagram
};

struct sim_trace_event {
    uint64_t at_ns;
    const char *what; // static text
    struct addr from;
    struct addr to;
    uint64_t number; // a port, a code, a count: as `what` says
    size_t len;      // bytes of the datagram
    uint8_t head[SIM_TRACE_HEAD];
};

struct sim_trace {
    uint64_t seed;
    uint64_t now_ns;
    bool is_hashed; // `hash` is wanted
    uint64_t hash;  // over all that happened
    uint64_t count;
    bool is_verbose; // print each event at once
    struct sim_trace_event kept[SIM_TRACE_KEPT];
};

// Notes an event with a datagram.
void sim_trace_packet(struct sim_trace *trace, const char *what, const struct addr *from,
                      const struct addr *to, struct bytes datagram);
// Notes an event with an address (may be NULL) and a number.
void sim_trace_note(struct sim_trace *trace, const char *what, const struct addr *about,
                    uint64_t number);

// Prints what is wrong, the last events and the command to see it again; ends the program.
noreturn void sim_trace_fail(const struct sim_trace *trace, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
