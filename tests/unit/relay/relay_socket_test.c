// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_socket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/host.h"

enum { CAPACITY = 4 };

static bool is_skipped;
static struct io_loop loop;
static struct relay_socket_table table;
static struct relay_socket *last_readable; // and empties it
static size_t descriptors;                 // open before the test

static void take(struct io_watch *watch, uint32_t events)
{
    uint8_t byte;

    assert_int_equal(events, IO_READABLE);
    assert_ptr_equal(watch->context, &table);
    last_readable = relay_socket_from_watch(watch);
    assert_int_equal(read(watch->fd, &byte, 1), 1);
}

static int open_table(void **state)
{
    (void)state;
    descriptors = host_descriptor_count();
    last_readable = NULL;
    table = (struct relay_socket_table){
        .loop = &loop,
        .local_ip4 = host_loopback(ADDR_IP4, 0),
        .local_ip6 = host_loopback(ADDR_IP6, 0),
        .readable = take,
        .context = &table,
    };
    return io_loop_open(&loop) == 0 ? relay_socket_table_open(&table, CAPACITY) : -1;
}

static int close_table(void **state)
{
    (void)state;
    relay_socket_table_close(&table);
    relay_socket_table_close(&table); // nothing is left to close
    assert_int_equal(loop.watch_count, 0);
    io_loop_close(&loop);
    assert_int_equal(host_descriptor_count(), descriptors);
    return 0;
}

// A relayed address as the server names it: the public IP is not the one to bind.
static struct addr relayed(uint16_t port)
{
    return addr_ip4((const uint8_t[]){192, 0, 2, 1}, port);
}

static uint16_t open_at(struct pool_ref allocation)
{
    const uint16_t port = host_free_port(ADDR_IP4);
    const struct addr addr = relayed(port);

    assert_int_equal(relay_socket_open(&table, allocation, &addr), 0);
    return port;
}

// Sends a byte to an address of loopback, and lets the loop turn once.
static void send_to_address(const struct addr *to)
{
    const struct io_udp_options options = {.local = host_loopback((enum addr_family)to->family, 0)};
    struct io_udp udp = {.fd = -1};

    assert_int_equal(io_udp_open(&options, &udp), 0);
    assert_int_equal(
        io_udp_send(
            &udp, &(struct io_udp_message){.to = to, .payload = (struct bytes)BYTES_LITERAL("x")}),
        0);
    io_udp_close(&udp);
    last_readable = NULL;
    assert_int_equal(io_loop_turn(&loop, 0), 0);
}

static void send_to(uint16_t port)
{
    const struct addr to = host_loopback(ADDR_IP4, port);

    send_to_address(&to);
}

static void binds_the_local_address_at_the_relayed_port(void **state)
{
    const struct pool_ref ref = {2, 1};

    (void)state;
    const uint16_t port = open_at(ref);
    struct relay_socket *socket = relay_socket_of(&table, ref, ADDR_IP4);
    const struct addr expected = host_loopback(ADDR_IP4, port);
    assert_true(addr_equal(&socket->udp.local, &expected));
    assert_ptr_equal(socket, &table.sockets[0][2]);
    send_to(port);
    assert_ptr_equal(last_readable, socket);
    assert_int_equal(last_readable->allocation.index, 2);
    assert_int_equal(last_readable->allocation.generation, 1);
}

static void opens_the_same_place_again_for_another_generation(void **state)
{
    (void)state;
    for (uint32_t generation = 1; generation < 9; generation += 2) {
        const struct pool_ref ref = {0, generation};
        const uint16_t port = open_at(ref);

        send_to(port);
        assert_ptr_equal(last_readable, relay_socket_of(&table, ref, ADDR_IP4));
        assert_int_equal(last_readable->allocation.generation, generation);
        relay_socket_close(&table, ref, ADDR_IP4);
        assert_false(table.sockets[0][0].is_open);
        send_to(port);
        assert_null(last_readable);
    }
}

static void has_a_socket_of_each_family_at_one_port(void **state)
{
    const struct pool_ref ref = {3, 1};

    (void)state;
    if (!host_has_ip6()) {
        is_skipped = true;
        return;
    }
    const uint16_t port = open_at(ref);
    const struct addr relayed6 =
        addr_with_port(addr_ip6((const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 0), port);
    assert_int_equal(relay_socket_open(&table, ref, &relayed6), 0);
    struct relay_socket *ip4 = relay_socket_of(&table, ref, ADDR_IP4);
    struct relay_socket *ip6 = relay_socket_of(&table, ref, ADDR_IP6);
    const struct addr expected = host_loopback(ADDR_IP6, port);
    assert_ptr_not_equal(ip4, ip6);
    assert_true(addr_equal(&ip6->udp.local, &expected));
    send_to(port);
    assert_ptr_equal(last_readable, ip4);
    send_to_address(&expected);
    assert_ptr_equal(last_readable, ip6);
    assert_int_equal(last_readable->allocation.index, 3);

    relay_socket_close(&table, ref, ADDR_IP4); // the other family lives on
    send_to(port);
    assert_null(last_readable);
    send_to_address(&expected);
    assert_ptr_equal(last_readable, ip6);
    relay_socket_close(&table, ref, ADDR_IP6);
    assert_int_equal(loop.watch_count, 0);
}

// The sockets learn TTL and TOS of what arrives, and keep ICMP errors.
static void opens_sockets_that_tell_all(void **state)
{
    const struct pool_ref ref = {0, 1};

    (void)state;
    (void)open_at(ref);
    assert_true(relay_socket_of(&table, ref, ADDR_IP4)->udp.has_errors);
}

static void leaves_nothing_open_when_the_port_is_taken(void **state)
{
    const struct io_udp_options options = {.local = host_loopback(ADDR_IP4, 0)};
    struct io_udp taken = {.fd = -1};
    const struct pool_ref ref = {1, 1};

    (void)state;
    assert_int_equal(io_udp_open(&options, &taken), 0);
    const struct addr addr = relayed(taken.local.port);
    const size_t before = host_descriptor_count();
    assert_int_equal(relay_socket_open(&table, ref, &addr), -EADDRINUSE);
    assert_int_equal(host_descriptor_count(), before);
    assert_int_equal(loop.watch_count, 0);
    assert_false(table.sockets[0][1].is_open);
    io_udp_close(&taken);
    assert_int_equal(relay_socket_open(&table, ref, &addr), 0); // now it is to be had
}

static void leaves_nothing_open_when_it_cannot_be_watched(void **state)
{
    const struct pool_ref ref = {1, 1};
    const struct addr addr = relayed(host_free_port(ADDR_IP4));
    const int epoll_fd = loop.epoll_fd;

    (void)state;
    // As at the system's limit of watches, with another error.
    loop.epoll_fd = STDIN_FILENO;
    const size_t before = host_descriptor_count();
    assert_true(relay_socket_open(&table, ref, &addr) < 0);
    assert_int_equal(host_descriptor_count(), before);
    assert_false(table.sockets[0][1].is_open);
    loop.epoll_fd = epoll_fd;
    assert_int_equal(relay_socket_open(&table, ref, &addr), 0);
}

static void says_when_there_are_no_descriptors_left(void **state)
{
    const struct pool_ref ref = {1, 1};
    const struct addr addr = relayed(host_free_port(ADDR_IP4));

    (void)state;
    host_descriptor_limit(0);
    const int error = relay_socket_open(&table, ref, &addr);
    host_descriptor_limit(-1);
    assert_int_equal(error, -EMFILE);
    assert_false(table.sockets[0][1].is_open);
}

static void closes_all_that_is_open(void **state)
{
    (void)state;
    const size_t before = host_descriptor_count();
    for (uint32_t i = 0; i < CAPACITY; i++) {
        (void)open_at((struct pool_ref){i, 1});
    }
    relay_socket_close(&table, (struct pool_ref){1, 1}, ADDR_IP4);
    assert_int_equal(host_descriptor_count(), before + CAPACITY - 1);
    assert_int_equal(loop.watch_count, CAPACITY - 1);
    relay_socket_table_close(&table);
    assert_int_equal(host_descriptor_count(), before);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_table, close_table)
    const struct CMUnitTest tests[] = {
        TEST(binds_the_local_address_at_the_relayed_port),
        TEST(opens_the_same_place_again_for_another_generation),
        TEST(has_a_socket_of_each_family_at_one_port),
        TEST(opens_sockets_that_tell_all),
        TEST(leaves_nothing_open_when_the_port_is_taken),
        TEST(leaves_nothing_open_when_it_cannot_be_watched),
        TEST(says_when_there_are_no_descriptors_left),
        TEST(closes_all_that_is_open),
    };
    const int failed_count = cmocka_run_group_tests(tests, NULL, NULL);
    return failed_count == 0 && is_skipped ? HOST_SKIPPED : failed_count;
}
