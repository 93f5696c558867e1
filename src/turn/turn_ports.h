// SPDX-License-Identifier: Apache-2.0
// The relayed ports of a relay: which are free, and a random choice among them in O(1).
//
// Ports are kept in pairs of an even port and the odd one above it, since EVEN-PORT asks for them
// so (RFC 8656 section 18.7). A pair is in one of four states by which of its ports are free, and
// the pairs of each state stand in one dense list, so that any free port, any even one, or any
// whole pair is one random index away.
//
// A port that the system refused rests for TURN_PORTS_REST_NS before it is tried again.
#pragma once

#include <stdint.h>

#include "base/macro.h"
#include "base/now.h"
#include "crypto/crypto_random.h"

enum {
    TURN_PORTS_STATES = 4,       // bit 0: the even port is free, bit 1: the odd one is
    TURN_PORTS_RESTING_MAX = 64, // when more are refused, the longest rest ends early
};

#define TURN_PORTS_REST_NS (60 * SECOND_NS)

enum turn_ports_wish {
    TURN_PORTS_ANY,
    TURN_PORTS_EVEN,
    TURN_PORTS_PAIR, // an even port whose neighbour is free, and taken with it
};

struct turn_ports_resting {
    uint16_t port;
    uint64_t until_ns;
};

struct turn_ports {
    uint16_t *pairs[TURN_PORTS_STATES]; // by state: the pairs in it, as even port / 2
    uint32_t count[TURN_PORTS_STATES];
    uint16_t *place; // by pair: its place in the list of its state
    uint8_t *state;  // by pair
    uint32_t total;  // ports from the lowest to the highest
    uint32_t lowest_port;
    uint32_t highest_port;
    struct turn_ports_resting resting[TURN_PORTS_RESTING_MAX]; // a ring, the oldest at `first`
    uint32_t resting_first;
    uint32_t resting_count;
};

size_t turn_ports_size(void);
// `memory` is zeroed and aligned for uint64_t.
void turn_ports_init(struct turn_ports *ports, void *memory, uint16_t lowest_port,
                     uint16_t highest_port);

// Takes a port, each free one equally likely. False, with *out untouched, when none is as wished.
MUST_USE bool turn_ports_take(struct turn_ports *ports, enum turn_ports_wish wish,
                              struct crypto_random *random, uint16_t *out);
// Gives a taken port back.
void turn_ports_give(struct turn_ports *ports, uint16_t port);
// Lets a taken port rest, since the system refused it.
void turn_ports_rest(struct turn_ports *ports, uint16_t port, struct now now);

// Ends the rests that are over. To be called before ports are taken or counted.
void turn_ports_settle(struct turn_ports *ports, struct now now);

// Ports that are free now.
uint32_t turn_ports_free_count(const struct turn_ports *ports);
