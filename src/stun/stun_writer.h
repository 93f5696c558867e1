// SPDX-License-Identifier: Apache-2.0
// Writes one message: a header, attributes by the functions of stun_attr.h and stun_error.h on its
// cursor, at the end integrity and fingerprint, each of which patches the length that it covers.
#pragma once

#include "base/bytes.h"
#include "stun/stun_header.h"

struct stun_writer {
    struct wr wr; // attributes go here
};

// Begins a message in the caller's memory.
void stun_writer_init(struct stun_writer *writer, uint8_t *ptr, size_t room,
                      const struct stun_header *header);

// Appends MESSAGE-INTEGRITY over all that was written (RFC 8489 section 14.5).
void stun_writer_integrity(struct stun_writer *writer, struct bytes key);
// Appends MESSAGE-INTEGRITY-SHA256 (section 14.6).
void stun_writer_integrity_sha256(struct stun_writer *writer, struct bytes key);
// Appends FINGERPRINT; nothing may follow it (RFC 8489 section 14.7).
void stun_writer_fingerprint(struct stun_writer *writer);

// Sets the length and hands out the message. False, with *out untouched, when it did not fit.
MUST_USE bool stun_writer_finish(struct stun_writer *writer, struct bytes *out);
