// SPDX-License-Identifier: Apache-2.0
// The relayed sockets of one worker: one or two for each allocation, by its index and by family.
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
    bool is_open;
};

struct relay_socket_table {
    struct io_loop *loop;
    struct relay_socket *sockets[2]; // IPv4, IPv6: by index of the allocation; zeroed until used
    uint32_t *client_scopes; // likewise: the client's interface, if its address is link-local
    uint32_t capacity;
    struct addr local_ip4; // where to bind; ADDR_NONE: the family is not served
    struct addr local_ip6;
    io_watch_fn readable; // called with the socket's watch
    void *context;        // the watch's context
};

// Allocates room for `capacity` allocations. The other fields are set by the caller beforehand.
// After an error too, relay_socket_table_close() frees what there is.
MUST_USE int relay_socket_table_open(struct relay_socket_table *table, uint32_t capacity);
// Closes all sockets.
void relay_socket_table_close(struct relay_socket_table *table);

// Binds the port of `relayed` for an allocation and begins to receive. -errno as io_udp_open().
MUST_USE int relay_socket_open(struct relay_socket_table *table, struct pool_ref allocation,
                               const struct addr *relayed);
void relay_socket_close(struct relay_socket_table *table, struct pool_ref allocation,
                        uint8_t family);
// The socket of a family (enum addr_family) that an allocation has (asserted).
struct relay_socket *relay_socket_of(const struct relay_socket_table *table,
                                     struct pool_ref allocation, uint8_t family);
// The socket whose watch was called.
struct relay_socket *relay_socket_from_watch(struct io_watch *watch);
