// SPDX-License-Identifier: Apache-2.0
// Who holds ports: each owner as long as it holds any, and how many.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "base/table.h"

enum { REVTUN_HOLDERS_OWNER_MAX = 72 }; // bytes: a token's name, or "cert:" and a hash

// The ports of one line, by their index: those that were left first are the oldest.
struct revtun_holders_line {
    uint32_t oldest, newest; // UINT32_MAX: there are none
};

struct revtun_holder {
    struct revtun_holders_line resting; // those of its ports that are not bound; the caller's
    uint32_t count;                     // of its ports
    uint32_t bound_count;               // of these, those that are bound; the caller's
    uint8_t owner_len;                  // bytes
    uint8_t owner[REVTUN_HOLDERS_OWNER_MAX];
};

struct revtun_holders {
    struct siphash_key key;
    struct pool pool;
    struct table by_owner;
};

// Bytes of memory for so many holders, at least 1.
size_t revtun_holders_size(uint32_t capacity);
// `memory` is zeroed, aligned for uint64_t and has revtun_holders_size() bytes. The key is secret.
void revtun_holders_init(struct revtun_holders *holders, void *memory, uint32_t capacity,
                         struct siphash_key key);

struct revtun_holder *revtun_holders_at(const struct revtun_holders *holders, uint32_t index);
struct bytes revtun_holders_owner(const struct revtun_holders *holders, uint32_t index);
// The holder of an owner, or POOL_NONE.
uint32_t revtun_holders_find(const struct revtun_holders *holders, struct bytes owner);

// An owner of 1 to REVTUN_HOLDERS_OWNER_MAX bytes has a port more; its holder, who is made if need
// be. Room for one is asserted.
uint32_t revtun_holders_add(struct revtun_holders *holders, struct bytes owner);
// It has a port less, and with the last one it is forgotten.
void revtun_holders_remove(struct revtun_holders *holders, uint32_t index);
