// SPDX-License-Identifier: Apache-2.0
// The nonce cookie: with what a nonce begins whose server knows RFC 8489 (section 9.2), and which
// of its security features the server has. It stands in the nonce so that nobody on the way can
// take it away: the message that brings the nonce back is proven.
//
//      "obMatJos2" | base64( 24 feature bits )                   9 + 4 characters
#pragma once

#include <stdint.h>

#include "base/bytes.h"

enum {
    STUN_COOKIE_LEN = 13, // characters
    // Section 18.1 as its verified erratum 6290 has it: bit 0 is the least significant of the 24.
    // The text itself numbers them from the other side, but its appendix B.1 and other
    // implementations do not.
    STUN_COOKIE_PASSWORD_ALGORITHMS = 1 << 0,
    STUN_COOKIE_USERNAME_ANONYMITY = 1 << 1,
};

void stun_cookie_write(struct wr *wr, uint32_t features);

// Reads the features from the front of a nonce. False, with *out untouched, when it does not begin
// with a cookie.
MUST_USE bool stun_cookie_read(struct bytes nonce, uint32_t *out);
