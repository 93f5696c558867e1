// SPDX-License-Identifier: Apache-2.0
// Runs a function over a list of spans on one text cut in every way into three.
#pragma once

#include "base/bytes.h"

// Digests the spans into at most 32 bytes at `out`; `context` is what the caller passed.
typedef void (*splits_fn)(const void *context, const struct bytes *spans, size_t count,
                          uint8_t *out);

// Asserts that the first bytes of the result are those of `hex`, lower-case, for the text as one
// span and as three, cut at every pair of positions, empty spans included.
void splits_assert_hex(splits_fn digest, const void *context, struct bytes text, const char *hex);
