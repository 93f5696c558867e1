// SPDX-License-Identifier: Apache-2.0
// The naive server's data packets: RFC 8656 sections 11 and 12.
#include "sim/sim_oracle.h"

enum { XOR_PEER_ADDRESS = 0x12, DATA = 0x13, DONT_FRAGMENT = 0x1a, LONGEST = 65507 };

static void to_peer(struct sim_oracle *oracle, unsigned allocation, const struct addr *peer,
                    struct bytes payload, struct sim_expect *out)
{
    bool is_hairpin = addr_same_ip(peer, &oracle->setup->listen_ip4) ||
                      addr_same_ip(peer, &oracle->setup->listen_ip6);

    out->kind = SIM_EXPECT_TO_PEER;
    out->allocation = allocation;
    out->peer = *peer;
    out->payload = payload;
    if (is_hairpin) {
        sim_cover_point(oracle->cover, SIM_COVER_TO_PEER_HAIRPIN);
    }
}

void sim_oracle_data(struct sim_oracle *oracle, const struct sim_naive *message,
                     struct sim_expect *out)
{
    const struct sim_naive_attr *where = sim_naive_find(message, XOR_PEER_ADDRESS);
    const struct sim_naive_attr *data = sim_naive_find(message, DATA);
    unsigned allocation = sim_oracle_find(oracle, &out->tuple);
    struct addr peer = {0};

    if (message->unknown_count > 0 || where == NULL || data == NULL ||
        !sim_naive_addr(message, where, &peer) || peer.port == 0) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_MALFORMED_SEND);
    } else if (allocation == SIM_ORACLE_NONE) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_NO_ALLOCATION);
    } else if (sim_oracle_permission(oracle, allocation, &peer) == NULL) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_NO_PERMISSION);
    } else {
        to_peer(oracle, allocation, &peer, data->value, out);
        out->is_unfragmented = sim_naive_find(message, DONT_FRAGMENT) != NULL;
        sim_cover_point(oracle->cover, out->is_unfragmented ? SIM_COVER_TO_PEER_UNFRAGMENTED
                                                            : SIM_COVER_TO_PEER_SEND);
    }
}

static const struct sim_oracle_channel *channel_of(const struct sim_oracle *oracle,
                                                   unsigned allocation, unsigned number,
                                                   const struct addr *peer)
{
    for (size_t i = 0; i < SIM_SETUP_CHANNELS; i++) {
        const struct sim_oracle_channel *channel = &oracle->channels[i];
        if (channel->until_ns != 0 && channel->allocation == allocation &&
            (peer != NULL ? addr_equal(&channel->peer, peer) : channel->number == number)) {
            return channel;
        }
    }
    return NULL;
}

void sim_oracle_chandata(struct sim_oracle *oracle, struct bytes datagram, struct sim_expect *out)
{
    unsigned allocation = sim_oracle_find(oracle, &out->tuple);
    size_t len = datagram.len >= 4 ? datagram.ptr[2] * 256U + datagram.ptr[3] : SIZE_MAX;

    if (len == SIZE_MAX || len + 4 > datagram.len) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_MALFORMED_CHANNEL);
        return;
    }
    if (allocation == SIM_ORACLE_NONE) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_NO_ALLOCATION);
        return;
    }
    unsigned number = datagram.ptr[0] * 256U + datagram.ptr[1];
    const struct sim_oracle_channel *channel = channel_of(oracle, allocation, number, NULL);
    if (channel == NULL) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_NO_CHANNEL);
        return;
    }
    if (sim_oracle_permission(oracle, allocation, &channel->peer) == NULL) {
        sim_cover_point(oracle->cover, SIM_COVER_CHANNEL_WITHOUT_PERMISSION);
        return;
    }
    to_peer(oracle, allocation, &channel->peer, (struct bytes){datagram.ptr + 4, len}, out);
    sim_cover_point(oracle->cover, SIM_COVER_TO_PEER_CHANNEL);
}

static unsigned by_ref(const struct sim_oracle *oracle, struct pool_ref ref)
{
    for (unsigned i = 0; i < SIM_SETUP_ALLOCATIONS; i++) {
        if (oracle->allocations[i].is_live && oracle->allocations[i].ref.index == ref.index &&
            oracle->allocations[i].ref.generation == ref.generation) {
            return i;
        }
    }
    return SIM_ORACLE_NONE;
}

void sim_oracle_from_peer(struct sim_oracle *oracle, struct pool_ref ref, const struct addr *peer,
                          struct bytes datagram, struct sim_expect *out)
{
    unsigned allocation = by_ref(oracle, ref);

    *out = (struct sim_expect){.kind = SIM_EXPECT_NOTHING};
    if (allocation == SIM_ORACLE_NONE) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_STALE_SOCKET);
        return;
    }
    if (sim_oracle_permission(oracle, allocation, peer) == NULL) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_PEER_NO_PERMISSION);
        return;
    }
    const struct sim_oracle_channel *channel = channel_of(oracle, allocation, 0, peer);
    size_t head = channel != NULL ? 4 : 20 + (peer->family == ADDR_IP4 ? 12U : 24U) + 4;
    if (datagram.len + head > LONGEST) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_TOO_LONG);
        return;
    }
    out->kind = SIM_EXPECT_TO_CLIENT;
    out->allocation = allocation;
    out->tuple = oracle->allocations[allocation].tuple;
    out->peer = *peer;
    out->payload = datagram;
    out->channel = channel != NULL ? channel->number : 0;
    sim_cover_point(oracle->cover,
                    channel != NULL ? SIM_COVER_TO_CLIENT_CHANNEL : SIM_COVER_TO_CLIENT_DATA);
}
