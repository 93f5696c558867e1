// SPDX-License-Identifier: Apache-2.0
// How a room describes its counters, so that others can name and print them without knowing it.
//
// Counters are plain uint64_t fields of one struct per room; a table of struct metric tells the
// name, the unit and the place of each.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct metric {
    const char *name; // snake_case, without prefix and without "_total"
    const char *unit; // what one step of the counter is: "packets", "bytes", "requests"
    const char *help; // one sentence
    size_t offset;    // of the uint64_t in its struct
};

static inline uint64_t metric_value(const struct metric *metric, const void *counters)
{
    const void *place = (const uint8_t *)counters + metric->offset;
    return *(const uint64_t *)place;
}

static inline uint64_t *metric_place(const struct metric *metric, void *counters)
{
    void *place = (uint8_t *)counters + metric->offset;
    return place;
}
