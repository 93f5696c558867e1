// SPDX-License-Identifier: Apache-2.0
// PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS: how a password becomes a key, and what of it a server
// offers (RFC 8489 sections 14.11, 14.12 and 18.5).
//
// Each entry is the number of an algorithm, the length of its parameters, the parameters, and
// padding to four bytes. The two algorithms that there are have no parameters.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

enum stun_password_algorithm {
    STUN_PASSWORD_MD5 = 0x0001,
    STUN_PASSWORD_SHA256 = 0x0002,
};

// Reads the value of PASSWORD-ALGORITHM: one entry that fills it. False, with *out untouched, when
// it is malformed, has parameters, or is neither algorithm.
MUST_USE bool stun_password_read(struct bytes value, enum stun_password_algorithm *out);
// Writes the whole PASSWORD-ALGORITHM attribute.
void stun_password_write(struct wr *wr, enum stun_password_algorithm algorithm);

// Writes the whole PASSWORD-ALGORITHMS attribute that we offer: SHA-256, then MD5.
void stun_password_offer_write(struct wr *wr);
// The value of PASSWORD-ALGORITHMS is what we offer, byte by byte (section 9.2.4).
MUST_USE bool stun_password_is_offer(struct bytes value);
