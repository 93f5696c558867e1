// SPDX-License-Identifier: Apache-2.0
// Pumps of which one side has TLS. What an end does, and what it must see, is the same as without:
// so most tests are of one table, of which side it is.
//
//     plain end - [pump] = TLS = sealed end
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_pump.h"
#include "io/io_tcp.h"
#include "pump_world.h"
#include "tls_pair.h"

enum {
    MANY_LEN = 3 << 20,
    BLOCK_LEN = 1 << 16,
    PATIENCE = 30, // s
};

static struct pump_world_session one; // `ends` of the plain side alone
static int sealed;                    // the side with TLS
static struct io_tls_channel *far;    // its end
static bool far_has_ended;
static bool far_is_lost;
static uint8_t block[BLOCK_LEN];

static int setup(void **state)
{
    tls_pair_setup(state);
    tls_pair.world.is_tcp = true;
    pump_world_setup(state);
    pump_world.pumps.end_ns = 10 * PATIENCE * SECOND_NS; // however busy the machine is
    return 0;
}

static void close_far(void)
{
    io_tls_channel_close(far);
    far = NULL;
}

static int teardown(void **state)
{
    pump_world_teardown(state);
    return tls_pair_teardown(state);
}

// With so many bytes of what the sealed end has written first taken off it already.
static void open_after(int side, struct bytes head, size_t written_len, size_t read_len)
{
    struct tls_world *world = &tls_pair.world;
    struct io_stream streams[2];
    int near = -1;

    tls_pair_renew();
    world->is_tcp = true;
    tls_world_join(world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(world, tls_world_both_open);
    sealed = side;
    far = io_tls_channel_take(&world->client.tls);
    far_has_ended = false;
    far_is_lost = false;
    one = (struct pump_world_session){
        .pump = {.on_end = pump_world_note_end}, .why = PUMP_WORLD_NOT_YET, .ends = {-1, -1}};
    pump_world_connect(&near, &one.ends[1 - side], 0);
    struct io_tls_channel *ours = io_tls_channel_take(&world->server.tls);
    if (written_len > 0) {
        size_t put = 0;
        size_t got = 0;
        for (size_t i = 0; i < written_len; i++) {
            block[i] = pump_world_byte(side, i - read_len);
        }
        assert_int_equal(io_tls_channel_write(far, (struct bytes){block, written_len}, &put),
                         IO_TLS_CHANNEL_DONE);
        while (got == 0) {
            IGNORE(io_tls_channel_read(ours, block, read_len, &got));
        }
        assert_int_equal(got, read_len);
        one.written[side] = written_len - read_len;
    }
    streams[side] = io_stream_sealed(ours);
    streams[1 - side] = io_stream_plain(near);
    assert_int_equal(io_pump_start(&pump_world.pumps, &one.pump, streams[0], streams[1], head), 0);
}

static void open_one(int side, struct bytes head)
{
    open_after(side, head, 0, 0);
}

static void close_one(void)
{
    close_far();
    pump_world_session_close(&one);
}

// What it does not take at once waits for the next call, of the same bytes.
static void far_write(size_t len)
{
    while (len > 0) {
        const size_t some = len < sizeof block ? len : sizeof block;
        size_t put = 0;
        for (size_t i = 0; i < some; i++) {
            block[i] = pump_world_byte(sealed, one.written[sealed] + i);
        }
        const enum io_tls_channel_outcome outcome =
            io_tls_channel_write(far, (struct bytes){block, some}, &put);
        assert_true(outcome == IO_TLS_CHANNEL_DONE || outcome == IO_TLS_CHANNEL_WAITS);
        one.written[sealed] += put;
        len -= put;
        if (outcome == IO_TLS_CHANNEL_WAITS) {
            pump_world_turn();
            IGNORE(pump_world_read_some(&one, 1 - sealed, PUMP_WORLD_BLOCK_LEN));
        }
    }
}

// All that is there.
static void far_read(void)
{
    enum io_tls_channel_outcome outcome = IO_TLS_CHANNEL_DONE;

    while (outcome == IO_TLS_CHANNEL_DONE) {
        size_t got = 0;
        bool is_right = true;
        outcome = io_tls_channel_read(far, block, sizeof block, &got);
        for (size_t i = 0; i < got; i++) {
            is_right &= block[i] == pump_world_byte(1 - sealed, one.read[sealed] + i);
        }
        assert_true(is_right);
        one.read[sealed] += got;
    }
    far_has_ended |= outcome == IO_TLS_CHANNEL_ENDED;
    far_is_lost |= outcome == IO_TLS_CHANNEL_LOST;
}

static bool is_over(void)
{
    return one.why != PUMP_WORLD_NOT_YET;
}

static bool has_far_all(void)
{
    return one.read[sealed] == one.written[1 - sealed];
}

static bool has_far_ended(void)
{
    return far_has_ended || far_is_lost;
}

// Turns, and reads at the far end, until it is so.
static void until(bool (*is_so)(void))
{
    const uint64_t end_ns = io_clock_mono_ns() + PATIENCE * SECOND_NS;

    while (!is_so()) {
        pump_world_turn();
        if (far != NULL) {
            far_read();
        }
        assert_true(io_clock_mono_ns() < end_ns);
    }
}

// What the plain end hears at last: 0, or -errno.
static int read_plain_to_its_end(void)
{
    const uint64_t end_ns = io_clock_mono_ns() + PATIENCE * SECOND_NS;
    int result = -EAGAIN;

    while (result == -EAGAIN) {
        pump_world_turn();
        result = pump_world_read(&one, 1 - sealed);
        assert_true(io_clock_mono_ns() < end_ns);
    }
    return result;
}

static void carries_much_both_ways(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        open_one(side, (struct bytes){0});
        while (one.written[1 - side] < MANY_LEN) {
            IGNORE(pump_world_write_some(&one, 1 - side, PUMP_WORLD_BLOCK_LEN));
            far_write(100000);
            pump_world_turn();
            far_read();
            IGNORE(pump_world_read_some(&one, 1 - side, PUMP_WORLD_BLOCK_LEN));
        }
        pump_world_shut(&one, 1 - side);
        until(has_far_ended);
        assert_true(far_has_ended);
        assert_int_equal(io_tls_channel_shut(far), IO_TLS_CHANNEL_DONE);
        assert_int_equal(read_plain_to_its_end(), 0);
        until(is_over);
        assert_int_equal(one.why, IO_PUMP_FINISHED);
        pump_world_assert_delivered(&one);
        assert_int_equal(pump_world.pumps.means.spliced_count, 0);
        close_one();
    }
}

static void sends_the_head_to_b_first(void **state)
{
    uint8_t head[1000];

    (void)state;
    for (int side = 0; side < 2; side++) {
        open_one(side, (struct bytes){head, 0});
        close_one();
        io_pump_cut(&one.pump);
        for (size_t i = 0; i < sizeof head; i++) {
            head[i] = pump_world_byte(0, i);
        }
        open_one(side, (struct bytes){head, sizeof head});
        one.written[0] = sizeof head;
        if (side == 1) {
            until(has_far_all);
        } else {
            far_write(10);
            assert_int_equal(io_tls_channel_shut(far), IO_TLS_CHANNEL_DONE);
            assert_int_equal(read_plain_to_its_end(), 0);
            assert_int_equal(one.read[1], sizeof head + 10);
        }
        io_pump_cut(&one.pump);
        close_one();
    }
}

// A preface and the first bytes behind it may come in one record.
static void carries_what_tls_has_read_already(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        open_after(side, (struct bytes){0}, 164, 64);
        pump_world_turn();
        pump_world_settle();
        pump_world_shut(&one, 1 - side);
        until(has_far_ended);
        assert_int_equal(io_tls_channel_shut(far), IO_TLS_CHANNEL_DONE);
        assert_int_equal(read_plain_to_its_end(), 0);
        assert_int_equal(one.read[1 - side], 100);
        until(is_over);
        pump_world_assert_delivered(&one);
        close_one();
    }
}

static void goes_on_in_one_direction_when_the_other_has_ended(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const bool is_far_first = i % 2 == 0;
        open_one(i / 2, (struct bytes){0});
        if (is_far_first) {
            far_write(5000);
            assert_int_equal(io_tls_channel_shut(far), IO_TLS_CHANNEL_DONE);
            assert_int_equal(read_plain_to_its_end(), 0);
            pump_world_write(&one, 1 - sealed, 70000);
            until(has_far_all);
            assert_false(has_far_ended());
            pump_world_shut(&one, 1 - sealed);
            until(has_far_ended);
        } else {
            pump_world_write(&one, 1 - sealed, 5000);
            pump_world_shut(&one, 1 - sealed);
            until(has_far_ended);
            far_write(70000);
            assert_int_equal(io_tls_channel_shut(far), IO_TLS_CHANNEL_DONE);
            assert_int_equal(read_plain_to_its_end(), 0);
        }
        assert_true(far_has_ended);
        until(is_over);
        assert_int_equal(one.why, IO_PUMP_FINISHED);
        pump_world_assert_delivered(&one);
        close_one();
    }
}

// Without close_notify it is no end: nobody is to take a part for the whole.
static void resets_the_plain_side_when_tls_is_cut(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        open_one(side, (struct bytes){0});
        far_write(30000);
        close_far();
        assert_int_equal(read_plain_to_its_end(), -ECONNRESET);
        assert_int_equal(one.read[1 - side], 30000);
        until(is_over);
        assert_int_equal(one.why, side == 0 ? IO_PUMP_LOST_A : IO_PUMP_LOST_B);
        close_one();
    }
}

static void cuts_tls_when_the_plain_side_is_reset(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        open_one(side, (struct bytes){0});
        pump_world_write(&one, 1 - side, 30000);
        io_tcp_reset(&one.ends[1 - side]);
        until(has_far_ended);
        assert_true(far_is_lost);
        assert_int_equal(one.read[side], 30000);
        until(is_over);
        assert_int_equal(one.why, side == 0 ? IO_PUMP_LOST_B : IO_PUMP_LOST_A);
        close_one();
    }
}

static void is_lost_when_what_comes_is_no_tls(void **state)
{
    static const char garbage[] = "certainly not a record of TLS";

    (void)state;
    for (int side = 0; side < 2; side++) {
        open_one(side, (struct bytes){0});
        assert_int_equal(send(io_tls_channel_fd(far), garbage, sizeof garbage, MSG_NOSIGNAL),
                         sizeof garbage);
        assert_int_equal(read_plain_to_its_end(), -ECONNRESET);
        assert_int_equal(one.pump.error, -EPROTO);
        until(is_over);
        close_one();
    }
}

// Neither end reads: what was not taken is one read's worth, and stays so.
static void keeps_little_for_whom_is_slow(void **state)
{
    const struct io_flow_means *means = &pump_world.pumps.means;

    (void)state;
    for (int side = 0; side < 2; side++) {
        open_one(side, (struct bytes){0});
        while (means->kept_len == 0) { // until the kernels' buffers on the way are full
            IGNORE(pump_world_write_some(&one, 1 - side, PUMP_WORLD_BLOCK_LEN));
            pump_world_turn();
        }
        for (int i = 0; i < 100; i++) {
            IGNORE(pump_world_write_some(&one, 1 - side, PUMP_WORLD_BLOCK_LEN));
            pump_world_turn();
            assert_true(means->kept_len <= IO_FLOW_SCRATCH_LEN);
        }
        pump_world_shut(&one, 1 - side);
        until(has_far_ended);
        assert_true(far_has_ended);
        assert_true(has_far_all());
        assert_int_equal(means->kept_len, 0);
        io_pump_cut(&one.pump);
        close_one();
    }
}

// Until all that was sent there has come to the pump's socket, which it may not have read.
static void await_arrival(int fd)
{
    const uint64_t end_ns = io_clock_mono_ns() + PATIENCE * SECOND_NS;

    while (io_tcp_unacknowledged_len(fd) > 0) {
        assert_true(io_clock_mono_ns() < end_ns);
    }
}

static void delivers_what_is_on_its_way_when_it_is_told_to_end(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        open_one(side, (struct bytes){0});
        pump_world_write(&one, 1 - side, 40000);
        far_write(40000);
        await_arrival(io_tls_channel_fd(far));
        io_pump_end(&one.pump, io_clock_mono_ns());
        until(has_far_ended);
        assert_true(far_has_ended);
        assert_true(has_far_all());
        assert_int_equal(read_plain_to_its_end(), 0);
        assert_int_equal(one.read[1 - side], 40000);
        assert_false(is_over()); // it waits until both have closed
        close_one();
        until(is_over);
        assert_int_equal(one.why, IO_PUMP_TOLD);
    }
}

// Of a record TLS may have taken a part, which nobody tells of, when the rest of it comes.
static void delivers_a_record_that_came_in_parts_when_it_is_told_to_end(void **state)
{
    enum { LEN = 16000, REST_LEN = 1000 };
    static uint8_t record[2 * LEN];

    (void)state;
    for (int side = 0; side < 2; side++) {
        int ends[2];
        open_one(side, (struct bytes){0});
        int way = dup(io_tls_channel_fd(far)); // to the pump; what TLS writes is held up here
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        assert_true(dup2(ends[0], io_tls_channel_fd(far)) >= 0);
        far_write(LEN);
        const ssize_t len = recv(ends[1], record, sizeof record, 0);
        assert_true(len > LEN);
        assert_int_equal(send(way, record, (size_t)len - REST_LEN, MSG_NOSIGNAL), len - REST_LEN);
        await_arrival(way);
        pump_world_settle();
        assert_int_equal(send(way, record + len - REST_LEN, REST_LEN, MSG_NOSIGNAL), REST_LEN);
        await_arrival(way);
        io_pump_end(&one.pump, io_clock_mono_ns());
        assert_int_equal(read_plain_to_its_end(), 0);
        assert_int_equal(one.read[1 - side], LEN);
        io_fd_close(&way);
        io_fd_close(&ends[0]);
        io_fd_close(&ends[1]);
        close_one();
        until(is_over);
    }
}

static void ends_when_half_of_it_is_silent(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        open_one(side, (struct bytes){0});
        assert_int_equal(io_tls_channel_shut(far), IO_TLS_CHANNEL_DONE);
        assert_int_equal(read_plain_to_its_end(), 0);
        pump_world_turn_at(io_clock_mono_ns() + (IO_PUMP_SILENCE_S + 1) * SECOND_NS);
        assert_int_equal(one.why, IO_PUMP_SILENT);
        close_one();
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(carries_much_both_ways),
        TEST(sends_the_head_to_b_first),
        TEST(carries_what_tls_has_read_already),
        TEST(goes_on_in_one_direction_when_the_other_has_ended),
        TEST(resets_the_plain_side_when_tls_is_cut),
        TEST(cuts_tls_when_the_plain_side_is_reset),
        TEST(is_lost_when_what_comes_is_no_tls),
        TEST(keeps_little_for_whom_is_slow),
        TEST(delivers_what_is_on_its_way_when_it_is_told_to_end),
        TEST(delivers_a_record_that_came_in_parts_when_it_is_told_to_end),
        TEST(ends_when_half_of_it_is_silent),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, tls_pair_group_setup, tls_pair_group_teardown);
}
