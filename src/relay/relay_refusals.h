// SPDX-License-Identifier: Apache-2.0
// The last refusals of each client, kept for whoever asks why one does not get through.
//
// One worker writes, any thread reads. Memory is fixed, and nobody can push out much of it: a
// refusal is kept in a bucket that a secret hash of its client's network chooses (as
// turn_stranger.h has it), so that whoever is refused without end displaces what happens to lie in
// the same bucket, and no more. What nobody has vouched for, because its client's address may be
// forged, has buckets of its own. What the same client is refused for again is one entry with a
// greater count.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/siphash.h"
#include "turn/turn_command.h"

enum {
    RELAY_REFUSALS_BUCKETS = 128,      // of clients that are where they say
    RELAY_REFUSALS_DOUBT_BUCKETS = 32, // of those that may be elsewhere
    RELAY_REFUSALS_DEPTH = 8,          // entries of a bucket
};

struct relay_refusal {
    struct addr client;
    struct addr peer; // or ADDR_NONE
    struct turn_name name;
    int64_t first_s; // Unix time
    int64_t last_s;
    uint32_t count;  // 0: a free entry
    uint16_t method; // enum stun_method
    uint8_t refusal; // enum turn_refusal
    bool is_certain; // the client is where it says
};

struct relay_refusals {
    pthread_mutex_t lock; // of the entries; held for as long as one bucket takes
    struct siphash_key key;
    struct relay_refusal *entries; // bucket by bucket, those of doubt behind the others
};

// 0 or -errno. It does not move until it is closed.
MUST_USE int relay_refusals_open(struct relay_refusals *refusals);
// Closing twice, or what is all zero, does nothing.
void relay_refusals_close(struct relay_refusals *refusals);

// Keeps what a report says, if it is of a refusal.
void relay_refusals_keep(struct relay_refusals *refusals, const struct turn_command_report *report,
                         int64_t wall_s);

// Copies those of a client, of any port if that of `client` is 0, in no order; how many.
enum { RELAY_REFUSALS_FOUND_MAX = 2 * RELAY_REFUSALS_DEPTH };
uint32_t relay_refusals_find(struct relay_refusals *refusals, const struct addr *client,
                             struct relay_refusal out[RELAY_REFUSALS_FOUND_MAX]);
