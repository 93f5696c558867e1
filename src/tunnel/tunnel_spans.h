// SPDX-License-Identifier: Apache-2.0
// Sessions that have ended, a part of them chosen by chance, on their way from the broker's thread
// to the one that sends traces. When there is no room the broker lets one go, and counts it.
// Nothing here says who client or server is.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "base/now.h"
#include "tunnel/tunnel_session.h"

enum { TUNNEL_SPANS_MAX = 1024 }; // that wait

struct tunnel_span {
    uint64_t start_ns;  // the client was accepted (monotonic)
    uint64_t joined_ns; // its reverse connection came
    uint64_t end_ns;
    uint64_t bytes[2]; // from the client, to it
    enum io_pump_why why;
    bool is_ip6; // how the client reaches the relay
};

struct tunnel_spans {
    uint64_t sampled;     // of 2^32 sessions so many are chosen
    pthread_mutex_t lock; // of all below; held for as long as one of them is copied
    uint64_t random;      // never 0
    struct tunnel_span items[TUNNEL_SPANS_MAX];
    uint32_t first;
    uint32_t count;
    uint64_t lost_count;
};

// `seed` is any number.
void tunnel_spans_init(struct tunnel_spans *spans, uint64_t sampled, uint64_t seed);

// The broker's: puts a session that has ended, if it is chosen.
void tunnel_spans_put(struct tunnel_spans *spans, const struct tunnel_session *session,
                      struct now now);
// The reader's: takes the oldest; false, with *out untouched, if there is none. How many were lost
// since it was asked the last time stands in *lost_count.
MUST_USE bool tunnel_spans_take(struct tunnel_spans *spans, struct tunnel_span *out,
                                uint64_t *lost_count);
