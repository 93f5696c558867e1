// SPDX-License-Identifier: Apache-2.0
// Buffers for many UDP datagrams, allocated once, and the receiving into them by recvmmsg(2).
//
//     | IO_UDP_BATCH_HEADROOM | datagram, up to datagram_len | IO_UDP_BATCH_TAILROOM |
//
// The room in front is for headers that are written there without moving the payload.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "io/io_udp.h"

enum {
    IO_UDP_BATCH_HEADROOM = 64,        // bytes writable in front of each datagram
    IO_UDP_BATCH_TAILROOM = 4,         // bytes writable behind each datagram
    IO_UDP_BATCH_DATAGRAM_MAX = 65535, // bytes: no UDP datagram is longer
    IO_UDP_BATCH_CAPACITY_MAX = 1024,  // datagrams: the kernel takes no more in one call
};

// One datagram; valid until the next receive.
struct io_udp_datagram {
    uint8_t *ptr;
    size_t len;        // bytes; may be 0
    struct addr from;  // never port 0
    struct addr local; // where it was sent to, if the socket has_destination, else as bound
    uint32_t scope;    // give it back with an answer: the interface, if `from` is link-local
    uint8_t ttl;       // IPv4's TTL or IPv6's hop limit as it arrived, if the socket has_ip_fields
    uint8_t tos;       // IPv4's TOS or IPv6's traffic class likewise: DSCP, and ECN in the low bits
};

struct io_udp_batch_stats {
    uint64_t received;  // datagrams handed out
    uint64_t truncated; // dropped: longer than datagram_len
    uint64_t portless;  // dropped: from port 0, where no answer could go
    uint64_t errors;    // pending socket errors (ICMP) that were cleared
};

struct io_udp_batch {
    struct io_udp_datagram *datagrams;
    uint32_t count; // datagrams of the last receive
    uint32_t capacity;
    size_t datagram_len; // bytes a datagram may have
    struct io_udp_batch_stats stats;
    struct mmsghdr *headers; // the entries for recvmmsg; all memory begins here
    struct io_udp_batch_slot *slots;
    size_t memory_len; // bytes
};

// Allocates room for `capacity` datagrams of up to `datagram_len` bytes; pages that are never
// used cost no memory. -ENOMEM. *out is untouched unless 0.
MUST_USE int io_udp_batch_open(uint32_t capacity, uint32_t datagram_len, struct io_udp_batch *out);
void io_udp_batch_close(struct io_udp_batch *batch);

// Receives what is there, without waiting: up to `capacity` datagrams, 0 of them included. Pending
// socket errors are cleared on the way and lose no datagram. -ENOMEM, -ENOBUFS and the like: the
// system has no memory now, count is 0; try again in the next turn. With a full batch there may be
// more: the level-triggered loop says so again.
MUST_USE int io_udp_batch_receive(struct io_udp_batch *batch, struct io_udp *udp);
