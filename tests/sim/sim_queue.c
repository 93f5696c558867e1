// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/now.h"

struct sim_datagram *sim_datagram_new(const struct addr *from, const struct addr *to,
                                      struct bytes bytes)
{
    struct sim_datagram *datagram = malloc(sizeof *datagram);
    uint8_t *block = malloc(bytes.len > 0 ? bytes.len : 1);

    assert(datagram != NULL);
    assert(block != NULL);
    if (bytes.len > 0) {
        memcpy(block, bytes.ptr, bytes.len);
    }
    *datagram = (struct sim_datagram){*from, *to, {block, bytes.len}};
    return datagram;
}

void sim_datagram_free(struct sim_datagram *datagram)
{
    if (datagram != NULL) {
        free((void *)(uintptr_t)datagram->bytes.ptr);
        free(datagram);
    }
}

void sim_queue_deinit(struct sim_queue *queue)
{
    for (size_t i = 0; i < queue->count; i++) {
        sim_datagram_free(queue->events[i].datagram);
    }
    free(queue->events);
}

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void swap(struct sim_event *a, struct sim_event *b)
{
    struct sim_event kept = *a;
    *a = *b;
    *b = kept;
}

void sim_queue_add(struct sim_queue *queue, uint64_t at_ns, struct sim_datagram *datagram,
                   uint32_t actor)
{
    if (queue->count == queue->room) {
        queue->room = queue->room > 0 ? queue->room * 2 : 64;
        queue->events = realloc(queue->events, queue->room * sizeof *queue->events);
        assert(queue->events != NULL);
    }
    size_t at = queue->count++;
    queue->events[at] = (struct sim_event){at_ns, queue->order++, datagram, actor};
    while (at > 0 && is_before(&queue->events[at], &queue->events[(at - 1) / 2])) {
        swap(&queue->events[at], &queue->events[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

uint64_t sim_queue_next(const struct sim_queue *queue)
{
    return queue->count > 0 ? queue->events[0].at_ns : NEVER;
}

struct sim_event sim_queue_take(struct sim_queue *queue)
{
    assert(queue->count > 0);
    struct sim_event first = queue->events[0];
    size_t at = 0;

    queue->events[0] = queue->events[--queue->count];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < queue->count &&
            is_before(&queue->events[child + 1], &queue->events[child])) {
            child++;
        }
        if (child >= queue->count || !is_before(&queue->events[child], &queue->events[at])) {
            return first;
        }
        swap(&queue->events[child], &queue->events[at]);
        at = child;
    }
}
