// SPDX-License-Identifier: Apache-2.0
#include "support/pool_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

enum {
    LIVES_MAX = 1024,  // references remembered; then the oldest are overwritten
    CAPACITY_MAX = 40, // of the pool
    FULL_EVERY = 64,   // operations between two comparisons of everything
};

// One life of one item.
struct life {
    struct pool_ref ref;
    uint8_t stamp; // fills the item while it lives
    bool is_over;
};

struct model {
    struct pool pool;
    void *memory;
    struct life lives[LIVES_MAX];
    uint32_t life_count;         // entries of `lives` in use
    uint32_t next;               // where the next life is written
    uint32_t live[CAPACITY_MAX]; // by index: its life plus one, or 0
    uint32_t used;
};

static void assert_filled(const uint8_t *item, size_t len, uint8_t with)
{
    for (size_t i = 0; i < len; i++) {
        assert(item[i] == with);
    }
}

// A reference finds its item, with what was put there, exactly while it lives.
static void compare(const struct model *model, const struct life *life)
{
    const uint8_t *item = pool_find(&model->pool, life->ref);

    if (life->is_over) {
        assert(item == NULL);
        return;
    }
    assert(item != NULL);
    assert(item == pool_at(&model->pool, life->ref.index));
    assert(pool_ref(&model->pool, life->ref.index).generation == life->ref.generation);
    assert_filled(item, model->pool.item_size, life->stamp);
}

static void compare_all(const struct model *model)
{
    assert(model->pool.used == model->used);
    assert(pool_is_full(&model->pool) == (model->used == model->pool.capacity));
    for (uint32_t i = 0; i < model->life_count; i++) {
        compare(model, &model->lives[i]);
    }
}

static void take(struct model *model, uint8_t stamp)
{
    struct pool_ref ref = {POOL_NONE, 77};

    // Lives that are not over are not forgotten: there are more entries than items.
    while (model->next < model->life_count && !model->lives[model->next].is_over) {
        model->next = (model->next + 1) % LIVES_MAX;
    }
    if (!pool_take(&model->pool, &ref)) {
        assert(model->used == model->pool.capacity);
        assert(ref.index == POOL_NONE);
        assert(ref.generation == 77); // untouched
        return;
    }
    assert(ref.index < model->pool.capacity);
    assert(model->live[ref.index] == 0);
    uint8_t *item = pool_at(&model->pool, ref.index);
    assert((uintptr_t)item % sizeof(uint64_t) == 0);
    assert_filled(item, model->pool.item_size, 0);
    memset(item, stamp, model->pool.item_size);
    model->lives[model->next] = (struct life){.ref = ref, .stamp = stamp};
    model->live[ref.index] = model->next + 1;
    model->used++;
    model->next++;
    if (model->life_count < model->next) {
        model->life_count = model->next;
    }
    model->next %= LIVES_MAX;
}

static void give(struct model *model, uint32_t index)
{
    if (model->live[index] == 0) {
        return; // giving back what is not taken is our own mistake
    }
    struct life *life = &model->lives[model->live[index] - 1];
    compare(model, life);
    pool_give(&model->pool, index);
    life->is_over = true;
    model->live[index] = 0;
    model->used--;
    assert(pool_find(&model->pool, life->ref) == NULL);
}

// A reference that nobody handed out finds nothing, unless it equals one that lives.
static void guess(const struct model *model, uint8_t argument)
{
    uint32_t index = argument / 4 == 63 ? POOL_NONE : argument / 4;
    struct pool_ref ref = {index, argument % 4};
    bool is_live = index < model->pool.capacity && model->live[index] != 0 &&
                   model->lives[model->live[index] - 1].ref.generation == ref.generation;

    assert((pool_find(&model->pool, ref) != NULL) == is_live);
}

void pool_model_run(struct bytes operations)
{
    struct rd rd = rd_init(operations);
    uint32_t capacity = 1 + rd_u8(&rd) % CAPACITY_MAX;
    size_t item_size = 8 * (1 + (size_t)rd_u8(&rd) % 5);
    struct model *model = calloc(1, sizeof *model);

    assert(model != NULL);
    model->memory = calloc(1, pool_size(capacity, item_size));
    assert(model->memory != NULL);
    pool_init(&model->pool, model->memory, capacity, item_size);
    for (uint32_t step = 0; rd.left >= 2; step++) {
        uint8_t operation = rd_u8(&rd);
        uint8_t argument = rd_u8(&rd);

        if (operation < 120) {
            take(model, argument);
        } else if (operation < 230) {
            give(model, argument % capacity);
        } else if (operation < 245) {
            guess(model, argument);
        } else if (model->life_count > 0) {
            compare(model, &model->lives[argument * 4099U % model->life_count]);
        }
        if (step % FULL_EVERY == 0) {
            compare_all(model);
        }
    }
    compare_all(model);
    free(model->memory);
    free(model);
}
