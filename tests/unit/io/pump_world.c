// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "pump_world.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tcp.h"

// Until the kernel has delivered what it has, should it be busy.
#define SETTLED_NS (SECOND_NS / 500)

static const struct io_tcp_options plain;

struct pump_world pump_world;

static int listener = -1;
static struct addr at;
static int fd_count_before;
static uint8_t block[PUMP_WORLD_BLOCK_LEN];

int pump_world_count_fds(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

void pump_world_open(enum io_flow_way way)
{
    const struct addr loopback = {.ip = {127, 0, 0, 1}, .family = ADDR_IP4};

    fd_count_before = pump_world_count_fds();
    assert_int_equal(io_loop_open(&pump_world.loop), 0);
    io_pump_all_open(&pump_world.pumps, &pump_world.loop, way);
    assert_int_equal(io_tcp_listen(&loopback, &plain, &listener, &at), 0);
}

int pump_world_setup(void **state)
{
    (void)state;
    pump_world_open(IO_FLOW_SWITCHES);
    return 0;
}

int pump_world_teardown(void **state)
{
    (void)state;
    assert_int_equal(pump_world.pumps.count, 0);
    assert_true(io_pump_all_deadline(&pump_world.pumps) == NEVER);
    assert_int_equal(pump_world.loop.watch_count, 0);
    io_pump_all_close(&pump_world.pumps);
    io_loop_close(&pump_world.loop);
    io_fd_close(&listener);
    assert_int_equal(pump_world_count_fds(), fd_count_before);
    return 0;
}

void pump_world_note_end(struct io_pump *pump, enum io_pump_why why)
{
    struct pump_world_session *session = (struct pump_world_session *)pump;

    assert_int_equal(pump->state, IO_PUMP_OVER);
    assert_int_equal(session->why, PUMP_WORLD_NOT_YET); // once
    session->why = (int)why;
}

void pump_world_connect(int *near, int *far, int receive_len)
{
    const struct io_tcp_options options = {.receive_len = (uint32_t)receive_len};
    struct addr from = {0};

    assert_int_equal(io_tcp_connect(&at, NULL, &options, far), 0);
    assert_int_equal(io_tcp_accept(listener, near, &from), 0);
}

void pump_world_session_open_with(struct pump_world_session *session, struct bytes head,
                                  int receive_len)
{
    int near[2];

    *session = (struct pump_world_session){.pump = {.on_end = pump_world_note_end},
                                           .why = PUMP_WORLD_NOT_YET};
    for (int i = 0; i < 2; i++) {
        pump_world_connect(&near[i], &session->ends[i], receive_len);
        const int len = receive_len;
        if (len > 0) {
            assert_int_equal(setsockopt(near[i], SOL_SOCKET, SO_SNDBUF, &len, sizeof len), 0);
        }
    }
    assert_int_equal(io_pump_start(&pump_world.pumps, &session->pump, io_stream_plain(near[0]),
                                   io_stream_plain(near[1]), head),
                     0);
}

void pump_world_session_open(struct pump_world_session *session)
{
    pump_world_session_open_with(session, (struct bytes){0}, 0);
}

void pump_world_session_close(struct pump_world_session *session)
{
    io_fd_close(&session->ends[0]);
    io_fd_close(&session->ends[1]);
}

void pump_world_turn_at(uint64_t now_ns)
{
    assert_int_equal(io_loop_turn(&pump_world.loop, 0), 0);
    io_pump_all_run(&pump_world.pumps, now_ns);
}

void pump_world_turn(void)
{
    pump_world_turn_at(io_clock_mono_ns());
}

void pump_world_settle(void)
{
    do {
        const uint64_t now_ns = io_clock_mono_ns();
        assert_int_equal(io_loop_turn(&pump_world.loop, io_pump_all_deadline(&pump_world.pumps) == 0
                                                            ? 0
                                                            : now_ns + SETTLED_NS),
                         0);
        io_pump_all_run(&pump_world.pumps, io_clock_mono_ns());
    } while (pump_world.loop.event_count > 0 || io_pump_all_deadline(&pump_world.pumps) == 0);
}

uint8_t pump_world_byte(int end, uint64_t index)
{
    return (uint8_t)(index * 31 + (index >> 8) * 7 + (index >> 16) + (uint64_t)end * 101);
}

size_t pump_world_write_some(struct pump_world_session *session, int end, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        block[i] = pump_world_byte(end, session->written[end] + i);
    }
    const ssize_t written = send(session->ends[end], block, len, MSG_NOSIGNAL);
    if (written <= 0) {
        assert_int_equal(errno, EAGAIN);
        return 0;
    }
    session->written[end] += (uint64_t)written;
    return (size_t)written;
}

void pump_world_write(struct pump_world_session *session, int end, size_t len)
{
    while (len > 0) {
        len -= pump_world_write_some(session, end,
                                     len < PUMP_WORLD_BLOCK_LEN ? len : PUMP_WORLD_BLOCK_LEN);
        pump_world_settle();
    }
}

ssize_t pump_world_read_some(struct pump_world_session *session, int end, size_t len)
{
    const ssize_t got = recv(session->ends[end], block, len, 0);
    bool is_right = true;

    for (ssize_t i = 0; i < got; i++) {
        is_right &= block[i] == pump_world_byte(1 - end, session->read[end] + (uint64_t)i);
    }
    assert_true(is_right);
    session->read[end] += got > 0 ? (uint64_t)got : 0;
    return got;
}

int pump_world_read(struct pump_world_session *session, int end)
{
    for (;;) {
        const ssize_t got = pump_world_read_some(session, end, PUMP_WORLD_BLOCK_LEN);
        if (got <= 0) {
            return got == 0 ? 0 : -errno;
        }
        pump_world_settle();
    }
}

void pump_world_assert_delivered(const struct pump_world_session *session)
{
    for (int end = 0; end < 2; end++) {
        assert_int_equal(session->read[end], session->written[1 - end]);
        assert_int_equal(session->pump.flows[1 - end].byte_count, session->read[end]);
    }
}

void pump_world_shut(struct pump_world_session *session, int end)
{
    assert_int_equal(shutdown(session->ends[end], SHUT_WR), 0);
}
