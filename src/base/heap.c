// SPDX-License-Identifier: Apache-2.0
#include "base/heap.h"

#include <assert.h>

#include "base/now.h"

size_t heap_size(uint32_t capacity)
{
    size_t places = ((size_t)capacity * sizeof(uint32_t) + 7) / 8 * 8;
    return (size_t)capacity * sizeof(struct heap_entry) + places;
}

void heap_init(struct heap *heap, void *memory, uint32_t capacity)
{
    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    assert(capacity < UINT32_MAX / 2);
    *heap = (struct heap){
        .entries = memory,
        .place = (uint32_t *)((struct heap_entry *)memory + capacity),
        .capacity = capacity,
    };
}

static void put(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    heap->entries[at] = entry;
    heap->place[entry.timer] = at + 1;
}

// Moves an entry that belongs at `at` or above it to where it belongs.
static void sift_up(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (heap->entries[parent].deadline_ns <= entry.deadline_ns) {
            break;
        }
        put(heap, at, heap->entries[parent]);
        at = parent;
    }
    put(heap, at, entry);
}

// Moves an entry that belongs at `at` or below it to where it belongs.
static void sift_down(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    for (;;) {
        uint32_t child = at * 2 + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count &&
            heap->entries[child + 1].deadline_ns < heap->entries[child].deadline_ns) {
            child++;
        }
        if (entry.deadline_ns <= heap->entries[child].deadline_ns) {
            break;
        }
        put(heap, at, heap->entries[child]);
        at = child;
    }
    put(heap, at, entry);
}

// Puts `entry` where the entry at `at` stood, whichever way it then has to move.
static void replace(struct heap *heap, uint32_t at, struct heap_entry entry)
{
    if (at > 0 && heap->entries[(at - 1) / 2].deadline_ns > entry.deadline_ns) {
        sift_up(heap, at, entry);
    } else {
        sift_down(heap, at, entry);
    }
}

void heap_set(struct heap *heap, uint32_t timer, uint64_t deadline_ns)
{
    struct heap_entry entry = {.deadline_ns = deadline_ns, .timer = timer};

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
    assert(heap->entries[at].timer == timer);
    struct heap_entry last = heap->entries[--heap->count];
    heap->place[timer] = 0;
    if (at < heap->count) {
        replace(heap, at, last);
    }
}

uint64_t heap_at(const struct heap *heap, uint32_t timer)
{
    assert(timer < heap->capacity);
    return heap->place[timer] != 0 ? heap->entries[heap->place[timer] - 1].deadline_ns : NEVER;
}

uint64_t heap_deadline(const struct heap *heap)
{
    return heap->count > 0 ? heap->entries[0].deadline_ns : NEVER;
}

bool heap_take(struct heap *heap, uint64_t now_ns, uint32_t *timer)
{
    if (heap->count == 0 || heap->entries[0].deadline_ns > now_ns) {
        return false;
    }
    *timer = heap->entries[0].timer;
    heap_clear(heap, *timer);
    return true;
}
