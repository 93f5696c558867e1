// SPDX-License-Identifier: Apache-2.0
#include "base/chain.h"

#include <assert.h>

static struct chain_link *link_of(const struct pool *pool, uint32_t index)
{
    return pool_at(pool, index);
}

void chain_add(const struct pool *pool, uint32_t *head, uint32_t index)
{
    *link_of(pool, index) = (struct chain_link){.next = *head, .previous = POOL_NONE};
    if (*head != POOL_NONE) {
        link_of(pool, *head)->previous = index;
    }
    *head = index;
}

void chain_remove(const struct pool *pool, uint32_t *head, uint32_t index)
{
    struct chain_link link = *link_of(pool, index);

    if (link.previous != POOL_NONE) {
        link_of(pool, link.previous)->next = link.next;
    } else {
        assert(*head == index);
        *head = link.next;
    }
    if (link.next != POOL_NONE) {
        link_of(pool, link.next)->previous = link.previous;
    }
}
