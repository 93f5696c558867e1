// SPDX-License-Identifier: Apache-2.0
// The ports that may be given away, and of any range of them the one that was left the longest ago.
//
// A tree of winners: each port is a leaf, and each node above has the older one of its two. So a
// change costs a step for each level, and a range is put together from two nodes of each.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define REVTUN_VACANT_NONE UINT32_MAX // no port

// Ports are named by their index, from 0 on.
struct revtun_vacant {
    uint64_t *left;   // by index: when it was left, as a serial number; 0: it is not vacant
    uint32_t *oldest; // by node: an index, or NONE. 1 is the root, 2n and 2n + 1 are below n, and
                      // the leaves are the last `count`
    uint32_t count;
    uint32_t vacant_count;
};

// Bytes of memory for so many ports, at least 1.
size_t revtun_vacant_size(uint32_t count);
// `memory` is zeroed, aligned for uint64_t and has revtun_vacant_size() bytes. None is vacant.
void revtun_vacant_init(struct revtun_vacant *vacant, void *memory, uint32_t count);

// One is vacant from now on. `left` is not 0, and no other one's; the lower, the longer ago.
void revtun_vacant_add(struct revtun_vacant *vacant, uint32_t index, uint64_t left);
// One is not vacant, whether it was or not.
void revtun_vacant_remove(struct revtun_vacant *vacant, uint32_t index);

// Of the indices from `first` to `last`, which there are, the one that was left the longest ago.
uint32_t revtun_vacant_find(const struct revtun_vacant *vacant, uint32_t first, uint32_t last);
// The one of two that was left the longest ago; either may be NONE.
uint32_t revtun_vacant_older(const struct revtun_vacant *vacant, uint32_t a, uint32_t b);
