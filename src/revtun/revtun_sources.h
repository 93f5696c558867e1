// SPDX-License-Identifier: Apache-2.0
// How many connections of each origin wait (revtun_origin.h), so that one cannot take all places.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "base/table.h"

struct revtun_source {
    struct addr origin;
    uint32_t count; // connections; never 0
};

struct revtun_sources {
    struct siphash_key key;
    struct pool pool;
    struct table by_origin;
};

// `capacity`: as many as there may be connections.
size_t revtun_sources_size(uint32_t capacity);
// `memory` is zeroed, aligned for uint64_t and has revtun_sources_size() bytes.
void revtun_sources_init(struct revtun_sources *sources, void *memory, uint32_t capacity,
                         struct siphash_key key);

uint32_t revtun_sources_count(const struct revtun_sources *sources, const struct addr *from);
// Counts one more connection from there. Returns the number to leave by.
uint32_t revtun_sources_enter(struct revtun_sources *sources, const struct addr *from);
void revtun_sources_leave(struct revtun_sources *sources, uint32_t source);
