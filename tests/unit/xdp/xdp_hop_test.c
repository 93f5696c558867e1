// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_hop.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/dies.h"
#include "xdp_world.h"

enum { HOPS = 4 };

struct world {
    struct xdp_program program;
    struct xdp_hop_set set;
};

static const uint8_t mac_near0[] = {2, 0, 0, 0, 0, 0x10};
static const uint8_t mac_near1[] = {2, 0, 0, 0, 0, 0x11};

static void attach(struct world *world, const char *name)
{
    struct xdp_reason reason;

    assert_int_equal(xdp_program_attach(&world->program, name, XDP_LINK_GENERIC, &reason), 0);
}

static void open_world(struct world *world)
{
    xdp_world_open(&world->program, 8, HOPS);
    attach(world, "near0");
    attach(world, "near1");
    assert_int_equal(xdp_hop_open(&world->program, &world->set), 0);
}

// Leaves the namespace as it was.
static void close_world(struct world *world)
{
    assert_int_equal(world->set.pool.used, 0);
    xdp_hop_close(&world->set);
    xdp_program_close(&world->program);
    xdp_world_run("ip neigh flush dev near0 nud all; ip neigh flush dev near1 nud all");
}

static uint32_t take(struct world *world, const char *destination, const char *source)
{
    const struct addr to = xdp_world_addr(destination, 5000);
    const struct addr from = xdp_world_addr(source, 50000);
    uint32_t hop = 77;

    assert_int_equal(xdp_hop_take(&world->set, &to, &from, &hop), 0);
    assert_true(hop <= HOPS);
    return hop;
}

static struct relay_abi_hop in_map(const struct world *world, uint32_t hop)
{
    struct relay_abi_hop value;

    assert_int_equal(bpf_map_lookup_elem(world->program.hops_fd, &hop, &value), 0);
    return value;
}

// Takes all events that there are. True when ways may be new.
static bool read_all(struct world *world)
{
    bool has_new_ways = false;

    assert_int_equal(xdp_hop_read(&world->set, &has_new_ways), 0);
    return has_new_ways;
}

static bool is_known(const struct world *world, uint32_t hop)
{
    return in_map(world, hop).ifindex != 0;
}

static void neighbour(const char *name, const char *ip, int last_of_mac)
{
    xdp_world_run("ip neigh replace %s lladdr 02:00:00:00:00:%02x nud reachable dev %s", ip,
                  last_of_mac, name);
}

static void leads_to_a_neighbour_on_the_lan(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    neighbour("near0", "192.0.2.9", 0x99);
    const uint32_t hop = take(&world, "192.0.2.9", "192.0.2.1");
    const struct relay_abi_hop value = in_map(&world, hop);
    const struct relay_abi_hop expected = {
        .ifindex = xdp_world_ifindex("near0"),
        .mtu = 1500,
        .to_mac = {2, 0, 0, 0, 0, 0x99},
        .from_mac = {2, 0, 0, 0, 0, 0x10},
    };
    assert_memory_equal(&value, &expected, sizeof value);

    neighbour("near0", "2001:db8::9", 0x96);
    const uint32_t hop6 = take(&world, "2001:db8::9", "2001:db8::1");
    assert_int_not_equal(hop6, hop);
    assert_int_equal(in_map(&world, hop6).to_mac[5], 0x96);
    assert_memory_equal(in_map(&world, hop6).from_mac, mac_near0, sizeof mac_near0);
    xdp_hop_give(&world.set, hop);
    xdp_hop_give(&world.set, hop6);
    assert_false(is_known(&world, hop));
    close_world(&world);
}

static void shares_the_hop_to_a_router(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    xdp_world_run("ip route add default via 192.0.2.254");
    xdp_world_run("ip -6 route add default via 2001:db8::fe");
    neighbour("near0", "192.0.2.254", 0xfe);
    neighbour("near0", "2001:db8::fe", 0xfd);
    const uint32_t hop = take(&world, "203.0.113.1", "192.0.2.1");
    assert_int_not_equal(hop, RELAY_ABI_HOP_NONE);
    assert_int_equal(take(&world, "203.0.113.2", "192.0.2.1"), hop);
    assert_int_equal(in_map(&world, hop).to_mac[5], 0xfe);
    const uint32_t hop6 = take(&world, "2001:db8:1::1", "2001:db8::1");
    assert_int_equal(take(&world, "2001:db8:2::1", "2001:db8::1"), hop6);
    assert_int_equal(in_map(&world, hop6).to_mac[5], 0xfd);
    assert_int_equal(world.set.pool.used, 2);

    xdp_hop_give(&world.set, hop);
    assert_true(is_known(&world, hop)); // the other one has it still
    xdp_hop_give(&world.set, hop);
    assert_false(is_known(&world, hop));
    xdp_hop_give(&world.set, hop6);
    xdp_hop_give(&world.set, hop6);
    xdp_world_run("ip route del default; ip -6 route del default");
    close_world(&world);
}

static void leads_over_an_ip6_router_to_ip4(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    xdp_world_run("ip route add 203.0.113.0/24 via inet6 2001:db8::fe dev near0");
    neighbour("near0", "2001:db8::fe", 0xfd);
    const uint32_t hop = take(&world, "203.0.113.1", "192.0.2.1");
    assert_int_equal(in_map(&world, hop).to_mac[5], 0xfd);
    xdp_hop_give(&world.set, hop);
    xdp_world_run("ip route del 203.0.113.0/24");
    close_world(&world);
}

static void leaves_by_the_interface_that_the_route_names(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    neighbour("near1", "198.51.100.9", 0x91);
    const uint32_t hop = take(&world, "198.51.100.9", "198.51.100.1");
    assert_int_equal(in_map(&world, hop).ifindex, xdp_world_ifindex("near1"));
    assert_memory_equal(in_map(&world, hop).from_mac, mac_near1, sizeof mac_near1);
    xdp_hop_give(&world.set, hop);

    // The source decides, too.
    xdp_world_run("ip route add 203.0.113.0/24 via 192.0.2.254");
    xdp_world_run("ip rule add from 198.51.100.1 table 77");
    xdp_world_run("ip route add 203.0.113.0/24 via 198.51.100.9 table 77");
    neighbour("near0", "192.0.2.254", 0xfe);
    const uint32_t other = take(&world, "203.0.113.1", "192.0.2.1");
    const uint32_t by_rule = take(&world, "203.0.113.1", "198.51.100.1");
    assert_int_equal(in_map(&world, other).to_mac[5], 0xfe);
    assert_int_equal(in_map(&world, by_rule).to_mac[5], 0x91);
    xdp_hop_give(&world.set, other);
    xdp_hop_give(&world.set, by_rule);
    xdp_world_run("ip route del 203.0.113.0/24; ip rule del from 198.51.100.1 table 77");
    xdp_world_run("ip route flush table 77");
    close_world(&world);
}

static void leaves_to_the_sockets_what_is_no_way_out(void **state)
{
    struct world world;
    static const struct {
        const char *destination, *source;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},       // this host
        {"127.0.0.1", "127.0.0.1"},       // loopback
        {"198.51.100.1", "192.0.2.1"},    // this host's other address
        {"2001:db8::1", "2001:db8::1"},   //
        {"192.0.2.255", "192.0.2.1"},     // broadcast
        {"224.0.0.251", "192.0.2.1"},     // multicast
        {"ff02::fb", "2001:db8::1"},      //
        {"203.0.113.1", "192.0.2.1"},     // no route
        {"2001:db8:1::1", "2001:db8::1"}, //
        {"203.0.113.65", "192.0.2.1"},    // blackhole
        {"203.0.113.129", "192.0.2.1"},   // unreachable
        {"203.0.113.193", "192.0.2.1"},   // prohibited
        {"2001:db8:65::1", "2001:db8::1"}, {"2001:db8:129::1", "2001:db8::1"},
        {"192.0.2.9", "192.0.2.2"}, // not our source
        {"10.0.0.9", "10.0.0.1"},   // an interface without the program
        {"10.1.0.9", "10.1.0.1"},   // an interface without Ethernet
    };

    (void)state;
    open_world(&world);
    xdp_world_run("ip route add blackhole 203.0.113.64/26");
    xdp_world_run("ip route add unreachable 203.0.113.128/26");
    xdp_world_run("ip route add prohibit 203.0.113.192/26");
    xdp_world_run("ip route add blackhole 2001:db8:65::/64");
    xdp_world_run("ip route add unreachable 2001:db8:129::/64");
    xdp_world_run("ip address add 10.0.0.1/24 dev far0");
    neighbour("far0", "10.0.0.9", 1);
    xdp_world_run("ip tuntap add mode tun name tun0 && ip link set tun0 up");
    xdp_world_run("ip address add 10.1.0.1/24 dev tun0");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const uint32_t hop = take(&world, rows[i].destination, rows[i].source);
        if (hop != RELAY_ABI_HOP_NONE) {
            fail_msg("%s has hop %u", rows[i].destination, hop);
        }
    }
    xdp_world_run("ip link delete tun0 && ip address del 10.0.0.1/24 dev far0");
    xdp_world_run("ip route flush type blackhole && ip -6 route flush type blackhole");
    xdp_world_run("ip route flush type unreachable && ip -6 route flush type unreachable");
    xdp_world_run("ip route flush type prohibit");
    close_world(&world);
}

static void follows_its_neighbour(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    const uint32_t hop = take(&world, "192.0.2.9", "192.0.2.1");
    assert_int_not_equal(hop, RELAY_ABI_HOP_NONE);
    assert_false(is_known(&world, hop));

    neighbour("near0", "192.0.2.8", 0x88); // somebody else appears
    assert_false(read_all(&world));
    assert_false(is_known(&world, hop));
    neighbour("near1", "192.0.2.9", 0x77); // the same address at another interface
    read_all(&world);
    assert_false(is_known(&world, hop));
    neighbour("near0", "192.0.2.9", 0x99);
    assert_false(read_all(&world)); // no way is new
    assert_int_equal(in_map(&world, hop).to_mac[5], 0x99);
    assert_memory_equal(in_map(&world, hop).from_mac, mac_near0, sizeof mac_near0);

    xdp_world_run("ip neigh change 192.0.2.9 lladdr 02:00:00:00:00:9a nud stale dev near0");
    read_all(&world);
    assert_int_equal(in_map(&world, hop).to_mac[5], 0x9a);
    xdp_world_run("ip neigh change 192.0.2.9 nud failed dev near0");
    read_all(&world);
    assert_false(is_known(&world, hop));
    neighbour("near0", "192.0.2.9", 0x9b);
    read_all(&world);
    assert_true(is_known(&world, hop));
    xdp_world_run("ip neigh del 192.0.2.9 dev near0");
    read_all(&world);
    assert_false(is_known(&world, hop));
    xdp_hop_give(&world.set, hop);
    close_world(&world);
}

// A neighbour that is confirmed again and again costs no packet its fast way.
static void keeps_the_programs_note_while_nothing_changes(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    neighbour("near0", "192.0.2.9", 0x99);
    const uint32_t hop = take(&world, "192.0.2.9", "192.0.2.1");
    struct relay_abi_hop value = in_map(&world, hop);
    value.spoken_at = 12345;
    assert_int_equal(bpf_map_update_elem(world.program.hops_fd, &hop, &value, BPF_ANY), 0);
    xdp_world_run("ip neigh change 192.0.2.9 lladdr 02:00:00:00:00:99 nud stale dev near0");
    read_all(&world);
    assert_int_equal(in_map(&world, hop).spoken_at, 12345);
    xdp_hop_give(&world.set, hop);
    close_world(&world);
}

static void takes_the_smaller_mtu(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    neighbour("near0", "192.0.2.9", 0x99);
    xdp_world_run("ip route add 192.0.2.9/32 dev near0 mtu 1280");
    const uint32_t hop = take(&world, "192.0.2.9", "192.0.2.1");
    assert_int_equal(in_map(&world, hop).mtu, 1280);
    xdp_world_run("ip link set near0 mtu 1200");
    assert_true(read_all(&world));
    assert_int_equal(in_map(&world, hop).mtu, 1200);
    xdp_world_run("ip link set near0 mtu 1500");
    assert_true(read_all(&world));
    assert_int_equal(in_map(&world, hop).mtu, 1280);
    xdp_hop_give(&world.set, hop);
    xdp_world_run("ip route del 192.0.2.9/32");
    // Below 1280 the system took IPv6 away from the interface.
    xdp_world_run("ip address replace 2001:db8::1/64 dev near0 nodad");
    close_world(&world);
}

struct awaited {
    struct world *world;
    uint32_t hop;
    bool is_known;
    bool has_new_ways; // out
};

static bool becomes(void *context)
{
    struct awaited *awaited = context;

    awaited->has_new_ways |= read_all(awaited->world);
    return is_known(awaited->world, awaited->hop) == awaited->is_known;
}

static void follows_its_interface(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    xdp_world_run("ip neigh replace 192.0.2.9 lladdr 02:00:00:00:00:99 nud permanent dev near0");
    const uint32_t hop = take(&world, "192.0.2.9", "192.0.2.1");
    assert_true(is_known(&world, hop));
    struct awaited awaited = {.world = &world, .hop = hop, .is_known = false};
    xdp_world_run("ip link set far0 down"); // the carrier goes
    xdp_world_await(becomes, &awaited);
    awaited.is_known = true;
    xdp_world_run("ip link set far0 up");
    xdp_world_await(becomes, &awaited);
    assert_true(awaited.has_new_ways);
    xdp_world_run("ip link set near0 address 02:00:00:00:00:aa");
    assert_true(read_all(&world));
    xdp_world_run("ip neigh replace 192.0.2.9 lladdr 02:00:00:00:00:99 nud permanent dev near0");
    read_all(&world);
    assert_int_equal(in_map(&world, hop).from_mac[5], 0xaa);
    xdp_world_run("ip link set near0 address 02:00:00:00:00:10");
    xdp_hop_give(&world.set, hop);
    read_all(&world);
    close_world(&world);
}

static void tells_of_new_ways(void **state)
{
    static const char *const commands[] = {
        "ip route add 203.0.113.0/24 via 192.0.2.254",
        "ip route del 203.0.113.0/24 via 192.0.2.254",
        "ip -6 route add 2001:db8:1::/64 via 2001:db8::fe",
        "ip -6 route del 2001:db8:1::/64 via 2001:db8::fe",
        "ip rule add from 192.0.2.7 table 77",
        "ip rule del from 192.0.2.7 table 77",
        "ip -6 rule add from 2001:db8::7 table 77",
        "ip -6 rule del from 2001:db8::7 table 77",
        "ip address add 192.0.2.7/24 dev near0",
        "ip address del 192.0.2.7/24 dev near0",
        "ip nexthop add id 7 via 192.0.2.254 dev near0",
        "ip nexthop del id 7",
    };
    struct world world;

    (void)state;
    open_world(&world);
    read_all(&world);
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        assert_false(read_all(&world));
        xdp_world_run("%s", commands[i]);
        if (!read_all(&world)) {
            fail_msg("not told of: %s", commands[i]);
        }
    }
    close_world(&world);
}

static void learns_where_the_program_is_attached(void **state)
{
    struct world world;
    bool has_new_ways = false;

    (void)state;
    open_world(&world);
    neighbour("near1", "198.51.100.9", 0x91);
    const uint32_t hop = take(&world, "198.51.100.9", "198.51.100.1");
    assert_false(xdp_hop_is_behind(&world.set));
    assert_int_equal(xdp_program_detach(&world.program, "near1"), 0);
    assert_true(xdp_hop_is_behind(&world.set));
    assert_int_equal(take(&world, "198.51.100.9", "198.51.100.1"), RELAY_ABI_HOP_NONE);
    assert_int_equal(xdp_hop_tick(&world.set, &has_new_ways), 0);
    assert_true(has_new_ways);
    assert_false(is_known(&world, hop));
    assert_false(xdp_hop_is_behind(&world.set));

    attach(&world, "near1");
    has_new_ways = false;
    assert_int_equal(xdp_hop_tick(&world.set, &has_new_ways), 0);
    assert_true(has_new_ways);
    assert_true(is_known(&world, hop));
    assert_int_equal(take(&world, "198.51.100.9", "198.51.100.1"), hop);
    xdp_hop_give(&world.set, hop);
    xdp_hop_give(&world.set, hop);
    close_world(&world);
}

static void has_no_more_hops_than_fit(void **state)
{
    struct world world;
    uint32_t hops[HOPS];
    char ip[16];

    (void)state;
    open_world(&world);
    for (int i = 0; i < HOPS; i++) {
        snprintf(ip, sizeof(ip), "192.0.2.%d", 100 + i);
        hops[i] = take(&world, ip, "192.0.2.1");
        assert_int_not_equal(hops[i], RELAY_ABI_HOP_NONE);
    }
    assert_int_equal(take(&world, "192.0.2.200", "192.0.2.1"), RELAY_ABI_HOP_NONE);
    assert_int_equal(take(&world, "192.0.2.100", "192.0.2.1"), hops[0]); // one that is there
    xdp_hop_give(&world.set, hops[0]);
    xdp_hop_give(&world.set, hops[3]);
    hops[3] = take(&world, "192.0.2.200", "192.0.2.1");
    assert_int_not_equal(hops[3], RELAY_ABI_HOP_NONE);
    xdp_hop_give(&world.set, RELAY_ABI_HOP_NONE); // holds nothing
    for (int i = 0; i < HOPS; i++) {
        xdp_hop_give(&world.set, hops[i]);
    }
    close_world(&world);
}

static void asks_anew_when_events_were_lost(void **state)
{
    struct world world;
    bool has_new_ways = false;

    (void)state;
    open_world(&world);
    const uint32_t hop = take(&world, "192.0.2.9", "192.0.2.1");
    neighbour("near0", "192.0.2.8", 0x88);
    const uint32_t other = take(&world, "192.0.2.8", "192.0.2.1");
    assert_true(is_known(&world, other));
    read_all(&world);
    xdp_netlink_set_room(&world.set.events, 1); // the least that the system allows
    xdp_world_run("i=100; while [ $i -lt 140 ]; do echo neigh replace 192.0.2.$i lladdr "
                  "02:00:00:00:01:00 nud reachable dev near0; i=$((i+1)); done | ip -batch -");
    neighbour("near0", "192.0.2.9", 0x99); // nobody hears of these two
    xdp_world_run("ip neigh del 192.0.2.8 dev near0");
    assert_true(read_all(&world));
    assert_false(is_known(&world, hop));
    assert_true(is_known(&world, other));
    assert_true(xdp_hop_is_behind(&world.set));
    assert_int_equal(xdp_hop_tick(&world.set, &has_new_ways), 0);
    assert_false(xdp_hop_is_behind(&world.set));
    assert_int_equal(in_map(&world, hop).to_mac[5], 0x99);
    assert_false(is_known(&world, other));
    xdp_hop_give(&world.set, hop);
    xdp_hop_give(&world.set, other);
    close_world(&world);
}

static void give_too_often(void *context)
{
    struct world *world = context;
    const uint32_t hop = take(world, "192.0.2.9", "192.0.2.1");

    xdp_hop_give(&world->set, hop);
    xdp_hop_give(&world->set, hop);
}

static void holds_its_references_to_account(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    assert_true(dies(give_too_often, &world));
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leads_to_a_neighbour_on_the_lan),
        cmocka_unit_test(shares_the_hop_to_a_router),
        cmocka_unit_test(leads_over_an_ip6_router_to_ip4),
        cmocka_unit_test(leaves_by_the_interface_that_the_route_names),
        cmocka_unit_test(leaves_to_the_sockets_what_is_no_way_out),
        cmocka_unit_test(follows_its_neighbour),
        cmocka_unit_test(keeps_the_programs_note_while_nothing_changes),
        cmocka_unit_test(takes_the_smaller_mtu),
        cmocka_unit_test(follows_its_interface),
        cmocka_unit_test(tells_of_new_ways),
        cmocka_unit_test(learns_where_the_program_is_attached),
        cmocka_unit_test(has_no_more_hops_than_fit),
        cmocka_unit_test(asks_anew_when_events_were_lost),
        cmocka_unit_test(holds_its_references_to_account),
    };
    return xdp_world_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : XDP_WORLD_SKIPPED;
}
