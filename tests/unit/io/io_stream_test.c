// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "io/io_fd.h"
#include "tls_pair.h"

static struct io_stream stream;
static int other_fd = -1;

static int setup(void **state)
{
    tls_pair_setup(state);
    tls_pair.world.is_tcp = true;
    return 0;
}

// A stream whose other end is `other_fd`, which is told of its end in blocking reads.
static void open_stream(bool is_sealed)
{
    struct tls_world *world = &tls_pair.world;

    tls_pair_renew();
    world->is_tcp = true;
    tls_world_join(world, tls_pair.client, tls_pair.server, NULL, 0);
    tls_world_until(world, tls_world_both_open);
    struct io_tls_channel *near = io_tls_channel_take(&world->server.tls);
    struct io_tls_channel *far = io_tls_channel_take(&world->client.tls);
    assert_non_null(near);
    assert_non_null(far);
    other_fd = fcntl(io_tls_channel_fd(far), F_DUPFD_CLOEXEC, 0);
    assert_true(other_fd >= 0);
    assert_int_equal(fcntl(other_fd, F_SETFL, 0), 0);
    io_tls_channel_close(far);
    if (is_sealed) {
        stream = io_stream_sealed(near);
    } else {
        stream = io_stream_plain(fcntl(io_tls_channel_fd(near), F_DUPFD_CLOEXEC, 0));
        io_tls_channel_close(near);
    }
    assert_true(io_stream_is_there(&stream));
}

static ssize_t hear(void)
{
    char byte = 0;
    const ssize_t got = recv(other_fd, &byte, 1, 0);
    const ssize_t result = got < 0 ? -errno : got;

    io_fd_close(&other_fd);
    return result;
}

static void is_closed_or_reset(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        open_stream(i == 1);
        io_stream_close(&stream);
        assert_false(io_stream_is_there(&stream));
        assert_int_equal(hear(), 0);
        open_stream(i == 1);
        io_stream_reset(&stream);
        assert_false(io_stream_is_there(&stream));
        assert_int_equal(hear(), -ECONNRESET);
        io_stream_close(&stream);
        io_stream_reset(&stream);
    }
}

static void is_handed_on_once(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        open_stream(i == 1);
        struct io_stream taken = io_stream_take(&stream);
        assert_false(io_stream_is_there(&stream));
        assert_null(stream.tls);
        assert_true(io_stream_is_there(&taken));
        assert_int_equal(taken.tls != NULL, i == 1);
        io_stream_close(&taken);
        assert_int_equal(hear(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_closed_or_reset, setup, tls_pair_teardown),
        cmocka_unit_test_setup_teardown(is_handed_on_once, setup, tls_pair_teardown),
    };

    return cmocka_run_group_tests(tests, tls_pair_group_setup, tls_pair_group_teardown);
}
