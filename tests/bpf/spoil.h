// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a packet that would be relayed otherwise: each case changes one thing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/packet.h"
#include "uapi/relay_abi.h"

enum { SPOIL_DATA_LEN = 40 }; // bytes of data that the packets have, without padding

// A frame, before the change and after it.
struct spoil_frame {
    uint8_t bytes[PACKET_MAX];
    size_t len;
    const struct packet *packet;
};

// To which packets a case applies.
enum {
    SPOIL_IP4 = 1,
    SPOIL_IP6 = 2,
    SPOIL_CLIENT = 4, // who sends
    SPOIL_PEER = 8,
    SPOIL_ALL = SPOIL_IP4 | SPOIL_IP6 | SPOIL_CLIENT | SPOIL_PEER,
};

struct spoil_case {
    const char *name;
    void (*change)(struct spoil_frame *frame);
    unsigned applies;
    enum relay_abi_verdict verdict;
};

extern const struct spoil_case spoil_cases[];
extern const size_t spoil_case_count;
