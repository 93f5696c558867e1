// SPDX-License-Identifier: Apache-2.0
// Requests of clients, a part of them chosen by chance, on their way from a worker to the thread
// that sends traces.
//
// One worker writes and one thread reads, without a lock: nobody waits for anybody. When there is
// no room the worker lets a span go, and counts it. Nothing here says who the client is.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { RELAY_SPANS_MAX = 1024 }; // that wait; a power of two

struct relay_span {
    uint64_t start_ns; // the datagram was taken from the socket (monotonic)
    uint64_t end_ns;   // its response was made
    uint16_t method;   // enum stun_method: of Allocate, Refresh, CreatePermission, ChannelBind
    uint16_t code;     // of the error; 0: success
    bool is_ip6;       // how the client reaches the relay
};

struct relay_spans {
    uint64_t sampled; // of 2^32 requests so many are chosen
    uint64_t random;  // never 0
    struct relay_span items[RELAY_SPANS_MAX];
    _Atomic uint32_t written_count; // the worker's; both wrap
    _Atomic uint32_t read_count;    // the reader's
    _Atomic uint64_t lost_count;
};

// Empties it. `seed` is any number.
void relay_spans_init(struct relay_spans *spans, uint64_t sampled, uint64_t seed);

// The worker's: whether the next response is to be put; costs nothing if none ever is.
bool relay_spans_chooses(struct relay_spans *spans);
// The worker's: puts a response of one of the four methods, as it is sent; of others and of what
// is no response nothing.
void relay_spans_put(struct relay_spans *spans, struct bytes response, bool is_ip6,
                     uint64_t start_ns, uint64_t end_ns);

// The reader's: takes the oldest; false if there is none.
bool relay_spans_take(struct relay_spans *spans, struct relay_span *out);
