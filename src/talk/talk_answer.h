// SPDX-License-Identifier: Apache-2.0
// What a server has answered, as it is: read and learnt from, not judged.
#pragma once

#include "talk/talk.h"

// Takes a datagram as the answer to what was asked last; false when it is none.
bool talk_answer_read(struct talk *talk, const struct talk_arrival *arrival);

bool talk_answer_is_success(const struct talk *talk);
// Its error code, or 0 when it is no error response.
uint16_t talk_answer_code(const struct talk *talk);
// The value of its first attribute of that type.
MUST_USE bool talk_answer_find(const struct talk *talk, enum stun_attr_type type,
                               struct bytes *out);
// An XOR-... address of it; ADDR_NONE when there is none that can be read.
struct addr talk_answer_addr(const struct talk *talk, enum stun_attr_type type);
MUST_USE bool talk_answer_lifetime(const struct talk *talk, uint32_t *out_s);

// Learns realm, nonce and offer from it, for the client that speaks. False when it lacks realm or
// nonce, or they are too long.
bool talk_answer_learn(struct talk *talk);
// Takes over the allocation that it grants to the client that speaks, if it does.
void talk_answer_take(struct talk *talk);

// It in words: "success", "error 437 (...)", "nothing within 3 s".
void talk_answer_write(struct talk *talk, struct wr *wr);
