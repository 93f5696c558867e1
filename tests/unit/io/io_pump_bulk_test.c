// SPDX-License-Identifier: Apache-2.0
// Much through one pump, and many pumps.
#define _GNU_SOURCE
#include "io/io_pump.h"

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fd.h"
#include "io/io_limit.h"
#include "pump_world.h"

enum { IDLE = 1000, TALKERS = 100, BULK_LEN = 16 << 20, BULKS = 16 };

static struct pump_world_session one;

static void carries_bulk_by_each_way(void **state)
{
    static const enum io_flow_way ways[] = {IO_FLOW_COPIES, IO_FLOW_SPLICES, IO_FLOW_SWITCHES};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        pump_world_teardown(NULL);
        pump_world_open(ways[i]);
        pump_world_session_open(&one);
        while (one.read[1] < BULK_LEN || one.read[0] < BULK_LEN / 4) {
            for (int end = 0; end < 2; end++) {
                const uint64_t wanted = end == 0 ? BULK_LEN : BULK_LEN / 4;
                if (one.written[end] < wanted) {
                    pump_world_write_some(&one, end, PUMP_WORLD_BLOCK_LEN / 4);
                }
                (void)pump_world_read_some(&one, 1 - end, PUMP_WORLD_BLOCK_LEN);
            }
            pump_world_turn();
            assert_in_range(pump_world.pumps.means.kept_len, 0, 2 * IO_FLOW_SCRATCH_LEN);
            assert_in_range(pump_world.pumps.means.pipes.lent_count, 0, 2);
        }
        pump_world_shut(&one, 0);
        pump_world_shut(&one, 1);
        pump_world_settle();
        assert_int_equal(pump_world_read(&one, 0), 0);
        assert_int_equal(pump_world_read(&one, 1), 0);
        pump_world_assert_delivered(&one);
        assert_int_equal(one.why, IO_PUMP_FINISHED);
        if (ways[i] == IO_FLOW_COPIES) {
            assert_int_equal(pump_world.pumps.means.spliced_count, 0);
        } else {
            assert_true(pump_world.pumps.means.spliced_count >
                        pump_world.pumps.means.byte_count / 2);
        }
        pump_world_session_close(&one);
    }
}

// What sanitizers have for mallinfo2(3), which says nothing with them.
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

// Bytes that are allocated. All else that the process has is there from its start.
static size_t allocated_len(void)
{
    return __sanitizer_get_current_allocated_bytes != NULL
               ? __sanitizer_get_current_allocated_bytes()
               : mallinfo2().uordblks;
}

// Sessions that have talked and are quiet now.
static void costs_half_a_kilobyte_when_idle(void **state)
{
    static int ends[IDLE][2];
    uint64_t limit = 0;

    (void)state;
    assert_int_equal(io_limit_raise(&limit), 0);
    assert_true(limit > 4 * IDLE + 100);
    pump_world_session_open(&one); // what the first one costs is no session's
    pump_world_write(&one, 0, 1 << 20);
    assert_int_equal(pump_world_read(&one, 1), -EAGAIN);
    const int fds = pump_world_count_fds();
    const size_t before = allocated_len();
    struct io_pump *many = calloc(IDLE, sizeof *many);
    assert_non_null(many);
    for (size_t i = 0; i < IDLE; i++) {
        char text[8];
        int near[2];
        pump_world_connect(&near[0], &ends[i][0], 0);
        pump_world_connect(&near[1], &ends[i][1], 0);
        many[i].on_end = pump_world_note_end;
        assert_int_equal(io_pump_start(&pump_world.pumps, &many[i], io_stream_plain(near[0]),
                                       io_stream_plain(near[1]), (struct bytes){0}),
                         0);
        for (int end = 0; end < 2; end++) {
            assert_int_equal(send(ends[i][end], "hello", 5, 0), 5);
            pump_world_turn();
            pump_world_turn();
            assert_int_equal(recv(ends[i][1 - end], text, sizeof text, 0), 5);
        }
    }
    assert_in_range(allocated_len() - before, IDLE * sizeof *many, IDLE * 512);
    assert_int_equal(pump_world.pumps.means.kept_len, 0);
    assert_int_equal(pump_world.pumps.means.pipes.lent_count, 0);
    assert_int_equal(pump_world_count_fds(), fds + 4 * IDLE); // of which two are the ends'
    for (size_t i = 0; i < IDLE; i++) {
        io_pump_cut(&many[i]);
        io_fd_close(&ends[i][0]);
        io_fd_close(&ends[i][1]);
    }
    free(many);
    io_pump_cut(&one.pump);
    pump_world_session_close(&one);
}

// Whoever moves as much as he can gets his share of a turn, and the others theirs.
static void is_fair(void **state)
{
    static struct pump_world_session talkers[TALKERS];

    (void)state;
    pump_world_session_open(&one);
    for (size_t i = 0; i < TALKERS; i++) {
        pump_world_session_open(&talkers[i]);
    }
    pump_world_settle();
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < TALKERS; i++) {
            assert_int_equal(pump_world_write_some(&talkers[i], 0, 64), 64);
        }
        const uint64_t before = one.pump.flows[0].byte_count;
        for (int i = 0; i < 3; i++) { // 101 are told in two turns of the loop
            while (pump_world_write_some(&one, 0, PUMP_WORLD_BLOCK_LEN) > 0) {
            }
            pump_world_turn();
            while (pump_world_read_some(&one, 1, PUMP_WORLD_BLOCK_LEN) > 0) {
            }
        }
        for (size_t i = 0; i < TALKERS; i++) {
            assert_int_equal(pump_world_read_some(&talkers[i], 1, PUMP_WORLD_BLOCK_LEN), 64);
        }
        assert_in_range(one.pump.flows[0].byte_count - before, 1,
                        3 * (IO_FLOW_TURN_LEN + IO_PIPES_LEN));
    }
    io_pump_cut(&one.pump);
    pump_world_session_close(&one);
    for (size_t i = 0; i < TALKERS; i++) {
        io_pump_cut(&talkers[i].pump);
        pump_world_session_close(&talkers[i]);
    }
}

static uint64_t sent_by_all(const struct pump_world_session *sessions, size_t count)
{
    uint64_t len = 0;

    for (size_t i = 0; i < count; i++) {
        len += sessions[i].pump.flows[0].byte_count;
    }
    return len;
}

// A message waits for few of those in bulk, and these for one another.
static void lets_few_in_bulk_go_before_a_message(void **state)
{
    static struct pump_world_session bulks[BULKS];

    (void)state;
    pump_world_session_open(&one);
    for (size_t i = 0; i < BULKS; i++) {
        pump_world_session_open(&bulks[i]);
        pump_world_write(&bulks[i], 0, 2 << 20);
        assert_int_equal(pump_world_read(&bulks[i], 1), -EAGAIN);
        assert_true(bulks[i].pump.flows[0].is_bulk);
    }
    for (size_t i = 0; i < BULKS; i++) {
        assert_true(pump_world_write_some(&bulks[i], 0, 100000) > 0);
    }
    const uint64_t before = sent_by_all(bulks, BULKS);
    for (uint64_t turns = 1; turns <= BULKS / IO_PUMP_BULK_TURNS; turns++) {
        assert_int_equal(pump_world_write_some(&one, 0, 10), 10);
        pump_world_turn();
        assert_int_equal(pump_world_read_some(&one, 1, 100), 10);
        assert_int_equal(sent_by_all(bulks, BULKS) - before, turns * IO_PUMP_BULK_TURNS * 100000);
    }
    assert_true(io_pump_all_deadline(&pump_world.pumps) == NEVER);
    io_pump_cut(&one.pump);
    pump_world_session_close(&one);
    for (size_t i = 0; i < BULKS; i++) {
        io_pump_cut(&bulks[i].pump);
        pump_world_session_close(&bulks[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(carries_bulk_by_each_way, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(costs_half_a_kilobyte_when_idle, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(is_fair, pump_world_setup, pump_world_teardown),
        cmocka_unit_test_setup_teardown(lets_few_in_bulk_go_before_a_message, pump_world_setup,
                                        pump_world_teardown),
    };
    IGNORE(signal(SIGPIPE, SIG_IGN) == SIG_ERR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
