// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_stranger.h"

#include <assert.h>
#include <string.h>

#include "turn/turn_config.h"

_Static_assert((TURN_STRANGER_ROW_LEN & (TURN_STRANGER_ROW_LEN - 1)) == 0,
               "a row's place is some bits of a hash");
_Static_assert((int)TURN_CONFIG_SHARDS_MAX <= (int)BUCKET_SECONDS_MAX, "each has its part");
_Static_assert(TURN_STRANGER_IP4_PREFIX % 8 == 0, "a prefix has whole bytes");
_Static_assert(TURN_STRANGER_IP6_PREFIX % 8 == 0, "a prefix has whole bytes");

void turn_stranger_init(struct turn_stranger *stranger, const struct siphash_key *key,
                        uint64_t rate, uint32_t shard_count)
{
    uint64_t share = rate / shard_count / TURN_STRANGER_SHARES;

    stranger->key = *key;
    stranger->rate = bucket_rate_in(rate, shard_count); // each answers an equal part
    stranger->share = bucket_rate_of(rate > 0 && share == 0 ? 1 : share);
}

struct bytes turn_stranger_network(const struct addr *client)
{
    assert(client->family != ADDR_NONE);
    return bytes_first(addr_ip(client), client->family == ADDR_IP4 ? TURN_STRANGER_IP4_PREFIX / 8
                                                                   : TURN_STRANGER_IP6_PREFIX / 8);
}

// The place of a client's prefix in each row.
static void find_places(const struct turn_stranger *stranger, const struct addr *client,
                        uint32_t out[TURN_STRANGER_ROWS])
{
    uint8_t prefix[1 + TURN_STRANGER_IP6_PREFIX / 8] = {client->family};
    const struct bytes network = turn_stranger_network(client);

    memcpy(prefix + 1, network.ptr, network.len);
    uint64_t hash = siphash(&stranger->key, (struct bytes){prefix, sizeof prefix});
    for (size_t row = 0; row < TURN_STRANGER_ROWS; row++) {
        out[row] = (uint32_t)(hash % TURN_STRANGER_ROW_LEN);
        hash /= TURN_STRANGER_ROW_LEN;
    }
}

static bool has_share(const struct turn_stranger *stranger, struct now now,
                      const struct addr *client)
{
    uint32_t places[TURN_STRANGER_ROWS];

    find_places(stranger, client, places);
    for (size_t row = 0; row < TURN_STRANGER_ROWS; row++) {
        const struct bucket *bucket = &stranger->prefixes[row][places[row]];
        if (bucket_has(bucket, &stranger->share, now.mono_ns, 1)) {
            return true;
        }
    }
    return false;
}

// What is taken beyond a share, while there is no crowd, is not held against anybody later.
static void take_share(struct turn_stranger *stranger, struct now now, const struct addr *client)
{
    uint32_t places[TURN_STRANGER_ROWS];

    find_places(stranger, client, places);
    for (size_t row = 0; row < TURN_STRANGER_ROWS; row++) {
        struct bucket *bucket = &stranger->prefixes[row][places[row]];
        bucket_drain(bucket, &stranger->share, now.mono_ns, 1);
    }
}

bool turn_stranger_is_welcome(const struct turn_stranger *stranger, struct now now,
                              const struct addr *client, enum turn_stranger_kind kind)
{
    const struct bucket *all = &stranger->all[kind];
    const struct bucket_rate *rate = &stranger->rate;

    if (rate->tokens == 0 || bucket_has(all, rate, now.mono_ns, 1 + rate->tokens / 2)) {
        return true;
    }
    return bucket_has(all, rate, now.mono_ns, 1) && has_share(stranger, now, client);
}

void turn_stranger_take(struct turn_stranger *stranger, struct now now, const struct addr *client,
                        enum turn_stranger_kind kind)
{
    if (stranger->rate.tokens > 0) {
        bucket_take(&stranger->all[kind], &stranger->rate, now.mono_ns, 1);
        take_share(stranger, now, client);
    }
}

bool turn_stranger_take_share(struct turn_stranger *stranger, struct now now,
                              const struct addr *client)
{
    if (stranger->rate.tokens == 0) {
        return true;
    }
    if (!has_share(stranger, now, client)) {
        return false;
    }
    take_share(stranger, now, client);
    return true;
}
