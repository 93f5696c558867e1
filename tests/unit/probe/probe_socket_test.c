// SPDX-License-Identifier: Apache-2.0
// Sockets on the loopback interface.
#include "probe/probe_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "io/io_fd.h"

enum { MARK = 0x01020304, LEN = 100, TRAIN = 7 };

static const struct addr loopback = {{127, 0, 0, 1}, 0, ADDR_IP4, 0};

struct pair {
    int from;
    int to;
};

static struct pair open_pair(void)
{
    struct pair pair = {-1, -1};
    struct addr at;

    assert_int_equal(probe_socket_open(&loopback, NULL, &pair.to), 0);
    assert_int_equal(probe_socket_local(pair.to, &at), 0);
    assert_int_not_equal(at.port, 0);
    assert_int_equal(probe_socket_open(&loopback, &at, &pair.from), 0);
    return pair;
}

static void close_pair(struct pair *pair)
{
    io_fd_close(&pair->from);
    io_fd_close(&pair->to);
}

// A train of datagrams of LEN bytes that begin with the mark.
static void send_train(const struct pair *pair, uint32_t mark)
{
    uint8_t bytes[TRAIN * LEN] = {0};
    union {
        uint8_t bytes[PROBE_SOCKET_CONTROL_LEN];
        struct cmsghdr aligned;
    } control;
    struct iovec vector = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

    for (int i = 0; i < TRAIN; i++) {
        struct wr wr = wr_init(bytes + i * LEN, LEN);
        wr_u32(&wr, mark);
    }
    probe_socket_cut(&message, control.bytes, LEN);
    assert_int_equal(sendmsg(pair->from, &message, 0), sizeof bytes);
}

static int receive_all(int fd)
{
    uint8_t bytes[2 * LEN];
    int count = 0;

    while (recv(fd, bytes, sizeof bytes, 0) == LEN) {
        count++;
    }
    return count;
}

static void counts_each_datagram_with_the_mark_and_hands_out_the_others(void **state)
{
    struct pair pair = open_pair();
    uint32_t before = 0;
    uint32_t after = 0;

    (void)state;
    assert_int_equal(probe_socket_count(pair.to, 0, MARK), 0);
    assert_int_equal(probe_socket_refused(pair.to, &before), 0);
    send_train(&pair, MARK);
    send_train(&pair, MARK + 1);
    assert_int_equal(probe_socket_refused(pair.to, &after), 0);
    assert_int_equal(after - before, TRAIN);
    assert_int_equal(receive_all(pair.to), TRAIN);
    assert_int_equal(probe_socket_count(pair.to, 0, MARK + 1), 0); // another trial
    send_train(&pair, MARK + 1);
    assert_int_equal(probe_socket_refused(pair.to, &after), 0);
    assert_int_equal(after - before, 2 * TRAIN);
    assert_int_equal(receive_all(pair.to), 0);
    close_pair(&pair);
}

static void refuses_everything(void **state)
{
    struct pair pair = open_pair();

    (void)state;
    assert_int_equal(probe_socket_refuse(pair.to), 0);
    send_train(&pair, MARK);
    assert_int_equal(receive_all(pair.to), 0);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_each_datagram_with_the_mark_and_hands_out_the_others),
        cmocka_unit_test(refuses_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
