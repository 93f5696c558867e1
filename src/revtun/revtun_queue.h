// SPDX-License-Identifier: Apache-2.0
// The clients of a pair that wait for a reverse connection, oldest first, and how often they have
// been announced to their server.
//
// Each client is announced as it comes, and the server dials once for each announcement. Nothing
// tells for whom a reverse connection was dialled, so each serves who has waited for the longest
// time. A client that has gone keeps its announcement: what was dialled for it serves the next one,
// and what comes too much finds nobody.
//
//      outstanding = announced - arrived, and never less than there are clients that wait
//
// When a dial fails, the server is one short, and each client is served when the next one comes. So
// once somebody has been waiting for 5 s without a break, one is announced again, or as many as
// have waited so long themselves, up to 16. That is repeated for as long as it lasts: 5 s later
// if somebody has come meanwhile, else after twice as long as the time before, up to a minute. An
// announcement too much costs the server a connection that is closed at once.
//
// Who comes and goes in a hurry could have any number announced. With very many outstanding no more
// are sent: those under way serve whoever comes, and if they do not, he is announced again.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/chain.h"
#include "base/macro.h"
#include "base/now.h"
#include "base/pool.h"

enum {
    REVTUN_QUEUE_AGAIN_MAX = 16,           // announced again at a time
    REVTUN_QUEUE_OUTSTANDING_TO_LIMIT = 2, // this many times the clients that may wait
};

#define REVTUN_QUEUE_AGAIN_NS (5 * SECOND_NS)
#define REVTUN_QUEUE_AGAIN_MAX_NS (60 * SECOND_NS)

// What the items of the pool, the clients, begin with.
struct revtun_queue_place {
    struct chain_link link; // free for others' use while it is in no queue
    uint64_t since_ns;      // when it began to wait; kept for others
};

struct revtun_queue {
    uint32_t first; // the oldest, or POOL_NONE
    uint32_t last;
    uint32_t count;
    uint32_t outstanding;
    uint64_t again_ns;      // when announcements are repeated; NEVER while nobody waits
    uint64_t again_wait_ns; // how long that was from the time before
    bool is_answered;       // a reverse connection has come since then
    uint8_t zero[7];
};

void revtun_queue_init(struct revtun_queue *queue);

// Puts a client behind the others, of which there are less than `limit`. True: it is to be
// announced.
MUST_USE bool revtun_queue_add(struct revtun_queue *queue, const struct pool *clients,
                               uint32_t client, uint64_t now_ns, uint32_t limit);
// Takes a client out that waits no more.
void revtun_queue_remove(struct revtun_queue *queue, const struct pool *clients, uint32_t client);
// A reverse connection has come: takes out who has waited for the longest time, or POOL_NONE.
uint32_t revtun_queue_take(struct revtun_queue *queue, const struct pool *clients);

// How many are to be announced again now: 0 before queue->again_ns, else up to
// REVTUN_QUEUE_AGAIN_MAX.
uint32_t revtun_queue_again(struct revtun_queue *queue, const struct pool *clients,
                            uint64_t now_ns);
