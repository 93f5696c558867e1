// SPDX-License-Identifier: Apache-2.0
// Nonces that nobody has to remember: each proves by itself when and for whom it was made.
//
//      cookie | base64( stamp, 4 bytes | zero, 1 byte | MAC, 10 bytes )        13 + 20 characters
//
// The cookie tells clients of RFC 8489 which of its security features we have (stun_cookie.h); it
// is the same in all nonces of a server. The stamp is the monotonic time in seconds since a moment
// that nobody knows; the MAC covers it and the client's address and port under the key of the hour
// in which it was made. A nonce is good for TURN_NONCE_LIFETIME_S; so two keys are live at any
// time, the present hour's and the one before.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/now.h"
#include "stun/stun_cookie.h"

enum {
    TURN_NONCE_TOKEN_LEN = 20, // characters behind the cookie
    TURN_NONCE_LEN = STUN_COOKIE_LEN + TURN_NONCE_TOKEN_LEN,
    TURN_NONCE_LIFETIME_S = 3600, // RFC 8656 section 5: at least once an hour a new one
    TURN_NONCE_SECRET_LEN = 32,   // bytes
    TURN_NONCE_KEY_LEN = 32,      // bytes
};

struct turn_nonce_key {
    bool is_made;
    uint32_t hour;
    uint8_t key[TURN_NONCE_KEY_LEN];
};

struct turn_nonce {
    uint32_t offset_s;                     // added to the clock: it is nobody's business
    uint8_t secret[TURN_NONCE_SECRET_LEN]; // each hour's key is derived from it
    struct turn_nonce_key keys[2];         // kept: even hours, odd hours
    uint8_t cookie[STUN_COOKIE_LEN];
};

// `features` are STUN_COOKIE_ bits.
void turn_nonce_init(struct turn_nonce *nonce, const uint8_t secret[TURN_NONCE_SECRET_LEN],
                     uint32_t features);

// Other features from now on. If they are other ones, nonces made before are not good any more, so
// that clients learn of it.
void turn_nonce_offer(struct turn_nonce *nonce, uint32_t features);

void turn_nonce_write(struct turn_nonce *nonce, struct now now, const struct addr *client,
                      uint8_t out[TURN_NONCE_LEN]);

// The text is a nonce that was made for this client and is not too old.
MUST_USE bool turn_nonce_is_good(struct turn_nonce *nonce, struct now now,
                                 const struct addr *client, struct bytes text);
