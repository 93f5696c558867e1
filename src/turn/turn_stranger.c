// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_stranger.h"

#include "turn/turn_config.h"

_Static_assert((int)TURN_CONFIG_SHARDS_MAX <= (int)BUCKET_SECONDS_MAX, "each has its part");

void turn_stranger_init(struct turn_stranger *stranger, const struct siphash_key *key,
                        uint64_t rate, uint32_t shard_count)
{
    const uint64_t share = rate / shard_count / TURN_STRANGER_SHARES;

    stranger->rate = bucket_rate_in(rate, shard_count); // each answers an equal part
    shares_init(&stranger->shares, key, share > 0 ? share : 1);
}

bool turn_stranger_is_welcome(const struct turn_stranger *stranger, struct now now,
                              const struct addr *client, enum turn_stranger_kind kind)
{
    const struct bucket *all = &stranger->all[kind];
    const struct bucket_rate *rate = &stranger->rate;

    if (rate->tokens == 0 || bucket_has(all, rate, now.mono_ns, 1 + rate->tokens / 2)) {
        return true;
    }
    return bucket_has(all, rate, now.mono_ns, 1) &&
           shares_has(&stranger->shares, now.mono_ns, client);
}

void turn_stranger_take(struct turn_stranger *stranger, struct now now, const struct addr *client,
                        enum turn_stranger_kind kind)
{
    if (stranger->rate.tokens > 0) {
        bucket_take(&stranger->all[kind], &stranger->rate, now.mono_ns, 1);
        // What is taken beyond a share, while there is no crowd, is not held against anybody later.
        shares_take(&stranger->shares, now.mono_ns, client);
    }
}

bool turn_stranger_take_share(struct turn_stranger *stranger, struct now now,
                              const struct addr *client)
{
    if (stranger->rate.tokens == 0) {
        return true;
    }
    if (!shares_has(&stranger->shares, now.mono_ns, client)) {
        return false;
    }
    shares_take(&stranger->shares, now.mono_ns, client);
    return true;
}
