// SPDX-License-Identifier: Apache-2.0
// The relayed sockets of one worker: one for each allocation, at the allocation's index.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/pool.h"
#include "io/io_loop.h"
#include "io/io_udp.h"

struct relay_socket {
    struct io_watch watch; // first, so that the loop's callback finds the whole
    struct io_udp udp;
    struct pool_ref allocation;
    uint32_t client_scope; // the client's interface, if its address is link-local; set by the owner
    bool is_open;
};

struct relay_socket_table {
    struct io_loop *loop;
    struct relay_socket *sockets; // by index of the allocation; zeroed pages until used
    uint32_t capacity;
    struct addr local_ip4; // where to bind; ADDR_NONE: the family is not served
    struct addr local_ip6;
    io_watch_fn readable; // called with the socket's watch
    void *context;        // the watch's context
};

// Allocates room for `capacity` sockets. The other fields are set by the caller beforehand.
MUST_USE int relay_socket_table_open(struct relay_socket_table *table, uint32_t capacity);
// Closes all sockets.
void relay_socket_table_close(struct relay_socket_table *table);

// Binds the port of `relayed` for an allocation and begins to receive. -errno as io_udp_open().
MUST_USE int relay_socket_open(struct relay_socket_table *table, struct pool_ref allocation,
                               const struct addr *relayed);
void relay_socket_close(struct relay_socket_table *table, struct pool_ref allocation);
// The socket of an allocation that has one (asserted).
struct relay_socket *relay_socket_of(const struct relay_socket_table *table,
                                     struct pool_ref allocation);
// The socket whose watch was called.
struct relay_socket *relay_socket_from_watch(struct io_watch *watch);
