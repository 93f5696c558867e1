// SPDX-License-Identifier: Apache-2.0
// rtnetlink: asking the system one thing at a time, and hearing of what changes.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum {
    XDP_NETLINK_QUESTION_MAX = 128,   // bytes
    XDP_NETLINK_DATAGRAM_MAX = 32768, // bytes: as much as the kernel puts into one
};

struct xdp_netlink {
    int fd; // non-blocking
    uint32_t sequence;
};

// Memory for one datagram of messages.
struct xdp_netlink_datagram {
    alignas(struct nlmsghdr) uint8_t bytes[XDP_NETLINK_DATAGRAM_MAX];
    size_t len;
};

// A message that is being written: the header, the type's own head, attributes.
struct xdp_netlink_question {
    alignas(struct nlmsghdr) uint8_t bytes[XDP_NETLINK_QUESTION_MAX];
    size_t len;
};

MUST_USE int xdp_netlink_open(struct xdp_netlink *out);
void xdp_netlink_close(struct xdp_netlink *netlink);

// Hears of a group (RTNLGRP_...) from now on. -EINVAL when this kernel does not know it.
MUST_USE int xdp_netlink_join(struct xdp_netlink *netlink, int group);
// Makes room for this many bytes of events, as far as the rights go.
void xdp_netlink_set_room(struct xdp_netlink *netlink, int len);

// Begins a question of a type (RTM_...) with that type's head.
void xdp_netlink_begin(struct xdp_netlink_question *question, uint16_t type, const void *head,
                       size_t len);
// Adds an attribute.
void xdp_netlink_add(struct xdp_netlink_question *question, uint16_t type, const void *value,
                     size_t len);
// Asks, and gets the one message that answers, which lies in *datagram. -errno as the system
// answers: -ENOENT, -ENETUNREACH; -EAGAIN when it does not.
MUST_USE int xdp_netlink_ask(struct xdp_netlink *netlink, struct xdp_netlink_question *question,
                             struct xdp_netlink_datagram *datagram, const struct nlmsghdr **out);

// Receives one datagram of events. -EAGAIN: there is none. -ENOBUFS: some were lost.
MUST_USE int xdp_netlink_receive(struct xdp_netlink *netlink, struct xdp_netlink_datagram *out);

// Walks over the messages of a datagram: the first, with NULL, or the one after; NULL at the end.
const struct nlmsghdr *xdp_netlink_next(const struct xdp_netlink_datagram *datagram,
                                        const struct nlmsghdr *message);
// The head of a message, or NULL when it is shorter than `len`.
const void *xdp_netlink_head(const struct nlmsghdr *message, size_t len);
// The value of an attribute behind a head of `head_len`; empty when it is not there.
struct bytes xdp_netlink_find(const struct nlmsghdr *message, size_t head_len, uint16_t type);
// The value of an attribute within the value of a nest.
struct bytes xdp_netlink_within(struct bytes nest, uint16_t type);
// The number that fills the value; 0 when it is of another length.
uint32_t xdp_netlink_u32(struct bytes value);

// AF_INET or AF_INET6.
uint8_t xdp_netlink_family(const struct addr *addr);
// The IP address of a value. False when it is of no family's length, or not of `family` (AF_...).
bool xdp_netlink_ip(struct bytes value, uint8_t family, struct addr *out);
