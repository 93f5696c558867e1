// SPDX-License-Identifier: Apache-2.0
// Random changes to an input, in the manner of a fuzzer but blind.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "support/rng.h"

// Changes the `len` bytes at `data` in a few places and returns the new length, at most `room`
// (which is at least `len`). `other` is a second input, of which pieces may be copied in.
size_t mutate(struct rng *rng, uint8_t *data, size_t len, size_t room, const uint8_t *other,
              size_t other_len);
