// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "relay/relay_report.h"

enum { BUFFER_LEN = 256 * 1024 }; // bytes asked of the system; ICMP errors wait in it too

int relay_socket_table_open(struct relay_socket_table *table, uint32_t capacity)
{
    bool has_memory = true;

    for (size_t i = 0; i < COUNT_OF(table->sockets); i++) {
        table->sockets[i] = calloc(capacity, sizeof *table->sockets[i]);
        has_memory = has_memory && table->sockets[i] != NULL;
    }
    table->client_scopes = calloc(capacity, sizeof *table->client_scopes);
    if (!has_memory || table->client_scopes == NULL) {
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
    for (size_t i = 0; i < COUNT_OF(table->sockets); i++) {
        for (uint32_t k = 0; k < table->capacity; k++) {
            if (table->sockets[i][k].is_open) {
                close_one(table, &table->sockets[i][k]);
            }
        }
        free(table->sockets[i]);
        table->sockets[i] = NULL;
    }
    free(table->client_scopes);
    table->client_scopes = NULL;
    table->capacity = 0;
}

static struct relay_socket *place_of(const struct relay_socket_table *table,
                                     struct pool_ref allocation, uint8_t family)
{
    assert(allocation.index < table->capacity);
    return &table->sockets[family == ADDR_IP6][allocation.index];
}

int relay_socket_open(struct relay_socket_table *table, struct pool_ref allocation,
                      const struct addr *relayed)
{
    struct relay_socket *one = place_of(table, allocation, relayed->family);
    const struct addr *local = relayed->family == ADDR_IP4 ? &table->local_ip4 : &table->local_ip6;
    struct io_udp_options options = {
        .local = addr_with_port(*local, relayed->port),
        .has_ip_fields = true,
        .has_errors = true,
        .has_trains = true,
        .receive_buffer_len = BUFFER_LEN,
    };
    struct io_udp udp = {.fd = -1};

    assert(!one->is_open);
    assert(local->family == relayed->family);
    int error = io_udp_open(&options, &udp);
    if (error != 0) {
        return error;
    }
    relay_report_buffer(BUFFER_LEN, udp.receive_buffer_len);
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
                                     struct pool_ref allocation, uint8_t family)
{
    struct relay_socket *one = place_of(table, allocation, family);

    assert(one->is_open);
    assert(one->allocation.generation == allocation.generation);
    return one;
}

void relay_socket_close(struct relay_socket_table *table, struct pool_ref allocation,
                        uint8_t family)
{
    close_one(table, relay_socket_of(table, allocation, family));
}

struct relay_socket *relay_socket_from_watch(struct io_watch *watch)
{
    return (struct relay_socket *)watch;
}
