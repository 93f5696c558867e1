// SPDX-License-Identifier: Apache-2.0
// A hash table from keys that the caller keeps to 32-bit indices, in the caller's memory.
//
// Open addressing with linear probing at a load of at most two thirds; removal shifts the run back,
// so that no tombstones gather over the years. The table stores the hash and the index only: the
// caller compares keys. Hashes come from siphash with a secret key.
//
// Hashes fall all over the slots, so that all of them become resident. A table so begins with a
// part of the slots that its capacity needs, and doubles them whenever they are full: that moves
// what it holds from one of two areas to the other, and costs some ns for each index, a few times
// in its life. It never shrinks.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

#define TABLE_NONE UINT32_MAX // no index

struct table_slot {
    uint32_t hash;
    uint32_t index_plus_one; // 0: free, so that zeroed memory is an empty table
};

struct table {
    struct table_slot *slots; // those in use
    struct table_slot *spare; // where they go next; all free
    uint32_t slot_count;      // slot_max, halved so many times
    uint32_t slot_max;
    uint32_t halvings;
    uint32_t count;    // indices held
    uint32_t capacity; // indices that it may hold
};

// Whether the item at `index` has the key for which the caller looks.
typedef bool (*table_match_fn)(const void *context, uint32_t index, const void *key);

// Bytes of memory that a table of `capacity` indices needs (capacity 1 to 2^30).
size_t table_size(uint32_t capacity);
// `memory` is zeroed, aligned for uint64_t and has table_size(capacity) bytes.
void table_init(struct table *table, void *memory, uint32_t capacity);

// The index whose hash is `hash` and that `match` accepts, or TABLE_NONE.
uint32_t table_find(const struct table *table, uint64_t hash, table_match_fn match,
                    const void *context, const void *key);
// Adds an index that is not in it. The table is not full (asserted: pools bound the count).
void table_add(struct table *table, uint64_t hash, uint32_t index);
// Removes an index that is in it, under the hash with which it was added.
void table_remove(struct table *table, uint64_t hash, uint32_t index);
