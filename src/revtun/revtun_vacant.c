// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_vacant.h"

#include <assert.h>

#include "base/layout.h"

// Where each part lies.
struct layout {
    size_t left, oldest, end;
};

static struct layout layout_of(uint32_t count)
{
    struct layout layout = {0};

    layout.left = layout_place(&layout.end, count * sizeof(uint64_t));
    layout.oldest = layout_place(&layout.end, 2 * (size_t)count * sizeof(uint32_t));
    return layout;
}

size_t revtun_vacant_size(uint32_t count)
{
    assert(count > 0);
    return layout_of(count).end;
}

void revtun_vacant_init(struct revtun_vacant *vacant, void *memory, uint32_t count)
{
    const struct layout layout = layout_of(count);
    uint8_t *bytes = memory;

    *vacant = (struct revtun_vacant){
        .left = (uint64_t *)(void *)(bytes + layout.left),
        .oldest = (uint32_t *)(void *)(bytes + layout.oldest),
        .count = count,
    };
    for (uint32_t node = 0; node < 2 * count; node++) {
        vacant->oldest[node] = REVTUN_VACANT_NONE;
    }
}

uint32_t revtun_vacant_older(const struct revtun_vacant *vacant, uint32_t a, uint32_t b)
{
    if (a == REVTUN_VACANT_NONE || b == REVTUN_VACANT_NONE) {
        return a == REVTUN_VACANT_NONE ? b : a;
    }
    return vacant->left[a] < vacant->left[b] ? a : b;
}

// A leaf is another one: so are those above it.
static void renew(struct revtun_vacant *vacant, uint32_t index)
{
    uint32_t node = vacant->count + index;

    vacant->oldest[node] = vacant->left[index] != 0 ? index : REVTUN_VACANT_NONE;
    for (node /= 2; node > 0; node /= 2) {
        const uint32_t *below = &vacant->oldest[(size_t)2 * node];
        vacant->oldest[node] = revtun_vacant_older(vacant, below[0], below[1]);
    }
}

void revtun_vacant_add(struct revtun_vacant *vacant, uint32_t index, uint64_t left)
{
    assert(index < vacant->count);
    assert(left > 0);
    vacant->vacant_count += vacant->left[index] == 0;
    vacant->left[index] = left;
    renew(vacant, index);
}

void revtun_vacant_remove(struct revtun_vacant *vacant, uint32_t index)
{
    assert(index < vacant->count);
    vacant->vacant_count -= vacant->left[index] != 0;
    vacant->left[index] = 0;
    renew(vacant, index);
}

uint32_t revtun_vacant_find(const struct revtun_vacant *vacant, uint32_t first, uint32_t last)
{
    uint32_t from = vacant->count + first;
    uint32_t to = vacant->count + last + 1; // behind the last node
    uint32_t found = REVTUN_VACANT_NONE;

    assert(first <= last);
    assert(last < vacant->count);
    // Level by level: what has no sibling within the range is looked at, the rest by its parents.
    for (; from < to; from /= 2, to /= 2) {
        if (from % 2 == 1) {
            found = revtun_vacant_older(vacant, found, vacant->oldest[from++]);
        }
        if (to % 2 == 1) {
            found = revtun_vacant_older(vacant, found, vacant->oldest[--to]);
        }
    }
    return found;
}
