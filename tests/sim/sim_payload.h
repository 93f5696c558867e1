// SPDX-License-Identifier: Apache-2.0
// Application data whose content follows from its first bytes, so that whoever receives it can
// tell whether it is what was sent.
#pragma once

#include "base/bytes.h"
#include "support/rng.h"

enum { SIM_PAYLOAD_MAX = 65507 };

// Writes `len` bytes; short ones may be anything.
void sim_payload_write(struct rng *rng, uint8_t *to, size_t len);
bool sim_payload_is_whole(struct bytes payload);
