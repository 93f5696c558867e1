// SPDX-License-Identifier: Apache-2.0
// Runs the checks of an inquiry side by side, in threads, each at sockets of its own; all that is
// sent together is held below one rate.
//
// Slow ones begin first, those that want to be alone come when all others are done.
#pragma once

#include <stdatomic.h>

#include "probe/probe_inquiry.h"
#include "probe/probe_world.h"

enum { PROBE_CREW_TURNS = 3 }; // slow, quick, alone

struct probe_crew {
    struct probe_inquiry *inquiry;
    struct probe_world_pace pace;
    atomic_size_t next; // result to be worked on, in the order of turns
    size_t counts[PROBE_CREW_TURNS];
    uint64_t end_ns; // monotonic: after which none is begun
};

// The results of the inquiry are chosen before; it outlives the crew.
void probe_crew_init(struct probe_crew *crew, struct probe_inquiry *inquiry);

// Runs one check now, which is none of the inquiry's; out->check says which.
void probe_crew_ask(struct probe_crew *crew, struct probe_inquiry_result *out);

// Runs all, each as often as the configuration says, and writes the results.
void probe_crew_run(struct probe_crew *crew);
