// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_accept.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_fd.h"

enum { MANY = IO_ACCEPT_BURST_MAX + 36, DESCRIPTORS = 64 };

#define PAUSE_NS (IO_ACCEPT_PAUSE_MS * (SECOND_NS / 1000))
#define SETTLED_NS (SECOND_NS / 50) // until the kernel has told what it has, should it be busy

static const struct io_tcp_options plain;
static const struct addr loopback = {.ip = {127, 0, 0, 1}, .family = ADDR_IP4};

static struct io_loop loop;
static struct io_accept accept_all;
static struct io_accept_at first;
static struct io_accept_at second;
static struct addr first_bound;
static struct addr second_bound;

static int taken[2 * MANY];
static int taken_count;
static int closed_count;
static int short_count;
static int short_error;

// Keeps it, or closes it if it has the last descriptor.
static void take(struct io_accept_at *at, int fd, const struct addr *from)
{
    assert_ptr_equal(at->context, at == &first ? &first_bound : &second_bound);
    assert_true(addr_same_ip(from, &loopback));
    if (io_accept_is_short(at->accept)) {
        closed_count++;
        io_tcp_reset(&fd);
        return;
    }
    taken[taken_count++] = fd;
}

static void keep_all(struct io_accept_at *at, int fd, const struct addr *from)
{
    (void)at;
    (void)from;
    taken[taken_count++] = fd;
}

static void stop_both(struct io_accept_at *at, int fd, const struct addr *from)
{
    keep_all(at, fd, from);
    io_accept_stop(&first);
    io_accept_stop(&second);
}

static void count_short(void *context, int error)
{
    assert_ptr_equal(context, &loop);
    short_count++;
    short_error = error;
}

static int setup(void **state)
{
    (void)state;
    taken_count = closed_count = short_count = short_error = 0;
    assert_int_equal(io_loop_open(&loop), 0);
    assert_int_equal(io_accept_open(&accept_all, &loop, count_short, &loop), 0);
    first = (struct io_accept_at){.on_connection = take, .context = &first_bound};
    second = (struct io_accept_at){.on_connection = take, .context = &second_bound};
    assert_int_equal(io_accept_listen(&accept_all, &first, &loopback, &plain, &first_bound), 0);
    assert_int_equal(io_accept_listen(&accept_all, &second, &loopback, &plain, &second_bound), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    while (taken_count > 0) {
        io_fd_close(&taken[--taken_count]);
    }
    io_accept_close(&accept_all);
    io_accept_close(&accept_all); // nothing to close any more
    assert_int_equal(loop.watch_count, 0);
    io_loop_close(&loop);
    return 0;
}

static void turn(void)
{
    assert_int_equal(io_loop_turn(&loop, io_clock_mono_ns() + SETTLED_NS), 0);
}

// Until nothing has happened for a while.
static void settle(void)
{
    do {
        (void)io_accept_tick(&accept_all, io_clock_mono_ns());
        turn();
    } while (loop.event_count > 0);
}

static int connect_to(const struct addr *at)
{
    int fd = -1;

    assert_int_equal(io_tcp_connect(at, NULL, &plain, &fd), 0);
    return fd;
}

static void takes_all_in_bursts(void **state)
{
    int clients[MANY];

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        clients[i] = connect_to(i == 0 ? &second_bound : &first_bound);
    }
    turn();
    assert_int_equal(taken_count, IO_ACCEPT_BURST_MAX + 1); // not all of the first's
    settle();
    assert_int_equal(taken_count, MANY);
    assert_int_equal(closed_count, 0);
    assert_true(io_accept_tick(&accept_all, io_clock_mono_ns()) == NEVER);
    for (size_t i = 0; i < MANY; i++) {
        io_fd_close(&clients[i]);
    }
}

static void leaves_the_others_listening(void **state)
{
    int one = connect_to(&first_bound);
    int fd = -1;
    struct addr bound = {0};

    (void)state;
    settle();
    io_accept_stop(&first);
    io_accept_stop(&first); // nothing to stop any more
    int other = connect_to(&second_bound);
    settle();
    assert_int_equal(taken_count, 2);
    assert_int_equal(io_tcp_connect(&first_bound, NULL, &plain, &fd), 0);
    assert_int_equal(io_tcp_error(fd), -ECONNREFUSED);
    io_fd_close(&fd);
    assert_int_equal(io_accept_listen(&accept_all, &first, &first_bound, &plain, &bound), 0);
    fd = connect_to(&first_bound);
    settle();
    assert_int_equal(taken_count, 3);
    io_fd_close(&one);
    io_fd_close(&other);
    io_fd_close(&fd);
}

static void stops_any_of_many(void **state)
{
    static struct io_accept_at many[8];
    static const int order[] = {3, 0, 7, 5, 1, 6, 2, 4}; // within, and at both ends
    struct addr bound;
    uint32_t left = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        many[i] = (struct io_accept_at){.on_connection = take};
        assert_int_equal(io_accept_listen(&accept_all, &many[i], &loopback, &plain, &bound), 0);
    }
    const uint32_t others = loop.watch_count - (uint32_t)COUNT_OF(many);
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        io_accept_stop(&many[order[i]]);
        left = 0;
        for (const struct io_accept_at *at = accept_all.first; at != NULL; at = at->next) {
            assert_true(at != &many[order[i]]);
            left += at >= many && at < many + COUNT_OF(many);
        }
        assert_int_equal(left, COUNT_OF(many) - 1 - i);
    }
    assert_int_equal(loop.watch_count, others);
}

static void lets_a_listener_stop_all_when_one_has_come(void **state)
{
    int clients[4];

    (void)state;
    first.on_connection = second.on_connection = stop_both;
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        clients[i] = connect_to(i % 2 == 0 ? &second_bound : &first_bound);
    }
    settle();
    assert_int_equal(taken_count, 1);
    assert_int_equal(loop.watch_count, 0);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        io_fd_close(&clients[i]);
    }
}

static void says_that_an_address_is_taken(void **state)
{
    struct io_accept_at third = {.on_connection = take};
    struct addr bound = {0};

    (void)state;
    assert_int_equal(io_accept_listen(&accept_all, &third, &first_bound, &plain, &bound),
                     -EADDRINUSE);
    assert_int_equal(bound.family, ADDR_NONE);
    io_accept_stop(&third); // it does not listen
}

// Uses up all descriptors but `left`, and puts the limit back at the end.
struct famine {
    struct rlimit limit;
    int used[DESCRIPTORS];
    int used_count;
};

static void famine_begin(struct famine *famine, int left)
{
    *famine = (struct famine){.used_count = 0};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &famine->limit), 0);
    const struct rlimit few = {.rlim_cur = DESCRIPTORS, .rlim_max = famine->limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (fd >= 0) {
        famine->used[famine->used_count++] = fd;
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    assert_int_equal(errno, EMFILE);
    while (left-- > 0) {
        io_fd_close(&famine->used[--famine->used_count]);
    }
}

static void famine_end(struct famine *famine)
{
    while (famine->used_count > 0) {
        io_fd_close(&famine->used[--famine->used_count]);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &famine->limit), 0);
}

// The owner closes what takes the spare descriptor's place: all learn it at once, nothing rests.
static void answers_all_when_no_descriptor_is_left(void **state)
{
    struct famine famine;
    int clients[8];
    char byte = 0;

    (void)state;
    famine_begin(&famine, COUNT_OF(clients) + 2);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        clients[i] = connect_to(&first_bound);
    }
    settle();
    assert_int_equal(taken_count, 2); // what was left
    assert_int_equal(closed_count, COUNT_OF(clients) - 2);
    assert_int_equal(short_count, 0);
    assert_false(io_accept_is_short(&accept_all));
    for (size_t i = 2; i < COUNT_OF(clients); i++) {
        assert_int_equal(recv(clients[i], &byte, 1, 0), -1);
        assert_int_equal(errno, ECONNRESET);
    }
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        io_fd_close(&clients[i]);
    }
    famine_end(&famine);
}

// Once there are descriptors again, nobody takes a connection for the last that there can be.
static void knows_at_once_that_descriptors_are_there_again(void **state)
{
    struct famine famine;
    int clients[2];

    (void)state;
    first.on_connection = keep_all;
    famine_begin(&famine, 1);
    clients[0] = connect_to(&first_bound);
    turn();
    assert_int_equal(taken_count, 1);
    assert_true(io_accept_is_short(&accept_all));
    famine_end(&famine);
    (void)io_accept_tick(&accept_all, NEVER - 1);
    famine_begin(&famine, 2);
    clients[1] = connect_to(&first_bound);
    io_fd_close(
        &accept_all.spare_fd); // as while a connection has its place, and the next one comes
    first.on_connection = take;
    turn();
    assert_int_equal(closed_count, 0);
    assert_int_equal(taken_count, 2);
    io_fd_close(&clients[0]);
    io_fd_close(&clients[1]);
    famine_end(&famine);
}

// The owner keeps all, until nothing is left at all: then the listeners rest, and later go on.
static void rests_and_goes_on(void **state)
{
    struct famine famine;
    int clients[4];

    (void)state;
    first.on_connection = keep_all;
    famine_begin(&famine, COUNT_OF(clients));
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        clients[i] = connect_to(&first_bound);
    }
    const uint64_t begun_ns = io_clock_mono_ns();
    turn();
    assert_int_equal(taken_count, 1); // in the spare one's place
    assert_true(io_accept_is_short(&accept_all));
    assert_int_equal(short_count, 1);
    assert_int_equal(short_error, -EMFILE);
    assert_int_equal(loop.watch_count, 0);
    for (int i = 0; i < 5; i++) {
        turn();
        assert_int_equal(loop.event_count, 0); // it does not spin
    }
    const uint64_t end_ns = io_accept_tick(&accept_all, 0);
    assert_in_range(end_ns, begun_ns + PAUSE_NS, io_clock_mono_ns() + PAUSE_NS);
    assert_true(io_accept_tick(&accept_all, end_ns) == NEVER);
    assert_int_equal(loop.watch_count, 2);
    turn(); // nothing has changed
    assert_int_equal(taken_count, 1);
    assert_int_equal(short_count, 2);
    assert_true(io_accept_tick(&accept_all, end_ns) != NEVER);

    static struct io_accept_at third = {.on_connection = keep_all};
    struct addr bound = {0};
    io_fd_close(&famine.used[--famine.used_count]);
    assert_int_equal(io_accept_listen(&accept_all, &third, &loopback, &plain, &bound), 0);
    assert_int_equal(loop.watch_count, 0); // it rests like the others
    famine_end(&famine);
    assert_true(io_accept_tick(&accept_all, NEVER - 1) == NEVER);
    assert_false(io_accept_is_short(&accept_all));
    assert_int_equal(loop.watch_count, 3);
    settle();
    assert_int_equal(taken_count, COUNT_OF(clients));
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        io_fd_close(&clients[i]);
    }
}

static void opens_only_with_a_spare_descriptor(void **state)
{
    struct famine famine;
    struct io_accept none;

    (void)state;
    famine_begin(&famine, 0);
    assert_int_equal(io_accept_open(&none, &loop, NULL, NULL), -EMFILE);
    io_accept_close(&none);
    famine_end(&famine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_all_in_bursts, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_the_others_listening, setup, teardown),
        cmocka_unit_test_setup_teardown(stops_any_of_many, setup, teardown),
        cmocka_unit_test_setup_teardown(lets_a_listener_stop_all_when_one_has_come, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(says_that_an_address_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_all_when_no_descriptor_is_left, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_at_once_that_descriptors_are_there_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rests_and_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(opens_only_with_a_spare_descriptor, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
