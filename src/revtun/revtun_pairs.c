// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_pairs.h"

#include <assert.h>

bool revtun_pairs_fit(uint16_t control_port, uint32_t pair_count)
{
    return control_port != 0 && pair_count <= (uint32_t)(UINT16_MAX - control_port) / 2;
}

uint16_t revtun_pairs_reverse_port(uint16_t control_port, uint32_t pair)
{
    assert(pair < (uint32_t)(UINT16_MAX - control_port));
    return (uint16_t)(control_port + 1 + pair);
}

uint16_t revtun_pairs_public_port(uint16_t control_port, uint32_t pair_count, uint32_t pair)
{
    assert(pair < pair_count);
    return revtun_pairs_reverse_port(control_port, pair_count + pair);
}

size_t revtun_pairs_size(uint32_t pair_count)
{
    return pair_count * sizeof(struct revtun_pairs_entry);
}

// Puts a pair behind all that are free.
static void put(struct revtun_pairs *pairs, uint32_t pair)
{
    pairs->entries[pair] = (struct revtun_pairs_entry){REVTUN_PAIRS_NONE, REVTUN_PAIRS_NONE};
    if (pairs->free_count == 0) {
        pairs->first_free = pair;
    } else {
        pairs->entries[pairs->last_free].next_free = pair;
    }
    pairs->last_free = pair;
    pairs->free_count++;
}

void revtun_pairs_init(struct revtun_pairs *pairs, void *memory, uint32_t pair_count)
{
    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    *pairs = (struct revtun_pairs){
        .entries = memory,
        .count = pair_count,
        .first_free = REVTUN_PAIRS_NONE,
        .last_free = REVTUN_PAIRS_NONE,
    };
    for (uint32_t pair = 0; pair < pair_count; pair++) {
        put(pairs, pair);
    }
}

bool revtun_pairs_take(struct revtun_pairs *pairs, uint32_t holder, uint32_t *out)
{
    const uint32_t pair = pairs->first_free;

    assert(holder != REVTUN_PAIRS_NONE);
    if (pairs->free_count == 0) {
        return false;
    }
    assert(pair < pairs->count);
    pairs->first_free = pairs->entries[pair].next_free;
    pairs->free_count--;
    pairs->entries[pair] = (struct revtun_pairs_entry){holder, REVTUN_PAIRS_NONE};
    *out = pair;
    return true;
}

void revtun_pairs_give(struct revtun_pairs *pairs, uint32_t pair)
{
    assert(revtun_pairs_holder(pairs, pair) != REVTUN_PAIRS_NONE);
    put(pairs, pair);
}

uint32_t revtun_pairs_holder(const struct revtun_pairs *pairs, uint32_t pair)
{
    assert(pair < pairs->count);
    return pairs->entries[pair].holder;
}
