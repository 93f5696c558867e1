// SPDX-License-Identifier: Apache-2.0
#include "xdp/xdp_route.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "xdp_world.h"

static struct xdp_netlink netlink;

static int find_from(const char *destination, uint16_t port, const char *source,
                     struct xdp_route *out)
{
    const struct addr to = xdp_world_addr(destination, port);
    const struct addr from = xdp_world_addr(source, 50000);

    return xdp_route_find(&netlink, &to, &from, out);
}

static struct xdp_route found(const char *destination, const char *source)
{
    struct xdp_route route;

    assert_int_equal(find_from(destination, 5000, source, &route), 0);
    return route;
}

static void expect(struct xdp_route route, const char *next, const char *name, uint32_t mtu)
{
    const struct addr wanted = xdp_world_addr(next, 0);

    assert_true(addr_equal(&route.next, &wanted));
    assert_int_equal(route.ifindex, xdp_world_ifindex(name));
    assert_int_equal(route.mtu, mtu);
}

static void finds_neighbours_and_routers(void **state)
{
    (void)state;
    xdp_world_run("ip route add 203.0.113.0/24 via 192.0.2.254 mtu 1400");
    xdp_world_run("ip route add 203.0.113.77 via inet6 2001:db8::fe dev near0");
    xdp_world_run("ip -6 route add 2001:db8:1::/64 via 2001:db8::fe mtu 1300");
    expect(found("192.0.2.9", "192.0.2.1"), "192.0.2.9", "near0", 0);
    expect(found("198.51.100.9", "198.51.100.1"), "198.51.100.9", "near1", 0);
    expect(found("203.0.113.9", "192.0.2.1"), "192.0.2.254", "near0", 1400);
    expect(found("203.0.113.77", "192.0.2.1"), "2001:db8::fe", "near0", 0);
    expect(found("2001:db8::9", "2001:db8::1"), "2001:db8::9", "near0", 0);
    expect(found("2001:db8:1::9", "2001:db8::1"), "2001:db8::fe", "near0", 1300);
    xdp_world_run("ip route flush root 203.0.113.0/24 && ip -6 route del 2001:db8:1::/64");
}

// Rules may look at protocol and ports, so the question has them.
static void asks_for_udp_with_its_ports(void **state)
{
    struct xdp_route route;

    (void)state;
    xdp_world_run("ip rule add ipproto udp dport 5001 table 77");
    xdp_world_run("ip route add 203.0.113.0/24 via 192.0.2.253 table 77");
    xdp_world_run("ip route add 203.0.113.0/24 via 192.0.2.254");
    assert_int_equal(find_from("203.0.113.9", 5000, "192.0.2.1", &route), 0);
    expect(route, "192.0.2.254", "near0", 0);
    assert_int_equal(find_from("203.0.113.9", 5001, "192.0.2.1", &route), 0);
    expect(route, "192.0.2.253", "near0", 0);
    xdp_world_run("ip rule del table 77 && ip route flush table 77");
    xdp_world_run("ip route del 203.0.113.0/24");
}

static void finds_no_way(void **state)
{
    struct xdp_route route = {.ifindex = 77};

    (void)state;
    assert_int_equal(find_from("192.0.2.1", 5000, "192.0.2.1", &route), -EHOSTUNREACH);
    assert_int_equal(find_from("224.0.0.1", 5000, "192.0.2.1", &route), -EHOSTUNREACH);
    assert_int_equal(find_from("fe80::9", 5000, "2001:db8::1", &route), -EHOSTUNREACH);
    assert_int_equal(find_from("203.0.113.9", 5000, "192.0.2.1", &route), -ENETUNREACH);
    assert_int_not_equal(find_from("192.0.2.9", 5000, "192.0.2.8", &route), 0); // not our source
    assert_int_equal(route.ifindex, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_neighbours_and_routers),
        cmocka_unit_test(asks_for_udp_with_its_ports),
        cmocka_unit_test(finds_no_way),
    };
    if (!xdp_world_enter()) {
        return XDP_WORLD_SKIPPED;
    }
    if (xdp_netlink_open(&netlink) != 0) {
        return 1;
    }
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    xdp_netlink_close(&netlink);
    return failed;
}
