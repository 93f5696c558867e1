// SPDX-License-Identifier: Apache-2.0
#include "base/table.h"

#include <assert.h>

// The smallest power of two that keeps the load at one half.
static uint32_t slot_count(uint32_t capacity)
{
    uint32_t count = 2;

    assert(capacity >= 1);
    assert(capacity <= UINT32_C(1) << 30);
    while (count / 2 < capacity) {
        count *= 2;
    }
    return count;
}

size_t table_size(uint32_t capacity)
{
    return slot_count(capacity) * sizeof(struct table_slot);
}

void table_init(struct table *table, void *memory, uint32_t capacity)
{
    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    *table = (struct table){
        .slots = memory,
        .mask = slot_count(capacity) - 1,
        .capacity = capacity,
    };
}

uint32_t table_find(const struct table *table, uint64_t hash, table_match_fn match,
                    const void *context, const void *key)
{
    uint32_t short_hash = (uint32_t)hash;

    // Ends at a free slot, of which there is always one: at most half of them are taken.
    for (uint32_t i = short_hash & table->mask;; i = (i + 1) & table->mask) {
        const struct table_slot *slot = &table->slots[i];
        if (slot->index_plus_one == 0) {
            return TABLE_NONE;
        }
        if (slot->hash == short_hash && match(context, slot->index_plus_one - 1, key)) {
            return slot->index_plus_one - 1;
        }
    }
}

void table_add(struct table *table, uint64_t hash, uint32_t index)
{
    uint32_t i = (uint32_t)hash & table->mask;

    assert(index != TABLE_NONE);
    assert(table->count < table->capacity);
    while (table->slots[i].index_plus_one != 0) {
        i = (i + 1) & table->mask;
    }
    table->slots[i] = (struct table_slot){(uint32_t)hash, index + 1};
    table->count++;
}

// Closes the hole at `hole`: each entry behind it moves up if its home is not between the two.
static void shift_back(struct table *table, uint32_t hole)
{
    for (uint32_t i = (hole + 1) & table->mask;; i = (i + 1) & table->mask) {
        struct table_slot slot = table->slots[i];
        if (slot.index_plus_one == 0) {
            break;
        }
        uint32_t from_home = (i - slot.hash) & table->mask;
        uint32_t from_hole = (i - hole) & table->mask;
        if (from_home >= from_hole) {
            table->slots[hole] = slot;
            hole = i;
        }
    }
    table->slots[hole] = (struct table_slot){0};
}

void table_remove(struct table *table, uint64_t hash, uint32_t index)
{
    uint32_t i = (uint32_t)hash & table->mask;

    assert(index != TABLE_NONE); // plus one it would be found in a free slot
    assert(table->count > 0);
    while (table->slots[i].index_plus_one != index + 1) {
        assert(table->slots[i].index_plus_one != 0); // else it was not there, or its hash changed
        i = (i + 1) & table->mask;
    }
    assert(table->slots[i].hash == (uint32_t)hash);
    shift_back(table, i);
    table->count--;
}
