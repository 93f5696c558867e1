// SPDX-License-Identifier: Apache-2.0
// The 64 bytes with which an agent begins a data connection of version 2.
//
//    0  "TRD2"
//    4  type: 1 for a client that waits, 2 to stand by until there is one
//    5  three bytes of zero
//    8  sid of the control connection, 16 bytes
//   24  id that the relay has told there, u64
//   32  HMAC-SHA256 of bytes 0 to 31 under the preface key of the control connection
//
// The relay answers nothing. An id is good for one data connection.
#pragma once

#include "base/bytes.h"
#include "revtun/revtun_message.h"
#include "revtun/revtun_secrets.h"

enum {
    REVTUN_PREFACE_LEN = 64,    // bytes
    REVTUN_PREFACE_MAC_AT = 32, // bytes before the MAC: what it covers
};

enum revtun_preface_type {
    REVTUN_PREFACE_ACCEPT = 1,
    REVTUN_PREFACE_STANDBY = 2,
};

struct revtun_preface {
    enum revtun_preface_type type;
    uint8_t sid[REVTUN_MESSAGE_SID_LEN];
    uint64_t id;
};

// What a connection begins with may become a preface: it agrees with "TRD2" as far as it goes.
bool revtun_preface_is_likely(struct bytes start);

// Reads a preface; whether it is authentic is for the next function, since its sid tells the key.
// False when its form is wrong.
MUST_USE bool revtun_preface_read(const uint8_t raw[REVTUN_PREFACE_LEN],
                                  struct revtun_preface *out);

// Its MAC is right; in a time that does not depend on where it is not.
MUST_USE bool revtun_preface_is_authentic(const uint8_t raw[REVTUN_PREFACE_LEN],
                                          const uint8_t key[REVTUN_SECRETS_KEY_LEN]);

void revtun_preface_write(const struct revtun_preface *preface,
                          const uint8_t key[REVTUN_SECRETS_KEY_LEN],
                          uint8_t raw[REVTUN_PREFACE_LEN]);
