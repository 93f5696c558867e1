// SPDX-License-Identifier: Apache-2.0
// What the relay writes into a standing connection before the bytes of the client that gets it.
//
//   0      "TRS2"
//   4      u16 length of the line
//   6      the line: new_connection, as on the control connection, without its end
//   6+len  HMAC-SHA256 under the head key of the control connection that the standing connection
//          belongs to, of bytes 0 to 31 of its preface and then of all of the above
//
// So nobody on the way can make a client up, or put another address into what a service is told.
#pragma once

#include "base/bytes.h"
#include "revtun/revtun_preface.h"
#include "revtun/revtun_secrets.h"
#include "revtun/revtun_stream.h"

enum {
    REVTUN_HEAD_START_LEN = 6,                         // bytes before the line
    REVTUN_HEAD_MAC_LEN = 32,                          // bytes
    REVTUN_HEAD_LINE_MAX = REVTUN_STREAM_LINE_MAX - 2, // bytes: a line without its end
    REVTUN_HEAD_MAX = REVTUN_HEAD_START_LEN + REVTUN_HEAD_LINE_MAX + REVTUN_HEAD_MAC_LEN,
};

enum revtun_head_outcome {
    REVTUN_HEAD_WHOLE,
    REVTUN_HEAD_PART, // more is to come, up to REVTUN_HEAD_MAX bytes
    REVTUN_HEAD_BAD,  // no head, or not of this relay: no byte of it is to be believed
};

// Reads a head from all that has been received on a standing connection that began with `preface`.
// *line is borrowed from there; the client's bytes begin at *len. Both are untouched unless
// REVTUN_HEAD_WHOLE.
enum revtun_head_outcome revtun_head_read(struct bytes received,
                                          const uint8_t preface[REVTUN_PREFACE_LEN],
                                          const uint8_t key[REVTUN_SECRETS_KEY_LEN],
                                          struct bytes *line, size_t *len);

// Writes a head; the line is at most REVTUN_HEAD_LINE_MAX long.
void revtun_head_write(struct wr *wr, struct bytes line, const uint8_t preface[REVTUN_PREFACE_LEN],
                       const uint8_t key[REVTUN_SECRETS_KEY_LEN]);
