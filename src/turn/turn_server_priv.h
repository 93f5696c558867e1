// SPDX-License-Identifier: Apache-2.0
// The whole state of a server, for the files of this room only.
#pragma once

#include "base/siphash.h"
#include "crypto/crypto_random.h"
#include "turn/turn_allocate.h"
#include "turn/turn_allocation.h"
#include "turn/turn_channel.h"
#include "turn/turn_commons.h"
#include "turn/turn_expiry.h"
#include "turn/turn_hairpin.h"
#include "turn/turn_limit.h"
#include "turn/turn_nonce.h"
#include "turn/turn_outbox.h"
#include "turn/turn_path.h"
#include "turn/turn_permission.h"
#include "turn/turn_policy.h"
#include "turn/turn_response.h"
#include "turn/turn_server.h"
#include "turn/turn_stranger.h"
#include "turn/turn_sweep.h"

struct turn_server {
    size_t size;               // bytes of all its memory, of which this is the first part
    struct turn_config config; // what may change is as the policy has it, which lends its texts
    struct turn_commons *commons;
    const struct turn_policy *policy;
    struct turn_policy *own_policy; // the one inside, or NULL when there is none
    struct siphash_key hash_key;
    struct turn_key stranger_key; // stands in for the key of a user who does not exist
    struct crypto_random random;
    struct turn_nonce nonce;
    struct turn_sweep sweep;
    struct turn_expiry expiry;
    struct turn_allocation_store allocations;
    struct turn_permission_store permissions;
    struct turn_channel_store channels;
    struct turn_limit_store limits;
    struct turn_allocate_opening opening;
    struct turn_path_queue paths;
    struct turn_outbox outbox;
    struct turn_stats stats;
    struct turn_stranger stranger;
};
