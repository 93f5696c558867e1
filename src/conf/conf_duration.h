// SPDX-License-Identifier: Apache-2.0
// Durations as people write them: "1d 2h 30m 45s", each unit at most once, the greatest first.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

// Reads seconds. Blanks may stand between parts; a number without a unit is refused, since
// readers differ in what they take it for. False, with *out_s untouched, for all else.
MUST_USE bool conf_duration_read(struct bytes text, uint64_t *out_s);
