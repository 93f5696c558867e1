// SPDX-License-Identifier: Apache-2.0
// What is going to happen, in the order of time; of equal times, in the order of scheduling.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

// A datagram on its way, in a heap block of exactly its size.
struct sim_datagram {
    struct addr from;
    struct addr to;
    struct bytes bytes; // its own block
};

// Copies the bytes. The caller owns it.
struct sim_datagram *sim_datagram_new(const struct addr *from, const struct addr *to,
                                      struct bytes bytes);
void sim_datagram_free(struct sim_datagram *datagram);

struct sim_event {
    uint64_t at_ns;
    uint64_t order;
    struct sim_datagram *datagram; // arrives; or NULL, and an actor wakes
    uint32_t actor;
};

struct sim_queue {
    struct sim_event *events; // a binary heap
    size_t count;
    size_t room;
    uint64_t order;
};

void sim_queue_deinit(struct sim_queue *queue);
void sim_queue_add(struct sim_queue *queue, uint64_t at_ns, struct sim_datagram *datagram,
                   uint32_t actor);
// The time of the next event, or NEVER.
uint64_t sim_queue_next(const struct sim_queue *queue);
// Takes the next event, which is there.
struct sim_event sim_queue_take(struct sim_queue *queue);
