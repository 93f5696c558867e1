// SPDX-License-Identifier: Apache-2.0
// Many TURN clients of one server, each at a socket of its own, and the peer that they speak to.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "probe/probe_config.h"
#include "turnc/turnc_client.h"

enum {
    PROBE_FLEET_CHANNEL = 0x4000, // of every client, so that all their packets are alike
    PROBE_FLEET_NAME_MAX = 40,    // characters of a made-up username
    PROBE_FLEET_PASSWORD_MAX = 28,
    PROBE_FLEET_WRONG_MAX = 256, // bytes of a sentence about what went wrong
};

struct probe_client {
    int fd;
    uint8_t reopen_count;    // how often it was given another port, because its own was in use
    uint32_t refused_before; // of its socket, when counting began
    char name[PROBE_FLEET_NAME_MAX];
    uint8_t password[PROBE_FLEET_PASSWORD_MAX];
    struct turnc_client turn;
};

// What all clients of a fleet do together.
enum probe_step {
    PROBE_STEP_ALLOCATE,
    PROBE_STEP_BIND, // the channel; also to renew it and its permission
    PROBE_STEP_REFRESH,
    PROBE_STEP_RELEASE,
};

struct probe_fleet {
    const struct probe_config *config;
    int epoll_fd; // clients by index, the peer as UINT32_MAX
    int peer_fd;
    struct addr local; // where clients are, port 0
    struct addr peer;
    uint32_t peer_refused_before;
    uint64_t renewed_ns; // monotonic: when channels were bound last
    struct probe_client *clients;
    uint32_t count;
    bool is_port_closed;               // ICMP says that the server's port is
    char wrong[PROBE_FLEET_WRONG_MAX]; // after a failure: what to tell the user
};

// Opens sockets for so many clients and the peer. False, with `wrong` set, when that fails; close
// the fleet all the same.
MUST_USE bool probe_fleet_open(struct probe_fleet *fleet, const struct probe_config *config,
                               uint32_t count);
void probe_fleet_close(struct probe_fleet *fleet);

// Has every client do a step, many at a time. False, with `wrong` set, when one of them is refused
// or gets no answer.
MUST_USE bool probe_fleet_do(struct probe_fleet *fleet, enum probe_step step);

// Renews allocations, permissions and channels, when they might expire before long.
MUST_USE bool probe_fleet_renew(struct probe_fleet *fleet);
