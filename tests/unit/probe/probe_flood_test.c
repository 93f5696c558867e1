// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_flood.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "io/io_fd.h"
#include "probe/probe_socket.h"
#include "stun/stun_message.h"

static const struct addr loopback = {{127, 0, 0, 1}, 0, ADDR_IP4, 0};

static void is_what_its_name_says(void **state)
{
    static const enum stun_message_outcome outcomes[] = {
        [PROBE_FLOOD_ALLOCATE] = STUN_MESSAGE_OK,
        [PROBE_FLOOD_BINDING] = STUN_MESSAGE_OK,
        [PROBE_FLOOD_MALFORMED] = STUN_MESSAGE_MALFORMED,
    };
    struct probe_flood flood;
    struct stun_message message = {0};
    struct stun_transaction last = {{0}};
    struct addr at;
    uint8_t datagram[256];
    int fd = -1;

    (void)state;
    assert_int_equal(probe_socket_open(&loopback, NULL, &fd), 0);
    assert_int_equal(probe_socket_local(fd, &at), 0);
    assert_int_equal(probe_flood_open(&flood, &loopback, &at), 0);
    for (int kind = 0; kind < PROBE_FLOOD_KIND_COUNT; kind++) {
        probe_flood_begin(&flood, (enum probe_flood_kind)kind);
        assert_int_equal(probe_flood_send(&flood), PROBE_FLOOD_TRAIN);
        for (int i = 0; i < PROBE_FLOOD_TRAIN; i++) {
            ssize_t len = recv(fd, datagram, sizeof datagram, 0);
            assert_int_equal(len, flood.message_len);
            assert_int_equal(stun_message_read((struct bytes){datagram, len}, &message),
                             outcomes[kind]);
            assert_int_equal(message.header.method,
                             kind == PROBE_FLOOD_BINDING ? STUN_BINDING : STUN_ALLOCATE);
            assert_memory_not_equal(&message.header.transaction, &last, sizeof last);
            last = message.header.transaction;
        }
        assert_int_equal(recv(fd, datagram, sizeof datagram, 0), -1);
    }
    probe_flood_close(&flood);
    io_fd_close(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_what_its_name_says)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
