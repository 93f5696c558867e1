// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_pump.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tcp.h"
#include "pump_world.h"

enum { PATIENCE = 6000 }; // of 5 ms

static struct pump_world_session one;

// --- ends --------------------------------------------------------------------------------------

static void carries_both_ways(void **state)
{
    (void)state;
    pump_world_session_open(&one);
    pump_world_settle();
    for (int i = 0; i < 10; i++) {
        for (int end = 0; end < 2; end++) {
            pump_world_write(&one, end, 100);
            assert_int_equal(pump_world_read(&one, 1 - end), -EAGAIN);
        }
    }
    assert_int_equal(one.why, PUMP_WORLD_NOT_YET);
    pump_world_shut(&one, 0);
    pump_world_shut(&one, 1);
    pump_world_settle();
    assert_int_equal(one.why, IO_PUMP_FINISHED);
    pump_world_assert_delivered(&one);
    assert_int_equal(pump_world.pumps.means.byte_count, 2000);
    pump_world_session_close(&one);
}

static void sends_the_head_to_b_first(void **state)
{
    uint8_t head[1000];

    (void)state;
    for (size_t i = 0; i < sizeof head; i++) {
        head[i] = pump_world_byte(0, i);
    }
    pump_world_session_open_with(&one, (struct bytes){head, sizeof head}, 0);
    one.written[0] = sizeof head;
    pump_world_write(&one, 0, 100);
    pump_world_shut(&one, 0);
    pump_world_settle();
    assert_int_equal(pump_world_read(&one, 1), 0);
    pump_world_shut(&one, 1);
    pump_world_settle();
    pump_world_assert_delivered(&one);
    pump_world_session_close(&one);
}

// A read stops where they are, and nobody tells of what is behind them once more.
static void reads_on_behind_urgent_data(void **state)
{
    (void)state;
    for (int end = 0; end < 2; end++) {
        int near[2];
        one = (struct pump_world_session){.pump = {.on_end = pump_world_note_end},
                                          .why = PUMP_WORLD_NOT_YET};
        pump_world_connect(&near[0], &one.ends[0], 0);
        pump_world_connect(&near[1], &one.ends[1], 0);
        pump_world_write_some(&one, end, 10);
        assert_int_equal(send(one.ends[end], "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
        pump_world_write_some(&one, end, 10);
        assert_int_equal(io_pump_start(&pump_world.pumps, &one.pump, io_stream_plain(near[0]),
                                       io_stream_plain(near[1]), (struct bytes){0}),
                         0);
        pump_world_settle();
        assert_int_equal(pump_world_read(&one, 1 - end), -EAGAIN);
        assert_int_equal(one.read[1 - end], 20);
        io_pump_cut(&one.pump);
        pump_world_session_close(&one);
    }
}

// What an end does in one step of a half-close: nothing, end, or write and end.
enum act { REST, END, WRITE_END, CLOSE };

static void act(struct pump_world_session *session, int end, enum act what)
{
    if (what == WRITE_END) {
        pump_world_write(session, end, 5000);
    }
    if (what == END || what == WRITE_END) {
        pump_world_shut(session, end);
    }
    if (what == CLOSE) {
        io_fd_close(&session->ends[end]);
    }
}

static void keeps_half_closes_in_every_order(void **state)
{
    static const struct {
        enum act first[2]; // of the client, of the server
        enum act then[2];
    } table[] = {
        {{END, REST}, {REST, END}},
        {{REST, END}, {END, REST}},
        {{END, END}, {REST, REST}},
        {{WRITE_END, REST}, {REST, WRITE_END}},
        {{REST, WRITE_END}, {WRITE_END, REST}},
        {{WRITE_END, WRITE_END}, {REST, REST}},
        {{END, REST}, {REST, WRITE_END}},
        {{REST, WRITE_END}, {END, REST}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        pump_world_session_open(&one);
        for (int end = 0; end < 2; end++) {
            act(&one, end, table[i].first[end]);
            pump_world_settle();
        }
        for (int end = 0; end < 2; end++) { // who has ended is told so, after all bytes
            const bool is_over = table[i].first[1 - end] != REST;
            assert_int_equal(pump_world_read(&one, end), is_over ? 0 : -EAGAIN);
        }
        const bool is_both = table[i].first[0] != REST && table[i].first[1] != REST;
        assert_int_equal(one.why, is_both ? IO_PUMP_FINISHED : PUMP_WORLD_NOT_YET);
        for (int end = 0; end < 2; end++) {
            act(&one, end, table[i].then[end]);
            pump_world_settle();
        }
        assert_int_equal(one.why, IO_PUMP_FINISHED);
        assert_int_equal(pump_world_read(&one, 0), 0);
        assert_int_equal(pump_world_read(&one, 1), 0);
        pump_world_assert_delivered(&one);
        pump_world_session_close(&one);
    }
}

// Whoever sends much and closes may leave: all of it arrives, however slowly it is read.
static void delivers_what_came_before_a_close(void **state)
{
    static const enum io_flow_way ways[] = {IO_FLOW_COPIES, IO_FLOW_SPLICES, IO_FLOW_SWITCHES};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways) * 2; i++) {
        const int end = (int)i % 2;
        pump_world_teardown(NULL);
        pump_world_open(ways[i / 2]);
        pump_world_session_open_with(&one, (struct bytes){0}, 1 << 17);
        while (pump_world_write_some(&one, end, PUMP_WORLD_BLOCK_LEN) > 0) {
            pump_world_settle();
        }
        act(&one, end, CLOSE);
        pump_world_settle();
        assert_int_equal(one.why, PUMP_WORLD_NOT_YET);
        while (pump_world_read_some(&one, 1 - end, 30000) > 0 || errno == EAGAIN) {
            pump_world_settle();
            errno = 0;
        }
        assert_true(one.written[end] > 200000);
        assert_int_equal(one.read[1 - end], one.written[end]);
        io_fd_close(&one.ends[1 - end]);
        pump_world_settle();
        assert_int_equal(one.why, IO_PUMP_FINISHED);
    }
}

// --- resets ------------------------------------------------------------------------------------

enum stage {
    FRESH, // before the pump's first turn
    IDLE_STAGE,
    TALKED,
    OWN_END,   // the one that resets has ended before
    OTHER_END, // the other one has
    UNREAD,    // it has sent something that nobody has read yet
    STAGE_COUNT,
};

static void bring_to(struct pump_world_session *session, int end, enum stage stage)
{
    if (stage != FRESH) {
        pump_world_settle();
    }
    switch (stage) {
    case FRESH:
    case IDLE_STAGE:
        break;
    case TALKED:
        pump_world_write(session, end, 1000);
        pump_world_write(session, 1 - end, 1000);
        assert_int_equal(pump_world_read(session, end), -EAGAIN);
        assert_int_equal(pump_world_read(session, 1 - end), -EAGAIN);
        break;
    case OWN_END:
        pump_world_shut(session, end);
        break;
    case OTHER_END:
        pump_world_shut(session, 1 - end);
        break;
    case UNREAD:
        pump_world_write(session, end, 100000);
        break;
    case STAGE_COUNT:
        break;
    }
    if (stage != FRESH) {
        pump_world_settle();
    }
}

static void resets_the_other_side_in_every_state(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * STAGE_COUNT; i++) {
        const int end = i % 2;
        const enum stage stage = (enum stage)(i / 2);
        pump_world_session_open(&one);
        bring_to(&one, end, stage);
        io_tcp_reset(&one.ends[end]);
        pump_world_settle();
        // Once all is delivered; it looks every 20 ms.
        for (int k = 0; k < PATIENCE && one.why == PUMP_WORLD_NOT_YET; k++) {
            usleep(5000);
            pump_world_settle();
        }
        assert_int_equal(one.why, end == 0 ? IO_PUMP_LOST_A : IO_PUMP_LOST_B);
        const int result = pump_world_read(&one, 1 - end);
        if (stage == OWN_END) { // it is told at the next write
            assert_int_equal(result, 0);
            assert_int_equal(send(one.ends[1 - end], "x", 1, MSG_NOSIGNAL), -1);
        } else {
            assert_int_equal(result, -ECONNRESET);
            assert_int_equal(one.pump.error, stage == OTHER_END ? one.pump.error : -ECONNRESET);
        }
        assert_int_equal(one.read[1 - end], one.written[end]);
        pump_world_session_close(&one);
    }
}

// A server that closes without reading: the client's kernel is told, and so is the client.
static void resets_who_writes_to_one_that_is_gone(void **state)
{
    (void)state;
    pump_world_session_open(&one);
    pump_world_write(&one, 1, 500);
    io_fd_close(&one.ends[1]); // an end, for now
    pump_world_settle();
    assert_int_equal(one.why, PUMP_WORLD_NOT_YET);
    assert_int_equal(pump_world_read(&one, 0), 0);
    assert_int_equal(one.read[0], 500);
    assert_int_equal(pump_world_write_some(&one, 0, 1000), 1000);
    pump_world_settle();
    for (int k = 0; k < PATIENCE && one.why == PUMP_WORLD_NOT_YET; k++) {
        usleep(5000);
        pump_world_settle();
    }
    assert_int_equal(one.why, IO_PUMP_LOST_B);
    assert_int_equal(send(one.ends[0], "x", 1, MSG_NOSIGNAL), -1);
    pump_world_session_close(&one);
}

// It is lost before the loop has told anything: what it has sent is there all the same.
static void delivers_what_a_lost_side_has_sent_though_nobody_told(void **state)
{
    (void)state;
    pump_world_session_open(&one);
    pump_world_settle();
    assert_int_equal(pump_world_write_some(&one, 1, 10), 10);
    assert_int_equal(io_loop_turn(&pump_world.loop, 0), 0);
    assert_int_equal(pump_world.pumps.ready.count, 1);
    assert_int_equal(pump_world_write_some(&one, 0, 100), 100);
    io_tcp_reset(&one.ends[0]);
    io_pump_all_run(&pump_world.pumps, io_clock_mono_ns());
    assert_int_not_equal(one.pump.state, IO_PUMP_PUMPING);
    for (int k = 0; k < PATIENCE && one.why == PUMP_WORLD_NOT_YET; k++) {
        usleep(5000);
        pump_world_settle();
    }
    assert_int_equal(one.why, IO_PUMP_LOST_A);
    assert_int_equal(pump_world_read(&one, 1), -ECONNRESET);
    assert_int_equal(one.read[1], 100);
    pump_world_session_close(&one);
}

// The other side does not read: it gets what it can take in the time that there is.
static void waits_for_a_slow_reader_before_it_resets_it(void **state)
{
    (void)state;
    for (int is_read = 0; is_read < 2; is_read++) {
        pump_world_session_open_with(&one, (struct bytes){0}, 8192);
        while (pump_world_write_some(&one, 0, PUMP_WORLD_BLOCK_LEN) > 0) {
            pump_world_settle();
        }
        const uint64_t got_ns = io_clock_mono_ns();
        const uint64_t sent_len = one.pump.flows[0].byte_count;
        io_tcp_reset(&one.ends[0]);
        pump_world_settle();
        assert_int_equal(one.why, PUMP_WORLD_NOT_YET);
        assert_int_equal(one.pump.state, IO_PUMP_BREAKING);
        assert_true(io_pump_all_deadline(&pump_world.pumps) <= io_clock_mono_ns() + SECOND_NS / 50);
        if (is_read == 1) {
            while (one.why == PUMP_WORLD_NOT_YET) {
                assert_int_equal(pump_world_read(&one, 1), -EAGAIN);
                usleep(1000);
                pump_world_settle();
            }
            assert_int_equal(pump_world_read(&one, 1), -ECONNRESET);
            assert_true(one.read[1] >= sent_len);
            assert_int_equal(one.read[1], one.pump.flows[0].byte_count);
        } else {
            pump_world_turn_at(got_ns + IO_PUMP_END_S * SECOND_NS - SECOND_NS / 10);
            assert_int_equal(one.why, PUMP_WORLD_NOT_YET);
            pump_world_turn_at(io_clock_mono_ns() + (IO_PUMP_END_S + 1) * SECOND_NS);
        }
        assert_int_equal(one.why, IO_PUMP_LOST_A);
        pump_world_session_close(&one);
    }
}

// --- being told to end -------------------------------------------------------------------------

static void delivers_what_is_on_its_way_when_told_to_end(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        pump_world_session_open_with(&one, (struct bytes){0}, i == 0 ? 0 : 8192);
        pump_world_settle();
        for (int end = 0; end < 2; end++) {
            while (i == 1 && pump_world_write_some(&one, end, 100000) > 0) {
                pump_world_settle();
            }
            if (i == 0) {
                assert_int_equal(pump_world_write_some(&one, end, 1000),
                                 1000); // the pump has not seen it
            }
        }
        io_pump_end(&one.pump, io_clock_mono_ns());
        io_pump_end(&one.pump, io_clock_mono_ns()); // it is about to
        const uint64_t counts[] = {one.pump.flows[0].byte_count, one.pump.flows[1].byte_count};
        pump_world_settle();
        int results[2] = {-EAGAIN, -EAGAIN};
        for (int k = 0; k < 1000 && (results[0] != 0 || results[1] != 0); k++) {
            results[0] = pump_world_read(&one, 0);
            results[1] = pump_world_read(&one, 1);
            pump_world_settle();
        }
        assert_int_equal(results[0], 0); // an end, and no reset
        assert_int_equal(results[1], 0);
        if (i == 0) {
            pump_world_assert_delivered(&one);
        } else {
            assert_true(one.read[1] > counts[0]);
            assert_true(one.read[0] > counts[1]);
        }
        assert_int_equal(one.why, PUMP_WORLD_NOT_YET); // the ends have not closed
        pump_world_session_close(&one);
        pump_world_settle();
        assert_int_equal(one.why, IO_PUMP_TOLD);
        io_pump_end(&one.pump, io_clock_mono_ns()); // it is over
    }
}

static void delivers_more_than_a_turn_when_told_to_end(void **state)
{
    const int much = 8 << 20;

    (void)state;
    pump_world_session_open(&one);
    if (setsockopt(one.pump.watches[0].fd, SOL_SOCKET, SO_RCVBUFFORCE, &much, sizeof much) != 0) {
        io_pump_cut(&one.pump);
        pump_world_session_close(&one);
        skip(); // it needs root
    }
    pump_world_settle();
    while (one.written[0] < 4 * IO_FLOW_TURN_LEN) {
        (void)pump_world_write_some(&one, 0, IO_FLOW_TURN_LEN);
    }
    io_pump_end(&one.pump, io_clock_mono_ns());
    pump_world_settle(); // nobody reads yet
    assert_true(one.pump.flows[0].byte_count > 2 * IO_FLOW_TURN_LEN);
    assert_int_equal(pump_world_read(&one, 1), 0);
    assert_true(one.read[1] > 2 * IO_FLOW_TURN_LEN);
    pump_world_session_close(&one);
    pump_world_settle();
    assert_int_equal(one.why, IO_PUMP_TOLD);
}

static void ends_in_time_whatever_the_ends_do(void **state)
{
    const uint64_t now_ns = io_clock_mono_ns();

    (void)state;
    for (int is_half_closed = 0; is_half_closed < 2; is_half_closed++) {
        pump_world_session_open_with(&one, (struct bytes){0}, 8192);
        while (pump_world_write_some(&one, 0, 100000) > 0) {
            pump_world_settle(); // and nobody reads
        }
        if (is_half_closed == 1) {
            pump_world_shut(&one, 1);
            pump_world_settle();
        }
        io_pump_end(&one.pump, now_ns);
        pump_world_turn_at(now_ns);
        assert_true(io_pump_all_deadline(&pump_world.pumps) <= now_ns + IO_PUMP_END_S * SECOND_NS);
        pump_world_turn_at(now_ns + IO_PUMP_END_S * SECOND_NS - 1);
        assert_int_equal(one.why, PUMP_WORLD_NOT_YET);
        pump_world_turn_at(now_ns + IO_PUMP_END_S * SECOND_NS);
        assert_int_equal(one.why, IO_PUMP_TOLD);
        pump_world_session_close(&one);
    }
}

static void ends_those_that_have_lost_a_side(void **state)
{
    (void)state;
    for (int end = 0; end < 2; end++) {
        pump_world_session_open(&one);
        pump_world_settle();
        io_pump_end(&one.pump, io_clock_mono_ns());
        io_tcp_reset(&one.ends[end]);
        pump_world_settle();
        assert_int_equal(pump_world_read(&one, 1 - end), 0);
        io_fd_close(&one.ends[1 - end]);
        pump_world_settle();
        assert_int_equal(one.why, IO_PUMP_TOLD);
    }
}

static void cuts(void **state)
{
    (void)state;
    pump_world_session_open_with(&one, (struct bytes){0}, 8192);
    while (pump_world_write_some(&one, 0, 100000) > 0) {
        pump_world_settle();
    }
    io_pump_cut(&one.pump);
    io_pump_cut(&one.pump); // it is over
    assert_int_equal(one.why, PUMP_WORLD_NOT_YET);
    assert_int_equal(pump_world_read(&one, 0), -ECONNRESET);
    pump_world_session_close(&one);

    pump_world_session_open(&one);
    assert_int_equal(io_loop_turn(&pump_world.loop, io_clock_mono_ns() + SECOND_NS), 0);
    assert_int_equal(pump_world.pumps.ready.count, 1);
    io_pump_cut(&one.pump);
    assert_int_equal(pump_world.pumps.ready.count, 0);
    pump_world_session_close(&one);
}

static void ends_a_half_closed_one_that_is_silent(void **state)
{
    const uint64_t start_ns = io_clock_mono_ns();
    const uint64_t silence_ns = IO_PUMP_SILENCE_S * SECOND_NS;

    (void)state;
    pump_world_session_open(&one);
    pump_world_settle();
    assert_true(io_pump_all_deadline(&pump_world.pumps) ==
                NEVER); // both are open: it may be silent
    pump_world_shut(&one, 0);
    pump_world_settle();
    assert_in_range(io_pump_all_deadline(&pump_world.pumps), start_ns + silence_ns,
                    io_clock_mono_ns() + silence_ns);
    const uint64_t later_ns = start_ns + silence_ns / 2;
    assert_int_equal(pump_world_write_some(&one, 1, 10), 10);
    pump_world_turn_at(later_ns);
    assert_true(io_pump_all_deadline(&pump_world.pumps) ==
                later_ns + silence_ns); // it was not silent
    pump_world_turn_at(later_ns + silence_ns - 1);
    assert_int_equal(one.why, PUMP_WORLD_NOT_YET);
    pump_world_turn_at(later_ns + silence_ns);
    assert_int_equal(one.why, IO_PUMP_SILENT);
    assert_int_equal(pump_world_read(&one, 0), -ECONNRESET);
    assert_int_equal(one.read[0], 10);
    pump_world_session_close(&one);
}

static void refuses_what_cannot_be_watched(void **state)
{
    int near[2];
    int far[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        pump_world_connect(&near[i], &far[i], 0);
    }
    one = (struct pump_world_session){.pump = {.on_end = pump_world_note_end},
                                      .why = PUMP_WORLD_NOT_YET};
    struct io_watch watch = {.fd = near[1], .fn = (io_watch_fn)pump_world_note_end};
    assert_int_equal(io_loop_add(&pump_world.loop, &watch, IO_READABLE), 0);
    const int other = dup(near[1]); // so that the watch can be removed behind it
    assert_int_equal(io_pump_start(&pump_world.pumps, &one.pump, io_stream_plain(near[0]),
                                   io_stream_plain(near[1]), (struct bytes){0}),
                     -EEXIST);
    assert_int_equal(dup2(other, near[1]), near[1]);
    assert_int_equal(one.why, PUMP_WORLD_NOT_YET);
    assert_int_equal(pump_world.pumps.count, 0);
    pump_world.loop.watch_count--; // closing its descriptor has removed it
    close(other);
    close(near[1]);
    for (int i = 0; i < 2; i++) {
        io_fd_close(&far[i]);
    }
}

// --- what on_end() may do ----------------------------------------------------------------------

static struct pump_world_session pair[2];

static void free_itself(struct io_pump *pump, enum io_pump_why why)
{
    assert_int_equal(why, IO_PUMP_FINISHED);
    free(pump);
}

static void cut_the_other(struct io_pump *pump, enum io_pump_why why)
{
    pump_world_note_end(pump, why);
    io_pump_cut(pump == &pair[0].pump ? &pair[1].pump : &pair[0].pump);
}

static void lets_the_end_of_one_free_it_and_cut_another(void **state)
{
    int near[2];
    int far[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        pump_world_connect(&near[i], &far[i], 0);
        pump_world_session_open(&pair[i]);
        pair[i].pump.on_end = cut_the_other;
    }
    struct io_pump *pump = calloc(1, sizeof *pump);
    assert_non_null(pump);
    pump->on_end = free_itself;
    assert_int_equal(io_pump_start(&pump_world.pumps, pump, io_stream_plain(near[0]),
                                   io_stream_plain(near[1]), (struct bytes){0}),
                     0);
    for (int i = 0; i < 2; i++) {
        io_fd_close(&far[i]);
        pump_world_session_close(&pair[i]); // both would end in the same turn
    }
    pump_world_settle();
    assert_int_equal(pump_world.pumps.count, 0);
    assert_int_equal((pair[0].why == PUMP_WORLD_NOT_YET) + (pair[1].why == PUMP_WORLD_NOT_YET), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(carries_both_ways, pump_world_setup, pump_world_teardown),
        cmocka_unit_test_setup_teardown(reads_on_behind_urgent_data, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(sends_the_head_to_b_first, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(keeps_half_closes_in_every_order, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(delivers_what_came_before_a_close, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(resets_the_other_side_in_every_state, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(resets_who_writes_to_one_that_is_gone, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(delivers_what_a_lost_side_has_sent_though_nobody_told,
                                        pump_world_setup, pump_world_teardown),
        cmocka_unit_test_setup_teardown(waits_for_a_slow_reader_before_it_resets_it,
                                        pump_world_setup, pump_world_teardown),
        cmocka_unit_test_setup_teardown(delivers_what_is_on_its_way_when_told_to_end,
                                        pump_world_setup, pump_world_teardown),
        cmocka_unit_test_setup_teardown(delivers_more_than_a_turn_when_told_to_end,
                                        pump_world_setup, pump_world_teardown),
        cmocka_unit_test_setup_teardown(ends_in_time_whatever_the_ends_do, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(ends_those_that_have_lost_a_side, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(cuts, pump_world_setup, pump_world_teardown),
        cmocka_unit_test_setup_teardown(ends_a_half_closed_one_that_is_silent, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(refuses_what_cannot_be_watched, pump_world_setup,
                                        pump_world_teardown),
        cmocka_unit_test_setup_teardown(lets_the_end_of_one_free_it_and_cut_another,
                                        pump_world_setup, pump_world_teardown),
    };
    IGNORE(signal(SIGPIPE, SIG_IGN) == SIG_ERR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
