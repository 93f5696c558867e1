// SPDX-License-Identifier: Apache-2.0
// What both tiers make of one frame, and whether they agree:
//
//      the program relays:  the server forwards, and what the relay would send of it is what leaves
//      the program answers: the server answers, byte for byte the same
//      the program passes:  the frame is as it came
//
// A frame that is sound, and for which the program has all that it needs, must not pass.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/diff_world.h"

// The frame comes in by the interface of a network, 0 or 1. The UDP checksum with which it left, or
// 0: with none, or not at all.
uint16_t diff_judge(struct diff_world *world, const uint8_t *frame, size_t len, uint32_t network);

// A channel has just been unbound: its packets pass, in both directions.
void diff_judge_unbound(struct diff_world *world, const struct turn_command_bind *bind);

// The two packets of a channel, `data` of which the caller sets.
struct packet diff_judge_from_client(const struct turn_command_bind *bind);
struct packet diff_judge_from_peer(const struct diff_world *world,
                                   const struct turn_command_bind *bind);
