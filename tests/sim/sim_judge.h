// SPDX-License-Identifier: Apache-2.0
// Compares what the server did with what the oracle said, and fails the world where they differ.
#pragma once

#include "sim/sim_oracle.h"
#include "sim/sim_trace.h"

struct sim_judge {
    struct sim_trace *trace;
    struct sim_oracle *oracle;
    struct now now;
    size_t request_len; // bytes of the datagram that is being answered
};

void sim_judge_verdict(const struct sim_judge *judge, const struct sim_expect *expect,
                       enum turn_verdict verdict);
void sim_judge_forward(const struct sim_judge *judge, const struct sim_expect *expect,
                       const struct turn_forward *forward, struct bytes whole);
// The oracle learns from it what it is to remember.
void sim_judge_response(const struct sim_judge *judge, const struct sim_expect *expect,
                        const struct turn_command_send *send);
// A refusal is reported as the oracle has it, and only once. `expect` is NULL for a tick.
void sim_judge_report(const struct sim_judge *judge, struct sim_expect *expect,
                      const struct turn_command_report *report);
// The server's counters have moved as the verdict on one datagram has it.
void sim_judge_counters(const struct sim_judge *judge, const struct turn_stats *before,
                        const struct turn_stats *after, const struct sim_expect *expect,
                        enum turn_verdict verdict);
// The gauges of all servers together, and the first of their deadlines, are the oracle's.
void sim_judge_state(const struct sim_judge *judge, const struct turn_gauges *has,
                     uint64_t deadline_ns);
