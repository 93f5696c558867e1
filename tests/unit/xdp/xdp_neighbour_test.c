// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_neighbour.h"

#include <linux/neighbour.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "xdp_world.h"

static struct xdp_netlink netlink;

static struct xdp_neighbour found(const char *ip, const char *name)
{
    const struct addr addr = xdp_world_addr(ip, 5000);
    struct xdp_neighbour neighbour;

    assert_int_equal(xdp_neighbour_find(&netlink, xdp_world_ifindex(name), &addr, &neighbour), 0);
    const struct addr wanted = addr_with_port(addr, 0);
    assert_true(addr_equal(&neighbour.ip, &wanted));
    assert_int_equal(neighbour.ifindex, xdp_world_ifindex(name));
    return neighbour;
}

static void knows_those_to_whom_the_system_sends(void **state)
{
    static const struct {
        const char *nud;
        bool is_known;
    } rows[] = {
        {"permanent", true}, {"noarp", true}, {"reachable", true},   {"stale", true},
        {"delay", true},     {"probe", true}, {"incomplete", false}, {"failed", false},
    };
    static const char *const ips[] = {"192.0.2.9", "2001:db8::9"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ips); i++) {
        assert_false(found(ips[i], "near0").is_known);
        for (size_t j = 0; j < COUNT_OF(rows); j++) {
            xdp_world_run("ip neigh replace %s lladdr 02:00:00:00:00:99 nud %s dev near0", ips[i],
                          rows[j].nud);
            const struct xdp_neighbour neighbour = found(ips[i], "near0");
            assert_int_equal(neighbour.is_known, rows[j].is_known);
            assert_int_equal(neighbour.mac[5], rows[j].is_known ? 0x99 : 0);
            assert_false(found(ips[i], "near1").is_known);
        }
        xdp_world_run("ip neigh del %s dev near0", ips[i]);
    }
}

// A message as the kernel makes it; `mac_len` bytes of MAC address.
static const struct nlmsghdr *message_of(struct xdp_netlink_question *memory, uint16_t type,
                                         const struct ndmsg *head, size_t mac_len)
{
    xdp_netlink_begin(memory, type, head, sizeof *head);
    xdp_netlink_add(memory, NDA_DST, "\xc0\x00\x02\x09", 4);
    xdp_netlink_add(memory, NDA_LLADDR, "\x02\x00\x00\x00\x00\x99\x00\x00", mac_len);
    struct nlmsghdr *message = (struct nlmsghdr *)(void *)memory->bytes;
    message->nlmsg_len = (uint32_t)memory->len;
    return message;
}

static void reads_only_what_is_about_an_ip_neighbour(void **state)
{
    struct ndmsg head = {.ndm_family = AF_INET, .ndm_ifindex = 7, .ndm_state = NUD_REACHABLE};
    struct xdp_netlink_question memory;
    struct xdp_neighbour neighbour;

    (void)state;
    assert_true(xdp_neighbour_read(message_of(&memory, RTM_NEWNEIGH, &head, 6), &neighbour));
    assert_true(neighbour.is_known);
    assert_int_equal(neighbour.ifindex, 7);
    assert_true(xdp_neighbour_read(message_of(&memory, RTM_DELNEIGH, &head, 6), &neighbour));
    assert_false(neighbour.is_known);
    assert_true(xdp_neighbour_read(message_of(&memory, RTM_NEWNEIGH, &head, 8), &neighbour));
    assert_false(neighbour.is_known); // not Ethernet's
    assert_false(xdp_neighbour_read(message_of(&memory, RTM_NEWROUTE, &head, 6), &neighbour));
    head.ndm_flags = NTF_PROXY; // whom this host answers for
    assert_false(xdp_neighbour_read(message_of(&memory, RTM_NEWNEIGH, &head, 6), &neighbour));
    head.ndm_flags = 0;
    head.ndm_family = AF_BRIDGE; // a bridge's port
    assert_false(xdp_neighbour_read(message_of(&memory, RTM_NEWNEIGH, &head, 6), &neighbour));
    head.ndm_family = AF_INET6; // an address of the other family's length
    assert_false(xdp_neighbour_read(message_of(&memory, RTM_NEWNEIGH, &head, 6), &neighbour));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_those_to_whom_the_system_sends),
        cmocka_unit_test(reads_only_what_is_about_an_ip_neighbour),
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
