// SPDX-License-Identifier: Apache-2.0
// One trial: packets sent at a rate through the server, and how many of them arrived.
//
// Trains of the clients take turns. Only packets of this trial count, by a mark in their payload.
#pragma once

#include <stdint.h>

#include "probe/probe_config.h"
#include "probe/probe_fleet.h"
#include "probe/probe_flood.h"
#include "probe/probe_sample.h"

struct probe_order {
    enum probe_way way;
    uint32_t train;     // packets
    uint32_t size;      // bytes of payload
    double rate;        // packets a second; 0: none, PROBE_LOAD_ALL: as many as can be sent
    double sample_rate; // samples a second, taken into the load's `samples`
    double flood_rate;  // datagrams a second of the flood that was begun, or 0
    double seconds;
};

#define PROBE_LOAD_ALL 1e12

struct probe_trial {
    double seconds; // that it took
    uint64_t sent;
    uint64_t delivered;
    uint64_t flooded;
    bool is_held; // all that was to be sent was sent in time: the load was not the limit
};

struct probe_load {
    struct probe_fleet *fleet;
    struct probe_flood *flood;
    struct probe_samples *samples;
    uint32_t mark;   // of this trial's payload
    uint32_t next;   // the client whose turn it is
    bool is_to_peer; // of the next train, when both ways are taken in turns
    const struct probe_order *order;
    struct probe_trial trial;                      // as far as it is
    uint8_t train[PROBE_CONFIG_TRAIN_LEN_MAX + 1]; // one ready to send, with or without heads
};

// All three outlive the load.
void probe_load_init(struct probe_load *load, struct probe_fleet *fleet, struct probe_flood *flood,
                     struct probe_samples *samples);

// Runs a trial. -errno when the system refuses what it needs to count.
MUST_USE int probe_load_run(struct probe_load *load, const struct probe_order *order,
                            struct probe_trial *out);
