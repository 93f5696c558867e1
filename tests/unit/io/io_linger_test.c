// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_linger.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tcp.h"

#define START_NS (UINT64_C(1000) * SECOND_NS)

static const struct io_tcp_options plain;
static const struct bytes words = BYTES_LITERAL("no controller linked");

static struct io_loop loop;
static struct io_linger linger;
static int listener = -1;
static struct addr at;

static int setup(void **state)
{
    const struct addr loopback = {.ip = {127, 0, 0, 1}, .family = ADDR_IP4};

    (void)state;
    assert_int_equal(io_loop_open(&loop), 0);
    io_linger_open(&linger, &loop);
    return io_tcp_listen(&loopback, &plain, &listener, &at);
}

static int teardown(void **state)
{
    (void)state;
    io_linger_close(&linger);
    io_linger_close(&linger); // nothing to close any more
    assert_int_equal(loop.watch_count, 0);
    io_loop_close(&loop);
    io_fd_close(&listener);
    return 0;
}

static void settle(void)
{
    do {
        assert_int_equal(io_loop_turn(&loop, io_clock_mono_ns() + 1000000), 0);
    } while (loop.event_count > 0);
}

static void connect_pair(int *client, int *server)
{
    struct addr from = {0};

    assert_int_equal(io_tcp_connect(&at, NULL, &plain, client), 0);
    assert_int_equal(io_tcp_accept(listener, server, &from), 0);
}

static void assert_reads(int fd, struct bytes expected)
{
    char text[64];
    const ssize_t len = recv(fd, text, sizeof text, 0);

    assert_int_equal(len, expected.len);
    assert_memory_equal(text, expected.ptr, expected.len);
    assert_int_equal(recv(fd, text, sizeof text, 0), 0); // and the end
}

// What the peer has sent and goes on to send is not read; a close would reset it.
static void lets_the_last_words_arrive(void **state)
{
    static const uint8_t much[100000];
    int client = -1;
    int server = -1;

    (void)state;
    connect_pair(&client, &server);
    assert_true(send(client, much, sizeof much, 0) > 0);
    io_linger_add(&linger, server, words, START_NS);
    assert_true(io_linger_tick(&linger, START_NS) == START_NS + IO_LINGER_S * SECOND_NS);
    for (int i = 0; i < 10; i++) {
        settle();
        assert_true(send(client, "more", 4, MSG_NOSIGNAL) == 4);
    }
    settle();
    assert_reads(client, words);
    assert_int_equal(loop.watch_count, 1);
    io_fd_close(&client);
    settle();
    assert_int_equal(loop.watch_count, 0);
    assert_true(io_linger_tick(&linger, START_NS) == NEVER);
}

static void waits_for_nobody_for_ever(void **state)
{
    const uint64_t end_ns = START_NS + IO_LINGER_S * SECOND_NS;
    int clients[2];
    int server = -1;

    (void)state;
    connect_pair(&clients[0], &server);
    io_linger_add(&linger, server, words, START_NS);
    connect_pair(&clients[1], &server);
    io_linger_add(&linger, server, (struct bytes){0}, START_NS + 1);
    settle();
    assert_true(io_linger_tick(&linger, end_ns - 1) == end_ns);
    assert_int_equal(loop.watch_count, 2);
    assert_true(io_linger_tick(&linger, end_ns) == end_ns + 1);
    assert_int_equal(loop.watch_count, 1);
    assert_true(io_linger_tick(&linger, end_ns + 1) == NEVER);
    assert_int_equal(loop.watch_count, 0);
    assert_reads(clients[0], words);
    assert_reads(clients[1], (struct bytes){0});
    io_fd_close(&clients[0]);
    io_fd_close(&clients[1]);
}

static void lets_the_oldest_go_for_one_too_many(void **state)
{
    static int clients[IO_LINGER_MAX + 2];
    int server = -1;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        connect_pair(&clients[i], &server);
        io_linger_add(&linger, server, words, START_NS + i);
    }
    assert_int_equal(loop.watch_count, IO_LINGER_MAX);
    // The two oldest are gone, so the third is the next to go.
    assert_true(io_linger_tick(&linger, START_NS) == START_NS + 2 + IO_LINGER_S * SECOND_NS);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        assert_reads(clients[i], words); // each has them all the same
        io_fd_close(&clients[i]);
    }
    settle();
    settle();
    assert_int_equal(loop.watch_count, 0);
    assert_true(io_linger_tick(&linger, START_NS) == NEVER);
}

static void closes_at_once_what_is_gone_already(void **state)
{
    int client = -1;
    int server = -1;

    (void)state;
    connect_pair(&client, &server);
    io_tcp_reset(&client);
    io_linger_add(&linger, server, words, START_NS);
    assert_int_equal(loop.watch_count, 0);
    assert_true(io_linger_tick(&linger, START_NS) == NEVER);

    connect_pair(&client, &server);
    io_linger_add(&linger, server, words, START_NS);
    assert_int_equal(loop.watch_count, 1);
    io_tcp_reset(&client);
    settle();
    assert_int_equal(loop.watch_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lets_the_last_words_arrive, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_for_nobody_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(lets_the_oldest_go_for_one_too_many, setup, teardown),
        cmocka_unit_test_setup_teardown(closes_at_once_what_is_gone_already, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
