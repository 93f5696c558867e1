// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/tls_pair.h"

enum { PATIENCE = 30 }; // s

static const struct io_tls_wanted wanted = {.host = "localhost", .checks_host = true};
static struct tunnel_timers timers;
static struct tunnel_seal seal;
static int end_count;
static struct io_stream stream;
static char why[256];

static void on_end(struct tunnel_seal *one, struct io_stream taken, const char *reason)
{
    assert_ptr_equal(one, &seal);
    assert_int_equal(io_stream_is_there(&taken), reason == NULL);
    end_count++;
    stream = taken;
    snprintf(why, sizeof why, "%s", reason == NULL ? "" : reason);
}

static int setup(void **state)
{
    tls_pair_setup(state);
    tls_pair.world.is_tcp = true;
    timers = (struct tunnel_timers){0};
    seal = (struct tunnel_seal){.loop = &tls_pair.world.loop, .timers = &timers, .on_end = on_end};
    end_count = 0;
    stream = IO_STREAM_NONE;
    return tunnel_timers_open(&timers, 4);
}

static int teardown(void **state)
{
    tunnel_seal_abort(&seal);
    tunnel_seal_abort(&seal);
    io_stream_close(&stream);
    tunnel_timers_close(&timers);
    return tls_pair_teardown(state);
}

static void turn_until_ended(void)
{
    const uint64_t end_ns = io_clock_mono_ns() + PATIENCE * SECOND_NS;

    while (end_count == 0) {
        assert_int_equal(io_loop_turn(&tls_pair.world.loop, io_clock_mono_ns() + SECOND_NS / 100),
                         0);
        assert_true(io_clock_mono_ns() < end_ns);
    }
    assert_int_equal(end_count, 1);
}

static void becomes_a_stream(void **state)
{
    size_t got = 0;

    (void)state;
    const int fd = tls_world_alone(&tls_pair.world, tls_pair.server, NULL);
    assert_int_equal(tunnel_seal_connect(&seal, tls_pair.client, &wanted, fd), 0);
    assert_true(tunnel_timers_deadline(&timers) != NEVER);
    turn_until_ended();
    assert_non_null(stream.tls);
    assert_true(tunnel_timers_deadline(&timers) == NEVER);
    tls_world_until(&tls_pair.world, tls_world_server_opened);
    assert_int_equal(io_tls_channel_write(stream.tls, bytes_of_text("preface"), &got),
                     IO_TLS_CHANNEL_DONE);
    tls_world_until(&tls_pair.world, tls_world_server_heard);
    assert_memory_equal(tls_pair.world.server.in, "preface", 7);
}

static void is_none_with_another_one_than_was_wanted(void **state)
{
    static const uint8_t pin[IO_TLS_CERTIFICATE_PIN_LEN] = {1};
    const struct io_tls_wanted other = {.host = "localhost", .pin = pin};

    (void)state;
    const int fd = tls_world_alone(&tls_pair.world, tls_pair.server, NULL);
    assert_int_equal(tunnel_seal_connect(&seal, tls_pair.client, &other, fd), 0);
    turn_until_ended();
    assert_false(io_stream_is_there(&stream));
    assert_non_null(strstr(why, "pin"));
    assert_true(tunnel_timers_deadline(&timers) == NEVER);
}

static void is_none_when_nothing_comes(void **state)
{
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(tunnel_seal_connect(&seal, tls_pair.client, &wanted, fds[0]), 0);
    assert_int_equal(io_loop_turn(&tls_pair.world.loop, 0), 0);
    assert_int_equal(end_count, 0);
    tunnel_timers_tick(&timers, io_clock_mono_ns() + (TUNNEL_SEAL_HANDSHAKE_S + 1) * SECOND_NS);
    assert_int_equal(end_count, 1);
    assert_non_null(strstr(why, "in time"));
    io_fd_close(&fds[1]);
}

static void says_nothing_when_it_is_given_up(void **state)
{
    (void)state;
    const int fd = tls_world_alone(&tls_pair.world, tls_pair.server, NULL);
    assert_int_equal(tunnel_seal_connect(&seal, tls_pair.client, &wanted, fd), 0);
    tunnel_seal_abort(&seal);
    assert_true(tunnel_timers_deadline(&timers) == NEVER);
    tls_world_until(&tls_pair.world, tls_world_server_ended);
    assert_int_equal(end_count, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(becomes_a_stream),
        TEST(is_none_with_another_one_than_was_wanted),
        TEST(is_none_when_nothing_comes),
        TEST(says_nothing_when_it_is_given_up),
    };

    return cmocka_run_group_tests(tests, tls_pair_group_setup, tls_pair_group_teardown);
}
