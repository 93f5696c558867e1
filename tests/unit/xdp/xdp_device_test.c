// SPDX-License-Identifier: Apache-2.0
#include "xdp/xdp_device.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "xdp_world.h"

static struct xdp_netlink netlink;

static struct xdp_device found(const char *name)
{
    struct xdp_device device;

    assert_int_equal(xdp_device_find(&netlink, xdp_world_ifindex(name), &device), 0);
    assert_int_equal(device.ifindex, xdp_world_ifindex(name));
    return device;
}

static void knows_mac_and_mtu(void **state)
{
    static const uint8_t mac[] = {2, 0, 0, 0, 0, 0x11};

    (void)state;
    xdp_world_run("ip link set near1 mtu 1420");
    const struct xdp_device device = found("near1");
    assert_true(device.is_usable);
    assert_int_equal(device.mtu, 1420);
    assert_memory_equal(device.mac, mac, sizeof mac);
    xdp_world_run("ip link set near1 mtu 1500");
}

static void uses_only_ethernet_that_is_up(void **state)
{
    struct xdp_device device = {.mtu = 77};

    (void)state;
    assert_false(found("lo").is_usable);
    xdp_world_run("ip tuntap add mode tun name tun0 && ip link set tun0 up");
    assert_false(found("tun0").is_usable);
    xdp_world_run("ip link delete tun0");
    xdp_world_run("ip link set near1 down");
    assert_false(found("near1").is_usable);
    xdp_world_run("ip link set near1 up && ip link set far1 down");
    xdp_world_await_carrier("near1", false);
    assert_false(found("near1").is_usable); // no carrier
    xdp_world_run("ip link set far1 up");
    xdp_world_await_carrier("near1", true);
    assert_true(found("near1").is_usable);
    assert_int_equal(xdp_device_find(&netlink, 999999, &device), -ENODEV);
    assert_int_equal(device.mtu, 77);
}

static void reads_only_what_is_about_an_interface(void **state)
{
    const struct ifinfomsg head = {.ifi_family = AF_BRIDGE, .ifi_index = 7};
    struct xdp_netlink events;
    struct xdp_netlink_datagram datagram;
    struct xdp_netlink_question question;
    struct xdp_device device;

    (void)state;
    xdp_netlink_begin(&question, RTM_NEWLINK, &head, sizeof head);
    struct nlmsghdr *message = (struct nlmsghdr *)(void *)question.bytes;
    message->nlmsg_len = (uint32_t)question.len;
    assert_false(xdp_device_read(message, &device)); // a bridge about its port
    message->nlmsg_type = RTM_NEWNEIGH;
    assert_false(xdp_device_read(message, &device));

    xdp_world_run("ip link add bridge0 up type bridge");
    assert_int_equal(xdp_netlink_open(&events), 0);
    assert_int_equal(xdp_netlink_join(&events, RTNLGRP_LINK), 0);
    const uint32_t ifindex = xdp_world_ifindex("bridge0");
    xdp_world_run("ip link delete bridge0");
    bool is_deleted = false;
    while (xdp_netlink_receive(&events, &datagram) == 0) {
        const struct nlmsghdr *event = xdp_netlink_next(&datagram, NULL);
        if (xdp_device_read(event, &device) && event->nlmsg_type == RTM_DELLINK) {
            is_deleted = true;
            assert_int_equal(device.ifindex, ifindex);
            assert_false(device.is_usable);
        }
    }
    assert_true(is_deleted);
    xdp_netlink_close(&events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_mac_and_mtu),
        cmocka_unit_test(uses_only_ethernet_that_is_up),
        cmocka_unit_test(reads_only_what_is_about_an_interface),
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
