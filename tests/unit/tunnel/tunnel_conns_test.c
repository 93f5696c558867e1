// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_conns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_tcp.h"

enum { CAPACITY = 3 };

static struct io_loop loop;
static struct tunnel_conns conns;
static struct pool_ref gone;
static uint32_t gone_count;

static void on_gone(void *context, struct pool_ref client)
{
    assert_ptr_equal(context, &gone);
    gone = client;
    gone_count++;
}

static int open_conns(void **state)
{
    (void)state;
    gone_count = 0;
    conns = (struct tunnel_conns){0};
    return io_loop_open(&loop) != 0 ||
           tunnel_conns_open(&conns, &loop, CAPACITY, on_gone, &gone) != 0;
}

static int close_conns(void **state)
{
    (void)state;
    tunnel_conns_close(&conns);
    tunnel_conns_close(&conns);
    const uint32_t watch_count = loop.watch_count;
    io_loop_close(&loop);
    return watch_count == 0 ? 0 : -1;
}

// Two ends of a connection by TCP, the first of which is ours.
static void connect_both(int *ours, int *theirs)
{
    struct addr at = addr_ip4((const uint8_t[]){127, 0, 0, 1}, 0);
    struct addr from;
    int listener = -1;

    assert_int_equal(io_tcp_listen(&at, &(struct io_tcp_options){0}, &listener, &at), 0);
    assert_int_equal(io_tcp_connect(&at, NULL, &(struct io_tcp_options){0}, theirs), 0);
    assert_int_equal(io_tcp_accept(listener, ours, &from), 0);
    close(listener);
}

static void turn(void)
{
    assert_int_equal(io_loop_turn(&loop, 0), 0);
}

static void tells_of_a_reset_and_of_nothing_else(void **state)
{
    const struct pool_ref client = {.index = 7, .generation = 9};
    int ours = -1;
    int theirs = -1;

    (void)state;
    connect_both(&ours, &theirs);
    const uint32_t number = tunnel_conns_add(&conns, io_stream_plain(ours));
    assert_int_equal(tunnel_conns_watch(&conns, number, client), 0);
    assert_int_equal(send(theirs, "early", 5, 0), 5);
    turn();
    assert_int_equal(shutdown(theirs, SHUT_WR), 0);
    turn();
    turn();
    assert_int_equal(gone_count, 0);
    assert_true(tunnel_conns_has(&conns, number));

    io_tcp_reset(&theirs);
    turn();
    assert_int_equal(gone_count, 1);
    assert_int_equal(gone.index, client.index);
    assert_int_equal(gone.generation, client.generation);
    assert_false(tunnel_conns_has(&conns, number));
}

// However long the system takes to deliver.
static void wait_until_gone(uint32_t count)
{
    const uint64_t end_ns = io_clock_mono_ns() + 20 * SECOND_NS;

    while (gone_count < count && io_clock_mono_ns() < end_ns) {
        assert_int_equal(io_loop_turn(&loop, io_clock_mono_ns() + SECOND_NS / 100), 0);
    }
    assert_int_equal(gone_count, count);
}

static void tells_of_whatever_comes_from_one_that_stands_by(void **state)
{
    enum { WORD, END, RESET, WAYS };

    (void)state;
    for (int way = 0; way < WAYS; way++) {
        const struct pool_ref standing = {.index = 5, .generation = 1 + (uint32_t)way};
        int ours = -1;
        int theirs = -1;

        connect_both(&ours, &theirs);
        const uint32_t number = tunnel_conns_add(&conns, io_stream_plain(ours));
        assert_int_equal(tunnel_conns_stand(&conns, number, standing), 0);
        turn();
        assert_int_equal(gone_count, way);
        if (way == WORD) {
            assert_int_equal(send(theirs, "early", 5, 0), 5);
        } else if (way == END) {
            assert_int_equal(shutdown(theirs, SHUT_WR), 0);
        } else {
            io_tcp_reset(&theirs);
        }
        wait_until_gone((uint32_t)way + 1);
        assert_int_equal(gone.generation, standing.generation);
        assert_false(tunnel_conns_has(&conns, number));
        if (theirs >= 0) {
            close(theirs);
        }
    }
    // Who has its place next waits as others do.
    int ours = -1;
    int theirs = -1;
    connect_both(&ours, &theirs);
    const uint32_t number = tunnel_conns_add(&conns, io_stream_plain(ours));
    assert_int_equal(tunnel_conns_watch(&conns, number, (struct pool_ref){0}), 0);
    assert_int_equal(send(theirs, "early", 5, 0), 5);
    turn();
    assert_true(tunnel_conns_has(&conns, number));
    close(theirs);
}

static void hands_out_a_connection_with_all_that_came(void **state)
{
    char text[16];
    int ours = -1;
    int theirs = -1;

    (void)state;
    connect_both(&ours, &theirs);
    const uint32_t number = tunnel_conns_add(&conns, io_stream_plain(ours));
    assert_int_equal(tunnel_conns_watch(&conns, number, (struct pool_ref){0}), 0);
    assert_int_equal(send(theirs, "early", 5, 0), 5);
    turn();
    const int taken = tunnel_conns_take(&conns, number).fd;
    assert_int_equal(taken, ours);
    assert_int_equal(loop.watch_count, 0);
    assert_int_equal(recv(taken, text, sizeof text, 0), 5);
    io_tcp_reset(&theirs);
    turn();
    assert_int_equal(gone_count, 0);
    close(taken);
}

static void gives_numbers_anew(void **state)
{
    int ours[CAPACITY];
    int theirs[CAPACITY];
    uint32_t numbers[CAPACITY];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < CAPACITY; i++) {
            connect_both(&ours[i], &theirs[i]);
            numbers[i] = tunnel_conns_add(&conns, io_stream_plain(ours[i]));
            assert_in_range(numbers[i], 0, CAPACITY - 1);
        }
        assert_int_equal(conns.count, CAPACITY);
        for (int i = 0; i < CAPACITY; i++) {
            assert_int_equal(tunnel_conns_take(&conns, numbers[i]).fd, ours[i]);
            close(ours[i]);
            close(theirs[i]);
        }
        assert_int_equal(conns.count, 0);
    }
    connect_both(&ours[0], &theirs[0]);
    numbers[0] = tunnel_conns_add(&conns, io_stream_plain(ours[0])); // closed with the rest
    close(theirs[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_of_a_reset_and_of_nothing_else, open_conns,
                                        close_conns),
        cmocka_unit_test_setup_teardown(tells_of_whatever_comes_from_one_that_stands_by, open_conns,
                                        close_conns),
        cmocka_unit_test_setup_teardown(hands_out_a_connection_with_all_that_came, open_conns,
                                        close_conns),
        cmocka_unit_test_setup_teardown(gives_numbers_anew, open_conns, close_conns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
