// SPDX-License-Identifier: Apache-2.0
// A fixed number of equal items in the caller's memory, named by index and generation.
//
// An item's memory is touched for the first time when the item is taken for the first time, so an
// empty pool costs no resident memory. Taking and giving back are O(1).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

#define POOL_NONE UINT32_MAX

// Names one life of one item: once the item is given back, its old references find nothing.
struct pool_ref {
    uint32_t index;      // POOL_NONE: refers to nothing
    uint32_t generation; // odd while the item is taken
};

// What the pool keeps of each item beside it.
struct pool_slot {
    uint32_t generation;
    uint32_t next_free; // valid while the item is free
};

struct pool {
    uint8_t *items;
    struct pool_slot *slots;
    size_t item_size;    // bytes, a multiple of 8
    uint32_t capacity;   // items
    uint32_t used;       // items taken now
    uint32_t touched;    // items that were ever taken: the first `touched` indices
    uint32_t first_free; // head of the free list within the touched ones, or POOL_NONE
};

// Bytes that a pool needs.
size_t pool_size(uint32_t capacity, size_t item_size);
// `memory` is zeroed, aligned for uint64_t and has pool_size() bytes; item_size is a multiple of 8.
void pool_init(struct pool *pool, void *memory, uint32_t capacity, size_t item_size);

// Takes an item, zeroed. False, with *out untouched, when all are taken.
MUST_USE bool pool_take(struct pool *pool, struct pool_ref *out);
// Gives a taken item back; its references go stale.
void pool_give(struct pool *pool, uint32_t index);

// The item at an index is taken now.
bool pool_has(const struct pool *pool, uint32_t index);
// The item at an index that is taken now (asserted).
void *pool_at(const struct pool *pool, uint32_t index);
// The item that a reference names, or NULL when that life of it is over.
void *pool_find(const struct pool *pool, struct pool_ref ref);
// The reference to an item that is taken now.
struct pool_ref pool_ref(const struct pool *pool, uint32_t index);
bool pool_is_full(const struct pool *pool);
// The index that pool_take() will hand out next, or POOL_NONE when all are taken.
uint32_t pool_next(const struct pool *pool);
