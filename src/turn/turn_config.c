// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_config.h"

struct turn_config turn_config_default(void)
{
    return (struct turn_config){
        .lowest_port = 49152, // RFC 8656 section 7.2: the dynamic ports
        .highest_port = 65535,
        .shard_count = 1,
        .max_allocations = 16384,
        .max_permissions = 65536,
        .max_channels = 65536,
        .max_reservations = 1024,
        .max_amplification = 4,
        .unauthenticated_rate = 20000, // all of --max-allocations come back in a second
        .allocations_per_user = 64,
        .permissions_per_allocation = 64,
        .channels_per_allocation = 64,
        .min_lifetime_s = 600,
        .default_lifetime_s = 600,
        .max_lifetime_s = 3600,
    };
}
