// SPDX-License-Identifier: Apache-2.0
// Whether two samples come from two distributions: the test of Mann and Whitney, by ranks.
#pragma once

#include <stdint.h>

enum { ATTACK_RANK_MAX = 256 }; // values in each sample

struct attack_rank {
    int32_t z_hundredths;  // how far from alike, in hundredths of standard deviations; above 0 when
                           // the values of the first are the larger ones
    uint64_t median_first; // in the unit of the values
    uint64_t median_second;
};

// Compares `count` values of each, 8 to ATTACK_RANK_MAX, which are sorted thereby. Ties count as
// half, and the variance is not corrected for them, so that many ties lead to no finding.
struct attack_rank attack_rank_compare(uint64_t *first, uint64_t *second, uint32_t count);
