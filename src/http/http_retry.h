// SPDX-License-Identifier: Apache-2.0
// Retry-After (RFC 9110 section 10.2.3): seconds, or a date.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

enum { HTTP_RETRY_MAX_S = 1000000000 }; // 31 years: whoever asks for more means never

// Reads the field's value at `wall_s` (Unix time) as seconds from then: 0 for a date that is over,
// HTTP_RETRY_MAX_S for what is longer. False, with *out_s untouched, when it is neither.
MUST_USE bool http_retry_read(struct bytes text, int64_t wall_s, uint64_t *out_s);
