// SPDX-License-Identifier: Apache-2.0
// UDP sockets and the clock as the world of a conversation (talk_world.h).
//
// Several worlds may be in several threads; what they send together is held below one rate.
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "talk/talk_world.h"

enum {
    PROBE_WORLD_SOCKETS = 128,
    PROBE_WORLD_DATAGRAM_MAX = 65536, // bytes
    PROBE_WORLD_PORT_COUNT = 65536,
};

// What worlds share: their rate, and the ports of this host that they had. No port is used twice
// while there are others, since servers may hold something for one after it was given back.
struct probe_world_pace {
    pthread_mutex_t lock;
    uint64_t interval_ns;                      // between two datagrams
    uint64_t next_ns;                          // monotonic: before which none is sent
    uint8_t ports[PROBE_WORLD_PORT_COUNT / 8]; // that were used: a bit for each
};

void probe_world_pace_init(struct probe_world_pace *pace, uint32_t rate);

struct probe_world {
    struct talk_world world; // of which `self` is this
    struct probe_world_pace *pace;
    int fds[PROBE_WORLD_SOCKETS]; // by the number of the socket; -1: closed
    uint32_t next;                // the socket that is looked at first
    uint8_t datagram[PROBE_WORLD_DATAGRAM_MAX];
};

// `pace` outlives it.
void probe_world_init(struct probe_world *world, struct probe_world_pace *pace);
// Closes what is open.
void probe_world_deinit(struct probe_world *world);
