// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_stranger.h"

#include <string.h>

#include "sim/sim_payload.h"
#include "sim/sim_world.h"

enum { TYPE_LEN = 2 };

void sim_stranger_hear(struct sim_stranger *stranger, const struct addr *from,
                       const struct addr *to, struct bytes datagram)
{
    unsigned at = stranger->heard_count % SIM_STRANGER_HEARD;

    if (datagram.len < 20 || datagram.len > SIM_STRANGER_LEN_MAX || datagram.ptr[0] != 0) {
        return; // requests only: changed data would arrive somewhere
    }
    stranger->heard[at].from = *from;
    stranger->heard[at].to = *to;
    stranger->heard[at].len = datagram.len;
    memcpy(stranger->heard[at].bytes, datagram.ptr, datagram.len);
    stranger->heard_count++;
}

// Changes a copy; either its type or anything behind it, so that no request becomes data.
static size_t change(struct rng *rng, uint8_t *bytes, size_t len)
{
    switch (rng_below(rng, 6)) {
    case 0:
        bytes[rng_below(rng, TYPE_LEN)] ^= (uint8_t)(1U << rng_below(rng, 6)); // no ChannelData
        return len;
    case 1:
        return rng_below(rng, len);
    case 2:
        rng_fill(rng, bytes + len, 4);
        return len + 4;
    case 3: // the length of some attribute, or what stands in such a place
        if (len >= 24) {
            bytes[20 + rng_below(rng, (len - 20) / 4) * 4 + 3] ^= (uint8_t)rng_next(rng);
        }
        return len;
    case 4:
        bytes[3] = (uint8_t)(bytes[3] + 4 * rng_below(rng, 5));
        return len;
    default:
        for (uint64_t flips = 1 + rng_below(rng, 3); flips > 0; flips--) {
            bytes[TYPE_LEN + rng_below(rng, len - TYPE_LEN)] ^= (uint8_t)(1U << rng_below(rng, 8));
        }
        return len;
    }
}

static void send_changed(struct sim_stranger *stranger, struct sim_world *world,
                         const struct addr *own)
{
    unsigned known =
        stranger->heard_count < SIM_STRANGER_HEARD ? stranger->heard_count : SIM_STRANGER_HEARD;
    uint8_t bytes[SIM_STRANGER_LEN_MAX + 4];

    if (known == 0) {
        return;
    }
    unsigned at = (unsigned)rng_below(&world->rng, known);
    size_t len = stranger->heard[at].len;
    memcpy(bytes, stranger->heard[at].bytes, len);
    bool is_replay = rng_chance(&world->rng, 20);
    if (!is_replay) {
        len = change(&world->rng, bytes, len);
    }
    bool is_own = stranger->heard[at].to.family == own->family && rng_chance(&world->rng, 50);
    sim_link_send(world, is_own ? own : &stranger->heard[at].from, &stranger->heard[at].to,
                  (struct bytes){bytes, len});
}

// As much of nothing as a datagram holds.
static void send_zeros(struct sim_world *world, const struct addr *from)
{
    static const uint8_t zeros[SIM_PAYLOAD_MAX];

    sim_link_send(world, from, &world->setup.listen_ip4, (struct bytes){zeros, sizeof zeros});
}

static void send_garbage(struct sim_world *world, const struct addr *from)
{
    uint8_t bytes[200];
    size_t len = rng_below(&world->rng, sizeof bytes);

    rng_fill(&world->rng, bytes, sizeof bytes);
    if (rng_chance(&world->rng, 40)) { // ChannelData of any number and length
        bytes[0] = (uint8_t)(0x40 + rng_below(&world->rng, 64));
        bytes[1] = (uint8_t)rng_below(&world->rng, 4);
        bytes[2] = rng_chance(&world->rng, 80) ? 0 : bytes[2];
        bytes[4] = 0xff; // no payload that a receiver would check
        bytes[5] = 0xff;
    }
    sim_link_send(world, from, &world->setup.listen_ip4, (struct bytes){bytes, len});
}

// A well-formed message of any class and method, without attributes.
static void send_header(struct sim_world *world, const struct addr *from)
{
    uint8_t bytes[20] = {0, 0, 0, 0, 0x21, 0x12, 0xa4, 0x42};

    bytes[0] = (uint8_t)rng_below(&world->rng, 2);
    bytes[1] = (uint8_t)(rng_below(&world->rng, 12) | rng_below(&world->rng, 2) << 4);
    rng_fill(&world->rng, bytes + 8, 12);
    sim_link_send(world, from, &world->setup.listen_ip4, (struct bytes){bytes, sizeof bytes});
}

void sim_stranger_wake(struct sim_stranger *stranger, struct sim_world *world, uint32_t actor)
{
    struct addr from = addr_ip4((const uint8_t[]){198, 51, 100, 66}, 6666);
    const struct addr own = from;

    if (rng_chance(&world->rng, 50)) {
        struct addr *client = &world->clients[rng_below(&world->rng, world->client_count)].addr;
        from = client->family == ADDR_IP4 ? *client : from;
    }
    if (rng_below(&world->rng, 500) == 0) {
        send_zeros(world, &from);
    }
    switch (rng_below(&world->rng, 4)) {
    case 0:
        send_garbage(world, &from);
        break;
    case 1:
        send_header(world, &from);
        break;
    default:
        send_changed(stranger, world, &own);
        break;
    }
    if (++stranger->rounds < 3 * world->setup.rounds) {
        sim_world_wake(world, actor, rng_below(&world->rng, 20 * SECOND_NS));
    }
}
