// SPDX-License-Identifier: Apache-2.0
// How often the handshake of a control connection begins, which costs us far more than whoever asks
// for it, and needs no certificate before it is done.
//
// So many begin in a second. While that is more than are asked for, everybody has his. Once the
// half of a second's worth is gone, there is a crowd, and who comes from a network that has had its
// share of a second (SHARES of them make the whole) is turned away: so one network cannot take what
// all the others would need, and many servers behind one address are limited only while others
// crowd in.
//
// The last KEPT shares of a second's worth are for addresses that are known: from there somebody
// has proven himself within KNOWN_S. Each of them may begin as many as a network has as its share.
// So strangers, however many addresses they have, do not keep those out who come back. An address
// is known by a secret hash alone, in a bucket that its network has: who has very many addresses
// in one network displaces what happens to lie in the same bucket, and no more.
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
    TUNNEL_HANDSHAKES_KEPT = 4,      // shares
    TUNNEL_HANDSHAKES_KNOWN_S = 86400,
    TUNNEL_HANDSHAKES_BUCKETS = 512,
    TUNNEL_HANDSHAKES_DEPTH = 8, // addresses of a bucket
};

// An address (of IPv6 a /64) that is known.
struct tunnel_handshakes_known {
    uint64_t tag;         // its hash; 0: a free place
    uint64_t proven_ns;   // when somebody has last proven himself, or left who had
    struct bucket bucket; // what it has of its share
};

struct tunnel_handshakes {
    struct siphash_key key;
    uint32_t per_second; // 0: there is no limit
    struct bucket_rate rate;
    struct bucket all;
    struct bucket_rate share_rate;
    struct shares shares;
    struct tunnel_handshakes_known known[TUNNEL_HANDSHAKES_BUCKETS][TUNNEL_HANDSHAKES_DEPTH];
};

// So many a second, up to TUNNEL_HANDSHAKES_MAX; 0: all. The key is secret.
void tunnel_handshakes_init(struct tunnel_handshakes *handshakes, const struct siphash_key *key,
                            uint32_t per_second);
// So many from now on. Who is known stays known.
void tunnel_handshakes_adopt(struct tunnel_handshakes *handshakes, uint32_t per_second);

// One of somebody who comes from there begins. False: it may not.
MUST_USE bool tunnel_handshakes_take(struct tunnel_handshakes *handshakes, struct now now,
                                     const struct addr *from);

// Somebody who comes from there has proven himself, or goes who had.
void tunnel_handshakes_prove(struct tunnel_handshakes *handshakes, struct now now,
                             const struct addr *from);
