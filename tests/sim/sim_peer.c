// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_peer.h"

#include <assert.h>

#include "sim/sim_payload.h"
#include "sim/sim_world.h"

// Some share an IP address; some are behind rules (sim_setup.c) or denied by default.
static const struct {
    const char *ip;
    uint16_t port;
} places[SIM_PEER_COUNT] = {
    {"20.0.0.1", 1000}, {"20.0.0.1", 2000},  {"20.0.0.2", 1000}, {"20.0.1.5", 9},
    {"20.0.1.200", 7},  {"127.0.0.1", 5000}, {"2600::1", 1000},  {"2600::1", 2000},
    {"2600::2", 1000},  {"2600:1::5", 9},    {"2600:1::81", 7},  {"::ffff:127.0.0.1", 5000},
};

void sim_peer_init(struct sim_peer *peer, unsigned index)
{
    struct addr ip = {0};
    bool is_read = addr_read(bytes_of_text(places[index].ip), &ip);

    assert(is_read);
    *peer = (struct sim_peer){.index = index, .addr = addr_with_port(ip, places[index].port)};
}

static size_t some_len(struct rng *rng)
{
    if (rng_chance(rng, 1)) {
        return rng_chance(rng, 50) ? SIM_PAYLOAD_MAX : SIM_PAYLOAD_MAX - 100;
    }
    return rng_below(rng, rng_chance(rng, 10) ? 1400 : 60);
}

void sim_peer_wake(struct sim_peer *peer, struct sim_world *world)
{
    const struct sim_socket *socket = sim_system_any(world);
    static uint8_t payload[SIM_PAYLOAD_MAX];

    if (socket != NULL && socket->relayed.family == peer->addr.family) {
        size_t len = some_len(&world->rng);
        sim_payload_write(&world->rng, payload, len);
        sim_link_send(world, &peer->addr, &socket->relayed, (struct bytes){payload, len});
    }
    if (++peer->rounds < world->setup.rounds / 2) {
        sim_world_wake(world, SIM_SETUP_CLIENTS + peer->index,
                       rng_below(&world->rng, 80 * SECOND_NS));
    }
}

void sim_peer_receive(struct sim_peer *peer, struct sim_world *world,
                      const struct sim_datagram *datagram)
{
    sim_trace_packet(&world->trace, "to a peer", &datagram->from, &datagram->to, datagram->bytes);
    if (!sim_payload_is_whole(datagram->bytes)) {
        sim_trace_fail(&world->trace, "a peer received what nobody sent");
    }
    sim_cover_point(world->cover, SIM_COVER_PEER_RECEIVED);
    if (rng_chance(&world->rng, 60)) {
        sim_link_send(world, &peer->addr, &datagram->from, datagram->bytes);
    }
}
