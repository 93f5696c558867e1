// SPDX-License-Identifier: Apache-2.0
#include "support/table_model.h"

#include <assert.h>
#include <stdlib.h>

#include "base/table.h"

enum {
    CAPACITY_MAX = 100,       // of the table
    ITEMS = CAPACITY_MAX * 2, // indices that may be added; more than the table holds
    FULL_EVERY = 64,          // operations between two comparisons of everything
};

struct item {
    uint64_t hash;
    uint32_t key;
    bool is_in;
};

struct model {
    struct table table;
    void *memory;
    struct item items[ITEMS];
    uint32_t count;
    uint64_t hash_mask; // few bits: many items share a hash
    uint64_t hash_step; // as many hashes as belong to one slot, or a few more
    uint64_t hash_base; // where the cluster lies
};

static bool is_key(const void *context, uint32_t index, const void *key)
{
    const struct model *model = context;

    assert(index < ITEMS);
    assert(model->items[index].is_in); // the table never asks about what is not in it
    return model->items[index].key == *(const uint32_t *)key;
}

static uint32_t find(const struct model *model, uint64_t hash, uint32_t key)
{
    return table_find(&model->table, hash, is_key, model, &key);
}

// Every item that is in is found, no other is, and no other slot is taken.
static void compare(const struct model *model)
{
    uint32_t taken = 0;

    assert(model->table.count == model->count);
    for (uint32_t i = 0; i < ITEMS; i++) {
        const struct item *item = &model->items[i];
        assert(find(model, item->hash, item->key) == (item->is_in ? i : TABLE_NONE));
    }
    for (size_t i = 0; i < model->table.slot_count; i++) {
        taken += model->table.slots[i].index_plus_one != 0;
    }
    assert(taken == model->count);
}

static void add(struct model *model, uint32_t index, uint8_t spread)
{
    struct item *item = &model->items[index];

    // The upper half of a hash is not kept, so it must not matter.
    item->hash = model->hash_base + (spread & model->hash_mask) * model->hash_step +
                 ((uint64_t)spread << 40);
    table_add(&model->table, item->hash, index);
    item->is_in = true;
    model->count++;
    assert(find(model, item->hash, item->key) == index);
}

static void remove_item(struct model *model, uint32_t index)
{
    struct item *item = &model->items[index];

    table_remove(&model->table, item->hash, index);
    item->is_in = false;
    model->count--;
    assert(find(model, item->hash, item->key) == TABLE_NONE);
}

void table_model_run(struct bytes operations)
{
    static const uint64_t masks[] = {0, 1, 3, 7, 0x1f, 0xff};
    struct rd rd = rd_init(operations);
    uint32_t capacity = 1 + rd_u8(&rd) % CAPACITY_MAX;
    struct model model = {.memory = calloc(1, table_size(capacity))};

    assert(model.memory != NULL);
    model.hash_mask = masks[rd_u8(&rd) % COUNT_OF(masks)];
    table_init(&model.table, model.memory, capacity);
    // Shortly before the last slot, so that runs wrap around, or shortly behind it.
    model.hash_step = UINT32_MAX / model.table.slot_count + 1;
    model.hash_base = (model.table.slot_count - (uint64_t)8 + rd_u8(&rd) % 16) * model.hash_step;
    for (uint32_t i = 0; i < ITEMS; i++) {
        model.items[i].key = i * 3;
    }
    for (uint32_t step = 0; rd.left >= 2; step++) {
        uint8_t operation = rd_u8(&rd);
        uint32_t index = rd_u8(&rd) % (capacity * 2); // so that it is full now and then, not always

        if (model.items[index].is_in) {
            remove_item(&model, index);
        } else if (model.count < capacity) {
            add(&model, index, operation);
        }
        if (step % FULL_EVERY == 0) {
            compare(&model);
        }
    }
    compare(&model);
    free(model.memory);
}
