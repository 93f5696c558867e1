// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.h"

void histogram_add(uint64_t *histogram, const struct histogram_bounds *bounds, uint64_t value,
                   uint64_t times)
{
    size_t place = 0;

    while (place < bounds->count && value > bounds->upper[place]) {
        place++;
    }
    histogram[place] += times;
    histogram[bounds->count + 1] += value * times;
}

uint64_t histogram_count(const uint64_t *histogram, const struct histogram_bounds *bounds)
{
    uint64_t count = 0;

    for (size_t i = 0; i <= bounds->count; i++) {
        count += histogram[i];
    }
    return count;
}
