// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_queue.h"

#include <assert.h>

static struct revtun_queue_place *place_at(const struct pool *clients, uint32_t client)
{
    return pool_at(clients, client);
}

void revtun_queue_init(struct revtun_queue *queue)
{
    *queue = (struct revtun_queue){.first = POOL_NONE, .last = POOL_NONE, .again_ns = NEVER};
}

static void begin_to_wait(struct revtun_queue *queue, uint64_t now_ns)
{
    queue->again_wait_ns = REVTUN_QUEUE_AGAIN_NS;
    queue->again_ns = now_ns + queue->again_wait_ns;
    queue->is_answered = false;
}

bool revtun_queue_add(struct revtun_queue *queue, const struct pool *clients, uint32_t client,
                      uint64_t now_ns, uint32_t limit)
{
    assert(queue->count < limit);
    *place_at(clients, client) = (struct revtun_queue_place){
        .link = {.next = POOL_NONE, .previous = queue->last},
        .since_ns = now_ns,
    };
    if (queue->count == 0) {
        queue->first = client;
        begin_to_wait(queue, now_ns);
    } else {
        place_at(clients, queue->last)->link.next = client;
    }
    queue->last = client;
    queue->count++;
    if (queue->outstanding / REVTUN_QUEUE_OUTSTANDING_TO_LIMIT >= limit) {
        return false;
    }
    queue->outstanding++;
    return true;
}

void revtun_queue_remove(struct revtun_queue *queue, const struct pool *clients, uint32_t client)
{
    const struct chain_link link = place_at(clients, client)->link;

    assert(queue->count > 0);
    if (link.previous == POOL_NONE) {
        assert(queue->first == client);
        queue->first = link.next;
    } else {
        place_at(clients, link.previous)->link.next = link.next;
    }
    if (link.next == POOL_NONE) {
        assert(queue->last == client);
        queue->last = link.previous;
    } else {
        place_at(clients, link.next)->link.previous = link.previous;
    }
    queue->count--;
    if (queue->count == 0) {
        queue->again_ns = NEVER;
    }
}

uint32_t revtun_queue_take(struct revtun_queue *queue, const struct pool *clients)
{
    const uint32_t client = queue->first;

    assert(queue->outstanding >= queue->count);
    if (queue->outstanding > 0) {
        queue->outstanding--;
    }
    queue->is_answered = true;
    if (client != POOL_NONE) {
        revtun_queue_remove(queue, clients, client);
    }
    return client;
}

// How many have waited long enough themselves; there are up to so many to look at.
static uint32_t stale_count(const struct revtun_queue *queue, const struct pool *clients,
                            uint64_t now_ns)
{
    uint32_t count = 0;

    for (uint32_t i = queue->first; i != POOL_NONE && count < REVTUN_QUEUE_AGAIN_MAX;
         i = place_at(clients, i)->link.next) {
        if (now_ns - place_at(clients, i)->since_ns < REVTUN_QUEUE_AGAIN_NS) {
            break;
        }
        count++;
    }
    return count;
}

// When the next time is.
static void repeat(struct revtun_queue *queue, uint64_t now_ns)
{
    const uint64_t twice_ns = 2 * queue->again_wait_ns;

    if (queue->is_answered) {
        queue->again_wait_ns = REVTUN_QUEUE_AGAIN_NS;
    } else {
        queue->again_wait_ns =
            twice_ns < REVTUN_QUEUE_AGAIN_MAX_NS ? twice_ns : REVTUN_QUEUE_AGAIN_MAX_NS;
    }
    queue->again_ns = now_ns + queue->again_wait_ns;
    queue->is_answered = false;
}

uint32_t revtun_queue_again(struct revtun_queue *queue, const struct pool *clients, uint64_t now_ns)
{
    if (queue->again_ns > now_ns) {
        return 0;
    }
    assert(queue->count > 0);
    const uint32_t stale = stale_count(queue, clients, now_ns);
    const uint32_t count = stale > 0 ? stale : 1;
    // What was announced more often than somebody waits has not come in all that time.
    queue->outstanding = queue->count + count;
    repeat(queue, now_ns);
    return count;
}
