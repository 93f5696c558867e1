// SPDX-License-Identifier: Apache-2.0
// Which of the listening sockets takes a client's datagram: the worker by who sent it, and of that
// worker's lanes one by what it is.
//
// All listening sockets of a family share one port (io_udp_group.h). Each worker has
// RELAY_LANE_COUNT of them, one after the other: socket worker * RELAY_LANE_COUNT + lane. A client,
// its address and port, always meets the same worker. Lane 0 is for control: what looks like STUN,
// but for Send indications, which are data, and for Refresh requests: one that ends an allocation
// must not overtake the data before it. All data of one client come by one of the other lanes.
//
// So a flood of requests fills the buffer of lane 0 and displaces no data, and a client that sends
// more than its share fills the lane that it is in; what is too much is dropped by the kernel,
// where that is cheap. The lanes are for speed alone: whatever comes by any of them is served.
#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum {
    RELAY_LANE_DATA_COUNT = 8, // lanes for data of each worker
    RELAY_LANE_COUNT = 1 + RELAY_LANE_DATA_COUNT,
    RELAY_LANE_CONTROL = 0,
    RELAY_LANE_PROGRAM_MAX = 128, // instructions
    RELAY_LANE_KEY_LEN = 48,      // bytes
};

// Writes the program that steers the datagrams of one family (ADDR_IP4 or ADDR_IP6), and returns
// its length. worker_count is at least 1. The key is random for each start and secret, so that
// nobody can choose whose lane to fill; both families may have the same.
size_t relay_lane_program(struct sock_filter out[RELAY_LANE_PROGRAM_MAX], enum addr_family family,
                          uint32_t worker_count, const uint8_t key[RELAY_LANE_KEY_LEN]);
