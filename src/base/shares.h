// SPDX-License-Identifier: Apache-2.0
// Shares of a rate, one for each network that strangers come from, without remembering anybody.
//
// Networks meet in two rows of buckets, under two secret hashes, and have a share while either
// bucket has: so two of them are in each other's way only if they meet in both rows, or if each of
// theirs is met by somebody who takes too much.
#pragma once

#include "base/addr.h"
#include "base/bucket.h"
#include "base/bytes.h"
#include "base/siphash.h"

enum {
    SHARES_IP4_PREFIX = 24, // bits: what one network has
    SHARES_IP6_PREFIX = 48, // bits: what one site has at most (RFC 6177)
    SHARES_ROWS = 2,
    SHARES_ROW_LEN = 2048, // buckets
};

struct shares {
    struct siphash_key key;
    struct bucket_rate rate; // of each
    struct bucket rows[SHARES_ROWS][SHARES_ROW_LEN];
};

// The network that an address of a family is in: the bytes of its prefix, borrowed from `addr`.
struct bytes shares_network(const struct addr *addr);

// `shares` is zeroed. So many tokens a second for each network, at least one.
void shares_init(struct shares *shares, const struct siphash_key *key, uint64_t rate);

// There is a token for the network of this address.
MUST_USE bool shares_has(const struct shares *shares, uint64_t now_ns, const struct addr *addr);
// Takes it, or nothing when there is none: no network has debts to pay off.
void shares_take(struct shares *shares, uint64_t now_ns, const struct addr *addr);
