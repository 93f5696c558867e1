// SPDX-License-Identifier: Apache-2.0
#include "base/table.h"

#include <assert.h>

enum { FIRST_SLOTS = 64 }; // at most; so few that fuzzers see their tables grow

// Three slots for two indices; one at least is always free.
static uint32_t slots_for(uint32_t capacity)
{
    assert(capacity >= 1);
    assert(capacity <= UINT32_C(1) << 30);
    return capacity + (capacity + 1) / 2;
}

// The slot where a hash belongs: as far into the slots as the hash is into all hashes.
static uint32_t home(const struct table *table, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash * table->slot_count >> 32);
}

// The slot behind a slot.
static uint32_t next(const struct table *table, uint32_t i)
{
    return i + 1 < table->slot_count ? i + 1 : 0;
}

// How many slots behind `from` the slot `to` is.
static uint32_t distance(const struct table *table, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : to + (table->slot_count - from);
}

size_t table_size(uint32_t capacity)
{
    const size_t slot_max = slots_for(capacity);

    return (slot_max + slot_max / 2) * sizeof(struct table_slot);
}

void table_init(struct table *table, void *memory, uint32_t capacity)
{
    struct table_slot *whole = memory;
    const uint32_t slot_max = slots_for(capacity);
    uint32_t halvings = 0;

    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    while (slot_max >> halvings > FIRST_SLOTS) {
        halvings++;
    }
    // The last time they move it is to the larger area, which all of them fit into.
    *table = (struct table){
        .slots = halvings % 2 == 0 ? whole : whole + slot_max,
        .spare = halvings % 2 == 0 ? whole + slot_max : whole,
        .slot_count = slot_max >> halvings,
        .slot_max = slot_max,
        .halvings = halvings,
        .capacity = capacity,
    };
}

// One more would be more than two thirds.
static bool is_full(const struct table *table)
{
    return ((uint64_t)table->count + 1) * 3 > (uint64_t)table->slot_count * 2;
}

static void put(struct table *table, struct table_slot slot)
{
    uint32_t i = home(table, slot.hash);

    while (table->slots[i].index_plus_one != 0) {
        i = next(table, i);
    }
    table->slots[i] = slot;
}

// Moves all to twice as many slots; what they leave is free again.
static void grow(struct table *table)
{
    struct table_slot *old = table->slots;
    const uint32_t old_count = table->slot_count;

    assert(table->halvings > 0);
    table->halvings--;
    table->slot_count = table->slot_max >> table->halvings;
    table->slots = table->spare;
    table->spare = old;
    for (uint32_t i = 0; i < old_count; i++) {
        if (old[i].index_plus_one != 0) {
            put(table, old[i]);
            old[i] = (struct table_slot){0};
        }
    }
}

uint32_t table_find(const struct table *table, uint64_t hash, table_match_fn match,
                    const void *context, const void *key)
{
    uint32_t short_hash = (uint32_t)hash;

    // Ends at a free slot, of which there is always one.
    for (uint32_t i = home(table, short_hash);; i = next(table, i)) {
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
    assert(index != TABLE_NONE);
    assert(table->count < table->capacity);
    if (table->halvings > 0 && is_full(table)) {
        grow(table);
    }
    put(table, (struct table_slot){(uint32_t)hash, index + 1});
    table->count++;
}

// Closes the hole at `hole`: each entry behind it moves up if its home is not between the two.
static void shift_back(struct table *table, uint32_t hole)
{
    for (uint32_t i = next(table, hole);; i = next(table, i)) {
        struct table_slot slot = table->slots[i];
        if (slot.index_plus_one == 0) {
            break;
        }
        if (distance(table, home(table, slot.hash), i) >= distance(table, hole, i)) {
            table->slots[hole] = slot;
            hole = i;
        }
    }
    table->slots[hole] = (struct table_slot){0};
}

void table_remove(struct table *table, uint64_t hash, uint32_t index)
{
    uint32_t i = home(table, (uint32_t)hash);

    assert(index != TABLE_NONE); // plus one it would be found in a free slot
    assert(table->count > 0);
    while (table->slots[i].index_plus_one != index + 1) {
        assert(table->slots[i].index_plus_one != 0); // else it was not there, or its hash changed
        i = next(table, i);
    }
    assert(table->slots[i].hash == (uint32_t)hash);
    shift_back(table, i);
    table->count--;
}
