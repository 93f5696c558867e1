// SPDX-License-Identifier: Apache-2.0
#include "io/io_udp_group.h"

#include <errno.h>
#include <linux/filter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { MEMBERS = 3 };

static struct addr loopback(uint16_t port)
{
    return addr_ip4((const uint8_t[]){127, 0, 0, 1}, port);
}

static struct io_udp open_at(struct addr local, bool is_shared)
{
    struct io_udp udp = {.fd = -1};

    assert_int_equal(
        io_udp_open(&(struct io_udp_options){.local = local, .is_shared = is_shared}, &udp), 0);
    return udp;
}

static void open_members(struct io_udp members[MEMBERS])
{
    members[0] = open_at(loopback(0), false);
    assert_int_equal(io_udp_group_found(&members[0]), 0);
    for (int i = 1; i < MEMBERS; i++) {
        members[i] = open_at(members[0].local, true);
    }
}

static void close_members(struct io_udp members[MEMBERS])
{
    for (int i = 0; i < MEMBERS; i++) {
        io_udp_close(&members[i]);
    }
}

// How many datagrams wait at a socket; they are gone then.
static int take_all(const struct io_udp *udp)
{
    uint8_t text[16];
    int count = 0;

    while (recv(udp->fd, text, sizeof text, 0) >= 0) {
        count++;
    }
    return count;
}

static void send_to(const struct io_udp *from, const struct addr *to, const char *text)
{
    const struct io_udp_message message = {.to = to, .payload = bytes_of_text(text)};
    struct io_udp copy = *from;

    assert_int_equal(io_udp_send(&copy, &message), 0);
}

static void probe_tells_whether_somebody_has_the_port(void **state)
{
    (void)state;
    for (int is_shared = 0; is_shared < 2; is_shared++) {
        struct io_udp other = open_at(loopback(0), is_shared);
        const struct addr local = other.local;

        assert_int_equal(io_udp_group_probe(&local), -EADDRINUSE);
        io_udp_close(&other);
        assert_int_equal(io_udp_group_probe(&local), 0);
        assert_int_equal(io_udp_group_probe(&local), 0); // it has left nothing behind
    }
}

static void only_those_share_that_say_so(void **state)
{
    struct io_udp first = open_at(loopback(0), false);
    struct io_udp_options options = {.local = first.local, .is_shared = true};
    struct io_udp second = {.fd = -1};

    (void)state;
    assert_int_equal(io_udp_open(&options, &second), -EADDRINUSE); // no group is founded
    assert_int_equal(io_udp_group_found(&first), 0);
    options.is_shared = false;
    assert_int_equal(io_udp_open(&options, &second), -EADDRINUSE);
    options.is_shared = true;
    assert_int_equal(io_udp_open(&options, &second), 0);
    io_udp_close(&first);
    io_udp_close(&second);
}

// As two relays would that are started at the same moment: the port is free when each of them asks.
static void only_one_founds_a_group(void **state)
{
    struct io_udp members[MEMBERS];
    struct io_udp_options options = {.is_shared = false};
    struct io_udp other = {.fd = -1};

    (void)state;
    open_members(members);
    options.local = members[0].local;
    assert_int_equal(io_udp_open(&options, &other), -EADDRINUSE);
    close_members(members);
    assert_int_equal(io_udp_open(&options, &other), 0);
    io_udp_close(&other);
}

// The program returns the first byte of the payload.
static void the_program_names_a_socket_by_the_order_of_opening(void **state)
{
    static const struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct io_udp members[MEMBERS];
    struct io_udp client = open_at(loopback(0), false);

    (void)state;
    open_members(members);
    assert_int_equal(io_udp_group_steer(&members[0], program, COUNT_OF(program)), 0);
    for (int i = 0; i < MEMBERS; i++) {
        const char text[] = {(char)i, 'x', '\0'};
        const struct io_udp_message message = {
            .to = &members[0].local,
            .payload = {(const uint8_t *)text, 2},
        };
        for (int k = 0; k <= i; k++) {
            assert_int_equal(io_udp_send(&client, &message), 0);
        }
    }
    for (int i = 0; i < MEMBERS; i++) {
        assert_int_equal(take_all(&members[i]), i + 1);
    }
    close_members(members);
    io_udp_close(&client);
}

static void a_number_that_nobody_has_leaves_it_to_the_kernel(void **state)
{
    static const struct sock_filter program[] = {BPF_STMT(BPF_RET | BPF_K, MEMBERS)};
    struct io_udp members[MEMBERS];
    struct io_udp client = open_at(loopback(0), false);
    int count = 0;

    (void)state;
    open_members(members);
    assert_int_equal(io_udp_group_steer(&members[0], program, COUNT_OF(program)), 0);
    send_to(&client, &members[0].local, "hello");
    for (int i = 0; i < MEMBERS; i++) {
        count += take_all(&members[i]);
    }
    assert_int_equal(count, 1);
    close_members(members);
    io_udp_close(&client);
}

static void a_program_that_never_returns_is_refused(void **state)
{
    static const struct sock_filter program[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0)};
    struct io_udp members[MEMBERS];

    (void)state;
    open_members(members);
    assert_int_equal(io_udp_group_steer(&members[0], program, COUNT_OF(program)), -EINVAL);
    close_members(members);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probe_tells_whether_somebody_has_the_port),
        cmocka_unit_test(only_those_share_that_say_so),
        cmocka_unit_test(only_one_founds_a_group),
        cmocka_unit_test(the_program_names_a_socket_by_the_order_of_opening),
        cmocka_unit_test(a_number_that_nobody_has_leaves_it_to_the_kernel),
        cmocka_unit_test(a_program_that_never_returns_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
