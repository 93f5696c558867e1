// SPDX-License-Identifier: Apache-2.0
#include "bpf/diff_traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/diff_judge.h"
#include "stun/stun_writer.h"
#include "support/mutate.h"

enum {
    FRAME_MIN = PACKET_ETH_LEN, // bytes; the kernel takes none that is shorter ...
    FRAME_MAX = 3000,           // ... nor one that does not fit into a page
    IP_AT = PACKET_ETH_LEN,
};

// Most packets are short, and many as long as a link bears, or a little longer.
static size_t any_len(struct diff_world *world)
{
    uint64_t kind = rng_below(&world->rng, 10);

    if (kind < 6) {
        return rng_below(&world->rng, 40);
    }
    return kind < 8 ? 1420 + rng_below(&world->rng, 60) : rng_below(&world->rng, 1400);
}

static struct packet make_binding(struct diff_world *world, uint8_t *data)
{
    struct stun_header header = {.method = STUN_BINDING, .class = STUN_REQUEST};
    struct stun_writer writer;
    struct bytes whole = {0};
    uint8_t family = rng_chance(&world->rng, 50) ? ADDR_IP4 : ADDR_IP6;
    uint32_t own = (uint32_t)rng_below(&world->rng, 2) + (family == ADDR_IP4 ? 0 : 2);

    rng_fill(&world->rng, header.transaction.id, STUN_TRANSACTION_LEN);
    stun_writer_init(&writer, data, 256, &header);
    if (rng_chance(&world->rng, 20)) {
        stun_attr_u32_write(&writer.wr, STUN_ATTR_LIFETIME, 1); // more than a plain one has
    }
    bool is_written = stun_writer_finish(&writer, &whole);
    assert_true(is_written);
    return (struct packet){
        .to_mac = {2, 1, 1, 1, 1, 1},
        .from_mac = {2, 2, 2, 2, 2, 2},
        .from = diff_world_host(family, 1, (uint8_t)rng_next(&world->rng),
                                (uint16_t)rng_next(&world->rng)),
        .to = diff_world_own(own, DIFF_LISTEN_PORT),
        .channel = PACKET_CHANNEL_NONE,
        .data = data,
        .data_len = whole.len,
    };
}

// Mostly one that is open, else one that was; NULL when there was none yet.
static const struct diff_channel *any_channel(struct diff_world *world)
{
    uint64_t first = rng_below(&world->rng, DIFF_CHANNEL_MAX);
    bool is_open = rng_chance(&world->rng, 75);
    const struct diff_channel *found = NULL;

    for (uint64_t i = 0; i < DIFF_CHANNEL_MAX; i++) {
        const struct diff_channel *channel = &world->channels[(first + i) % DIFF_CHANNEL_MAX];
        if (channel->was_open && (found == NULL || (channel->is_open && !found->is_open))) {
            found = channel;
        }
        if (found != NULL && !is_open) {
            break;
        }
    }
    return found;
}

static struct packet make_bound(struct diff_world *world, uint8_t *data)
{
    const struct diff_channel *channel = any_channel(world);

    if (channel == NULL) {
        return make_binding(world, data);
    }
    bool is_from_peer = rng_chance(&world->rng, channel->bind.is_turned ? 10 : 50);
    struct packet packet = is_from_peer ? diff_judge_from_peer(world, &channel->bind)
                                        : diff_judge_from_client(&channel->bind);
    packet.data = data;
    packet.data_len = any_len(world);
    return packet;
}

// Right in all but one: number, port, or one of the addresses.
static void misdirect(struct diff_world *world, struct packet *packet)
{
    bool is_ip4 = packet->to.family == ADDR_IP4;
    uint32_t own = (uint32_t)rng_below(&world->rng, 2) + (is_ip4 ? 0 : 2);

    switch (rng_below(&world->rng, 6)) {
    case 0:
        packet->to = diff_world_own(own, packet->to.port);
        break;
    case 1:
        packet->to.port = (uint16_t)(DIFF_LOWEST_PORT - 1 + rng_below(&world->rng, 34));
        break;
    case 2:
        packet->to.port = DIFF_LISTEN_PORT;
        break;
    case 3:
        packet->from.port++;
        break;
    case 4:
        packet->from = world->clients[rng_below(&world->rng, 4) * 2 + !is_ip4].tuple.client;
        break;
    default:
        if (packet->channel != PACKET_CHANNEL_NONE) {
            packet->channel = (int)(0x3FFF + rng_below(&world->rng, 8));
        }
        break;
    }
}

static void set_fields(struct diff_world *world, struct packet *packet)
{
    struct rng *rng = &world->rng;

    packet->tos = (uint8_t)rng_next(rng);
    packet->ttl = (uint8_t)(rng_chance(rng, 95) ? 2 + rng_below(rng, 254) : rng_below(rng, 3));
    packet->id = (uint16_t)rng_next(rng);
    packet->may_fragment = rng_chance(rng, 50);
    packet->flow_label = (uint32_t)rng_below(rng, 1 << 20);
    packet->has_no_checksum = rng_chance(rng, 5);
    if (packet->channel != PACKET_CHANNEL_NONE && rng_chance(rng, 40)) {
        packet->padding_len = rng_below(rng, sizeof packet->padding + 1);
        rng_fill(rng, packet->padding, sizeof packet->padding);
    }
    if (rng_chance(rng, 20)) {
        packet->trailer_len = rng_below(rng, 48);
    }
}

// Fields that lie.
static void damage_field(struct diff_world *world, const struct packet *packet, uint8_t *frame)
{
    struct rng *rng = &world->rng;
    bool is_ip4 = packet->from.family == ADDR_IP4;
    uint8_t *ip = frame + IP_AT;
    uint8_t *udp = frame + packet_udp_at(packet);
    uint8_t change = (uint8_t)(1 + rng_below(rng, 8));

    switch (rng_below(rng, 6)) {
    case 0: // a fragment
        ip[is_ip4 ? 6 + rng_below(rng, 2) : 6] = is_ip4 ? (uint8_t)rng_next(rng) : 44;
        break;
    case 1: // options, extension headers
        ip[is_ip4 ? 0 : 6] = is_ip4 ? (uint8_t)(0x40 + rng_below(rng, 16)) : 60;
        break;
    case 2:
        ip[is_ip4 ? 3 : 5] = (uint8_t)(ip[is_ip4 ? 3 : 5] + change);
        break;
    case 3:
        ip[is_ip4 ? 3 : 5] = (uint8_t)(ip[is_ip4 ? 3 : 5] - change);
        break;
    case 4:
        udp[5] = (uint8_t)(udp[5] + change - 4);
        break;
    default: // of ChannelData, or any other data
        frame[packet_payload_at(packet) + 3] ^= change;
        break;
    }
}

static size_t damage(struct diff_world *world, const struct packet *packet, uint8_t *frame,
                     size_t len)
{
    struct rng *rng = &world->rng;

    if (rng_chance(rng, 60)) {
        damage_field(world, packet, frame);
    } else if (rng_chance(rng, 50)) {
        frame[rng_below(rng, len < 80 ? len : 80)] ^= (uint8_t)(1U << rng_below(rng, 8));
    } else {
        len = mutate(rng, frame, len, FRAME_MAX, world->last_frame, world->last_len);
    }
    if (len < FRAME_MIN + 20) {
        memset(frame + len, 0, FRAME_MIN + 20 - len);
        len = FRAME_MIN + 20;
    }
    if (rng_chance(rng, 60) && (frame[IP_AT] & 15U) * 4 + IP_AT <= len &&
        packet->from.family == ADDR_IP4) {
        packet_sum_ip4(frame);
    }
    return len;
}

// Once more, with data that makes the checksum zero with which it leaves: what is missing in the
// sum is added to its first word.
static void aim_at_zero(struct diff_world *world, const struct packet *packet, uint8_t *data,
                        uint16_t check)
{
    uint8_t frame[PACKET_MAX];
    uint32_t word = (uint32_t)(data[0] << 8 | data[1]) + check;

    word = (word & 0xFFFF) + (word >> 16);
    data[0] = (uint8_t)(word >> 8);
    data[1] = (uint8_t)word;
    size_t len = packet_write(packet, frame);
    // As zero is written.
    assert_int_equal(diff_judge(world, frame, len, (uint32_t)rng_below(&world->rng, 2)), 0xFFFF);
}

void diff_traffic(struct diff_world *world)
{
    uint8_t data[PACKET_MAX];
    uint8_t frame[PACKET_MAX];
    struct rng *rng = &world->rng;

    rng_fill(rng, data, sizeof data);
    struct packet packet = rng_chance(rng, 7) ? make_binding(world, data) : make_bound(world, data);
    set_fields(world, &packet);
    if (rng_chance(rng, 12)) {
        misdirect(world, &packet);
    }
    size_t len = packet_write(&packet, frame);
    bool is_damaged = rng_chance(rng, 20);
    if (is_damaged) {
        len = damage(world, &packet, frame, len);
    }
    uint16_t check = diff_judge(world, frame, len, (uint32_t)rng_below(rng, 2));
    bool is_binding = packet.to.port == DIFF_LISTEN_PORT && packet.channel == PACKET_CHANNEL_NONE;
    if (check != 0 && !is_damaged && !is_binding && packet.data_len >= 2 && rng_chance(rng, 10)) {
        aim_at_zero(world, &packet, data, check);
    }
    memcpy(world->last_frame, frame, len);
    world->last_len = len;
}
