// SPDX-License-Identifier: Apache-2.0
// Reads messages for tests, and asserts what must hold for each of them.
#pragma once

#include "stun/stun_message.h"

// Reads from an exact copy, which is gone afterwards: for outcomes alone. Asserts that the view
// holds what stun_message_read promises for the outcome.
enum stun_message_outcome reading_outcome(struct bytes datagram);

// The first attribute of a type is there and is a text.
bool reading_has_text(const struct stun_message *message, enum stun_attr_type type,
                      const char *expected);
