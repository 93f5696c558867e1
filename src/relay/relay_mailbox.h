// SPDX-License-Identifier: Apache-2.0
// What other threads have for a worker: orders, and datagrams that turn round from one worker's
// client to another's.
//
// Any thread may send; one takes. Orders are flags, so that giving one twice is giving it once, and
// datagrams have a room of fixed size: whatever the others do, a mailbox takes no more memory, and
// nobody waits for its owner. No allocation fills that room alone: its datagram is kept while they
// all together have taken no more than is left of it, so that one that sends too much has half, two
// of them two thirds, and there is always some for who sends little. The descriptor becomes
// readable once for all that has come since the last take.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

enum { RELAY_MAILBOX_FLOWS = 256 }; // allocations are told apart by so much of their relayed port

enum relay_mailbox_order {
    RELAY_MAILBOX_STOP = 1,    // return from relay_worker_run()
    RELAY_MAILBOX_WAKE = 2,    // look at the deadlines again
    RELAY_MAILBOX_COUNT = 4,   // post the counters
    RELAY_MAILBOX_PULSE = 8,   // say that you are alive
    RELAY_MAILBOX_ADOPT = 16,  // there is another policy
    RELAY_MAILBOX_SURVEY = 32, // list some of the allocations
};

// A datagram on its way, with what has been learned of it.
struct relay_parcel {
    struct addr from; // the relayed address that it comes from
    struct addr to;   // and the one that it goes to
    uint8_t ttl;      // as it arrived at the relay, or 0
    uint8_t tos;
    struct bytes payload;
};

// One half of the room: others fill the one while the owner empties the other.
struct relay_mailbox_half {
    uint8_t *ptr;
    size_t len; // bytes that are filled
};

// Aligned, so that no two of them share a cache line.
struct relay_mailbox {
    _Alignas(128) int fd; // an eventfd: readable when there is something to take
    size_t half_len;
    size_t taken; // bytes of `full` that were handed out
    struct relay_mailbox_half full;
    pthread_mutex_t lock; // of what follows
    bool is_rung;         // the descriptor is readable, or will be at once
    uint32_t orders;
    struct relay_mailbox_half filling;
    size_t taken_by[RELAY_MAILBOX_FLOWS]; // bytes of `filling`
};

// Room for `half_len` bytes of datagrams, twice; pages that are never used cost no memory. 0 or
// -errno. It does not move until it is closed.
MUST_USE int relay_mailbox_open(struct relay_mailbox *box, size_t half_len);
// Closing twice, or what was never opened but is all zero with an fd of -1, does nothing.
void relay_mailbox_close(struct relay_mailbox *box);

// From any thread.

void relay_mailbox_order(struct relay_mailbox *box, enum relay_mailbox_order order);
// Copies the datagram into it. False: there is no room for who sends it, and it is lost.
MUST_USE bool relay_mailbox_put(struct relay_mailbox *box, const struct relay_parcel *parcel);

// The owner's. Between two takes it fetches all the parcels.

// Takes what has come; the orders (of enum relay_mailbox_order).
uint32_t relay_mailbox_take(struct relay_mailbox *box);
// The next parcel of those taken; its payload is valid until the next take. False: no more.
MUST_USE bool relay_mailbox_fetch(struct relay_mailbox *box, struct relay_parcel *out);
