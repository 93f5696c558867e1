// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_limit.h"

#include <assert.h>

#include "turn/turn_server_priv.h"

static bool is_limited(const struct turn_config *config)
{
    return config->max_pps > 0 || config->max_bps > 0;
}

size_t turn_limit_store_size(const struct turn_config *config)
{
    return is_limited(config) ? config->max_allocations * sizeof(struct turn_limit) : 0;
}

void turn_limit_store_init(struct turn_limit_store *store, void *memory,
                           const struct turn_config *config)
{
    *store = (struct turn_limit_store){
        .packets = bucket_rate_of(config->max_pps),
        .bytes = bucket_rate_of(config->max_bps),
        .limits = is_limited(config) ? memory : NULL,
    };
}

void turn_limit_reset(struct turn_server *server, uint32_t allocation)
{
    if (server->limits.limits != NULL) {
        server->limits.limits[allocation] = (struct turn_limit){0};
    }
}

bool turn_limit_take(struct turn_server *server, struct now now, uint32_t allocation,
                     enum turn_limit_way way, size_t data_len)
{
    const struct turn_limit_store *store = &server->limits;

    if (store->limits == NULL) {
        return true;
    }
    struct bucket *packets = &store->limits[allocation].packets[way];
    struct bucket *bytes = &store->limits[allocation].bytes[way];
    assert(data_len <= UINT16_MAX);
    if (!bucket_has(packets, &store->packets, now.mono_ns, 1)) {
        server->stats.dropped_max_pps++;
        return false;
    }
    if (!bucket_has(bytes, &store->bytes, now.mono_ns, data_len)) {
        server->stats.dropped_max_bps++;
        return false;
    }
    bucket_take(packets, &store->packets, now.mono_ns, 1);
    bucket_take(bytes, &store->bytes, now.mono_ns, data_len);
    return true;
}
