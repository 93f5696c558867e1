// SPDX-License-Identifier: Apache-2.0
// A doubly linked list through items of a pool, by index: adding and removing are O(1).
//
// The items begin with a struct chain_link; the head is an index that their owner keeps.
#pragma once

#include <stdint.h>

#include "base/pool.h"

struct chain_link {
    uint32_t next;     // or POOL_NONE
    uint32_t previous; // or POOL_NONE
};

// Puts an item, which is in no list, in front. *head is the first index, or POOL_NONE.
void chain_add(const struct pool *pool, uint32_t *head, uint32_t index);
// Takes an item out of the list that begins at *head.
void chain_remove(const struct pool *pool, uint32_t *head, uint32_t index);
