// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_udp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_sockaddr.h"

enum { SKIPPED = 77 };

static bool is_skipped; // some test could not run here, so the program does not claim to pass

static const struct bytes hello = BYTES_LITERAL("hello");

static struct addr loopback(enum addr_family family, uint8_t last, uint16_t port)
{
    return family == ADDR_IP6 ? addr_ip6((const uint8_t[16]){[15] = last}, port)
                              : addr_ip4((const uint8_t[]){127, 0, 0, last}, port);
}

static struct io_udp open_at(struct addr local)
{
    struct io_udp udp;

    assert_int_equal(io_udp_open(&(struct io_udp_options){.local = local}, &udp), 0);
    return udp;
}

// Whether this host speaks IPv6 at all; without it the tests of IPv4 still stand.
static bool has_ip6(void)
{
    struct io_udp udp;

    if (io_udp_open(&(struct io_udp_options){.local = loopback(ADDR_IP6, 1, 0)}, &udp) != 0) {
        puts("skipped: needs IPv6 on loopback");
        is_skipped = true;
        return false;
    }
    io_udp_close(&udp);
    return true;
}

static enum addr_family families[] = {ADDR_IP4, ADDR_IP6};

static size_t family_count(void)
{
    return has_ip6() ? 2 : 1;
}

static int option(const struct io_udp *udp, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    assert_int_equal(getsockopt(udp->fd, level, name, &value, &len), 0);
    return value;
}

// Receives one datagram as text, and where it came from.
static ssize_t receive(const struct io_udp *udp, uint8_t *text, size_t room, struct addr *from)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);
    const ssize_t got = recvfrom(udp->fd, text, room, 0, (struct sockaddr *)&name, &len);

    if (got >= 0) {
        assert_true(io_sockaddr_read(&name, len, from, NULL));
    }
    return got;
}

static void binds_to_the_address_and_reads_the_port_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        const struct addr local = loopback(families[i], 1, 0);
        struct io_udp udp = open_at(local);

        assert_true(addr_same_ip(&udp.local, &local));
        assert_int_not_equal(udp.local.port, 0);
        assert_int_not_equal(fcntl(udp.fd, F_GETFL) & O_NONBLOCK, 0);
        assert_int_not_equal(fcntl(udp.fd, F_GETFD) & FD_CLOEXEC, 0);
        assert_int_equal(option(&udp, SOL_SOCKET, SO_REUSEADDR), 0);
        assert_int_equal(option(&udp, SOL_SOCKET, SO_REUSEPORT), 0);
        io_udp_close(&udp);
        assert_int_equal(udp.fd, -1);
        io_udp_close(&udp); // nothing to close any more
    }
}

static void leaves_the_same_port_of_ip4_to_another_socket(void **state)
{
    (void)state;
    if (!has_ip6()) {
        return;
    }
    struct io_udp udp6 = {.fd = -1};
    struct io_udp udp4;
    int error = -EADDRINUSE;

    // Somebody else may have the port of IPv4 just now, but not of each that the kernel chooses.
    for (int tries = 0; error == -EADDRINUSE && tries < 10; tries++) {
        io_udp_close(&udp6);
        udp6 = open_at(addr_ip6((const uint8_t[16]){0}, 0));
        error = io_udp_open(
            &(struct io_udp_options){.local = addr_ip4((const uint8_t[4]){0}, udp6.local.port)},
            &udp4);
    }
    assert_int_equal(option(&udp6, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    assert_int_equal(error, 0);
    io_udp_close(&udp4);
    io_udp_close(&udp6);
}

static void tells_the_reasons_for_not_opening_apart(void **state)
{
    struct io_udp taken = open_at(loopback(ADDR_IP4, 1, 0));
    struct io_udp udp = {.fd = -77};
    struct io_udp_options options = {.local = taken.local};

    (void)state;
    assert_int_equal(io_udp_open(&options, &udp), -EADDRINUSE);
    options.local = addr_ip4((const uint8_t[]){192, 0, 2, 77}, 0);
    assert_int_equal(io_udp_open(&options, &udp), -EADDRNOTAVAIL);
    assert_int_equal(udp.fd, -77); // untouched
    io_udp_close(&taken);
}

static void says_when_there_are_no_descriptors_left_and_leaks_none(void **state)
{
    struct rlimit before;
    struct io_udp udp;
    const int next_fd = dup(STDERR_FILENO);

    (void)state;
    assert_int_equal(close(next_fd), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = (rlim_t)next_fd, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const int error =
        io_udp_open(&(struct io_udp_options){.local = loopback(ADDR_IP4, 1, 0)}, &udp);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(error, -EMFILE);

    struct io_udp taken = open_at(loopback(ADDR_IP4, 1, 0));
    assert_int_equal(taken.fd, next_fd);
    assert_int_equal(io_udp_open(&(struct io_udp_options){.local = taken.local}, &udp),
                     -EADDRINUSE);
    struct io_udp after = open_at(loopback(ADDR_IP4, 1, 0));
    assert_int_equal(after.fd, next_fd + 1); // the refused one was closed
    io_udp_close(&after);
    io_udp_close(&taken);
}

static void wishes_for_buffers_of_any_size(void **state)
{
    struct io_udp udp;
    struct io_udp_options options = {
        .local = loopback(ADDR_IP4, 1, 0), .receive_buffer_len = 32768, .send_buffer_len = 16384};

    (void)state;
    assert_int_equal(io_udp_open(&options, &udp), 0);
    assert_int_equal(option(&udp, SOL_SOCKET, SO_RCVBUF), 2 * 32768); // the kernel doubles it
    assert_int_equal(option(&udp, SOL_SOCKET, SO_SNDBUF), 2 * 16384);
    assert_int_equal(udp.receive_buffer_len, 32768);
    io_udp_close(&udp);
    options.receive_buffer_len = UINT32_MAX;
    options.send_buffer_len = UINT32_MAX;
    assert_int_equal(io_udp_open(&options, &udp), 0);
    assert_int_equal(udp.receive_buffer_len, option(&udp, SOL_SOCKET, SO_RCVBUF) / 2);
    io_udp_close(&udp);
    options = (struct io_udp_options){.local = loopback(ADDR_IP4, 1, 0)};
    assert_int_equal(io_udp_open(&options, &udp), 0);
    assert_true(udp.receive_buffer_len > 0); // the default
    io_udp_close(&udp);
}

// The limit for those without rights, in bytes.
static uint32_t receive_buffer_limit(void)
{
    FILE *const file = fopen("/proc/sys/net/core/rmem_max", "re");
    unsigned limit = 0;

    if (file != NULL) {
        if (fscanf(file, "%u", &limit) != 1) {
            limit = 0;
        }
        assert_int_equal(fclose(file), 0);
    }
    return limit;
}

static void passes_the_limit_of_buffers_with_the_right_to(void **state)
{
    struct io_udp udp;
    const uint32_t limit = receive_buffer_limit();
    const struct io_udp_options options = {.local = loopback(ADDR_IP4, 1, 0),
                                           .receive_buffer_len = limit + 4096};

    (void)state;
    if (limit == 0 || geteuid() != 0) {
        puts("skipped: needs root and /proc/sys/net/core/rmem_max");
        is_skipped = true;
        return;
    }
    assert_int_equal(io_udp_open(&options, &udp), 0);
    assert_int_equal(udp.receive_buffer_len, limit + 4096);
    io_udp_close(&udp);

    assert_int_equal(seteuid(65534), 0); // which takes the right away
    assert_int_equal(io_udp_open(&options, &udp), 0);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(udp.receive_buffer_len, limit);
    io_udp_close(&udp);
}

// The kernel need not tell with each datagram what is known.
static void asks_for_destinations_only_where_there_are_several(void **state)
{
    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        const bool is_ip6 = families[i] == ADDR_IP6;
        const int level = is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP;
        const int name = is_ip6 ? IPV6_RECVPKTINFO : IP_PKTINFO;

        struct io_udp_options options = {
            .local = {.family = (uint8_t)families[i]},
            .has_destination = true,
        };
        struct io_udp udp;

        assert_int_equal(io_udp_open(&options, &udp), 0); // unspecified
        assert_int_equal(option(&udp, level, name), 1);
        io_udp_close(&udp);
        options.local = loopback(families[i], 1, 0);
        assert_int_equal(io_udp_open(&options, &udp), 0);
        assert_int_equal(option(&udp, level, name), 0);
        io_udp_close(&udp);
    }
}

static void sends_head_payload_and_padding_behind_one_another(void **state)
{
    static const struct bytes head = BYTES_LITERAL("head:");

    (void)state;
    for (size_t i = 0; i < family_count(); i++) {
        struct io_udp from = open_at(loopback(families[i], 1, 0));
        struct io_udp to = open_at(loopback(families[i], 1, 0));

        for (uint32_t padding_len = 0; padding_len <= IO_UDP_PADDING_MAX; padding_len++) {
            static const char expected[] = "head:hello\0\0\0";
            uint8_t text[64];
            struct addr source = {.family = ADDR_NONE};
            const struct io_udp_message message = {
                .to = &to.local, .head = head, .payload = hello, .padding_len = padding_len};

            assert_int_equal(io_udp_send(&from, &message), 0);
            assert_int_equal(receive(&to, text, sizeof(text), &source), 10 + padding_len);
            assert_memory_equal(text, expected, 10 + padding_len);
            assert_true(addr_equal(&source, &from.local));
        }
        io_udp_close(&from);
        io_udp_close(&to);
    }
}

static void sends_an_empty_datagram(void **state)
{
    struct io_udp udp = open_at(loopback(ADDR_IP4, 1, 0));
    uint8_t text[4];
    struct addr source = {.family = ADDR_NONE};

    (void)state;
    assert_int_equal(io_udp_send(&udp, &(struct io_udp_message){.to = &udp.local}), 0);
    assert_int_equal(receive(&udp, text, sizeof(text), &source), 0);
    io_udp_close(&udp);
}

static void sends_from_the_address_that_it_is_told(void **state)
{
    struct io_udp from = open_at(addr_ip4((const uint8_t[4]){0}, 0));
    struct io_udp to = open_at(loopback(ADDR_IP4, 1, 0));

    (void)state;
    for (uint8_t last = 2; last < 5; last++) {
        const struct addr source = loopback(ADDR_IP4, last, 0);
        uint8_t text[64];
        struct addr seen = {.family = ADDR_NONE};
        const struct io_udp_message message = {.to = &to.local, .from = &source, .payload = hello};

        assert_int_equal(io_udp_send(&from, &message), 0);
        assert_int_equal(receive(&to, text, sizeof(text), &seen), hello.len);
        assert_true(addr_same_ip(&seen, &source));
        assert_int_equal(seen.port, from.local.port);
    }
    const struct addr foreign = addr_ip4((const uint8_t[]){192, 0, 2, 77}, 0);
    const int error =
        io_udp_send(&from, &(struct io_udp_message){.to = &to.local, .from = &foreign});
    assert_true(error == -EINVAL || error == -ENETUNREACH); // kernels differ
    io_udp_close(&from);
    io_udp_close(&to);
}

static void sends_from_the_ip6_address_that_it_is_told(void **state)
{
    (void)state;
    if (!has_ip6()) {
        return;
    }
    struct io_udp from = open_at(addr_ip6((const uint8_t[16]){0}, 0));
    struct io_udp to = open_at(loopback(ADDR_IP6, 1, 0));
    const struct addr source = loopback(ADDR_IP6, 1, 0);
    uint8_t text[64];
    struct addr seen = {.family = ADDR_NONE};

    assert_int_equal(
        io_udp_send(&from,
                    &(struct io_udp_message){.to = &to.local, .from = &source, .payload = hello}),
        0);
    assert_int_equal(receive(&to, text, sizeof(text), &seen), hello.len);
    assert_true(addr_same_ip(&seen, &source));
    io_udp_close(&from);
    io_udp_close(&to);
}

static void changes_df_only_as_it_is_told(void **state)
{
    static const bool wishes[] = {false, true, true, false, true};

    (void)state;
    for (size_t i = 0; i < 2 * family_count(); i++) {
        const bool is_ip6 = families[i / 2] == ADDR_IP6;
        const bool has_errors = i % 2 == 1;
        const struct io_udp_options options = {.local = loopback(families[i / 2], 1, 0),
                                               .has_errors = has_errors};
        const int level = is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP;
        const int name = is_ip6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER;
        const int clear = has_errors && !is_ip6 ? IP_PMTUDISC_OMIT : IP_PMTUDISC_DONT;
        struct io_udp udp;

        assert_int_equal(io_udp_open(&options, &udp), 0);
        assert_int_equal(option(&udp, level, name), clear); // and not the default, WANT
        for (size_t j = 0; j < COUNT_OF(wishes); j++) {
            const struct io_udp_message message = {
                .to = &udp.local, .payload = hello, .is_df = wishes[j]};
            assert_int_equal(io_udp_send(&udp, &message), 0);
            assert_int_equal(option(&udp, level, name), wishes[j] ? IP_PMTUDISC_PROBE : clear);
            assert_int_equal(udp.is_df, wishes[j]);
        }
        io_udp_close(&udp);
    }
}
_Static_assert(IP_PMTUDISC_DONT == IPV6_PMTUDISC_DONT, "the test compares one pair for both");
_Static_assert(IP_PMTUDISC_PROBE == IPV6_PMTUDISC_PROBE, "the test compares one pair for both");

static void tells_the_reasons_for_not_sending_apart(void **state)
{
    static uint8_t much[65536];
    struct io_udp udp = open_at(addr_ip4((const uint8_t[4]){0}, 0));
    const struct addr portless = loopback(ADDR_IP4, 1, 0);
    const struct addr other = loopback(ADDR_IP6, 1, 9);
    const struct addr nearby = loopback(ADDR_IP4, 1, 9);
    const struct addr broadcast = addr_ip4((const uint8_t[]){127, 255, 255, 255}, 9);
    const struct io_udp_message messages[] = {
        {.to = &portless, .payload = hello},
        {.to = &other, .payload = hello},
        {.to = &nearby, .from = &other, .payload = hello},
        {.to = &nearby, .payload = {much, sizeof(much)}},
        {.to = &broadcast, .payload = hello},
    };
    static const int errors[] = {-EINVAL, -EINVAL, -EINVAL, -EMSGSIZE, -EACCES};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        assert_int_equal(io_udp_send(&udp, &messages[i]), errors[i]);
    }
    assert_int_equal(io_udp_send(&udp, &(struct io_udp_message){.to = &nearby, .payload = hello}),
                     0);
    io_udp_close(&udp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_to_the_address_and_reads_the_port_back),
        cmocka_unit_test(leaves_the_same_port_of_ip4_to_another_socket),
        cmocka_unit_test(tells_the_reasons_for_not_opening_apart),
        cmocka_unit_test(says_when_there_are_no_descriptors_left_and_leaks_none),
        cmocka_unit_test(wishes_for_buffers_of_any_size),
        cmocka_unit_test(passes_the_limit_of_buffers_with_the_right_to),
        cmocka_unit_test(asks_for_destinations_only_where_there_are_several),
        cmocka_unit_test(sends_head_payload_and_padding_behind_one_another),
        cmocka_unit_test(sends_an_empty_datagram),
        cmocka_unit_test(sends_from_the_address_that_it_is_told),
        cmocka_unit_test(sends_from_the_ip6_address_that_it_is_told),
        cmocka_unit_test(changes_df_only_as_it_is_told),
        cmocka_unit_test(tells_the_reasons_for_not_sending_apart),
    };
    const int failed_count = cmocka_run_group_tests(tests, NULL, NULL);
    return failed_count == 0 && is_skipped ? SKIPPED : failed_count;
}
