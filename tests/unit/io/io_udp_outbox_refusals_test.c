// SPDX-License-Identifier: Apache-2.0
// An outbox whose trains a link is too narrow for, or a device refuses.
#define _GNU_SOURCE
#include "io/io_udp_outbox.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_udp_batch.h"
#include "trains.h"

// In a network of its own, whose loopback passes 1,500 bytes; 0, or the line that failed.
static int fault_with_a_narrow_link(enum addr_family family)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_mtu = 1500};
    struct io_udp udp;
    struct io_udp to;
    const size_t fits = family == ADDR_IP4 ? 1472 : 1452;
    const size_t lens[] = {fits, fits + 1, fits + 1, fits};

    const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
    if (control < 0 || ioctl(control, SIOCSIFFLAGS, &request) != 0) {
        return __LINE__;
    }
    request.ifr_mtu = 1500;
    if (ioctl(control, SIOCSIFMTU, &request) != 0) {
        return __LINE__;
    }
    if (!trains_socket(trains_locals[family == ADDR_IP6], false, &udp) ||
        !trains_socket(trains_locals[family == ADDR_IP6], false, &to)) {
        return TRAINS_SKIPPED;
    }
    // Each length twice in a train. What is too long for one is fragmented, and nothing is lost.
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        trains_put(&udp, &to.local, (struct bytes){trains.data, lens[i]});
        trains_put(&udp, &to.local, (struct bytes){trains.data + 1, lens[i]});
        io_udp_outbox_flush(&trains.outbox);
        const uint32_t rest = i == 0 ? 0 : IO_UDP_OUTBOX_REST - (i == 1 ? 0 : 1);
        if (udp.refusal.rest != rest || (rest > 0 && udp.refusal.segment_len != fits + 1)) {
            return __LINE__;
        }
        if (io_udp_batch_receive(&trains.batch, &to) != 0 || trains.batch.count != 2) {
            return __LINE__;
        }
        for (uint32_t k = 0; k < 2; k++) {
            if (trains.batch.arrivals[k].len != lens[i] ||
                memcmp(trains.batch.arrivals[k].ptr, trains.data + k, lens[i]) != 0) {
                return __LINE__;
            }
        }
    }
    if (trains.unsent.calls != 0) {
        return __LINE__;
    }
    // What may not be fragmented is not sent.
    const struct io_udp_message message = {
        .to = &to.local, .payload = {trains.data, fits + 1}, .is_df = true};
    udp.refusal.rest = 0;
    io_udp_outbox_put(&trains.outbox, &udp, &message);
    io_udp_outbox_put(&trains.outbox, &udp, &message);
    io_udp_outbox_flush(&trains.outbox);
    return trains.unsent.count == 2 && trains.unsent.error == -EMSGSIZE ? 0 : __LINE__;
}

static void sends_singly_what_a_link_is_too_narrow_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(trains_locals); i++) {
        int status = -1;
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            _exit(unshare(CLONE_NEWNET) != 0
                      ? TRAINS_SKIPPED
                      : fault_with_a_narrow_link((enum addr_family)trains_locals[i].family) % 256);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == TRAINS_SKIPPED) {
            puts("skipped: needs root for a network of its own, and IPv6");
            trains.is_skipped = true;
            continue;
        }
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static void tries_trains_again_after_a_while(void **state)
{
    struct io_udp udp;

    (void)state;
    assert_true(trains_socket(trains_locals[0], true, &udp));
    udp.refusal = (struct io_udp_refusal){.to = udp.local, .segment_len = 100, .rest = 2};
    static const struct {
        size_t len;
        uint32_t arrivals;
    } flushes[] = {{99, 1}, {100, 2}, {101, 2}, {100, 1}};
    for (size_t i = 0; i < COUNT_OF(flushes); i++) {
        trains_put(&udp, &udp.local, (struct bytes){trains.data, flushes[i].len});
        trains_put(&udp, &udp.local, (struct bytes){trains.data, flushes[i].len});
        io_udp_outbox_flush(&trains.outbox);
        trains_receive(&udp, flushes[i].arrivals);
    }
    io_udp_close(&udp);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAINS_TEST(sends_singly_what_a_link_is_too_narrow_for),
        TRAINS_TEST(tries_trains_again_after_a_while),
    };
    const int failed_count = cmocka_run_group_tests(tests, NULL, NULL);
    return failed_count == 0 && trains.is_skipped ? TRAINS_SKIPPED : failed_count;
}
