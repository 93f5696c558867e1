// SPDX-License-Identifier: Apache-2.0
// How many values lay between which bounds, and what they come to in all.
//
// A histogram is an array of uint64_t in the caller's memory, so that it can be added to another
// like any other counters: for each bound how many values were at most that much and more than the
// bound before, then how many were more than the last one, then the sum of all.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_LEN(bound_count) ((bound_count) + 2)

struct histogram_bounds {
    const uint64_t *upper; // ascending
    size_t count;
};

// Counts a value so many times.
void histogram_add(uint64_t *histogram, const struct histogram_bounds *bounds, uint64_t value,
                   uint64_t times);

// How many values there are in all.
uint64_t histogram_count(const uint64_t *histogram, const struct histogram_bounds *bounds);

static inline uint64_t histogram_sum(const uint64_t *histogram,
                                     const struct histogram_bounds *bounds)
{
    return histogram[bounds->count + 1];
}
