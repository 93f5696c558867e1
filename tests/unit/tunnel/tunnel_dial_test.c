// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_dial.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tcp.h"

enum { WAIT_S = 20 };

// Longer than a label may be, so that no name server has to be asked.
#define NOBODY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static struct io_loop loop;
static struct tunnel_names names;
static struct tunnel_timers timers;
static struct tunnel_host host;
static struct tunnel_dial dial;
static int told_count;
static int told_fd = -1;

static void on_dialled(struct tunnel_dial *told, int fd)
{
    assert_ptr_equal(told, &dial);
    told_count++;
    told_fd = fd;
}

static int open_all(void **state)
{
    (void)state;
    told_count = 0;
    told_fd = -1;
    memset(&host, 0, sizeof host);
    dial = (struct tunnel_dial){.timers = &timers, .fn = on_dialled};
    return io_loop_open(&loop) == 0 && tunnel_names_open(&names, &loop) == 0
               ? tunnel_timers_open(&timers, 4)
               : -1;
}

static int close_all(void **state)
{
    (void)state;
    tunnel_dial_stop(&dial);
    io_fd_close(&told_fd);
    tunnel_names_close(&names);
    assert_true(tunnel_timers_deadline(&timers) == NEVER);
    tunnel_timers_close(&timers);
    assert_int_equal(loop.watch_count, 0);
    io_loop_close(&loop);
    return 0;
}

static int listen_at(struct addr *bound)
{
    static const uint8_t loopback[] = {127, 0, 0, 1};
    const struct addr at = addr_ip4(loopback, 0);
    const struct io_tcp_options options = {.backlog = 1};
    int fd = -1;

    assert_int_equal(io_tcp_listen(&at, &options, &fd, bound), 0);
    return fd;
}

static void begin(const char *name, uint16_t port)
{
    assert_true(tunnel_names_set(&host, &names, bytes_of_text(name), port));
    tunnel_dial_begin(&dial, &host, io_clock_mono_ns());
}

static void await_told(void)
{
    const uint64_t end_ns = io_clock_mono_ns() + WAIT_S * SECOND_NS;

    while (told_count == 0 && io_clock_mono_ns() < end_ns) {
        assert_int_equal(io_loop_turn(&loop, end_ns), 0);
    }
    assert_int_equal(told_count, 1);
}

static void connects(void **state)
{
    struct addr bound;
    IO_FD_AUTO int fd = listen_at(&bound);

    (void)state;
    assert_true(fd >= 0);
    begin("127.0.0.1", bound.port);
    await_told();
    assert_true(told_fd >= 0);
    assert_int_equal(io_tcp_error(told_fd), 0);
}

static void tries_one_address_after_the_other(void **state)
{
    struct addr bound;
    struct addr refusing;
    IO_FD_AUTO int fd = listen_at(&bound);
    int closed_fd = listen_at(&refusing);

    (void)state;
    assert_true(fd >= 0);
    io_fd_close(&closed_fd);
    assert_true(tunnel_names_set(&host, &names, bytes_of_text("127.0.0.1"), bound.port));
    host.addrs[0] = refusing;
    host.addrs[1] = bound;
    host.addr_count = 2;
    tunnel_dial_begin(&dial, &host, io_clock_mono_ns());
    await_told();
    assert_true(told_fd >= 0);
}

static void says_what_is_wrong(void **state)
{
    struct addr bound;
    int fd = listen_at(&bound);
    char why[TUNNEL_DIAL_WHY_MAX];

    (void)state;
    io_fd_close(&fd);
    begin("127.0.0.1", bound.port);
    await_told();
    assert_int_equal(told_fd, -1);
    tunnel_dial_why(&dial, why);
    assert_non_null(strstr(why, "127.0.0.1:"));
    assert_non_null(strstr(why, "refused"));
    dial.error = -ETIMEDOUT;
    tunnel_dial_why(&dial, why);
    assert_non_null(strstr(why, "does not answer"));
    dial.error = -ENETUNREACH;
    tunnel_dial_why(&dial, why);
    assert_non_null(strstr(why, "no way"));
    dial.error = -EMFILE;
    tunnel_dial_why(&dial, why);
    assert_non_null(strstr(why, strerror(EMFILE)));
}

static void a_name_that_nobody_has(void **state)
{
    char why[TUNNEL_DIAL_WHY_MAX];

    (void)state;
    begin(NOBODY, 80);
    await_told();
    assert_int_equal(told_fd, -1);
    tunnel_dial_why(&dial, why);
    assert_non_null(strstr(why, NOBODY ":80: the name cannot be looked up"));
}

// Connections to a listener whose queue is full are not answered.
static void gives_up_in_time(void **state)
{
    struct addr bound;
    IO_FD_AUTO int fd = listen_at(&bound);
    int others[8];
    const uint64_t now_ns = io_clock_mono_ns();

    (void)state;
    assert_true(fd >= 0);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(io_tcp_connect(&bound, NULL, &(struct io_tcp_options){0}, &others[i]), 0);
    }
    begin("127.0.0.1", bound.port);
    assert_int_equal(io_loop_turn(&loop, now_ns + SECOND_NS / 10), 0);
    tunnel_timers_tick(&timers, now_ns + (TUNNEL_DIAL_S - 1) * SECOND_NS);
    assert_int_equal(told_count, 0);
    tunnel_timers_tick(&timers, now_ns + (TUNNEL_DIAL_S + 1) * SECOND_NS);
    assert_int_equal(told_count, 1);
    assert_int_equal(told_fd, -1);
    assert_int_equal(dial.error, -ETIMEDOUT);
    for (int i = 0; i < 8; i++) {
        io_fd_close(&others[i]);
    }
}

static void can_be_stopped_at_any_time(void **state)
{
    struct addr bound;
    IO_FD_AUTO int fd = listen_at(&bound);

    (void)state;
    assert_true(fd >= 0);
    tunnel_dial_stop(&dial);
    begin("127.0.0.1", bound.port);
    tunnel_dial_stop(&dial);
    tunnel_dial_stop(&dial);
    begin(NOBODY, 80);
    tunnel_dial_stop(&dial);
    assert_int_equal(io_loop_turn(&loop, 0), 0);
    assert_int_equal(told_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(connects, open_all, close_all),
        cmocka_unit_test_setup_teardown(tries_one_address_after_the_other, open_all, close_all),
        cmocka_unit_test_setup_teardown(says_what_is_wrong, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_name_that_nobody_has, open_all, close_all),
        cmocka_unit_test_setup_teardown(gives_up_in_time, open_all, close_all),
        cmocka_unit_test_setup_teardown(can_be_stopped_at_any_time, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
