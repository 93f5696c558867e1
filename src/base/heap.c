// SPDX-License-Identifier: Apache-2.0
#include "base/heap.h"

#include <assert.h>

#include "base/now.h"

struct entry {
    uint64_t deadline_ns;
    uint32_t timer;
};

size_t heap_size(uint32_t capacity)
{
    return (size_t)capacity * (sizeof(uint64_t) + 2 * sizeof(uint32_t));
}

void heap_init(struct heap *heap, void *memory, uint32_t capacity)
{
    uint64_t *deadlines_ns = memory;
    uint32_t *timers = (uint32_t *)(deadlines_ns + capacity);

    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    assert(capacity < UINT32_MAX / 2);
    *heap = (struct heap){
        .deadlines_ns = deadlines_ns,
        .timers = timers,
        .place = timers + capacity,
        .capacity = capacity,
    };
}

static struct entry entry_at(const struct heap *heap, uint32_t at)
{
    return (struct entry){heap->deadlines_ns[at], heap->timers[at]};
}

static void put(struct heap *heap, uint32_t at, struct entry entry)
{
    heap->deadlines_ns[at] = entry.deadline_ns;
    heap->timers[at] = entry.timer;
    heap->place[entry.timer] = at + 1;
}

// Moves an entry that belongs at `at` or above it to where it belongs.
static void sift_up(struct heap *heap, uint32_t at, struct entry entry)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (heap->deadlines_ns[parent] <= entry.deadline_ns) {
            break;
        }
        put(heap, at, entry_at(heap, parent));
        at = parent;
    }
    put(heap, at, entry);
}

// Moves an entry that belongs at `at` or below it to where it belongs.
static void sift_down(struct heap *heap, uint32_t at, struct entry entry)
{
    for (;;) {
        uint32_t child = at * 2 + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count && heap->deadlines_ns[child + 1] < heap->deadlines_ns[child]) {
            child++;
        }
        if (entry.deadline_ns <= heap->deadlines_ns[child]) {
            break;
        }
        put(heap, at, entry_at(heap, child));
        at = child;
    }
    put(heap, at, entry);
}

// Puts `entry` where the entry at `at` stood, whichever way it then has to move.
static void replace(struct heap *heap, uint32_t at, struct entry entry)
{
    if (at > 0 && heap->deadlines_ns[(at - 1) / 2] > entry.deadline_ns) {
        sift_up(heap, at, entry);
    } else {
        sift_down(heap, at, entry);
    }
}

void heap_set(struct heap *heap, uint32_t timer, uint64_t deadline_ns)
{
    struct entry entry = {.deadline_ns = deadline_ns, .timer = timer};

    assert(timer < heap->capacity);
    if (deadline_ns == NEVER) {
        heap_clear(heap, timer);
    } else if (heap->place[timer] != 0) {
        replace(heap, heap->place[timer] - 1, entry);
    } else {
        assert(heap->count < heap->capacity);
        sift_up(heap, heap->count++, entry);
    }
}

void heap_clear(struct heap *heap, uint32_t timer)
{
    assert(timer < heap->capacity);
    if (heap->place[timer] == 0) {
        return;
    }
    uint32_t at = heap->place[timer] - 1;
    assert(heap->timers[at] == timer);
    struct entry last = entry_at(heap, --heap->count);
    heap->place[timer] = 0;
    if (at < heap->count) {
        replace(heap, at, last);
    }
}

uint64_t heap_at(const struct heap *heap, uint32_t timer)
{
    assert(timer < heap->capacity);
    return heap->place[timer] != 0 ? heap->deadlines_ns[heap->place[timer] - 1] : NEVER;
}

uint64_t heap_deadline(const struct heap *heap)
{
    return heap->count > 0 ? heap->deadlines_ns[0] : NEVER;
}

bool heap_take(struct heap *heap, uint64_t now_ns, uint32_t *timer)
{
    if (heap->count == 0 || heap->deadlines_ns[0] > now_ns) {
        return false;
    }
    *timer = heap->timers[0];
    heap_clear(heap, *timer);
    return true;
}
