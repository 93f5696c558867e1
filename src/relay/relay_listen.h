// SPDX-License-Identifier: Apache-2.0
// The sockets at which a worker listens to its clients: one for each lane, of each family that is
// served.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "io/io_loop.h"
#include "relay/relay_config.h"
#include "relay/relay_lane.h"
#include "relay/relay_traffic.h"

// All of one worker. to_clients of its traffic sends by the first lane's.
struct relay_listen {
    struct relay_listener lanes[2][RELAY_LANE_COUNT]; // IPv4, IPv6; udp.fd -1: not open
};

// What is common to those of all workers.
struct relay_listen_group {
    const struct relay_config *config;
    uint32_t worker_count;
    uint8_t key[RELAY_LANE_KEY_LEN];
};

// Whether nobody else listens there, and logs who does, before more is opened. 0 or -errno.
MUST_USE int relay_listen_probe(const struct relay_config *config);

// None is open.
void relay_listen_init(struct relay_listen *listen);
// Opens a worker's, in the order of the workers: the first one's opens the group. Packets go to
// `traffic`, in `loop`. Logs what fails. 0 or -errno; relay_listen_close() is due in any case.
MUST_USE int relay_listen_open(struct relay_listen *listen, const struct relay_listen_group *group,
                               uint32_t worker, struct io_loop *loop,
                               struct relay_traffic *traffic);
// Closing twice does nothing.
void relay_listen_close(struct relay_listen *listen, struct io_loop *loop);
