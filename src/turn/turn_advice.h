// SPDX-License-Identifier: Apache-2.0
// What an operator may do about a refusal, and the error code by which its client learns of it.
#pragma once

#include "stun/stun_error.h"
#include "turn/turn_refusal.h"

// Of a refusal that is one (asserted).

// What the response says. Firezone's manner has no response for some (turn_auth.h).
enum stun_error_code turn_advice_code(enum turn_refusal refusal);
// Whole sentences.
const char *turn_advice_words(enum turn_refusal refusal);
