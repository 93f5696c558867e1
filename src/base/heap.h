// SPDX-License-Identifier: Apache-2.0
// Deadlines of numbered timers, the earliest on top: one binary heap in the caller's memory.
//
// Timers are the numbers 0 to capacity - 1; each is set or not. Setting, moving and clearing are
// O(log n), the earliest is O(1). Equal deadlines come out in no particular order, but the same
// calls always give the same order.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

// Entries are 0 to count - 1; the children of i are 2i + 1 and 2i + 2. Each is a deadline and a
// timer, in two arrays, since a struct of both would be a quarter padding.
struct heap {
    uint64_t *deadlines_ns; // by entry
    uint32_t *timers;       // by entry
    uint32_t *place;        // by timer: its entry plus one, or 0 when it is not set
    uint32_t count;
    uint32_t capacity;
};

size_t heap_size(uint32_t capacity);
// `memory` is zeroed, aligned for uint64_t and has heap_size(capacity) bytes.
void heap_init(struct heap *heap, void *memory, uint32_t capacity);

// Sets a timer, or moves it when it is set; a deadline of NEVER clears it.
void heap_set(struct heap *heap, uint32_t timer, uint64_t deadline_ns);
// Clears a timer; nothing happens when it is not set.
void heap_clear(struct heap *heap, uint32_t timer);
// The timer's deadline, or NEVER when it is not set.
uint64_t heap_at(const struct heap *heap, uint32_t timer);
// The earliest deadline, or NEVER.
uint64_t heap_deadline(const struct heap *heap);
// Clears the earliest timer if its deadline is at or before `now_ns`. False when there is none.
MUST_USE bool heap_take(struct heap *heap, uint64_t now_ns, uint32_t *timer);
