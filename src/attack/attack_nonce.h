// SPDX-License-Identifier: Apache-2.0
// Nonces that are forged, replayed, guessed.
#pragma once

#include "talk/talk_check.h"

extern const struct talk_subject attack_nonce;
