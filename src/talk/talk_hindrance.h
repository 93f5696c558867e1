// SPDX-License-Identifier: Apache-2.0
// What keeps a check from being asked though the server is not at fault, and how it is asked again:
// from other ports, a while later, or for IPv6.
#pragma once

#include "talk/talk.h"

// Looks at the answer to what was asked last, which an Allocate may have been.
void talk_hindrance_look(struct talk *talk);
// Forgets what it has seen: it is what the check was there for.
void talk_hindrance_forget(struct talk *talk);

// Whether the check, which has been asked `tries` times, is to be asked once more: then it tells
// too how long to wait before, in seconds.
MUST_USE bool talk_hindrance_wants_more(const struct talk *talk, uint32_t tries, uint32_t *out_s);
// After the last time: skips with the true reason what has become a verdict on a user's quota.
void talk_hindrance_tell(struct talk *talk);
