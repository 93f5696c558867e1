// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int relay_socket_table_open(struct relay_socket_table *table, uint32_t capacity)
{
    table->sockets = calloc(capacity, sizeof *table->sockets);
    if (table->sockets == NULL) {
        return -ENOMEM;
    }
    table->capacity = capacity;
    return 0;
}

static void close_one(struct relay_socket_table *table, struct relay_socket *one)
{
    io_loop_remove(table->loop, &one->watch);
    io_udp_close(&one->udp);
    one->is_open = false;
}

void relay_socket_table_close(struct relay_socket_table *table)
{
    for (uint32_t i = 0; i < table->capacity; i++) {
        if (table->sockets[i].is_open) {
            close_one(table, &table->sockets[i]);
        }
    }
    free(table->sockets);
    table->sockets = NULL;
    table->capacity = 0;
}

int relay_socket_open(struct relay_socket_table *table, struct pool_ref allocation,
                      const struct addr *relayed)
{
    struct relay_socket *one = &table->sockets[allocation.index];
    const struct addr *local = relayed->family == ADDR_IP4 ? &table->local_ip4 : &table->local_ip6;
    struct io_udp_options options = {.local = addr_with_port(*local, relayed->port)};
    struct io_udp udp = {.fd = -1};

    assert(allocation.index < table->capacity);
    assert(!one->is_open);
    assert(local->family == relayed->family);
    int error = io_udp_open(&options, &udp);
    if (error != 0) {
        return error;
    }
    *one = (struct relay_socket){
        .watch = {.fd = udp.fd, .fn = table->readable, .context = table->context},
        .udp = udp,
        .allocation = allocation,
        .is_open = true,
    };
    error = io_loop_add(table->loop, &one->watch, IO_READABLE);
    if (error != 0) {
        close_one(table, one);
    }
    return error;
}

struct relay_socket *relay_socket_of(const struct relay_socket_table *table,
                                     struct pool_ref allocation)
{
    assert(allocation.index < table->capacity);
    struct relay_socket *one = &table->sockets[allocation.index];
    assert(one->is_open);
    assert(one->allocation.generation == allocation.generation);
    return one;
}

void relay_socket_close(struct relay_socket_table *table, struct pool_ref allocation)
{
    close_one(table, relay_socket_of(table, allocation));
}

struct relay_socket *relay_socket_from_watch(struct io_watch *watch)
{
    return (struct relay_socket *)watch;
}
