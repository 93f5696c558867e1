// SPDX-License-Identifier: Apache-2.0
// What a hardened STUN/TURN server refuses, as checks: the door of the room attack.
//
// The room knows what is done to servers, why that matters, and how it is closed; how it is done is
// the room talk. A check fails when the server does not refuse, and its severity says how much lies
// open. None needs more than the clients and peers of one conversation, and each gives back what it
// was granted.
#pragma once

#include <stddef.h>

#include "talk/talk_check.h"

// All that is tried, in the order in which it is told.
extern const struct talk_subject *const attack_subjects[];
extern const size_t attack_subject_count;

// A check by its id; NULL when there is none.
const struct talk_check *attack_find(const char *id);
