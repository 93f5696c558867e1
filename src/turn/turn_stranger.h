// SPDX-License-Identifier: Apache-2.0
// How often strangers are answered: whoever has not proved by MESSAGE-INTEGRITY that they know a
// password.
//
// Of each kind of request so many are answered in a second. While that is more than are asked for,
// everybody is answered. Once the half of a second's worth is gone, there is a crowd, and who comes
// from a prefix that has had its share of a second (SHARES of them make the whole) must wait: so
// one prefix cannot take what all the others would need, and the many clients behind one address of
// a carrier are limited only while others flood the relay.
//
// Nobody is remembered (base/shares.h).
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/bucket.h"
#include "base/now.h"
#include "base/shares.h"
#include "base/siphash.h"

enum {
    TURN_STRANGER_SHARES = 16, // a prefix's share of the whole, in a crowd
};

// Each is limited by itself: the sources of the first two may all be forged, and a flood of them
// does not keep anybody out whose first request has been answered.
enum turn_stranger_kind {
    TURN_STRANGER_PLAIN,   // without MESSAGE-INTEGRITY, or Binding: an answer costs little
    TURN_STRANGER_CLAIM,   // with MESSAGE-INTEGRITY, which costs digests to check
    TURN_STRANGER_CERTAIN, // likewise, with a nonce that was made for the client's address
    TURN_STRANGER_KINDS,
};

struct turn_stranger {
    struct bucket_rate rate;
    struct bucket all[TURN_STRANGER_KINDS];
    struct shares shares;
};

// `stranger` is zeroed. So many requests of each kind are answered in a second, all shards
// together; 0: all.
void turn_stranger_init(struct turn_stranger *stranger, const struct siphash_key *key,
                        uint64_t rate, uint32_t shard_count);

// A request of a stranger may be answered now. Nothing is taken yet.
bool turn_stranger_is_welcome(const struct turn_stranger *stranger, struct now now,
                              const struct addr *client, enum turn_stranger_kind kind);
// It is answered.
void turn_stranger_take(struct turn_stranger *stranger, struct now now, const struct addr *client,
                        enum turn_stranger_kind kind);

// Takes from the share of a client's prefix alone. False, with nothing taken, when it has had that.
MUST_USE bool turn_stranger_take_share(struct turn_stranger *stranger, struct now now,
                                       const struct addr *client);
