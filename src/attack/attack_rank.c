// SPDX-License-Identifier: Apache-2.0
//      U = how often a value of the first is larger than one of the second
//      z = (U - n*n/2) / sqrt(n*n*(2n+1)/12)
#include "attack/attack_rank.h"

#include <assert.h>

enum { COUNT_MIN = 8 };

static void sort(uint64_t *values, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const uint64_t value = values[i];
        uint32_t at = i;
        for (; at > 0 && values[at - 1] > value; at--) {
            values[at] = values[at - 1];
        }
        values[at] = value;
    }
}

// The largest integer whose square is not above.
static uint64_t root(uint64_t square)
{
    uint64_t low = 0;
    uint64_t high = UINT64_C(1) << 32;

    while (high - low > 1) {
        const uint64_t middle = (low + high) / 2;
        if (middle * middle <= square) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

struct attack_rank attack_rank_compare(uint64_t *first, uint64_t *second, uint32_t count)
{
    int64_t twice_u = 0;

    assert(count >= COUNT_MIN);
    assert(count <= ATTACK_RANK_MAX);
    sort(first, count);
    sort(second, count);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < count; j++) {
            twice_u += first[i] > second[j] ? 2 : first[i] == second[j] ? 1 : 0;
        }
    }
    // Hundredths, of twice the deviation: the root of 4 * 10000 * variance.
    const uint64_t n = count;
    const uint64_t deviation = root(n * n * (2 * n + 1) * 40000 / 12);
    const int64_t excess = twice_u - (int64_t)(n * n);
    return (struct attack_rank){
        .z_hundredths = (int32_t)(excess * 10000 / (int64_t)deviation),
        .median_first = first[count / 2],
        .median_second = second[count / 2],
    };
}
