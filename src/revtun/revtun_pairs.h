// SPDX-License-Identifier: Apache-2.0
// The pairs of a public and a reverse port: where they lie, which are free, and who has them.
//
//      control port    C
//      reverse port    C + 1 + i              of pair i, 0 to N - 1
//      public port     C + 1 + N + i
//
// Free pairs stand in the order of their release, those that nobody has had yet in front, in the
// order of their ports. Whoever takes one gets the first: so a pair rests as long as others are
// free, and what is still under way to its former server finds nobody.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

#define REVTUN_PAIRS_NONE UINT32_MAX // no pair; no holder

struct revtun_pairs_entry {
    uint32_t holder;    // the taker's number, or REVTUN_PAIRS_NONE while it is free
    uint32_t next_free; // while it is free
};

struct revtun_pairs {
    struct revtun_pairs_entry *entries;
    uint32_t count;
    uint32_t free_count;
    uint32_t first_free; // or REVTUN_PAIRS_NONE
    uint32_t last_free;
};

// There are that many ports above the control port, which is not 0.
bool revtun_pairs_fit(uint16_t control_port, uint32_t pair_count);
uint16_t revtun_pairs_reverse_port(uint16_t control_port, uint32_t pair);
uint16_t revtun_pairs_public_port(uint16_t control_port, uint32_t pair_count, uint32_t pair);

size_t revtun_pairs_size(uint32_t pair_count);
// `memory` is aligned for uint64_t and has revtun_pairs_size() bytes.
void revtun_pairs_init(struct revtun_pairs *pairs, void *memory, uint32_t pair_count);

// Takes the pair that has been free for the longest time. False, with *out untouched, when all are
// taken.
MUST_USE bool revtun_pairs_take(struct revtun_pairs *pairs, uint32_t holder, uint32_t *out);
// Gives a pair back that is taken.
void revtun_pairs_give(struct revtun_pairs *pairs, uint32_t pair);
// Who has it, or REVTUN_PAIRS_NONE.
uint32_t revtun_pairs_holder(const struct revtun_pairs *pairs, uint32_t pair);
