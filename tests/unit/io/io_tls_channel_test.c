// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_tls_channel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "io/io_fd.h"
#include "tls_pair.h"

enum { MUCH_LEN = 1 << 20 };

static struct io_tls_channel *ours;
static struct io_tls_channel *theirs;
static uint8_t in[MUCH_LEN];
static uint8_t out[MUCH_LEN];

static int take_both(void **state)
{
    struct tls_world *world = &tls_pair.world;

    tls_pair_setup(state);
    world->is_tcp = true;
    tls_world_join(world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(world, tls_world_both_open);
    ours = io_tls_channel_take(&world->server.tls);
    theirs = io_tls_channel_take(&world->client.tls);
    assert_non_null(ours);
    assert_non_null(theirs);
    assert_int_equal(world->server.tls.state, IO_TLS_ENDED);
    assert_int_equal(world->server.ended_count, 0);
    assert_int_equal(world->loop.watch_count, 0);
    return 0;
}

static int close_both(void **state)
{
    io_tls_channel_close(ours);
    io_tls_channel_reset(theirs);
    ours = NULL;
    theirs = NULL;
    return tls_pair_teardown(state);
}

static void say(struct io_tls_channel *channel, const char *text)
{
    size_t put = 0;

    assert_int_equal(io_tls_channel_write(channel, bytes_of_text(text), &put), IO_TLS_CHANNEL_DONE);
    assert_int_equal(put, strlen(text));
}

// Until something has come, or is to be told; loopback has it at once, or very soon.
static enum io_tls_channel_outcome read_some(struct io_tls_channel *channel, size_t room,
                                             size_t *got)
{
    enum io_tls_channel_outcome outcome = IO_TLS_CHANNEL_WAITS;

    do {
        outcome = io_tls_channel_read(channel, in, room, got);
    } while (outcome == IO_TLS_CHANNEL_WAITS || (outcome == IO_TLS_CHANNEL_DONE && *got == 0));
    return outcome;
}

static void assert_hears(struct io_tls_channel *channel, const char *text)
{
    size_t got = 0;

    assert_int_equal(read_some(channel, sizeof in, &got), IO_TLS_CHANNEL_DONE);
    assert_int_equal(got, strlen(text));
    assert_memory_equal(in, text, got);
}

static void carries_both_ways(void **state)
{
    size_t got = 1;

    (void)state;
    assert_int_equal(io_tls_channel_read(ours, in, sizeof in, &got), IO_TLS_CHANNEL_WAITS);
    assert_int_equal(got, 0);
    say(ours, "hello");
    assert_hears(theirs, "hello");
    say(theirs, "good day");
    assert_hears(ours, "good day");
}

static void tells_how_much_of_a_record_is_left(void **state)
{
    size_t got = 0;

    (void)state;
    say(theirs, "a preface and more");
    assert_int_equal(read_some(ours, 9, &got), IO_TLS_CHANNEL_DONE);
    assert_int_equal(got, 9);
    assert_int_equal(io_tls_channel_pending(ours), 9);
    assert_hears(ours, " and more");
    assert_int_equal(io_tls_channel_pending(ours), 0);
}

static void ends_in_one_direction_alone(void **state)
{
    size_t got = 0;

    (void)state;
    say(theirs, "last words");
    assert_int_equal(io_tls_channel_shut(theirs), IO_TLS_CHANNEL_DONE);
    assert_hears(ours, "last words");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read_some(ours, sizeof in, &got), IO_TLS_CHANNEL_ENDED);
    }
    say(ours, "I hear");
    assert_hears(theirs, "I hear");
    assert_int_equal(io_tls_channel_shut(ours), IO_TLS_CHANNEL_DONE);
    assert_int_equal(read_some(theirs, sizeof in, &got), IO_TLS_CHANNEL_ENDED);
}

static void is_lost_without_a_word_of_its_end(void **state)
{
    size_t got = 0;

    (void)state;
    say(theirs, "what came before is read");
    io_tls_channel_close(theirs);
    theirs = NULL;
    assert_hears(ours, "what came before is read");
    assert_int_equal(read_some(ours, sizeof in, &got), IO_TLS_CHANNEL_LOST);
    assert_int_equal(io_tls_channel_error(ours), -EPROTO);
}

static void knows_a_reset(void **state)
{
    size_t got = 0;

    (void)state;
    io_tls_channel_reset(theirs);
    theirs = NULL;
    assert_int_equal(read_some(ours, sizeof in, &got), IO_TLS_CHANNEL_LOST);
    assert_int_equal(io_tls_channel_error(ours), -ECONNRESET);
}

static void is_lost_when_what_comes_is_no_tls(void **state)
{
    static const char garbage[] = "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n";
    size_t got = 0;

    (void)state;
    assert_int_equal(send(io_tls_channel_fd(theirs), garbage, sizeof garbage, MSG_NOSIGNAL),
                     sizeof garbage);
    assert_int_equal(read_some(ours, sizeof in, &got), IO_TLS_CHANNEL_LOST);
    assert_int_equal(got, 0);
    assert_int_equal(io_tls_channel_error(ours), -EPROTO);
}

// Fills the way until it takes nothing more, and empties it: no byte is lost, and none comes twice.
static void waits_when_the_other_side_does_not_read(void **state)
{
    size_t written = 0;
    size_t read = 0;
    bool was_full = false;

    (void)state;
    for (size_t i = 0; i < sizeof out; i++) {
        out[i] = (uint8_t)(i * 7 + (i >> 9));
    }
    while (read < 8 * sizeof out) {
        const size_t at = written % sizeof out;
        size_t put = 0;
        size_t got = 0;
        if (written < 8 * sizeof out &&
            io_tls_channel_write(theirs, (struct bytes){out + at, sizeof out - at}, &put) ==
                IO_TLS_CHANNEL_WAITS) {
            was_full = true;
        }
        written += put;
        // What does not fit into one record is read in parts.
        const size_t from = read % sizeof out;
        const size_t room = sizeof out - from < 10000 ? sizeof out - from : 10000;
        for (int i = 0; i < 100 && got == 0; i++) {
            const enum io_tls_channel_outcome outcome = io_tls_channel_read(ours, in, room, &got);
            assert_true(outcome == IO_TLS_CHANNEL_DONE || outcome == IO_TLS_CHANNEL_WAITS);
        }
        assert_memory_equal(in, out + from, got);
        read += got;
    }
    assert_true(was_full);
    assert_int_equal(read, written);
}

static void take_ours(struct tls_end *end)
{
    ours = io_tls_channel_take(&end->tls);
    assert_non_null(ours);
}

static void is_taken_as_soon_as_it_is_open(void **state)
{
    struct tls_world *world = &tls_pair.world;
    size_t put = 0;

    close_both(state);
    tls_pair_setup(state);
    world->is_tcp = true;
    world->server.on_opened = take_ours;
    tls_world_join(world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(world, tls_world_both_open);
    assert_int_equal(io_tls_send(&world->client.tls, bytes_of_text("here I am")), 0);
    assert_hears(ours, "here I am");
    assert_int_equal(io_tls_channel_write(ours, bytes_of_text("so I see"), &put),
                     IO_TLS_CHANNEL_DONE);
    io_tls_channel_close(ours);
    ours = NULL;
    tls_world_until(world, tls_world_client_ended);
    assert_int_equal(world->client.in_len, 8);
    assert_int_equal(world->client.end.kind, IO_TLS_END_CUT);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, take_both, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(carries_both_ways),
        TEST(tells_how_much_of_a_record_is_left),
        TEST(ends_in_one_direction_alone),
        TEST(is_lost_without_a_word_of_its_end),
        TEST(knows_a_reset),
        TEST(is_lost_when_what_comes_is_no_tls),
        TEST(waits_when_the_other_side_does_not_read),
        TEST(is_taken_as_soon_as_it_is_open),
    };

    return cmocka_run_group_tests(tests, tls_pair_group_setup, tls_pair_group_teardown);
}
