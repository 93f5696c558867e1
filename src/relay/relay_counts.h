// SPDX-License-Identifier: Apache-2.0
// All that a worker has counted, or several together.
#pragma once

#include "relay/relay_stats.h"
#include "turn/turn_stats.h"

// All fields are uint64_t, down to the last.
struct relay_counts {
    struct turn_stats turn;
    struct relay_stats sockets;
};

void relay_counts_add(struct relay_counts *sum, const struct relay_counts *part);
// Logs every counter that is not zero.
void relay_counts_log(const struct relay_counts *counts);
