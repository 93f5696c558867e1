// SPDX-License-Identifier: Apache-2.0
// One direction between two pairs of sockets, without a loop: the test says what is ready. Calls of
// recv, send and splice go through the test, which can make them fail or do less.
#define _GNU_SOURCE
#include "io/io_flow.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fd.h"
#include "support/rng.h"

enum { SMALL_BUFFER_LEN = 16384, MANY_LEN = 4 << 20 };

// --- faults ------------------------------------------------------------------------------------

// While `one_in` is not 0, one call of so many fails or does less.
static struct {
    struct rng rng;
    uint32_t one_in;
    uint32_t count;
    int error;    // of the next call, once; 0: none
    bool is_recv; // which call that is
    bool is_splice;
    uint32_t recv_count;
} faults;

// What becomes of a call for `len` bytes: it goes on with as many, or fails (false, and errno).
static bool may_go_on(size_t *len)
{
    if (faults.one_in == 0 || rng_below(&faults.rng, faults.one_in) != 0) {
        return true;
    }
    faults.count++;
    switch (rng_below(&faults.rng, 3)) {
    case 0:
        errno = EAGAIN;
        return false;
    case 1:
        errno = EINTR;
        return false;
    default:
        *len = 1 + rng_below(&faults.rng, *len);
        return true;
    }
}

static bool is_to_fail(bool is_this)
{
    if (faults.error == 0 || !is_this) {
        return false;
    }
    errno = faults.error;
    faults.error = 0;
    return true;
}

ssize_t recv(int fd, void *buffer, size_t len, int flags)
{
    faults.recv_count++;
    if (is_to_fail(faults.is_recv) || !may_go_on(&len)) {
        return -1;
    }
    return syscall(SYS_recvfrom, fd, buffer, len, flags, NULL, NULL);
}

ssize_t send(int fd, const void *buffer, size_t len, int flags)
{
    if (is_to_fail(!faults.is_recv && !faults.is_splice) || !may_go_on(&len)) {
        return -1;
    }
    return syscall(SYS_sendto, fd, buffer, len, flags, NULL, 0);
}

ssize_t splice(int in_fd, off64_t *in_at, int out_fd, off64_t *out_at, size_t len, unsigned flags)
{
    if (is_to_fail(faults.is_splice) || !may_go_on(&len)) {
        return -1;
    }
    return syscall(SYS_splice, in_fd, in_at, out_fd, out_at, len, flags);
}

// --- a flow and its peers ----------------------------------------------------------------------

static struct io_flow_means means;
static struct io_flow flow;
static int source; // writes to what the flow reads
static int target; // reads what it sends
static uint64_t written_len;
static uint64_t read_len;
static uint8_t block[1 << 20];

static uint8_t byte_at(uint64_t index)
{
    return (uint8_t)(index * 31 + (index >> 8) * 7 + (index >> 16));
}

static void set_buffers(int fd, int len)
{
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &len, sizeof len), 0);
}

static void open_way(enum io_flow_way way)
{
    int from[2];
    int to[2];

    memset(&faults, 0, sizeof faults);
    written_len = read_len = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, from), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, to), 0);
    source = from[0];
    target = to[0];
    io_flow_means_open(&means, way);
    io_flow_init(&flow, from[1], to[1]);
}

static int setup(void **state)
{
    (void)state;
    open_way(IO_FLOW_SWITCHES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    faults.one_in = 0;
    io_flow_deinit(&flow, &means);
    io_flow_means_close(&means); // asserts that nothing is kept or lent
    io_fd_close(&source);
    io_fd_close(&target);
    io_fd_close(&flow.from_fd);
    io_fd_close(&flow.to_fd);
    return 0;
}

// What the system says of itself, not through the faults.
static void write_some(size_t len)
{
    for (size_t i = 0; i < len; i++) {
        block[i] = byte_at(written_len + i);
    }
    const ssize_t written = write(source, block, len);
    if (written > 0) {
        written_len += (uint64_t)written;
    } else {
        assert_int_equal(errno, EAGAIN);
    }
}

static void write_all(size_t len)
{
    const uint64_t before = written_len;

    write_some(len);
    assert_int_equal(written_len - before, len);
}

static void read_some(size_t len)
{
    const ssize_t got = read(target, block, len);

    bool is_right = true;

    for (ssize_t i = 0; i < got; i++) {
        is_right &= block[i] == byte_at(read_len + (uint64_t)i);
    }
    assert_true(is_right);
    if (got > 0) {
        read_len += (uint64_t)got;
    } else {
        assert_int_equal(got, -1);
        assert_int_equal(errno, EAGAIN);
    }
}

static enum io_flow_outcome run(void)
{
    flow.can_read = flow.can_write = true;
    return io_flow_run(&flow, &means);
}

static void read_all(void)
{
    while (read_len < written_len) {
        const uint64_t before = read_len;
        read_some(sizeof block);
        if (read_len == before) {
            const enum io_flow_outcome outcome = run();
            assert_true(outcome == IO_FLOW_WAITS || outcome == IO_FLOW_MORE ||
                        outcome == IO_FLOW_ENDED);
        }
    }
    assert_int_equal(flow.byte_count, written_len);
}

// --- tests -------------------------------------------------------------------------------------

static void copies_and_remembers_what_is_ready(void **state)
{
    (void)state;
    write_all(100);
    assert_int_equal(io_flow_run(&flow, &means), IO_FLOW_WAITS); // it was told of nothing
    assert_int_equal(flow.byte_count, 0);
    flow.can_read = true;
    assert_int_equal(io_flow_run(&flow, &means), IO_FLOW_WAITS);
    assert_int_equal(flow.byte_count, 0);
    flow.can_write = true;
    assert_int_equal(io_flow_run(&flow, &means), IO_FLOW_WAITS);
    assert_false(flow.can_read);            // there was less than it asked for,
    assert_int_equal(faults.recv_count, 1); // so it did not ask again
    assert_true(flow.can_write);
    read_all();
    assert_int_equal(means.byte_count, 100);
    assert_int_equal(means.spliced_count, 0);
}

static void sends_the_head_first(void **state)
{
    uint8_t head[300];

    (void)state;
    for (size_t i = 0; i < sizeof head; i++) {
        head[i] = byte_at(written_len++);
    }
    assert_int_equal(io_flow_begin(&flow, &means, (struct bytes){head, sizeof head}), 0);
    assert_int_equal(means.kept_len, sizeof head);
    memset(head, 0, sizeof head); // it was copied
    write_all(100);
    read_all();
    assert_int_equal(means.kept_len, 0);
    assert_null(flow.kept);
}

static void has_its_share_of_a_turn(void **state)
{
    const int much = 8 << 20;

    (void)state;
    if (setsockopt(source, SOL_SOCKET, SO_SNDBUFFORCE, &much, sizeof much) != 0) {
        skip(); // it needs root
    }
    assert_int_equal(setsockopt(flow.to_fd, SOL_SOCKET, SO_SNDBUFFORCE, &much, sizeof much), 0);
    write_all(1 << 20);
    assert_int_equal(run(), IO_FLOW_MORE);
    assert_in_range(flow.byte_count, IO_FLOW_TURN_LEN, IO_FLOW_TURN_LEN + IO_PIPES_LEN);
    assert_int_equal(means.pipes.lent_count, 0);
    read_all();
}

// A target that takes nothing stops the source, and costs no more than one read.
static void reads_nothing_for_which_there_is_no_room(void **state)
{
    static const enum io_flow_way ways[] = {IO_FLOW_COPIES, IO_FLOW_SPLICES, IO_FLOW_SWITCHES};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        teardown(NULL);
        open_way(ways[i]);
        set_buffers(flow.to_fd, SMALL_BUFFER_LEN);
        for (int k = 0; k < 100; k++) {
            write_some(100000);
            assert_int_equal(run(), IO_FLOW_WAITS);
            assert_in_range(means.kept_len, 0, IO_FLOW_SCRATCH_LEN);
        }
        assert_false(flow.can_write);
        const uint64_t before = written_len;
        write_some(1000000);
        assert_int_equal(written_len, before); // the source is told to wait
        assert_in_range(written_len, 1, 1 << 20);
        assert_int_equal(flow.kept_len > 0 ? 1 : 0, ways[i] == IO_FLOW_SPLICES ? 0 : 1);
        assert_int_equal(means.pipes.lent_count, ways[i] == IO_FLOW_SPLICES ? 1 : 0);
        read_all();
        assert_int_equal(means.kept_len, 0);
        assert_int_equal(means.pipes.lent_count, 0);
    }
}

// Thousands of slow targets: each may have a little kept for it.
static void keeps_little_when_much_is_kept(void **state)
{
    (void)state;
    means.kept_len = IO_FLOW_KEPT_MAX - 1; // for others
    set_buffers(flow.to_fd, SMALL_BUFFER_LEN);
    write_some(200000);
    assert_int_equal(run(), IO_FLOW_WAITS);
    assert_in_range(flow.kept_len, IO_FLOW_SHORT_LEN + 1, IO_FLOW_SCRATCH_LEN);
    while (flow.kept_len > 0) {
        read_some(sizeof block);
        flow.can_read = false;
        flow.can_write = true;
        assert_int_equal(io_flow_run(&flow, &means), IO_FLOW_WAITS);
    }
    means.kept_len++;
    assert_int_equal(run(), IO_FLOW_WAITS);
    assert_in_range(flow.kept_len, 1, IO_FLOW_SHORT_LEN);
    means.kept_len -= IO_FLOW_KEPT_MAX;
    read_all();
}

static void splices_in_bulk_and_copies_again(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_false(flow.is_bulk);
        uint64_t spliced = means.spliced_count;
        for (int k = 0; k < IO_FLOW_BULK_READS; k++) {
            write_all(IO_FLOW_BULK_LEN);
            read_all();
        }
        assert_int_equal(means.spliced_count, spliced);
        assert_true(flow.is_bulk);
        write_all(3 * IO_FLOW_BULK_LEN);
        read_all();
        spliced += 3 * IO_FLOW_BULK_LEN;
        assert_int_equal(means.spliced_count, spliced);
        assert_int_equal(means.pipes.lent_count, 0); // it holds none while it waits
        for (int k = 0; k < IO_FLOW_SMALL_READS; k++) {
            assert_true(flow.is_bulk);
            write_all(100);
            read_all();
        }
        assert_int_equal(means.spliced_count, spliced + IO_FLOW_SMALL_READS * 100);
    }
}

static void changes_its_way_only_after_so_many_in_a_row(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        write_all(i % 2 == 0 ? IO_FLOW_BULK_LEN : IO_FLOW_BULK_LEN - 1);
        read_all();
        assert_false(flow.is_bulk);
    }
    write_all(IO_FLOW_BULK_LEN);
    read_all();
    write_all(IO_FLOW_BULK_LEN);
    read_all();
    assert_true(flow.is_bulk);
    for (int i = 0; i < 20; i++) {
        write_all(i % IO_FLOW_SMALL_READS == 0 ? IO_FLOW_SMALL_LEN : IO_FLOW_SMALL_LEN - 1);
        read_all();
        assert_true(flow.is_bulk);
    }
}

static void copies_when_there_is_no_pipe(void **state)
{
    struct io_pipe *taken[IO_PIPES_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        taken[i] = io_pipes_take(&means.pipes);
    }
    for (int i = 0; i < 10; i++) {
        write_all(IO_FLOW_BULK_LEN);
        read_all();
    }
    assert_int_equal(means.spliced_count, 0);
    assert_true(flow.is_bulk); // and it goes on asking
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        io_pipes_give(&means.pipes, taken[i], 0);
    }
    write_all(IO_FLOW_BULK_LEN);
    read_all();
    assert_int_equal(means.spliced_count, IO_FLOW_BULK_LEN);
}

static void ends_once_all_is_sent(void **state)
{
    (void)state;
    set_buffers(flow.to_fd, SMALL_BUFFER_LEN);
    write_some(200000);
    io_fd_close(&source);
    assert_int_equal(run(), IO_FLOW_WAITS); // not all is sent
    read_all();
    assert_int_equal(run(), IO_FLOW_ENDED);
    assert_int_equal(run(), IO_FLOW_ENDED);
}

static void tells_which_side_is_lost(void **state)
{
    (void)state;
    write_all(100);
    io_fd_close(&target);
    assert_int_equal(run(), IO_FLOW_TARGET_LOST);
    assert_int_equal(flow.error, -EPIPE);

    teardown(NULL);
    open_way(IO_FLOW_SPLICES);
    write_all(100);
    io_fd_close(&target);
    assert_int_equal(run(), IO_FLOW_TARGET_LOST);
    assert_int_equal(flow.error, -EPIPE);

    for (int is_splice = 0; is_splice <= 1; is_splice++) {
        teardown(NULL);
        open_way(is_splice == 1 ? IO_FLOW_SPLICES : IO_FLOW_COPIES);
        write_all(100);
        read_all();
        faults.error = ECONNRESET;
        faults.is_recv = is_splice == 0;
        faults.is_splice = is_splice == 1;
        assert_int_equal(run(), IO_FLOW_SOURCE_LOST);
        assert_int_equal(flow.error, -ECONNRESET);
        assert_int_equal(flow.byte_count, 100);
    }
}

static void reads_no_more_than_its_limit(void **state)
{
    (void)state;
    set_buffers(flow.to_fd, SMALL_BUFFER_LEN);
    write_some(50000);
    assert_int_equal(run(), IO_FLOW_WAITS);
    write_some(50000);
    io_flow_limit(&flow);
    assert_int_not_equal(flow.limit_len, IO_FLOW_NO_LIMIT);
    const uint64_t limit = written_len;
    write_some(10000); // behind it
    assert_true(written_len > limit);
    const uint64_t all = written_len;
    written_len = limit;
    read_all();
    written_len = all;
    assert_int_equal(run(), IO_FLOW_ENDED);
    read_some(1);
    assert_int_equal(read_len, limit);

    assert_int_equal(io_flow_drop(&flow, &means), IO_FLOW_WAITS); // and the rest is dropped
    assert_false(flow.can_read);
    io_fd_close(&source);
    assert_int_equal(io_flow_drop(&flow, &means), IO_FLOW_ENDED);
    assert_int_equal(flow.byte_count, limit);
}

// Whatever fails for the moment, and however little a call does, the bytes come as they were sent.
static void loses_nothing_whatever_fails(void **state)
{
    static const enum io_flow_way ways[] = {IO_FLOW_COPIES, IO_FLOW_SPLICES, IO_FLOW_SWITCHES};
    const uint64_t seed = rng_seed("io_flow_test");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways) * 4; i++) {
        teardown(NULL);
        open_way(ways[i % COUNT_OF(ways)]);
        faults.rng = rng_init(seed + i);
        set_buffers(flow.to_fd, i < COUNT_OF(ways) ? SMALL_BUFFER_LEN : 1 << 18);
        while (written_len < MANY_LEN) {
            faults.one_in = 0;
            write_some(1 + rng_below(&faults.rng, 200000));
            faults.one_in = 1 + (uint32_t)(i / COUNT_OF(ways)); // with 1, each call
            const enum io_flow_outcome outcome = run();
            assert_true(outcome == IO_FLOW_WAITS || outcome == IO_FLOW_MORE);
            read_some(1 + rng_below(&faults.rng, 200000));
        }
        read_all();
        assert_true(faults.count > 10);
        if (ways[i % COUNT_OF(ways)] != IO_FLOW_COPIES) {
            assert_true(means.spliced_count > 0);
        }
        io_fd_close(&source);
        faults.one_in = 0;
        assert_int_equal(run(), IO_FLOW_ENDED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(copies_and_remembers_what_is_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(sends_the_head_first, setup, teardown),
        cmocka_unit_test_setup_teardown(has_its_share_of_a_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_nothing_for_which_there_is_no_room, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_little_when_much_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(splices_in_bulk_and_copies_again, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_its_way_only_after_so_many_in_a_row, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(copies_when_there_is_no_pipe, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_once_all_is_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_which_side_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_no_more_than_its_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(loses_nothing_whatever_fails, setup, teardown),
    };
    IGNORE(signal(SIGPIPE, SIG_IGN) == SIG_ERR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
