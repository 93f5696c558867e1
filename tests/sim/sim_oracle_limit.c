// SPDX-License-Identifier: Apache-2.0
// The naive server's limits: what is left is counted, and grows as time passes.
#include <assert.h>

#include "sim/sim_oracle.h"

enum { WHOLE = 1000000000 }; // a token

static int64_t left(const struct sim_oracle_bucket *bucket, uint64_t rate, uint64_t now_ns)
{
    const int64_t full = (int64_t)rate * WHOLE;

    if (!bucket->is_used) {
        return full;
    }
    uint64_t passed_ns = now_ns - bucket->at_ns;
    if (passed_ns >= 100000 * SECOND_NS) { // more than anybody's debt
        return full;
    }
    int64_t more = bucket->left + (int64_t)(passed_ns * rate);
    return more < full ? more : full;
}

static bool has(int64_t is_left, uint64_t rate, size_t count)
{
    return rate == 0 || is_left >= (int64_t)count * WHOLE || is_left == (int64_t)rate * WHOLE;
}

bool sim_oracle_limit_pass(struct sim_oracle *oracle, unsigned allocation, bool is_to_peer,
                           size_t len)
{
    const struct turn_config *config = &oracle->setup->config;
    struct sim_oracle_allocation *owner = &oracle->allocations[allocation];
    struct sim_oracle_bucket *packets = &owner->packets[is_to_peer];
    struct sim_oracle_bucket *bytes = &owner->bytes[is_to_peer];
    int64_t packets_left = left(packets, config->max_pps, oracle->now_ns);
    int64_t bytes_left = left(bytes, config->max_bps, oracle->now_ns);

    if (!has(packets_left, config->max_pps, 1)) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_MAX_PPS);
        return false;
    }
    if (!has(bytes_left, config->max_bps, len)) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_MAX_BPS);
        return false;
    }
    if (config->max_bps > 0 && len > config->max_bps) {
        sim_cover_point(oracle->cover, SIM_COVER_LIMIT_LONG);
    }
    *packets = (struct sim_oracle_bucket){true, packets_left - WHOLE, oracle->now_ns};
    *bytes = (struct sim_oracle_bucket){true, bytes_left - (int64_t)len * WHOLE, oracle->now_ns};
    return true;
}
