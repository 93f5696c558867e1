// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_netlink.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/dies.h"
#include "xdp_world.h"

// Asks for an interface, by its index.
static int ask_link(struct xdp_netlink *netlink, uint32_t ifindex,
                    struct xdp_netlink_datagram *datagram, const struct nlmsghdr **out)
{
    const struct ifinfomsg head = {.ifi_index = (int)ifindex};
    struct xdp_netlink_question question;

    xdp_netlink_begin(&question, RTM_GETLINK, &head, sizeof head);
    return xdp_netlink_ask(netlink, &question, datagram, out);
}

static void asks_and_is_answered(void **state)
{
    struct xdp_netlink netlink;
    struct xdp_netlink_datagram datagram;
    const struct nlmsghdr *answer = NULL;

    (void)state;
    assert_int_equal(xdp_netlink_open(&netlink), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask_link(&netlink, xdp_world_ifindex("near1"), &datagram, &answer), 0);
        assert_int_equal(answer->nlmsg_type, RTM_NEWLINK);
        const struct bytes name = xdp_netlink_find(answer, sizeof(struct ifinfomsg), IFLA_IFNAME);
        assert_int_equal(name.len, sizeof "near1");
        assert_memory_equal(name.ptr, "near1", name.len);
        assert_int_equal(ask_link(&netlink, 999999, &datagram, &answer), -ENODEV);
    }
    xdp_netlink_close(&netlink);
    xdp_netlink_close(&netlink);
    assert_int_equal(ask_link(&netlink, 1, &datagram, &answer), -EBADF);
}

static void hears_of_the_groups_that_it_joined(void **state)
{
    struct xdp_netlink netlink;
    struct xdp_netlink_datagram datagram;

    (void)state;
    assert_int_equal(xdp_netlink_open(&netlink), 0);
    assert_int_equal(xdp_netlink_join(&netlink, RTNLGRP_IPV4_IFADDR), 0);
    assert_int_equal(xdp_netlink_join(&netlink, 9999), -EINVAL);
    assert_int_equal(xdp_netlink_receive(&netlink, &datagram), -EAGAIN);
    xdp_world_run("ip address add 192.0.2.66/32 dev lo && ip route add 203.0.113.7 dev near0");
    assert_int_equal(xdp_netlink_receive(&netlink, &datagram), 0);
    const struct nlmsghdr *message = xdp_netlink_next(&datagram, NULL);
    assert_non_null(message);
    assert_int_equal(message->nlmsg_type, RTM_NEWADDR);
    assert_null(xdp_netlink_next(&datagram, message));
    assert_int_equal(xdp_netlink_receive(&netlink, &datagram), -EAGAIN); // not of the route
    xdp_world_run("ip address del 192.0.2.66/32 dev lo && ip route del 203.0.113.7");
    xdp_netlink_close(&netlink);
}

static void tells_when_events_were_lost(void **state)
{
    struct xdp_netlink netlink;
    struct xdp_netlink_datagram datagram;

    (void)state;
    assert_int_equal(xdp_netlink_open(&netlink), 0);
    assert_int_equal(xdp_netlink_join(&netlink, RTNLGRP_IPV4_IFADDR), 0);
    xdp_netlink_set_room(&netlink, 1);
    for (int i = 1; i < 64; i++) {
        xdp_world_run("ip address add 192.0.2.%d/32 dev lo", 100 + i);
    }
    int error = 0;
    int heard = -1;
    while (error == 0) {
        error = xdp_netlink_receive(&netlink, &datagram);
        heard++;
    }
    assert_int_equal(error, -ENOBUFS);
    assert_true(heard < 63);
    xdp_world_run("ip address flush dev lo to 192.0.2.0/24");
    xdp_netlink_close(&netlink);
}

// Anybody may write to our socket; only the kernel is believed.
static void believes_only_the_kernel(void **state)
{
    struct xdp_netlink netlink;
    struct xdp_netlink_datagram datagram;
    struct sockaddr_nl name = {0};
    socklen_t len = sizeof name;
    const struct nlmsghdr forged = {.nlmsg_len = sizeof forged, .nlmsg_type = RTM_DELLINK};

    (void)state;
    assert_int_equal(xdp_netlink_open(&netlink), 0);
    assert_int_equal(getsockname(netlink.fd, (struct sockaddr *)&name, &len), 0);
    const int other = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    assert_true(other >= 0);
    assert_int_equal(sendto(other, &forged, sizeof forged, 0, (struct sockaddr *)&name, len),
                     sizeof forged);
    assert_int_equal(xdp_netlink_receive(&netlink, &datagram), -EAGAIN);
    assert_int_equal(close(other), 0);
    xdp_netlink_close(&netlink);
}

// Two messages, of which the first has two attributes.
static void write_two(struct xdp_netlink_datagram *datagram)
{
    const struct rtmsg head = {.rtm_family = AF_INET};
    const uint32_t ifindex = 7;
    struct xdp_netlink_question question;

    xdp_netlink_begin(&question, RTM_NEWROUTE, &head, sizeof head);
    xdp_netlink_add(&question, RTA_DST, "\xc0\x00\x02\x07", 4);
    xdp_netlink_add(&question, RTA_IP_PROTO, "\x11", 1); // and three bytes of padding
    xdp_netlink_add(&question, RTA_OIF, &ifindex, sizeof ifindex);
    ((struct nlmsghdr *)(void *)question.bytes)->nlmsg_len = (uint32_t)question.len;
    memcpy(datagram->bytes, question.bytes, question.len);
    memcpy(datagram->bytes + question.len, question.bytes, question.len);
    datagram->len = 2 * question.len;
}

static void walks_over_messages_and_attributes(void **state)
{
    struct xdp_netlink_datagram datagram;
    struct addr ip;

    (void)state;
    write_two(&datagram);
    const struct nlmsghdr *first = xdp_netlink_next(&datagram, NULL);
    const struct nlmsghdr *second = xdp_netlink_next(&datagram, first);
    assert_non_null(second);
    assert_null(xdp_netlink_next(&datagram, second));
    const struct rtmsg *head = xdp_netlink_head(second, sizeof *head);
    assert_int_equal(head->rtm_family, AF_INET);
    assert_null(xdp_netlink_head(second, second->nlmsg_len));
    assert_int_equal(xdp_netlink_u32(xdp_netlink_find(second, sizeof *head, RTA_OIF)), 7);
    assert_int_equal(xdp_netlink_find(second, sizeof *head, RTA_IP_PROTO).len, 1);
    assert_int_equal(xdp_netlink_u32(xdp_netlink_find(second, sizeof *head, RTA_IP_PROTO)), 0);
    assert_int_equal(xdp_netlink_find(second, sizeof *head, RTA_SRC).len, 0);
    const struct bytes value = xdp_netlink_find(second, sizeof *head, RTA_DST);
    const struct addr expected = xdp_world_addr("192.0.2.7", 0);
    assert_true(xdp_netlink_ip(value, AF_INET, &ip));
    assert_true(addr_equal(&ip, &expected));
    assert_false(xdp_netlink_ip(value, AF_INET6, &ip));
    assert_false(xdp_netlink_ip((struct bytes){0}, AF_INET, &ip));
}

// Whatever the lengths say, nothing behind the datagram is read: ASan looks on.
static void survives_lengths_that_lie(void **state)
{
    struct xdp_netlink_datagram datagram;

    (void)state;
    write_two(&datagram);
    const size_t whole = datagram.len;
    for (size_t cut = 0; cut < whole; cut++) {
        uint32_t count = 0;
        datagram.len = cut;
        const struct nlmsghdr *message = xdp_netlink_next(&datagram, NULL);
        for (; message != NULL; message = xdp_netlink_next(&datagram, message)) {
            count++;
        }
        assert_int_equal(count, cut / (whole / 2));
    }
    datagram.len = whole;
    for (uint16_t lie = 0; lie < 200; lie++) {
        struct rtattr *attribute =
            (struct rtattr *)(void *)(datagram.bytes + NLMSG_SPACE(sizeof(struct rtmsg)));
        attribute->rta_len = lie;
        const struct nlmsghdr *message = xdp_netlink_next(&datagram, NULL);
        const struct bytes found = xdp_netlink_find(message, sizeof(struct rtmsg), RTA_DST);
        assert_true(found.len == 0 || found.ptr + found.len <= datagram.bytes + whole / 2);
    }
    ((struct nlmsghdr *)(void *)datagram.bytes)->nlmsg_len = 0; // would go on for ever
    assert_null(xdp_netlink_next(&datagram, NULL));
}

static void add_without_end(void *context)
{
    struct xdp_netlink_question question;

    (void)context;
    xdp_netlink_begin(&question, RTM_GETROUTE, "", 0);
    for (int i = 0; i < XDP_NETLINK_QUESTION_MAX; i++) {
        xdp_netlink_add(&question, RTA_OIF, "0123", 4);
    }
}

static void refuses_more_than_a_question_holds(void **state)
{
    (void)state;
    assert_true(dies(add_without_end, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_is_answered),
        cmocka_unit_test(hears_of_the_groups_that_it_joined),
        cmocka_unit_test(tells_when_events_were_lost),
        cmocka_unit_test(believes_only_the_kernel),
        cmocka_unit_test(walks_over_messages_and_attributes),
        cmocka_unit_test(survives_lengths_that_lie),
        cmocka_unit_test(refuses_more_than_a_question_holds),
    };
    return xdp_world_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : XDP_WORLD_SKIPPED;
}
