// SPDX-License-Identifier: Apache-2.0
// Buffers for many UDP datagrams, allocated once, and the receiving into them by recvmmsg(2).
//
// What arrives is one datagram, or, at a socket that has_trains, a train: datagrams that came one
// after the other from the same place with the same IP fields, which the kernel has put together
// (UDP_GRO of udp(7)). All of a train have one length but the last, which may be shorter:
//
//     for (uint32_t i = 0; i < batch.count; i++) {
//         const struct io_udp_arrival *arrival = &batch.arrivals[i];
//         uint32_t count = io_udp_arrival_count(arrival);
//         for (uint32_t k = 0; k < count; k++) {
//             use io_udp_arrival_at(arrival, k);
//         }
//     }
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "io/io_udp.h"

enum {
    IO_UDP_BATCH_DATAGRAM_MAX = 65535, // bytes: no UDP datagram is longer, nor is a train
    IO_UDP_BATCH_CAPACITY_MAX = 1024,  // datagrams: the kernel takes no more in one call
};

// One datagram or a train; valid until the next receive.
struct io_udp_arrival {
    const uint8_t *ptr;
    size_t len;         // bytes; may be 0
    size_t segment_len; // bytes of each datagram but the last; `len` if there is one
    struct addr from;   // never port 0
    struct addr local;  // where it was sent to, if the socket has_destination, else as bound
    uint32_t scope;     // give it back with an answer: the interface, if `from` is link-local
    uint8_t ttl;        // IPv4's TTL or IPv6's hop limit as it arrived, if the socket has_ip_fields
    uint8_t tos; // IPv4's TOS or IPv6's traffic class likewise: DSCP, and ECN in the low bits
};

// How many datagrams there are: at least one.
static inline uint32_t io_udp_arrival_count(const struct io_udp_arrival *arrival)
{
    return arrival->len <= arrival->segment_len
               ? 1
               : (uint32_t)((arrival->len + arrival->segment_len - 1) / arrival->segment_len);
}

// The datagram of this index, which is below the count.
static inline struct bytes io_udp_arrival_at(const struct io_udp_arrival *arrival, uint32_t index)
{
    const size_t at = index * arrival->segment_len;
    const size_t rest = arrival->len - at;

    assert(at <= arrival->len);
    return (struct bytes){arrival->ptr + at,
                          rest < arrival->segment_len ? rest : arrival->segment_len};
}

struct io_udp_batch_stats {
    uint64_t received;  // datagrams handed out
    uint64_t truncated; // dropped: datagrams or trains longer than datagram_len
    uint64_t portless;  // dropped: likewise from port 0, where no answer could go
    uint64_t errors;    // pending socket errors (ICMP) that were cleared
};

struct io_udp_batch {
    struct io_udp_arrival *arrivals;
    uint32_t count; // arrivals of the last receive
    uint32_t capacity;
    size_t datagram_len; // bytes a datagram or a train may have
    struct io_udp_batch_stats stats;
    struct mmsghdr *headers; // the entries for recvmmsg; all memory begins here
    struct io_udp_batch_slot *slots;
    size_t memory_len; // bytes
};

// Allocates room for `capacity` arrivals of up to `datagram_len` bytes; pages that are never
// used cost no memory. -ENOMEM. *out is untouched unless 0.
MUST_USE int io_udp_batch_open(uint32_t capacity, uint32_t datagram_len, struct io_udp_batch *out);
void io_udp_batch_close(struct io_udp_batch *batch);

// Receives what is there, without waiting: up to `capacity` arrivals, 0 of them included. Pending
// socket errors are cleared on the way and lose no datagram. -ENOMEM, -ENOBUFS and the like: the
// system has no memory now, count is 0; try again in the next turn. With a full batch there may be
// more: the level-triggered loop says so again.
MUST_USE int io_udp_batch_receive(struct io_udp_batch *batch, struct io_udp *udp);
