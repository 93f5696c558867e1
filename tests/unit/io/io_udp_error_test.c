// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_udp_error.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fd.h"
#include "io/io_loop.h"
#include "io/io_privilege.h"
#include "io/io_udp_batch.h"

enum { SKIPPED = 77, WAIT_MS = 2000, FLOOD_COUNT = 2000 };

static bool is_skipped; // some test could not run here, so the program does not claim to pass

static struct addr loopback(enum addr_family family, uint16_t port)
{
    return family == ADDR_IP6 ? addr_ip6((const uint8_t[16]){[15] = 1}, port)
                              : addr_ip4((const uint8_t[]){127, 0, 0, 1}, port);
}

static bool open_at(struct addr local, bool has_errors, struct io_udp *udp)
{
    const struct io_udp_options options = {.local = local, .has_errors = has_errors};
    const int error = io_udp_open(&options, udp);

    if (local.family == ADDR_IP6 && error != 0) {
        puts("skipped: needs IPv6 on loopback");
        is_skipped = true;
        return false;
    }
    assert_int_equal(error, 0);
    return true;
}

// An address at which nobody listens.
static struct addr closed(enum addr_family family)
{
    struct io_udp udp;

    assert_true(open_at(loopback(family, 0), false, &udp));
    const struct addr addr = udp.local;
    io_udp_close(&udp);
    return addr;
}

// Sends so many zeros; the result is io_udp_send()'s.
static int send_zeros(struct io_udp *udp, const struct addr *to, size_t len)
{
    static const uint8_t zeros[65536];
    const struct io_udp_message message = {.to = to, .payload = {zeros, len}};

    return io_udp_send(udp, &message);
}

static bool is_error_waiting(const struct io_udp *udp, int wait_ms)
{
    struct pollfd entry = {.fd = udp->fd};

    return poll(&entry, 1, wait_ms) == 1 && (entry.revents & POLLERR) != 0;
}

static void assert_unreachable_port(const struct io_udp_error *error, const struct addr *peer)
{
    const bool is_ip6 = peer->family == ADDR_IP6;

    assert_true(addr_equal(&error->peer, peer));
    assert_int_equal(error->origin, is_ip6 ? IO_UDP_ERROR_ICMP6 : IO_UDP_ERROR_ICMP4);
    assert_int_equal(error->type, is_ip6 ? 1 : 3);
    assert_int_equal(error->code, is_ip6 ? 4 : 3);
    assert_int_equal(error->error, ECONNREFUSED);
    assert_int_equal(error->mtu, 0);
    assert_int_equal(error->scope, 0);
}

static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};

static void tells_which_ports_are_unreachable_in_their_order(void **state)
{
    struct io_udp udp;

    (void)state;
    for (size_t i = 0; i < 2 && open_at(loopback(families[i], 0), true, &udp); i++) {
        const struct addr peers[] = {closed(families[i]), closed(families[i]), closed(families[i])};
        struct io_udp_error error;

        assert_false(io_udp_error_read(&udp, &error));
        for (size_t j = 0; j < COUNT_OF(peers); j++) {
            assert_int_equal(send_zeros(&udp, &peers[j], j), 0);
        }
        for (size_t j = 0; j < COUNT_OF(peers); j++) {
            assert_true(io_udp_error_read(&udp, &error));
            assert_unreachable_port(&error, &peers[j]);
        }
        memset(&error, 7, sizeof(error));
        const struct io_udp_error before = error;
        assert_false(io_udp_error_read(&udp, &error));
        assert_memory_equal(&error, &before, sizeof(error));
        assert_false(is_error_waiting(&udp, 0));
        io_udp_close(&udp);
    }
}

// All that the kernel may tell beside the error has room.
static void tells_it_with_all_other_options_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct io_udp_options options = {.local = loopback(families[i], 0),
                                         .has_destination = true,
                                         .has_ip_fields = true,
                                         .has_errors = true};
        struct io_udp_error error;
        struct io_udp udp;

        if (io_udp_open(&options, &udp) != 0) {
            assert_int_equal(families[i], ADDR_IP6); // another test says that it is missing
            continue;
        }
        const struct addr peer = closed(families[i]);
        const struct io_udp_message message = {.to = &peer, .ttl = 3, .tos = 3};
        assert_int_equal(io_udp_send(&udp, &message), 0);
        assert_true(io_udp_error_read(&udp, &error));
        assert_unreachable_port(&error, &peer);
        io_udp_close(&udp);
    }
}

static void tells_nothing_to_a_socket_that_did_not_ask(void **state)
{
    struct io_udp udp;
    struct io_udp_error error;
    const struct addr peer = closed(ADDR_IP4);

    (void)state;
    assert_true(open_at(loopback(ADDR_IP4, 0), false, &udp));
    assert_int_equal(send_zeros(&udp, &peer, 1), 0);
    assert_false(is_error_waiting(&udp, 0));
    assert_false(io_udp_error_read(&udp, &error));
    io_udp_close(&udp);
}

static void tells_local_errors_apart(void **state)
{
    struct io_udp udp;

    (void)state;
    for (size_t i = 0; i < 2 && open_at(loopback(families[i], 0), true, &udp); i++) {
        struct io_udp_error error;
        const struct addr peer = loopback(families[i], 9);

        // 65,535 bytes and the headers: more than an IP packet can say of itself.
        assert_int_equal(send_zeros(&udp, &peer, 65535), -EMSGSIZE);
        assert_true(io_udp_error_read(&udp, &error));
        assert_int_equal(error.origin, IO_UDP_ERROR_LOCAL);
        assert_int_equal(error.error, EMSGSIZE);
        assert_int_equal(error.type, 0);
        assert_int_equal(error.code, 0);
        assert_true(error.mtu >= 65535); // loopback has 65,536
        assert_true(addr_same_ip(&error.peer, &peer));
        io_udp_error_clear(&udp); // one for each try
        assert_false(is_error_waiting(&udp, 0));
        io_udp_close(&udp);
    }
}

static void costs_no_datagram_in_either_direction(void **state)
{
    struct io_udp udp;

    (void)state;
    for (size_t i = 0; i < 2 && open_at(loopback(families[i], 0), true, &udp); i++) {
        struct io_udp peer;
        struct io_udp_batch batch;
        struct io_udp_error error;
        const struct addr nobody = closed(families[i]);

        assert_int_equal(io_udp_batch_open(8, 100, &batch), 0);
        assert_true(open_at(loopback(families[i], 0), false, &peer));
        for (size_t len = 1; len <= 4; len++) {
            assert_int_equal(send_zeros(&udp, &nobody, 1), 0);
            assert_true(is_error_waiting(&udp, WAIT_MS));
            assert_int_equal(send_zeros(&udp, &peer.local, len), 0); // meets the error
            assert_int_equal(send_zeros(&udp, &nobody, 1), 0);
            assert_int_equal(send_zeros(&peer, &udp.local, len), 0);
            assert_int_equal(io_udp_batch_receive(&batch, &udp), 0); // meets the error
            assert_int_equal(batch.count, 1);
            assert_int_equal(batch.arrivals[0].len, len);
            assert_true(io_udp_error_read(&udp, &error)); // while another one stays
        }
        assert_int_equal(batch.stats.errors, 4);
        assert_int_equal(io_udp_batch_receive(&batch, &peer), 0);
        assert_int_equal(batch.count, 4);
        io_udp_batch_close(&batch);
        io_udp_close(&peer);
        io_udp_close(&udp);
    }
}

// A socket whose callback does as io_udp_error.h says.
struct end {
    struct io_watch watch;
    struct io_udp udp;
    struct io_udp_batch batch;
    uint32_t datagram_count;
    uint32_t error_count;
    uint32_t call_count;
};

static void take_all(struct io_watch *watch, uint32_t events)
{
    struct end *end = watch->context;
    struct io_udp_error error;
    uint32_t count = 0;

    end->call_count++;
    assert_int_not_equal(events & IO_READABLE, 0);
    assert_int_equal(io_udp_batch_receive(&end->batch, &end->udp), 0);
    end->datagram_count += end->batch.count;
    if ((events & IO_ERROR) != 0) {
        while (count < IO_UDP_ERROR_TURN_MAX && io_udp_error_read(&end->udp, &error)) {
            count++;
        }
        if (count == IO_UDP_ERROR_TURN_MAX) {
            io_udp_error_clear(&end->udp);
        }
        end->error_count += count;
    }
}

static void lets_the_loop_rest_after_one_turn_and_a_flood_pass(void **state)
{
    static const uint32_t counts[] = {1, IO_UDP_ERROR_TURN_MAX - 1, FLOOD_COUNT,
                                      IO_UDP_ERROR_TURN_MAX};
    struct end end = {.watch = {.fn = take_all, .context = &end}};
    struct io_loop loop;

    (void)state;
    assert_int_equal(io_loop_open(&loop), 0);
    assert_int_equal(io_udp_batch_open(8, 100, &end.batch), 0);
    for (size_t i = 0; i < 2 && open_at(loopback(families[i], 0), true, &end.udp); i++) {
        const struct addr nobody = closed(families[i]);

        end.watch.fd = end.udp.fd;
        assert_int_equal(io_loop_add(&loop, &end.watch, IO_READABLE), 0);
        for (size_t j = 0; j < COUNT_OF(counts); j++) {
            end.call_count = end.datagram_count = end.error_count = 0;
            assert_int_equal(send_zeros(&end.udp, &end.udp.local, 1), 0);
            for (uint32_t k = 0; k < counts[j]; k++) {
                assert_int_equal(send_zeros(&end.udp, &nobody, 1), 0);
            }
            assert_int_equal(io_loop_turn(&loop, 0), 0);
            assert_int_equal(io_loop_turn(&loop, 0), 0); // nothing left about which to spin
            assert_int_equal(end.call_count, 1);
            assert_int_equal(end.datagram_count, 1);
            assert_int_equal(end.error_count,
                             counts[j] < IO_UDP_ERROR_TURN_MAX ? counts[j] : IO_UDP_ERROR_TURN_MAX);
        }
        io_loop_remove(&loop, &end.watch);
        io_udp_close(&end.udp);
    }
    io_udp_batch_close(&end.batch);
    io_loop_close(&loop);
}

// A way through a router to a link with a small MTU:
//
//     this namespace                       |  router's namespace
//     near 10.77.0.1/24 2001:db8:1::1/64 --|-- far  10.77.0.2 2001:db8:1::2
//                                          |   thin 198.51.100.1/24 2001:db8:2::1/64, MTU 1280
//
// 203.0.113.0/24 is there, too, but behind 10.77.0.3, of which nobody knows the link address until
// the test says that it is the router's. What is sent until then waits.
static const char script[] =
    "inside() { nsenter -t \"$1\" -n sh -ec \"$2\"; }\n"
    "ip link set lo up\n"
    "ip link add near address 02:00:00:00:00:01 type veth"
    " peer name far address 02:00:00:00:00:02 netns \"$1\"\n"
    "ip addr add 10.77.0.1/24 dev near\n"
    "ip addr add 2001:db8:1::1/64 dev near nodad\n"
    "ip link set near up\n"
    "inside \"$1\" 'ip link set lo up; ip link add thin type veth peer name end\n"
    "    echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding\n"
    "    ip link set thin mtu 1280 up; ip link set end up; ip link set far up\n"
    "    ip addr add 10.77.0.2/24 dev far; ip addr add 2001:db8:1::2/64 dev far nodad\n"
    "    ip addr add 198.51.100.1/24 dev thin; ip addr add 2001:db8:2::1/64 dev thin nodad\n"
    "    ip route add 203.0.113.0/24 dev thin'\n"
    "ip neigh replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev near\n"
    "ip neigh replace 2001:db8:1::2 lladdr 02:00:00:00:00:02 dev near\n"
    "ip route add 198.51.100.0/24 via 10.77.0.2\n"
    "ip route add 203.0.113.0/24 via 10.77.0.3\n"
    "ip -6 route add 2001:db8:2::/64 via 2001:db8:1::2\n";

static bool run(const char *text, pid_t argument)
{
    char number[16];
    int status = -1;

    snprintf(number, sizeof(number), "%d", argument);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-ec", text, "sh", number, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// A process that does nothing but own a namespace, until `*end_fd` is closed.
static pid_t start_router(int *end_fd)
{
    int ready[2];
    int end[2];
    char byte = 0;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(end), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(end[1]);
        if (unshare(CLONE_NEWNET) != 0 || write(ready[1], &byte, 1) != 1) {
            _exit(1);
        }
        _exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
    }
    io_fd_close(&ready[1]);
    io_fd_close(&end[0]);
    const bool is_ready = read(ready[0], &byte, 1) == 1;
    io_fd_close(&ready[0]);
    *end_fd = end[1];
    assert_true(is_ready);
    return child;
}

struct journey {
    struct addr to;
    size_t len;
    bool is_df;
    uint8_t ttl;
    uint8_t type; // what is expected
    uint8_t code;
    uint32_t mtu;
};

static void assert_told(const struct io_udp *udp, const struct journey *journey)
{
    struct io_udp_error error;

    assert_true(is_error_waiting(udp, WAIT_MS));
    assert_true(io_udp_error_read(udp, &error));
    assert_true(addr_equal(&error.peer, &journey->to));
    assert_int_equal(error.origin,
                     journey->to.family == ADDR_IP6 ? IO_UDP_ERROR_ICMP6 : IO_UDP_ERROR_ICMP4);
    assert_int_equal(error.type, journey->type);
    assert_int_equal(error.code, journey->code);
    assert_int_equal(error.mtu, journey->mtu);
    assert_false(io_udp_error_read(udp, &error));
}

static void tells_what_routers_say(void)
{
    const struct addr to4 = addr_ip4((const uint8_t[]){198, 51, 100, 7}, 4004);
    const struct addr to6 =
        addr_ip6((const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [5] = 2, [15] = 7}, 6006);
    const struct journey journeys[] = {
        {to4, 100, false, 1, 11, 0, 0},   {to4, 1400, true, 0, 3, 4, 1280},
        {to4, 1400, true, 9, 3, 4, 1280}, // again: the path MTU cache hides nothing
        {to4, 1400, true, 1, 11, 0, 0},   {to6, 100, false, 1, 3, 0, 0},
        {to6, 1400, true, 0, 2, 0, 1280}, {to6, 1400, true, 9, 2, 0, 1280},
    };
    static const uint8_t zeros[1400];

    for (size_t i = 0; i < COUNT_OF(journeys); i++) {
        const struct journey *const journey = &journeys[i];
        const struct io_udp_message message = {.to = &journey->to,
                                               .is_df = journey->is_df,
                                               .ttl = journey->ttl,
                                               .payload = {zeros, journey->len}};
        struct io_udp udp;

        assert_true(open_at((struct addr){.family = journey->to.family}, true, &udp));
        assert_int_equal(io_udp_send(&udp, &message), 0);
        assert_told(&udp, journey);
        io_udp_close(&udp);
    }
}

static void tells_of_df_after_df_was_cleared_again(void)
{
    const struct journey journey = {
        .to = addr_ip4((const uint8_t[]){203, 0, 113, 7}, 4004), .type = 3, .code = 4, .mtu = 1280};
    static const uint8_t zeros[1400];
    struct io_udp udp;

    assert_true(open_at((struct addr){.family = ADDR_IP4}, true, &udp));
    const struct io_udp_message whole = {
        .to = &journey.to, .is_df = true, .payload = {zeros, sizeof(zeros)}};
    assert_int_equal(io_udp_send(&udp, &whole), 0);
    assert_int_equal(send_zeros(&udp, &journey.to, sizeof(zeros)), 0); // may be fragmented
    assert_false(is_error_waiting(&udp, 0));
    assert_true(run("ip neigh replace 10.77.0.3 lladdr 02:00:00:00:00:02 dev near", 0));
    assert_told(&udp, &journey);
    io_udp_close(&udp);
}

// The last test: the process stays in its own namespace.
static void tells_what_a_router_says_of_ttl_and_length(void **state)
{
    int end_fd = -1;
    int status = -1;

    (void)state;
    if (!io_privilege_is_root() || unshare(CLONE_NEWNET) != 0) {
        puts("skipped: needs root, to make network namespaces");
        is_skipped = true;
        return;
    }
    const pid_t router = start_router(&end_fd);
    if (run(script, router)) {
        tells_what_routers_say();
        tells_of_df_after_df_was_cleared_again();
    } else {
        puts("skipped: needs ip and nsenter, and IPv6, for a router in a namespace");
        is_skipped = true;
    }
    io_fd_close(&end_fd);
    assert_int_equal(waitpid(router, &status, 0), router);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_which_ports_are_unreachable_in_their_order),
        cmocka_unit_test(tells_it_with_all_other_options_on),
        cmocka_unit_test(tells_nothing_to_a_socket_that_did_not_ask),
        cmocka_unit_test(tells_local_errors_apart),
        cmocka_unit_test(costs_no_datagram_in_either_direction),
        cmocka_unit_test(lets_the_loop_rest_after_one_turn_and_a_flood_pass),
        cmocka_unit_test(tells_what_a_router_says_of_ttl_and_length),
    };
    const int failed_count = cmocka_run_group_tests(tests, NULL, NULL);
    return failed_count == 0 && is_skipped ? SKIPPED : failed_count;
}
