// SPDX-License-Identifier: Apache-2.0
// The program runs where it belongs, in the kernel: datagrams go over loopback to a whole group of
// sockets, and the test looks who received them.
#define _GNU_SOURCE
#include "relay/relay_lane.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "io/io_random.h"
#include "io/io_sockaddr.h"
#include "io/io_udp_group.h"

enum {
    WORKERS = 4,
    MEMBERS = WORKERS * RELAY_LANE_COUNT,
    CLIENTS = 4096,
    NOBODY = -1,
};

// One socket for each worker and lane, as the relay opens them.
struct group {
    struct io_udp members[MEMBERS];
    int epoll_fd;
};

static bool is_skipped;

static struct addr any(enum addr_family family)
{
    return family == ADDR_IP6 ? addr_ip6((const uint8_t[16]){0}, 0)
                              : addr_ip4((const uint8_t[4]){0}, 0);
}

static void open_group(struct group *group, enum addr_family family, uint32_t worker_count)
{
    struct io_udp_options options = {.local = any(family), .is_shared = true};
    struct sock_filter program[RELAY_LANE_PROGRAM_MAX];
    uint8_t key[RELAY_LANE_KEY_LEN];

    io_random_fill(key, sizeof key);
    const size_t len = relay_lane_program(program, family, worker_count, key);
    assert_in_range(len, 1, RELAY_LANE_PROGRAM_MAX);
    group->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t i = 0; i < worker_count * RELAY_LANE_COUNT; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        assert_int_equal(io_udp_open(&options, &group->members[i]), 0);
        assert_int_equal(epoll_ctl(group->epoll_fd, EPOLL_CTL_ADD, group->members[i].fd, &event),
                         0);
        options.local = group->members[0].local;
    }
    assert_int_equal(io_udp_group_steer(&group->members[0], program, len), 0);
}

static void close_group(struct group *group, uint32_t worker_count)
{
    for (uint32_t i = 0; i < worker_count * RELAY_LANE_COUNT; i++) {
        io_udp_close(&group->members[i]);
    }
    close(group->epoll_fd);
}

// Who has the only datagram that waits; it is gone then.
static int receiver(const struct group *group)
{
    struct epoll_event event;
    uint8_t raw[64];

    if (epoll_wait(group->epoll_fd, &event, 1, 0) != 1) {
        return NOBODY;
    }
    assert_true(recv(group->members[event.data.u32].fd, raw, sizeof raw, 0) >= 0);
    assert_int_equal(epoll_wait(group->epoll_fd, &event, 1, 0), 0);
    return (int)event.data.u32;
}

static struct bytes request(void)
{
    static const uint8_t binding[20] = {0x00, 0x01, [4] = 0x21, 0x12, 0xa4, 0x42};

    return (struct bytes){binding, sizeof binding};
}

static struct bytes chandata(void)
{
    static const uint8_t raw[24] = {0x40, 0x00, 0x00, 0x14};

    return (struct bytes){raw, sizeof raw};
}

// Sends from a client's socket to the group at `to`, and says who received it.
static int steer(const struct group *group, int client, const struct addr *to, struct bytes text)
{
    struct sockaddr_storage name;
    const struct addr whole = addr_with_port(*to, group->members[0].local.port);
    const socklen_t len = io_sockaddr_write(&whole, 0, &name);

    assert_int_equal(sendto(client, text.ptr, text.len, 0, (struct sockaddr *)&name, len),
                     (int)text.len);
    return receiver(group);
}

static int client_at(const struct addr *local)
{
    struct sockaddr_storage name;
    const socklen_t len = io_sockaddr_write(local, 0, &name);
    const int fd = socket(local->family == ADDR_IP6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

    assert_true(fd >= 0);
    // IPv6 binds to an address of the interface only, though the route brings all that are local.
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &(int){1}, sizeof(int)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, len), 0);
    return fd;
}

static int worker_of(int member)
{
    return member / RELAY_LANE_COUNT;
}

static int lane_of(int member)
{
    return member % RELAY_LANE_COUNT;
}

// Control comes by lane 0 and data by one other, both to the same worker, time after time. Which
// one the data came to.
static int expect_steady(const struct group *group, int client, const struct addr *to)
{
    const int data = steer(group, client, to, chandata());
    const int control = steer(group, client, to, request());

    assert_int_not_equal(data, NOBODY);
    assert_int_not_equal(lane_of(data), RELAY_LANE_CONTROL);
    assert_int_equal(lane_of(control), RELAY_LANE_CONTROL);
    assert_int_equal(worker_of(control), worker_of(data));
    assert_int_equal(steer(group, client, to, chandata()), data);
    return data;
}

// Of `count` throws into `cells` equal cells none is further from the mean than chance explains:
// six standard deviations, which happens once in a hundred million.
static void expect_even(const uint32_t *cells, uint32_t cell_count, uint32_t count)
{
    const double mean = (double)count / cell_count;

    for (uint32_t i = 0; i < cell_count; i++) {
        const double off = (double)cells[i] - mean;
        if (off * off > 36 * mean) {
            fail_msg("cell %u has %u of %u, and the mean is %f", i, cells[i], count, mean);
        }
    }
}

// `client_address` makes the i-th of CLIENTS addresses and ports.
static void expect_spread(enum addr_family family, const struct addr *to,
                          struct addr (*client_address)(uint32_t i))
{
    struct group group;
    uint32_t workers[WORKERS] = {0};
    uint32_t members[MEMBERS] = {0};
    uint32_t lanes[WORKERS * RELAY_LANE_DATA_COUNT] = {0};
    size_t used = 0;

    open_group(&group, family, WORKERS);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        const struct addr local = client_address(i);
        const int client = client_at(&local);
        const int member = expect_steady(&group, client, to);

        close(client);
        workers[worker_of(member)]++;
        members[member]++;
    }
    for (int i = 0; i < MEMBERS; i++) {
        if (lane_of(i) != RELAY_LANE_CONTROL) {
            lanes[used++] = members[i];
        }
    }
    expect_even(workers, WORKERS, CLIENTS);
    expect_even(lanes, COUNT_OF(lanes), CLIENTS);
    close_group(&group, WORKERS);
}

static struct addr ip4_of_many_addresses(uint32_t i)
{
    return addr_ip4((const uint8_t[]){127, 1, (uint8_t)(i >> 8), (uint8_t)i}, 20000);
}

static struct addr ip4_of_many_ports(uint32_t i)
{
    return addr_ip4((const uint8_t[]){127, 0, 0, 1}, (uint16_t)(20000 + i));
}

static struct addr ip6_of_many_ports(uint32_t i)
{
    return host_loopback(ADDR_IP6, (uint16_t)(20000 + i));
}

// Addresses of one network, which differ in the network's part or in the interface's.
static struct addr ip6_of_many_addresses(uint32_t i)
{
    uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8};

    ip[i % 2 == 0 ? 6 : 14] = (uint8_t)(i >> 9);
    ip[i % 2 == 0 ? 7 : 15] = (uint8_t)(i >> 1);
    return addr_ip6(ip, 20000);
}

// In a child with a network of its own, where every port and address is free.
static int spread_in_child(void)
{
    const struct addr to4 = host_loopback(ADDR_IP4, 0);
    const struct addr to6 = host_loopback(ADDR_IP6, 0);

    expect_spread(ADDR_IP4, &to4, ip4_of_many_addresses);
    expect_spread(ADDR_IP4, &to4, ip4_of_many_ports);
    expect_spread(ADDR_IP6, &to6, ip6_of_many_ports);
    assert_int_equal(system("ip -6 route add local 2001:db8::/32 dev lo"), 0);
    expect_spread(ADDR_IP6, &to6, ip6_of_many_addresses);
    return 0;
}

static void each_client_meets_one_worker_and_all_are_spread_evenly(void **state)
{
    (void)state;
    const int result = host_without_network(spread_in_child);

    is_skipped = is_skipped || result < 0;
    assert_true(result <= 0);
}

// Each kind of option, in growing numbers: all of the same client go the same way.
static void options_of_ip_change_nothing(void **state)
{
    static const uint8_t options[40] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const struct addr to = host_loopback(ADDR_IP4, 0);
    struct group group;

    (void)state;
    open_group(&group, ADDR_IP4, WORKERS);
    for (int i = 0; i < 64; i++) {
        const int client = client_at(&to);
        const int data = expect_steady(&group, client, &to);

        for (socklen_t len = 4; len <= sizeof options; len += 4) {
            assert_int_equal(setsockopt(client, IPPROTO_IP, IP_OPTIONS, options, len), 0);
            assert_int_equal(expect_steady(&group, client, &to), data);
        }
        close(client);
    }
    close_group(&group, WORKERS);
}

// One extension header, as long as an experimental option (RFC 4727) makes it that is skipped.
static void set_header(int client, int option, uint8_t len_8)
{
    uint8_t raw[64] = {[1] = len_8, [2] = 0x1e, [3] = (uint8_t)(len_8 * 8 + 4)};

    if (setsockopt(client, IPPROTO_IPV6, option, raw, (len_8 + 1) * 8) != 0) {
        fail_msg("option %d: %s", option, strerror(errno));
    }
}

static void extension_headers_change_nothing(void **state)
{
    const struct addr to = host_loopback(ADDR_IP6, 0);
    struct group group;

    (void)state;
    if (!host_has_ip6() || geteuid() != 0) {
        puts("skipped: needs IPv6 on loopback, and root to send extension headers");
        is_skipped = true;
        return;
    }
    open_group(&group, ADDR_IP6, WORKERS);
    for (int i = 0; i < 64; i++) {
        const int client = client_at(&to);
        const int data = expect_steady(&group, client, &to);

        set_header(client, IPV6_DSTOPTS, 0);
        assert_int_equal(expect_steady(&group, client, &to), data);
        set_header(client, IPV6_DSTOPTS, 3);
        assert_int_equal(expect_steady(&group, client, &to), data);
        set_header(client, IPV6_HOPOPTS, 1);
        assert_int_equal(expect_steady(&group, client, &to), data);
        close(client);
    }
    close_group(&group, WORKERS);
}

// What is control and what is data, by its first bytes.
static void only_stun_that_is_no_data_is_control(void **state)
{
    static const struct {
        uint8_t raw[24];
        size_t len;
        bool is_control;
    } list[] = {
        {{0x00, 0x01}, 20, true},         // Binding request
        {{0x00, 0x03}, 24, true},         // Allocate request
        {{0x3f, 0xff}, 20, true},         // STUN of any kind
        {{0x00, 0x16}, 24, false},        // Send indication
        {{0x00, 0x04}, 24, false},        // Refresh request
        {{0x01, 0x04}, 24, true},         // and its response
        {{0x00, 0x17}, 24, true},         // Data indication
        {{0x00, 0x01}, 19, false},        // shorter than a STUN header
        {{0x40, 0x00, 0, 16}, 20, false}, // ChannelData
        {{0x7f, 0xff, 0, 16}, 20, false}, //
        {{0x40, 0x00}, 4, false},         // ChannelData without data
        {{0x80, 0x00}, 24, false},        // neither
        {{0xff, 0xff}, 24, false},        //
        {{0x00}, 1, false},               //
        {{0}, 0, false},                  //
    };
    const struct addr to = host_loopback(ADDR_IP4, 0);
    struct group group;

    (void)state;
    open_group(&group, ADDR_IP4, WORKERS);
    for (int k = 0; k < 64; k++) {
        const int client = client_at(&to);
        const int data = expect_steady(&group, client, &to);

        for (size_t i = 0; i < COUNT_OF(list); i++) {
            const int member = steer(&group, client, &to, (struct bytes){list[i].raw, list[i].len});
            assert_int_equal(member,
                             list[i].is_control ? worker_of(data) * RELAY_LANE_COUNT : data);
        }
        close(client);
    }
    close_group(&group, WORKERS);
}

static void one_worker_has_all(void **state)
{
    const struct addr to = host_loopback(ADDR_IP4, 0);
    struct group group;
    uint32_t lanes[RELAY_LANE_DATA_COUNT] = {0};

    (void)state;
    open_group(&group, ADDR_IP4, 1);
    for (int i = 0; i < 1024; i++) {
        const int client = client_at(&to);
        const int member = expect_steady(&group, client, &to);

        assert_int_equal(worker_of(member), 0);
        lanes[lane_of(member) - 1]++;
        close(client);
    }
    expect_even(lanes, COUNT_OF(lanes), 1024);
    close_group(&group, 1);
}

// Every number that can be chosen is a socket's, up to the most workers there may be.
static void the_kernel_takes_the_program_for_any_number_of_workers(void **state)
{
    static const uint32_t counts[] = {1, 2, 3, 5, 64, 255, 256, UINT16_MAX};
    struct io_udp udp = {.fd = -1};
    const struct io_udp_options options = {.local = host_loopback(ADDR_IP4, 0), .is_shared = true};

    (void)state;
    assert_int_equal(io_udp_open(&options, &udp), 0);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        for (enum addr_family family = ADDR_IP4; family <= ADDR_IP6; family++) {
            struct sock_filter program[RELAY_LANE_PROGRAM_MAX];
            const uint8_t zeros[RELAY_LANE_KEY_LEN] = {0};
            const size_t len = relay_lane_program(program, family, counts[i], zeros);
            assert_int_equal(io_udp_group_steer(&udp, program, len), 0);
        }
    }
    io_udp_close(&udp);
}

static void another_key_steers_otherwise(void **state)
{
    const struct addr to = host_loopback(ADDR_IP4, 0);
    struct group one;
    struct group other;
    int equal_count = 0;

    (void)state;
    open_group(&one, ADDR_IP4, WORKERS);
    open_group(&other, ADDR_IP4, WORKERS);
    for (int i = 0; i < 1024; i++) {
        const int client = client_at(&to);
        equal_count += expect_steady(&one, client, &to) == expect_steady(&other, client, &to);
        close(client);
    }
    assert_in_range(equal_count, 1, 128); // 32 of them by chance
    close_group(&one, WORKERS);
    close_group(&other, WORKERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_client_meets_one_worker_and_all_are_spread_evenly),
        cmocka_unit_test(options_of_ip_change_nothing),
        cmocka_unit_test(extension_headers_change_nothing),
        cmocka_unit_test(only_stun_that_is_no_data_is_control),
        cmocka_unit_test(one_worker_has_all),
        cmocka_unit_test(the_kernel_takes_the_program_for_any_number_of_workers),
        cmocka_unit_test(another_key_steers_otherwise),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);

    return failed == 0 && is_skipped ? HOST_SKIPPED : failed;
}
