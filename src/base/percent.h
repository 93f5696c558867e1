// SPDX-License-Identifier: Apache-2.0
// Percent-encoding (RFC 3986 section 2.1): "%2C" stands for a comma.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

// Takes one byte off the front of *text, which is not empty: what "%XX" stands for, or else the
// byte that is there. False, with both untouched, where two hexadecimal digits do not follow a "%".
MUST_USE bool percent_take(struct bytes *text, uint8_t *out);

// Writes a byte as "%XX", with capital digits.
void percent_write(struct wr *wr, uint8_t byte);

// Decodes all of it, writing to `out`. False where two hexadecimal digits do not follow a "%", or
// memory is short; what was written until then stays.
MUST_USE bool percent_decode(struct bytes text, struct wr *out);
