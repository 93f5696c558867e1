// SPDX-License-Identifier: Apache-2.0
// A TURN server, and the kernel program that it tells of its channels: both are asked about each
// packet, and must agree (diff_judge.h).
//
//      clients and peers of the first network  --- near0 ---.
//                                                            relay
//      clients and peers of the second network --- near1 ---'
//
// There is a third network, to whose router no neighbour is known. The server's requests are real
// ones, the joint to the kernel program is the relay's own; only sockets and clock are not.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/packet.h"
#include "relay/relay_offload.h"
#include "support/rng.h"
#include "turn/turn_fixture.h"

enum {
    DIFF_LISTEN_PORT = 3478,
    DIFF_LOWEST_PORT = 50000,
    DIFF_PORT_COUNT = 32,
    DIFF_CLIENT_COUNT = 8,
    DIFF_CHANNEL_MAX = 32,
    DIFF_OWN_COUNT = 4, // own addresses: of either family on either interface
    DIFF_NETWORK_COUNT = 3,
    DIFF_NETWORK_UNKNOWN = 2, // without a neighbour
    DIFF_MTU = 1500,
};

// Why a channel's data stops.
enum diff_cause {
    DIFF_CAUSE_NONE, // nothing that the test has done should close a channel
    DIFF_CAUSE_TIME, // one of the next four, to be found out
    DIFF_CAUSE_PERMISSION,
    DIFF_CAUSE_CHANNEL,
    DIFF_CAUSE_REST, // the channel has expired, and keeps its number
    DIFF_CAUSE_ALLOCATION,
    DIFF_CAUSE_REFRESH,
    DIFF_CAUSE_TAKEOVER,
    DIFF_CAUSE_FAMILY,
    DIFF_CAUSE_COUNT,
};

// How often each thing has been seen.
struct diff_cover {
    uint64_t ways[3][2][2]; // by verdict, and by family (is it IPv6?) before and after
    uint64_t verdicts[RELAY_ABI_VERDICT_COUNT];
    uint64_t causes[DIFF_CAUSE_COUNT];
    uint64_t redirects;
    uint64_t wrong_sums; // relayed, and wrong still
};

struct diff_client {
    struct turn_tuple tuple;
    const char *user;
    bool is_firezone;
};

// What is known of a channel: by its slot, and also when it is not open any more.
struct diff_channel {
    struct turn_command_bind bind;
    bool was_open; // ever
    bool is_open;
};

struct diff_socket {
    bool is_open;
    struct pool_ref allocation;
};

struct diff_world {
    struct rng rng;
    struct turn_fixture *turn;
    struct relay_offload offload;
    uint32_t ifindexes[2];
    struct diff_client clients[DIFF_CLIENT_COUNT];
    struct diff_channel channels[DIFF_CHANNEL_MAX];
    struct diff_socket sockets[2][DIFF_PORT_COUNT]; // of IPv4 and IPv6
    uint8_t last_frame[PACKET_MAX];
    size_t last_len;
    uint64_t step; // how many have been taken, for messages
    uint64_t seed; // of this life
    struct diff_cover *cover;
};

// Opens it, in a network namespace. False when this machine does not let it.
bool diff_world_open(struct diff_world *world, struct diff_cover *cover);
void diff_world_close(struct diff_world *world);
// Begins a new life: nothing is allocated.
void diff_world_begin(struct diff_world *world, uint64_t seed);

struct addr diff_world_own(uint32_t index, uint16_t port);
bool diff_world_is_own(const struct addr *addr);
// A host of one of the networks.
struct addr diff_world_host(uint8_t family, uint32_t network, uint8_t host, uint16_t port);
// In which network it is, or DIFF_NETWORK_COUNT.
uint32_t diff_world_network(const struct addr *addr);
// Sets the MAC addresses of a packet that leaves for a network.
void diff_world_macs(uint32_t network, struct packet *packet);

// The socket of a relayed port, or NULL when none is open there.
const struct diff_socket *diff_world_socket(const struct diff_world *world,
                                            const struct addr *local);
// The address of an allocation's socket, which is open.
struct addr diff_world_relayed(const struct diff_world *world, struct pool_ref allocation,
                               uint8_t family);
// Who speaks in the next requests.
void diff_world_speak(struct diff_world *world, const struct diff_client *client);
// Carries out the commands of the server's last call.
void diff_world_carry_out(struct diff_world *world, enum diff_cause cause);
