// SPDX-License-Identifier: Apache-2.0
// What the answer must be. The first expectation that is not met ends the check.
#pragma once

#include "talk/talk.h"

void talk_expect_success(struct talk *talk);
void talk_expect_error(struct talk *talk, uint16_t code);
// One of two codes, where the RFC allows both; 0 means success.
void talk_expect_either(struct talk *talk, uint16_t one, uint16_t other);
// talk->message is sent once, and no answer comes, though the server answers a Binding request.
void talk_expect_silence(struct talk *talk);
// talk->message is sent once, and no success comes: an error is as good as silence.
void talk_expect_no_success(struct talk *talk);
// It has, or has not, an attribute.
void talk_expect_attr(struct talk *talk, enum stun_attr_type type);
void talk_expect_no_attr(struct talk *talk, enum stun_attr_type type);
// Something else about it: the whole answer is told if it does not hold.
void talk_expect_that(struct talk *talk, bool holds, const char *expected);
// It is proven by the key of the client that speaks.
void talk_expect_proof(struct talk *talk);
