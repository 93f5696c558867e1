// SPDX-License-Identifier: Apache-2.0
// How often the handshake of a control connection begins, which costs us far more than whoever asks
// for it, and needs no certificate before it is done.
//
// So many begin in a second. While that is more than are asked for, everybody has his. Once the
// half of a second's worth is gone, there is a crowd, and who comes from a network that has had its
// share of a second (SHARES of them make the whole) is turned away: so one network cannot take what
// all the others would need, and many servers behind one address are limited only while others
// crowd in.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bucket.h"
#include "base/now.h"
#include "base/shares.h"

enum {
    TUNNEL_HANDSHAKES_SHARES = 16,
    TUNNEL_HANDSHAKES_MAX = 1000000, // a second
};

struct tunnel_handshakes {
    struct siphash_key key;
    uint32_t per_second; // 0: there is no limit
    struct bucket_rate rate;
    struct bucket all;
    struct shares shares;
};

// So many a second, up to TUNNEL_HANDSHAKES_MAX; 0: all. The key is secret.
void tunnel_handshakes_init(struct tunnel_handshakes *handshakes, const struct siphash_key *key,
                            uint32_t per_second);
// So many from now on.
void tunnel_handshakes_adopt(struct tunnel_handshakes *handshakes, uint32_t per_second);

// One of somebody who comes from there begins. False: it may not.
MUST_USE bool tunnel_handshakes_take(struct tunnel_handshakes *handshakes, struct now now,
                                     const struct addr *from);
