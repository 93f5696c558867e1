// SPDX-License-Identifier: Apache-2.0
// Samples of latency: packets that go from a client through the server to the peer and back.
//
//      payload: mark, 4 bytes | zero, 4 | sent at, 8 | nanoseconds of the way to the peer, 8
//
// Each way is measured by itself: from just before the system call that sends to when the kernel
// took the packet from the interface, so that it does not matter how long the load takes to look at
// it. A round trip is the sum of the two ways.
#pragma once

#include <stdint.h>

#include "probe/probe_fleet.h"

enum { PROBE_SAMPLE_MAX = 1 << 16 };

struct probe_samples {
    uint32_t mark;
    uint32_t size; // bytes of payload
    uint32_t next; // the client whose turn it is
    uint32_t sent;
    uint32_t count; // that came back
    uint64_t round_trips_ns[PROBE_SAMPLE_MAX];
};

void probe_sample_begin(struct probe_samples *samples, uint32_t mark, uint32_t size);

// Sends one, of the next client.
void probe_sample_send(struct probe_samples *samples, struct probe_fleet *fleet);

// Takes all that clients and the peer have received; the peer sends samples back.
void probe_sample_take(struct probe_samples *samples, struct probe_fleet *fleet);

// The round trip that so many of a thousand samples are not longer than, in nanoseconds; 0 when
// there are none. Sorts them.
uint64_t probe_sample_quantile(struct probe_samples *samples, uint32_t of_1000);
