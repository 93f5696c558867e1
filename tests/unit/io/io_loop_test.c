// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_fd.h"

// A watch on one end of a socket pair; the other end makes it readable.
struct end {
    struct io_watch watch; // first, so that a watch is found in its end
    int other_fd;
    int call_count;
    uint32_t events; // of the last call
};

static struct io_loop loop;

static void count_call(struct io_watch *watch, uint32_t events)
{
    struct end *end = watch->context;

    end->call_count++;
    end->events = events;
}

static void end_open(struct end *end, io_watch_fn fn)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    *end = (struct end){.watch = {.fd = fds[0], .fn = fn, .context = end}, .other_fd = fds[1]};
}

static void end_poke(const struct end *end)
{
    assert_int_equal(write(end->other_fd, "x", 1), 1);
}

static void end_close(struct end *end)
{
    io_loop_remove(&loop, &end->watch);
    io_fd_close(&end->watch.fd);
    io_fd_close(&end->other_fd);
}

static void add(struct end *end)
{
    assert_int_equal(io_loop_add(&loop, &end->watch, IO_READABLE), 0);
}

static void turn(void)
{
    assert_int_equal(io_loop_turn(&loop, 0), 0);
}

static void open_loop(void)
{
    assert_int_equal(io_loop_open(&loop), 0);
}

static void tells_a_watch_as_long_as_it_is_readable(void **state)
{
    struct end end;
    char byte = 0;

    (void)state;
    open_loop();
    end_open(&end, count_call);
    add(&end);
    assert_int_equal(loop.watch_count, 1);
    turn();
    assert_int_equal(end.call_count, 0);
    end_poke(&end);
    turn();
    turn(); // level-triggered: it was not read
    assert_int_equal(end.call_count, 2);
    assert_int_equal(end.events, IO_READABLE);
    assert_int_equal(read(end.watch.fd, &byte, 1), 1);
    turn();
    assert_int_equal(end.call_count, 2);
    end_close(&end);
    assert_int_equal(loop.watch_count, 0);
    io_loop_close(&loop);
    io_loop_close(&loop); // nothing to close any more
}

static void tells_what_was_asked_for_last(void **state)
{
    struct end end;

    (void)state;
    open_loop();
    end_open(&end, count_call);
    add(&end);
    assert_int_equal(io_loop_modify(&loop, &end.watch, IO_READABLE | IO_WRITABLE), 0);
    turn();
    assert_int_equal(end.events, IO_WRITABLE);
    end_poke(&end);
    turn();
    assert_int_equal(end.events, IO_READABLE | IO_WRITABLE);
    assert_int_equal(io_loop_modify(&loop, &end.watch, IO_READABLE), 0);
    turn();
    assert_int_equal(end.events, IO_READABLE);
    end_close(&end);
    io_loop_close(&loop);
}

static void tells_a_hang_up_as_what_was_asked_for_and_an_error_besides(void **state)
{
    static const uint32_t asked[] = {IO_READABLE, IO_WRITABLE};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        struct end end;
        int fds[2];

        open_loop();
        assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        const size_t kept = i; // the reading end hangs up, the writing one has an error
        end = (struct end){.watch = {.fd = fds[kept], .fn = count_call, .context = &end},
                           .other_fd = fds[1 - kept]};
        io_fd_close(&end.other_fd);
        assert_int_equal(io_loop_add(&loop, &end.watch, asked[i]), 0);
        turn();
        assert_int_equal(end.call_count, 1);
        assert_int_equal(end.events, kept == 1 ? asked[i] | IO_ERROR : asked[i]);
        end_close(&end);
        io_loop_close(&loop);
    }
}

static void refuses_a_descriptor_that_is_watched(void **state)
{
    struct end end;
    struct io_watch second;

    (void)state;
    open_loop();
    end_open(&end, count_call);
    add(&end);
    second = (struct io_watch){.fd = end.watch.fd, .fn = count_call};
    assert_int_equal(io_loop_add(&loop, &second, IO_READABLE), -EEXIST);
    assert_int_equal(loop.watch_count, 1);
    io_loop_remove(&loop, &second); // it was not added: nothing happens
    assert_int_equal(loop.watch_count, 1);
    end_close(&end);
    io_loop_close(&loop);
}

// Two ends, both readable; whichever is called first does something to the other one.
static struct end pair[2];
static struct end newcomer;
static int act_count;

static struct end *other_of(const struct io_watch *watch)
{
    return watch == &pair[0].watch ? &pair[1] : &pair[0];
}

static void run_pair(io_watch_fn fn)
{
    open_loop();
    act_count = 0;
    for (size_t i = 0; i < COUNT_OF(pair); i++) {
        end_open(&pair[i], fn);
        add(&pair[i]);
        end_poke(&pair[i]);
    }
    turn();
}

static void close_pair(void)
{
    for (size_t i = 0; i < COUNT_OF(pair); i++) {
        end_close(&pair[i]);
    }
    io_loop_close(&loop);
}

static void remove_other(struct io_watch *watch, uint32_t events)
{
    (void)events;
    act_count++;
    io_loop_remove(&loop, &other_of(watch)->watch);
}

static void gives_a_removed_watch_no_event_of_the_same_turn(void **state)
{
    (void)state;
    run_pair(remove_other);
    assert_int_equal(act_count, 1); // the other one did not act
    close_pair();
}

static void remove_itself(struct io_watch *watch, uint32_t events)
{
    (void)events;
    act_count++;
    io_loop_remove(&loop, watch);
}

static void lets_a_watch_remove_itself(void **state)
{
    (void)state;
    run_pair(remove_itself);
    turn();
    assert_int_equal(act_count, 2);
    assert_int_equal(loop.watch_count, 0);
    close_pair();
}

// Closes the other one and puts a newcomer with its descriptor number and its memory in its place.
static void replace_other(struct io_watch *watch, uint32_t events)
{
    struct end *other = other_of(watch);
    const int fd_before = other->watch.fd;

    (void)events;
    act_count++;
    end_close(other);
    end_open(other, count_call);
    if (other->watch.fd != fd_before) {
        const int fd = other->watch.fd;
        assert_int_equal(dup3(fd, fd_before, O_CLOEXEC), fd_before);
        other->watch.fd = fd_before;
        assert_int_equal(close(fd), 0);
    }
    add(other);
}

static void gives_the_event_of_a_removed_watch_to_no_newcomer(void **state)
{
    (void)state;
    run_pair(replace_other);
    assert_int_equal(act_count, 1);
    assert_int_equal(pair[0].call_count + pair[1].call_count, 0);
    turn(); // the one that acted acts again, and again nobody meets a stale event
    assert_int_equal(act_count, 2);
    assert_int_equal(pair[0].call_count + pair[1].call_count, 0);
    close_pair();
}

// The same watch is removed and added again: what it was told of before is not told in this turn.
static void readd_other(struct io_watch *watch, uint32_t events)
{
    struct end *other = other_of(watch);

    (void)events;
    act_count++;
    io_loop_remove(&loop, &other->watch);
    add(other);
}

static void tells_a_watch_that_was_added_again_in_the_next_turn(void **state)
{
    (void)state;
    run_pair(readd_other);
    assert_int_equal(act_count, 1);
    turn();
    assert_int_equal(act_count, 2);
    close_pair();
}

// The descriptor's number lives on under another watch.
static void replace_by_newcomer(struct io_watch *watch, uint32_t events)
{
    struct end *other = other_of(watch);

    (void)events;
    act_count++;
    end_close(other);
    end_open(&newcomer, count_call); // the kernel hands out the lowest number, the one just closed
    add(&newcomer);
}

static void gives_no_event_to_a_newcomer_with_the_same_descriptor(void **state)
{
    (void)state;
    run_pair(replace_by_newcomer);
    assert_int_equal(act_count, 1);
    assert_int_equal(newcomer.call_count, 0);
    end_poke(&newcomer);
    io_loop_remove(&loop, &pair[0].watch);
    io_loop_remove(&loop, &pair[1].watch);
    turn();
    assert_int_equal(newcomer.call_count, 1); // its own event reaches it
    end_close(&newcomer);
    close_pair();
}

static void ask_other_for_writable(struct io_watch *watch, uint32_t events)
{
    act_count++;
    assert_int_equal(events, IO_READABLE);
    assert_int_equal(io_loop_modify(&loop, &other_of(watch)->watch, IO_WRITABLE), 0);
}

static void tells_a_watch_nothing_for_which_it_no_longer_asks(void **state)
{
    (void)state;
    run_pair(ask_other_for_writable);
    assert_int_equal(act_count, 1);
    close_pair();
}

enum { CROWD = 2 * IO_LOOP_EVENT_MAX + 1 };

static void lets_none_of_many_starve(void **state)
{
    static struct end crowd[CROWD];

    (void)state;
    open_loop();
    for (size_t i = 0; i < CROWD; i++) {
        end_open(&crowd[i], count_call);
        add(&crowd[i]);
        end_poke(&crowd[i]);
    }
    for (int i = 0; i < 3; i++) { // nobody reads: all stay readable
        turn();
        assert_true(loop.event_count <= IO_LOOP_EVENT_MAX);
    }
    for (size_t i = 0; i < CROWD; i++) {
        assert_in_range(crowd[i].call_count, 1, 2);
        end_close(&crowd[i]);
    }
    io_loop_close(&loop);
}

static void wakes_at_its_deadline_and_not_before(void **state)
{
    (void)state;
    open_loop();
    for (uint64_t wait_ns = 1; wait_ns < 20000000; wait_ns *= 7) {
        const uint64_t deadline_ns = io_clock_now().mono_ns + wait_ns;
        assert_int_equal(io_loop_turn(&loop, deadline_ns), 0);
        assert_true(io_clock_now().mono_ns >= deadline_ns);
    }
    assert_int_equal(io_loop_turn(&loop, 1), 0); // long past
    io_loop_close(&loop);
}

static void tells_when_it_woke_and_for_how_much(void **state)
{
    struct end end;

    (void)state;
    open_loop();
    end_open(&end, count_call);
    add(&end);
    end_poke(&end);
    const uint64_t before_ns = io_clock_mono_ns();
    turn();
    assert_in_range(loop.woken_ns, before_ns, io_clock_mono_ns());
    assert_int_equal(loop.event_count, 1);
    io_loop_remove(&loop, &end.watch);
    turn();
    assert_int_equal(loop.event_count, 0);
    end_close(&end);
    io_loop_close(&loop);
}

static void waits_for_ever_or_very_long_until_something_comes(void **state)
{
    static const uint64_t deadlines[] = {NEVER, NEVER - 1};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(deadlines); i++) {
        struct end end;

        open_loop();
        end_open(&end, count_call);
        add(&end);
        end_poke(&end);
        assert_int_equal(io_loop_turn(&loop, deadlines[i]), 0);
        assert_int_equal(end.call_count, 1);
        end_close(&end);
        io_loop_close(&loop);
    }
}

static void tells_an_edge_once(void **state)
{
    struct end end;

    (void)state;
    open_loop();
    end_open(&end, count_call);
    assert_int_equal(io_loop_add(&loop, &end.watch, IO_READABLE | IO_WRITABLE | IO_EDGE), 0);
    turn();
    turn();
    assert_int_equal(end.call_count, 1);
    assert_int_equal(end.events, IO_WRITABLE);
    for (int i = 2; i <= 3; i++) { // it was not read, and still the next one is told
        end_poke(&end);
        turn();
        turn();
        assert_int_equal(end.call_count, i);
        assert_int_equal(end.events, IO_READABLE | IO_WRITABLE);
    }
    end_close(&end);
    io_loop_close(&loop);
}

static void tells_that_the_peer_has_ended(void **state)
{
    struct end end;
    int fds[2];

    (void)state;
    open_loop();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    end = (struct end){.watch = {.fd = fds[0], .fn = count_call, .context = &end},
                       .other_fd = fds[1]};
    assert_int_equal(io_loop_add(&loop, &end.watch, IO_READABLE | IO_ENDED), 0);
    end_poke(&end);
    turn();
    assert_int_equal(end.events, IO_READABLE);
    assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
    turn();
    assert_int_equal(end.events, IO_READABLE | IO_ENDED);
    assert_int_equal(io_loop_modify(&loop, &end.watch, IO_ENDED), 0);
    io_fd_close(&end.other_fd); // a hang-up is an end, too
    turn();
    assert_int_equal(end.events, IO_ENDED);
    end_close(&end);
    io_loop_close(&loop);
}

static void refuses_what_cannot_be_watched(void **state)
{
    struct io_watch watch = {.fn = count_call};
    IO_FD_AUTO int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    (void)state;
    open_loop();
    watch.fd = fd;
    assert_int_equal(io_loop_add(&loop, &watch, IO_READABLE), -EPERM);
    assert_int_equal(loop.watch_count, 0);
    io_loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_a_watch_as_long_as_it_is_readable),
        cmocka_unit_test(tells_what_was_asked_for_last),
        cmocka_unit_test(tells_a_hang_up_as_what_was_asked_for_and_an_error_besides),
        cmocka_unit_test(refuses_a_descriptor_that_is_watched),
        cmocka_unit_test(gives_a_removed_watch_no_event_of_the_same_turn),
        cmocka_unit_test(lets_a_watch_remove_itself),
        cmocka_unit_test(gives_the_event_of_a_removed_watch_to_no_newcomer),
        cmocka_unit_test(tells_a_watch_that_was_added_again_in_the_next_turn),
        cmocka_unit_test(gives_no_event_to_a_newcomer_with_the_same_descriptor),
        cmocka_unit_test(tells_a_watch_nothing_for_which_it_no_longer_asks),
        cmocka_unit_test(lets_none_of_many_starve),
        cmocka_unit_test(wakes_at_its_deadline_and_not_before),
        cmocka_unit_test(tells_when_it_woke_and_for_how_much),
        cmocka_unit_test(waits_for_ever_or_very_long_until_something_comes),
        cmocka_unit_test(tells_an_edge_once),
        cmocka_unit_test(tells_that_the_peer_has_ended),
        cmocka_unit_test(refuses_what_cannot_be_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
