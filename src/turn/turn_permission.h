// SPDX-License-Identifier: Apache-2.0
// Permissions: the peer IP addresses with which an allocation exchanges data (RFC 8656 section 9).
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/chain.h"
#include "base/now.h"
#include "base/pool.h"
#include "base/table.h"
#include "turn/turn_refusal.h"

struct turn_server;

struct turn_permission {
    struct chain_link link; // in the allocation's list
    uint32_t allocation;    // index
    struct addr peer;       // port 0: permissions do not look at ports
};

struct turn_permission_store {
    struct pool pool;
    struct table by_peer; // keyed by allocation and peer IP
};

size_t turn_permission_store_size(uint32_t capacity);
void turn_permission_store_init(struct turn_permission_store *store, void *memory,
                                uint32_t capacity);

// The index of an allocation's permission for a peer's IP address, or POOL_NONE.
uint32_t turn_permission_find(const struct turn_server *server, uint32_t allocation,
                              const struct addr *peer);
// Installs a permission, which becomes the allocation's first, or refreshes the one that is there.
// TURN_REFUSAL_NONE, or which limit is in the way of one more.
MUST_USE enum turn_refusal turn_permission_install(struct turn_server *server, uint32_t allocation,
                                                   const struct addr *peer, struct now now);
void turn_permission_delete(struct turn_server *server, uint32_t index);
