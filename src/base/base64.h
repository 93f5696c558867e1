// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 section 4), written with or without padding.
#pragma once

#include "base/bytes.h"

// Characters that `len` bytes become, without padding.
#define BASE64_LEN(len) ((4 * (len) + 2) / 3)

void base64_write(struct wr *wr, struct bytes span, bool is_padded);

// Reads text without padding into exactly `len` bytes at `to`. False when the text has another
// length than BASE64_LEN(len), a character outside the alphabet, or bits left over that are not
// zero: each value has one spelling. `to` is then undefined.
MUST_USE bool base64_read(struct bytes text, uint8_t *to, size_t len);
