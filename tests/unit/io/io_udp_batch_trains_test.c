// SPDX-License-Identifier: Apache-2.0
// Trains as they arrive, and what the kernel tells of drops.
#define _GNU_SOURCE
#include "io/io_udp_batch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { CAPACITY = 8, SKIPPED = 77, BYTES_MAX = 65507 };

static bool is_skipped; // some test could not run here, so the program does not claim to pass

static const struct addr locals[] = {
    {.ip = {127, 0, 0, 1}, .family = ADDR_IP4},
    {.ip = {[15] = 1}, .family = ADDR_IP6},
};

static struct io_udp_batch batch;
static uint8_t sent[BYTES_MAX];

static int open_batch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sent; i++) {
        sent[i] = (uint8_t)(i * 31 + i / 256);
    }
    return io_udp_batch_open(CAPACITY, IO_UDP_BATCH_DATAGRAM_MAX, &batch);
}

static int close_batch(void **state)
{
    (void)state;
    io_udp_batch_close(&batch);
    return 0;
}

static bool open_pair(struct addr local, bool has_trains, struct io_udp *from, struct io_udp *to)
{
    const struct io_udp_options options = {
        .local = local, .has_ip_fields = true, .has_trains = has_trains};

    if (io_udp_open(&(struct io_udp_options){.local = local}, from) != 0) {
        puts("skipped: needs IPv6 on loopback");
        is_skipped = true;
        return false;
    }
    assert_int_equal(io_udp_open(&options, to), 0);
    return true;
}

static void send_train(struct io_udp *from, const struct addr *to, size_t len, uint16_t segment_len)
{
    const struct io_udp_message message = {.to = to, .ttl = 9, .tos = 0x2a};
    struct iovec part = io_udp_part((struct bytes){sent, len});
    const struct io_udp_train train = {&part, 1, segment_len};

    assert_int_equal(io_udp_send_train(from, &message, &train), 0);
}

static void assert_arrived(const struct io_udp_arrival *arrival, const struct io_udp *from,
                           size_t len, size_t segment_len)
{
    const uint32_t count = io_udp_arrival_count(arrival);
    size_t at = 0;

    assert_int_equal(arrival->len, len);
    assert_true(addr_equal(&arrival->from, &from->local));
    assert_int_equal(arrival->ttl, 9);
    assert_int_equal(arrival->tos, 0x2a);
    assert_int_equal(count, (len + segment_len - 1) / segment_len);
    for (uint32_t i = 0; i < count; i++) {
        const struct bytes datagram = io_udp_arrival_at(arrival, i);
        assert_int_equal(datagram.len, i + 1 < count ? segment_len : len - at);
        assert_memory_equal(datagram.ptr, sent + at, datagram.len);
        at += datagram.len;
    }
    assert_int_equal(at, len);
}

static void takes_a_train_whole(void **state)
{
    static const struct {
        size_t len;
        uint16_t segment_len;
    } trains[] = {
        {2, 1},           {3, 2},           {64, 1},       {64 * 1000, 1000}, {1000 + 999, 1000},
        {1000 + 1, 1000}, {1401 * 5, 1401}, {65400, 1024}, {65400, 32701},
    };
    struct io_udp from;
    struct io_udp to;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(locals) && open_pair(locals[i], true, &from, &to); i++) {
        for (size_t k = 0; k < COUNT_OF(trains); k++) {
            const uint64_t before = batch.stats.received;
            send_train(&from, &to.local, trains[k].len, trains[k].segment_len);
            assert_int_equal(io_udp_batch_receive(&batch, &to), 0);
            assert_int_equal(batch.count, 1);
            assert_arrived(&batch.arrivals[0], &from, trains[k].len, trains[k].segment_len);
            assert_int_equal(batch.stats.received - before,
                             io_udp_arrival_count(&batch.arrivals[0]));
        }
        io_udp_close(&from);
        io_udp_close(&to);
    }
}

static void takes_single_datagrams_and_trains_in_turn(void **state)
{
    struct io_udp from;
    struct io_udp to;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(locals) && open_pair(locals[i], true, &from, &to); i++) {
        const struct io_udp_message one = {
            .to = &to.local, .ttl = 9, .tos = 0x2a, .payload = {sent, 700}};
        const struct io_udp_message none = {.to = &to.local, .ttl = 9, .tos = 0x2a};

        assert_int_equal(io_udp_send(&from, &one), 0);
        send_train(&from, &to.local, 250, 100);
        assert_int_equal(io_udp_send(&from, &none), 0);
        send_train(&from, &to.local, 100, 100); // a train of one is none
        assert_int_equal(io_udp_batch_receive(&batch, &to), 0);
        assert_int_equal(batch.count, 4);
        assert_arrived(&batch.arrivals[0], &from, 700, 700);
        assert_arrived(&batch.arrivals[1], &from, 250, 100);
        assert_int_equal(batch.arrivals[2].len, 0);
        assert_int_equal(io_udp_arrival_count(&batch.arrivals[2]), 1);
        assert_int_equal(io_udp_arrival_at(&batch.arrivals[2], 0).len, 0);
        assert_arrived(&batch.arrivals[3], &from, 100, 100);
        io_udp_close(&from);
        io_udp_close(&to);
    }
}

static void takes_them_apart_at_a_socket_without_trains(void **state)
{
    struct io_udp from;
    struct io_udp to;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(locals) && open_pair(locals[i], false, &from, &to); i++) {
        send_train(&from, &to.local, 3 * 100 + 7, 100);
        assert_int_equal(io_udp_batch_receive(&batch, &to), 0);
        assert_int_equal(batch.count, 4);
        for (uint32_t k = 0; k < batch.count; k++) {
            assert_int_equal(io_udp_arrival_count(&batch.arrivals[k]), 1);
            assert_int_equal(batch.arrivals[k].len, k < 3 ? 100 : 7);
            assert_memory_equal(batch.arrivals[k].ptr, sent + 100 * k, batch.arrivals[k].len);
        }
        io_udp_close(&from);
        io_udp_close(&to);
    }
}

static void drops_a_train_that_is_too_long_whole(void **state)
{
    struct io_udp_batch small;
    struct io_udp from;
    struct io_udp to;

    (void)state;
    assert_int_equal(io_udp_batch_open(CAPACITY, 1000, &small), 0);
    assert_true(open_pair(locals[0], true, &from, &to));
    send_train(&from, &to.local, 1000, 300);
    send_train(&from, &to.local, 1001, 300);
    send_train(&from, &to.local, 999, 300);
    assert_int_equal(io_udp_batch_receive(&small, &to), 0);
    assert_int_equal(small.count, 2);
    assert_arrived(&small.arrivals[0], &from, 1000, 300);
    assert_arrived(&small.arrivals[1], &from, 999, 300);
    assert_int_equal(small.stats.truncated, 1);
    assert_int_equal(small.stats.received, 8);
    io_udp_batch_close(&small);
    io_udp_close(&from);
    io_udp_close(&to);
}

// Sends so many, and receives until nothing is left. How many the first receive took.
static uint32_t taken_at_once(struct io_udp_batch *many, struct io_udp *from, struct io_udp *to,
                              uint32_t count, size_t len)
{
    uint32_t first = 0;

    for (uint32_t i = 0; i < count; i++) {
        send_train(from, &to->local, len, 1000);
    }
    assert_int_equal(io_udp_batch_receive(many, to), 0);
    for (uint32_t got = first = many->count; got < count; got += many->count) {
        assert_int_equal(io_udp_batch_receive(many, to), 0);
        assert_true(many->count > 0);
    }
    return first;
}

static void takes_fewer_at_once_of_what_is_long(void **state)
{
    enum { SENT = 40 };
    struct io_udp_batch many;
    struct io_udp from;
    struct io_udp to;

    (void)state;
    assert_int_equal(io_udp_batch_open(2 * SENT, IO_UDP_BATCH_DATAGRAM_MAX, &many), 0);
    assert_true(open_pair(locals[0], true, &from, &to));
    assert_int_equal(taken_at_once(&many, &from, &to, SENT, 1), SENT);
    for (int i = 0; i < 10; i++) {
        assert_in_range(taken_at_once(&many, &from, &to, 1, 64000), 1, 1);
    }
    assert_in_range(taken_at_once(&many, &from, &to, SENT, 1), 2, SENT / 2);
    for (int i = 0; i < 20; i++) {
        assert_true(taken_at_once(&many, &from, &to, SENT, 1) > 0);
    }
    assert_int_equal(taken_at_once(&many, &from, &to, SENT, 1), SENT);
    io_udp_batch_close(&many);
    io_udp_close(&from);
    io_udp_close(&to);
}

static void says_how_many_the_kernel_has_dropped(void **state)
{
    const struct io_udp_options options = {.local = locals[0], .receive_buffer_len = 4096};
    uint32_t sent_count = 0;
    uint32_t got_count = 0;
    struct io_udp udp;

    (void)state;
    assert_int_equal(io_udp_open(&options, &udp), 0);
    assert_int_equal(udp.drop_count, 0);
    const struct io_udp_message message = {.to = &udp.local, .payload = {sent, 1000}};
    for (; sent_count < 100; sent_count++) { // more than 4096 bytes hold
        assert_int_equal(io_udp_send(&udp, &message), 0);
    }
    do {
        assert_int_equal(io_udp_batch_receive(&batch, &udp), 0);
        got_count += batch.count;
    } while (batch.count > 0);
    assert_true(got_count > 0);
    assert_true(got_count < sent_count);
    assert_int_equal(udp.drop_count, 0); // those that were there came before the drops
    assert_int_equal(io_udp_send(&udp, &message), 0);
    assert_int_equal(io_udp_batch_receive(&batch, &udp), 0);
    assert_int_equal(batch.count, 1);
    assert_int_equal(udp.drop_count, sent_count - got_count);
    io_udp_close(&udp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_a_train_whole, open_batch, close_batch),
        cmocka_unit_test_setup_teardown(takes_single_datagrams_and_trains_in_turn, open_batch,
                                        close_batch),
        cmocka_unit_test_setup_teardown(takes_them_apart_at_a_socket_without_trains, open_batch,
                                        close_batch),
        cmocka_unit_test_setup_teardown(drops_a_train_that_is_too_long_whole, open_batch,
                                        close_batch),
        cmocka_unit_test_setup_teardown(takes_fewer_at_once_of_what_is_long, open_batch,
                                        close_batch),
        cmocka_unit_test_setup_teardown(says_how_many_the_kernel_has_dropped, open_batch,
                                        close_batch),
    };
    const int failed_count = cmocka_run_group_tests(tests, NULL, NULL);
    return failed_count == 0 && is_skipped ? SKIPPED : failed_count;
}
