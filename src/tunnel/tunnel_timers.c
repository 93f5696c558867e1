// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_timers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int tunnel_timers_open(struct tunnel_timers *timers, uint32_t capacity)
{
    *timers = (struct tunnel_timers){
        .memory = calloc(1, heap_size(capacity)),
        .set = calloc(capacity, sizeof(struct tunnel_timer *)),
        .unused = calloc(capacity, sizeof *timers->unused),
    };
    if (timers->memory == NULL || timers->set == NULL || timers->unused == NULL) {
        tunnel_timers_close(timers);
        return -ENOMEM;
    }
    heap_init(&timers->heap, timers->memory, capacity);
    while (timers->unused_count < capacity) {
        timers->unused[timers->unused_count] = timers->unused_count;
        timers->unused_count++;
    }
    return 0;
}

void tunnel_timers_close(struct tunnel_timers *timers)
{
    free(timers->memory);
    free(timers->set);
    free(timers->unused);
    *timers = (struct tunnel_timers){.memory = NULL};
}

void tunnel_timers_set(struct tunnel_timers *timers, struct tunnel_timer *timer, uint64_t at_ns)
{
    assert(timer->fn != NULL);
    if (timer->number == 0) {
        assert(timers->unused_count > 0);
        const uint32_t index = timers->unused[--timers->unused_count];
        timers->set[index] = timer;
        timer->number = index + 1;
    }
    heap_set(&timers->heap, timer->number - 1, at_ns);
}

// Its number is another's from now on.
static void give_back(struct tunnel_timers *timers, struct tunnel_timer *timer)
{
    const uint32_t index = timer->number - 1;

    assert(timers->set[index] == timer);
    timers->set[index] = NULL;
    timers->unused[timers->unused_count++] = index;
    timer->number = 0;
}

void tunnel_timers_clear(struct tunnel_timers *timers, struct tunnel_timer *timer)
{
    if (timer->number != 0) {
        heap_clear(&timers->heap, timer->number - 1);
        give_back(timers, timer);
    }
}

void tunnel_timers_tick(struct tunnel_timers *timers, uint64_t now_ns)
{
    uint32_t index = 0;

    while (heap_take(&timers->heap, now_ns, &index)) {
        struct tunnel_timer *timer = timers->set[index];
        give_back(timers, timer);
        timer->fn(timer);
    }
}

uint64_t tunnel_timers_deadline(const struct tunnel_timers *timers)
{
    return heap_deadline(&timers->heap);
}
