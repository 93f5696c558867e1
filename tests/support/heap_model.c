// SPDX-License-Identifier: Apache-2.0
#include "support/heap_model.h"

#include <assert.h>
#include <stdlib.h>

#include "base/heap.h"
#include "base/now.h"

enum {
    CAPACITY_MAX = 100, // timers
    FULL_EVERY = 16,    // operations between two comparisons of everything
};

struct model {
    struct heap heap;
    void *memory;
    uint64_t deadlines[CAPACITY_MAX]; // NEVER: not set
};

static uint64_t earliest(const struct model *model)
{
    uint64_t result = NEVER;

    for (uint32_t i = 0; i < model->heap.capacity; i++) {
        if (model->deadlines[i] < result) {
            result = model->deadlines[i];
        }
    }
    return result;
}

static void compare(const struct model *model)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < model->heap.capacity; i++) {
        assert(heap_at(&model->heap, i) == model->deadlines[i]);
        count += model->deadlines[i] != NEVER;
    }
    assert(model->heap.count == count);
    for (uint32_t i = 1; i < count; i++) {
        const uint64_t *deadlines_ns = model->heap.deadlines_ns;
        assert(deadlines_ns[(i - 1) / 2] <= deadlines_ns[i]);
    }
}

// Takes what is due, and answers whether anything was.
static bool take(struct model *model, uint64_t now_ns)
{
    uint32_t timer = UINT32_MAX;
    uint64_t due = earliest(model);

    if (!heap_take(&model->heap, now_ns, &timer)) {
        assert(due == NEVER || due > now_ns);
        assert(timer == UINT32_MAX); // untouched
        return false;
    }
    assert(timer < model->heap.capacity);
    assert(model->deadlines[timer] == due); // of several at once, any
    assert(due != NEVER);
    assert(due <= now_ns);
    model->deadlines[timer] = NEVER;
    return true;
}

static void set(struct model *model, uint32_t timer, uint64_t deadline_ns)
{
    heap_set(&model->heap, timer, deadline_ns);
    model->deadlines[timer] = deadline_ns;
}

static void clear(struct model *model, uint32_t timer)
{
    heap_clear(&model->heap, timer);
    model->deadlines[timer] = NEVER;
}

// Few values in the middle, so that many are equal, and the very ends.
static uint64_t deadline_of(uint8_t byte)
{
    if (byte >= 252) {
        return NEVER - (uint64_t)(byte - 252);
    }
    return byte < 4 ? byte : (uint64_t)byte * 1000;
}

void heap_model_run(struct bytes operations)
{
    struct rd rd = rd_init(operations);
    uint32_t capacity = 1 + rd_u8(&rd) % CAPACITY_MAX;
    struct model model = {.memory = calloc(1, heap_size(capacity))};

    assert(model.memory != NULL);
    heap_init(&model.heap, model.memory, capacity);
    for (uint32_t i = 0; i < capacity; i++) {
        model.deadlines[i] = NEVER;
    }
    for (uint32_t step = 0; rd.left >= 3; step++) {
        uint8_t operation = rd_u8(&rd);
        uint32_t timer = rd_u8(&rd) % capacity;
        uint64_t deadline_ns = deadline_of(rd_u8(&rd));

        if (operation < 160) {
            set(&model, timer, deadline_ns);
        } else if (operation < 200) {
            clear(&model, timer);
        } else if (operation < 250) {
            (void)take(&model, deadline_ns);
        } else {
            // Everything that is due, as a server's tick does it.
            while (take(&model, deadline_ns)) {
            }
        }
        assert(heap_deadline(&model.heap) == earliest(&model));
        if (step % FULL_EVERY == 0) {
            compare(&model);
        }
    }
    compare(&model);
    while (take(&model, NEVER)) {
    }
    assert(model.heap.count == 0);
    free(model.memory);
}
