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
    {"20.0.0.1", 1000},
    {"20.0.0.1", 2000},
    {"20.0.0.2", 1000},
    {"20.0.1.5", 9},
    {"20.0.1.200", 7},
    {"2600::1", 1000},
    {"2600::1", 2000},
    {"2600::2", 1000},
    {"2600:1::5", 9},
    {"2600:1::81", 7},
    // Special ones, also in the disguises that IPv6 has for addresses of IPv4.
    {"127.0.0.1", 5000},
    {"::ffff:127.0.0.1", 5000},
    {"10.0.0.5", 1000},
    {"10.0.7.5", 1000},
    {"100.64.0.9", 1000},
    {"fd00::5", 1000},
    {"169.254.169.254", 80},
    {"64:ff9b::7f00:1", 5000},
    {"64:ff9b::1400:1", 1000},
    {"2002:7f00:1::1", 5000},
    {"2002:1400:1::1", 1000},
    {"2001::80ff:fffe", 5000},
    {"2001::ebff:fffe", 1000},
    {"203.0.113.77", 1000},
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
    if (rng_below(rng, 150) == 0) {
        return SIM_PAYLOAD_MAX - rng_below(rng, 70); // about as long as fits with a head
    }
    return rng_below(rng, rng_chance(rng, 10) ? 1400 : 60);
}

// An error for what came from a relayed socket, if that is still there; or, like data, from one
// that was closed just now.
static void send_icmp(const struct sim_peer *peer, struct sim_world *world,
                      const struct sim_socket *socket)
{
    static const uint8_t types[] = {3, 11, 1, 2, 4, 0, 127};
    struct rng *rng = &world->rng;
    const struct stun_icmp icmp = {
        .type = types[rng_below(rng, COUNT_OF(types))],
        .code = (uint16_t)rng_below(rng, 256),
        .data = rng_chance(rng, 50) ? 0 : (uint32_t)rng_next(rng),
    };
    const struct sim_socket *closed = &world->system.last_closed;

    if (closed->relayed.family == peer->addr.family && rng_chance(rng, 5)) {
        socket = closed;
    }
    if (socket != NULL && socket->relayed.family == peer->addr.family) {
        sim_server_icmp(&world->servers[socket->shard], world, socket, &peer->addr, &icmp);
    }
}

// Whom to send to: who sent to it last, whether or not that is still there, or anybody.
static struct addr some_relayed(const struct sim_peer *peer, struct sim_world *world,
                                const struct sim_socket *any)
{
    if (peer->heard.family != ADDR_NONE && rng_chance(&world->rng, 50)) {
        return peer->heard;
    }
    return any != NULL ? any->relayed : (struct addr){0};
}

void sim_peer_wake(struct sim_peer *peer, struct sim_world *world)
{
    const struct sim_socket *socket = sim_system_any(world);
    struct addr to = some_relayed(peer, world, socket);
    static uint8_t payload[SIM_PAYLOAD_MAX];

    if (to.family == peer->addr.family) {
        size_t len = some_len(&world->rng);
        sim_payload_write(&world->rng, payload, len);
        sim_link_send(world, &peer->addr, &to, (struct bytes){payload, len});
    }
    if (rng_chance(&world->rng, world->setup.icmp_percent)) { // uninvited too
        send_icmp(peer, world, socket);
    }
    // Who knows somebody sends more: nearly all that comes from nowhere is only dropped.
    bool is_known = peer->heard.family != ADDR_NONE;
    if (++peer->rounds < world->setup.rounds / (is_known ? 2 : 6)) {
        sim_world_wake(world, SIM_SETUP_CLIENTS + peer->index,
                       rng_below(&world->rng, (is_known ? 80 : 240) * SECOND_NS));
    }
}

void sim_peer_receive(struct sim_peer *peer, struct sim_world *world,
                      const struct sim_datagram *datagram)
{
    sim_trace_packet(&world->trace, "to a peer", &datagram->from, &datagram->to, datagram->bytes);
    if (!sim_payload_is_whole(datagram->bytes)) {
        sim_trace_fail(&world->trace, "a peer received what nobody sent");
    }
    peer->heard = datagram->from;
    sim_cover_point(world->cover, SIM_COVER_PEER_RECEIVED);
    if (rng_chance(&world->rng, world->setup.icmp_percent)) {
        send_icmp(peer, world, sim_system_find(&world->system, &datagram->from));
        return;
    }
    if (rng_chance(&world->rng, 60)) {
        sim_link_send(world, &peer->addr, &datagram->from, datagram->bytes);
    }
}
