// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_crew.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"

enum {
    WORKERS = 3,
    SESSIONS = 64,
};

static struct io_loop loop;
static atomic_int broken_fds[WORKERS]; // of epoll, that cannot be waited on; 0: none
static struct tunnel_crew crew;
static struct pool_ref ended[SESSIONS];
static struct tunnel_session last;
static uint32_t ended_count;

// In place of libc's, so that it can fail.
int epoll_wait(int fd, struct epoll_event *events, int count, int timeout_ms)
{
    for (uint32_t i = 0; i < WORKERS; i++) {
        if (atomic_load(&broken_fds[i]) == fd) {
            errno = EBADF;
            return -1;
        }
    }
    return (int)syscall(SYS_epoll_pwait, fd, events, count, timeout_ms, NULL, (size_t)8);
}

static void on_ended(void *context, struct pool_ref ref, const struct tunnel_session *session)
{
    (void)context;
    assert_true(ended_count < SESSIONS);
    ended[ended_count++] = ref;
    memcpy(&last, session, sizeof last);
}

static int open_crew(void **state)
{
    const struct tunnel_crew_config config = {WORKERS, SESSIONS, on_ended, NULL};

    (void)state;
    ended_count = 0;
    for (uint32_t i = 0; i < WORKERS; i++) {
        atomic_store(&broken_fds[i], 0);
    }
    memset(&crew, 0, sizeof crew);
    signal(SIGPIPE, SIG_IGN);
    return io_loop_open(&loop) != 0 || tunnel_crew_open(&crew, &loop, &config) != 0 ||
           tunnel_crew_start(&crew) != 0;
}

static int close_crew(void **state)
{
    (void)state;
    tunnel_crew_stop(&crew);
    tunnel_crew_close(&crew);
    tunnel_crew_close(&crew);
    io_loop_close(&loop);
    return 0;
}

struct ends {
    int client;
    int reverse;
};

static struct ends join(uint32_t index, uint32_t generation)
{
    int a[2];
    int b[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, a), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, b), 0);
    tunnel_crew_join(&crew, (struct pool_ref){index, generation}, a[1], io_stream_plain(b[1]));
    return (struct ends){a[0], b[0]};
}

static void assert_brings(int to, int from, const char *text)
{
    char got[64];
    size_t len = 0;

    assert_int_equal(send(to, text, strlen(text), 0), strlen(text));
    for (int i = 0; i < 30000 && len < strlen(text); i++) {
        const ssize_t more = recv(from, got + len, sizeof got - len, 0);
        if (more > 0) {
            len += (size_t)more;
        } else {
            usleep(1000);
        }
    }
    assert_memory_equal(got, text, strlen(text));
}

static void wait_for(uint32_t count)
{
    const uint64_t end_ns = io_clock_mono_ns() + 30 * SECOND_NS;

    while (ended_count < count) {
        assert_true(io_clock_mono_ns() < end_ns);
        assert_int_equal(io_loop_turn(&loop, end_ns), 0);
    }
}

static void shares_sessions_out_and_tells_their_ends(void **state)
{
    struct ends ends[2 * WORKERS];

    (void)state;
    for (uint32_t i = 0; i < 2 * WORKERS; i++) {
        ends[i] = join(i, 1);
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(crew.loads[i], 2);
    }
    for (uint32_t i = 0; i < 2 * WORKERS; i++) {
        assert_brings(ends[i].client, ends[i].reverse, "hello");
        assert_brings(ends[i].reverse, ends[i].client, "worlds");
        close(ends[i].client);
        close(ends[i].reverse);
    }
    wait_for(2 * WORKERS);
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(crew.loads[i], 0);
    }
    assert_int_equal(last.pump.flows[0].byte_count, 5);
    assert_int_equal(last.pump.flows[1].byte_count, 6);
    assert_int_equal(last.why, IO_PUMP_FINISHED);
}

static void ends_a_session_when_told(void **state)
{
    char text[8];

    (void)state;
    struct ends ends = join(5, 3);
    assert_brings(ends.client, ends.reverse, "x");
    tunnel_crew_end(&crew, (struct pool_ref){5, 3});
    while (recv(ends.client, text, sizeof text, 0) != 0 ||
           recv(ends.reverse, text, sizeof text, 0) != 0) {
        usleep(1000);
    }
    close(ends.client);
    close(ends.reverse);
    wait_for(1);
    assert_int_equal(ended[0].index, 5);
    assert_int_equal(ended[0].generation, 3);
    assert_int_equal(last.why, IO_PUMP_TOLD);
}

// The first thread may say that a session is to end when a worker has just ended it, and the index
// goes to another session, of another worker.
static void an_order_for_a_session_that_is_over_harms_no_other(void **state)
{
    (void)state;
    for (uint32_t generation = 1; generation < 200; generation += 2) {
        struct ends ends = join(0, generation);
        close(ends.client);
        close(ends.reverse);
        tunnel_crew_end(&crew, (struct pool_ref){0, generation});
        wait_for(1);
        assert_int_equal(ended[0].generation, generation);
        ended_count = 0;
        struct ends other = join(0, generation + 1);
        assert_brings(other.client, other.reverse, "alive");
        close(other.client);
        close(other.reverse);
        wait_for(1);
        assert_int_equal(ended[0].generation, generation + 1);
        assert_int_equal(last.pump.flows[0].byte_count, 5);
        ended_count = 0;
    }
}

static void sessions_tell_what_they_carry(void **state)
{
    const uint64_t end_ns = io_clock_mono_ns() + 20 * SECOND_NS;
    struct ends ends[WORKERS];

    (void)state;
    for (uint32_t i = 0; i < WORKERS; i++) {
        ends[i] = join(i, 1);
        assert_brings(ends[i].client, ends[i].reverse, "hello");
        assert_brings(ends[i].reverse, ends[i].client, "you");
    }
    tunnel_crew_survey(&crew);
    while (tunnel_crew_missing(&crew) > 0) {
        assert_true(io_clock_mono_ns() < end_ns);
        usleep(1000);
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(atomic_load(&crew.sessions[i].told_bytes[0]), 5);
        assert_int_equal(atomic_load(&crew.sessions[i].told_bytes[1]), 3);
        close(ends[i].client);
        close(ends[i].reverse);
    }
    wait_for(WORKERS);
}

// Its next wait fails, and it is woken to come to that.
static void break_loop(struct tunnel_worker *worker)
{
    const uint64_t end_ns = io_clock_mono_ns() + 20 * SECOND_NS;

    atomic_store(&broken_fds[worker->number], worker->loop.epoll_fd);
    while (!atomic_load(&worker->has_failed)) {
        assert_true(io_clock_mono_ns() < end_ns);
        tunnel_mailbox_ring(&worker->orders);
        usleep(1000);
    }
}

static void a_worker_that_fails_gives_its_sessions_back(void **state)
{
    struct ends ends[WORKERS + 1];

    (void)state;
    for (uint32_t i = 0; i < WORKERS; i++) {
        ends[i] = join(i, 1);
        assert_brings(ends[i].client, ends[i].reverse, "x");
    }
    break_loop(&crew.workers[1]);
    wait_for(1);
    assert_int_equal(ended[0].index, 1);
    assert_int_equal(last.why, IO_PUMP_FAILED);
    assert_int_equal(crew.loads[1], 0);
    for (uint32_t i = 0; i < WORKERS; i += 2) { // the others go on
        assert_brings(ends[i].client, ends[i].reverse, "y");
    }
    ends[WORKERS] = join(1, 2); // and have what comes now, though one has less to do
    assert_brings(ends[WORKERS].client, ends[WORKERS].reverse, "z");
    for (uint32_t i = 0; i <= WORKERS; i++) {
        close(ends[i].client);
        close(ends[i].reverse);
    }
    wait_for(WORKERS + 1);
}

static void those_that_all_fail_give_back_what_they_are_given(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WORKERS; i++) {
        break_loop(&crew.workers[i]);
    }
    for (uint32_t i = 0; i < 2 * WORKERS; i++) {
        const struct ends ends = join(i, 1);
        tunnel_crew_end(&crew, (struct pool_ref){i, 1});
        wait_for(i + 1);
        assert_int_equal(ended[i].index, i);
        close(ends.client);
        close(ends.reverse);
    }
    tunnel_crew_feel(&crew);
    assert_int_equal(tunnel_crew_missing(&crew), WORKERS);
}

static void cuts_off_what_is_left_when_it_stops(void **state)
{
    char text[8];

    (void)state;
    struct ends ends = join(1, 1);
    assert_brings(ends.client, ends.reverse, "x");
    struct ends fresh = join(2, 1); // perhaps not looked at yet
    tunnel_crew_stop(&crew);
    assert_true(recv(ends.client, text, sizeof text, 0) <= 0);
    assert_int_not_equal(send(ends.reverse, "x", 1, MSG_NOSIGNAL), 1);
    assert_int_not_equal(send(fresh.client, "x", 1, MSG_NOSIGNAL), 1);
    close(ends.client);
    close(ends.reverse);
    close(fresh.client);
    close(fresh.reverse);
    assert_int_equal(ended_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shares_sessions_out_and_tells_their_ends, open_crew,
                                        close_crew),
        cmocka_unit_test_setup_teardown(ends_a_session_when_told, open_crew, close_crew),
        cmocka_unit_test_setup_teardown(an_order_for_a_session_that_is_over_harms_no_other,
                                        open_crew, close_crew),
        cmocka_unit_test_setup_teardown(sessions_tell_what_they_carry, open_crew, close_crew),
        cmocka_unit_test_setup_teardown(a_worker_that_fails_gives_its_sessions_back, open_crew,
                                        close_crew),
        cmocka_unit_test_setup_teardown(those_that_all_fail_give_back_what_they_are_given,
                                        open_crew, close_crew),
        cmocka_unit_test_setup_teardown(cuts_off_what_is_left_when_it_stops, open_crew, close_crew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
