// SPDX-License-Identifier: Apache-2.0
// How much the system lets the relay hold, by its limit of descriptors (ulimit -n): allocations
// take one or two each, and so do the sockets at which each worker listens.
#pragma once

#include <stdint.h>

#include "relay/relay_config.h"

// How many workers serve when the configuration leaves it open: one for each CPU, but no more than
// a quarter of the descriptors are for the sockets at which they listen. At least 1.
uint32_t relay_capacity_workers(const struct relay_config *config, uint32_t cpus,
                                uint64_t descriptors);

// Raises the limit as far as it goes, sets worker_count if the configuration leaves it open, and
// sets and logs how many allocations there is room for.
void relay_capacity_settle(struct relay_config *config);
