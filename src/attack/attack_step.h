// SPDX-License-Identifier: Apache-2.0
// Steps that several attacks share (talk.h says what a step is).
#pragma once

#include "talk/talk.h"

// Gives back what the server holds for the client that speaks; who speaks next as that client comes
// from another port.
void attack_step_leave(struct talk *talk);

// Realm and nonce for a client that speaks anew from a port at which the server may hold something,
// so that it can be given back. That there are none is no verdict.
void attack_step_meet_again(struct talk *talk);

// An allocation of IPv6 for the client that speaks, whatever the server is reached by.
void attack_step_need_ip6(struct talk *talk);

// The server answers a stranger's question within the patience. False is no verdict.
bool attack_step_is_alive(struct talk *talk);

// All that comes to the client that speaks within the target's quiet time.
struct attack_step_catch {
    uint32_t datagrams;
    uint32_t wire_bytes; // with the headers of IP and UDP
};
struct attack_step_catch attack_step_catch_all(struct talk *talk);
// Bytes of a datagram on the wire: to the server, or from it.
uint32_t attack_step_wire_len(const struct talk *talk, size_t len);

// Sends talk->message as the client that speaks, once, though it was not made by talk_ask().
void attack_step_send(struct talk *talk);
