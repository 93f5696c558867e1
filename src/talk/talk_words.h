// SPDX-License-Identifier: Apache-2.0
// A datagram between client and server in words, for people who look at what a server did.
//
//      Allocate request, REQUESTED-TRANSPORT 17, USERNAME "alice", ...
//      Allocate error response, ERROR-CODE 437 "Allocation Mismatch", ...
//      ChannelData 0x4000, 12 bytes
//
// It reads what any server may send: nothing in it is believed.
#pragma once

#include "base/bytes.h"

// Writes the datagram in words; `wr` fails when it is full.
void talk_words_write(struct wr *wr, struct bytes datagram);

// The name of an attribute, or NULL.
const char *talk_words_attr(uint16_t type);
