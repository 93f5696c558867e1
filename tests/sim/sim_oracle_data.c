// SPDX-License-Identifier: Apache-2.0
// The naive server's data packets: RFC 8656 sections 11 and 12.
#include "sim/sim_oracle.h"

enum {
    XOR_PEER_ADDRESS = 0x12,
    DATA = 0x13,
    DONT_FRAGMENT = 0x1a,
    LONGEST = 65507,
};

// A live channel, by its peer or else by its number; NULL when there is none.
static const struct sim_oracle_channel *channel_of(const struct sim_oracle *oracle,
                                                   unsigned allocation, unsigned number,
                                                   const struct addr *peer)
{
    for (size_t i = 0; i < SIM_SETUP_CHANNELS; i++) {
        const struct sim_oracle_channel *channel = &oracle->channels[i];
        if (channel->until_ns == 0 || channel->allocation != allocation ||
            (peer != NULL ? !addr_equal(&channel->peer, peer) : channel->number != number)) {
            continue;
        }
        if (channel->is_resting) {
            sim_cover_point(oracle->cover, SIM_COVER_CHANNEL_RESTING);
            return NULL;
        }
        return channel;
    }
    return NULL;
}

// With Firezone's clients a channel is the permission for its peer's address and port.
static bool is_permitted(struct sim_oracle *oracle, unsigned allocation, const struct addr *peer,
                         bool has_channel)
{
    if (has_channel && oracle->allocations[allocation].is_firezone) {
        if (sim_oracle_permission(oracle, allocation, peer) == NULL) {
            sim_cover_point(oracle->cover, SIM_COVER_FIREZONE_CHANNEL);
        }
        return true;
    }
    return sim_oracle_permission(oracle, allocation, peer) != NULL;
}

static bool to_client(struct sim_oracle *oracle, unsigned allocation, const struct addr *peer,
                      struct bytes payload, struct sim_expect *out)
{
    const struct sim_oracle_channel *channel = channel_of(oracle, allocation, 0, peer);

    if (!is_permitted(oracle, allocation, peer, channel != NULL)) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_PEER_NO_PERMISSION);
        return false;
    }
    size_t padded = (payload.len + 3) / 4 * 4;
    size_t whole = channel != NULL ? 4 + payload.len
                                   : 20 + (peer->family == ADDR_IP4 ? 12U : 24U) + 4 + padded;
    if (whole > LONGEST) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_TOO_LONG);
        return false;
    }
    if (!sim_oracle_limit_pass(oracle, allocation, false, payload.len)) {
        return false;
    }
    out->kind = SIM_EXPECT_TO_CLIENT;
    out->allocation = allocation;
    out->tuple = oracle->allocations[allocation].tuple;
    out->peer = *peer;
    out->payload = payload;
    out->channel = channel != NULL ? channel->number : 0;
    return true;
}

// To an address of the relay itself: another client's (or the same client's), or nobody's.
static void turn_around(struct sim_oracle *oracle, unsigned sender, const struct addr *peer,
                        struct bytes payload, struct sim_expect *out)
{
    const struct turn_config *config = &oracle->setup->config;
    unsigned receiver = sim_oracle_at_port(oracle, peer);

    if (receiver != SIM_ORACLE_NONE) {
        struct addr from =
            addr_with_port(peer->family == ADDR_IP4 ? config->public_ip4 : config->public_ip6,
                           oracle->allocations[sender].port);
        sim_cover_point(oracle->cover, to_client(oracle, receiver, &from, payload, out)
                                           ? SIM_COVER_HAIRPIN
                                           : SIM_COVER_HAIRPIN_DROPPED);
    } else if (sim_oracle_denial(oracle, peer, false) != TURN_REFUSAL_NONE) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_DEAD_PORT);
    } else {
        out->kind = SIM_EXPECT_TO_PEER;
        sim_cover_point(oracle->cover, SIM_COVER_TO_OWN_HOST);
    }
}

// Whether it goes to a peer.
static bool to_peer(struct sim_oracle *oracle, unsigned allocation, struct addr peer,
                    bool has_channel, struct bytes payload, struct sim_expect *out)
{
    bool is_own = sim_oracle_is_own(oracle, &peer);

    out->allocation = allocation;
    out->peer = peer;
    out->payload = payload;
    if ((oracle->allocations[allocation].bound & sim_oracle_bit(peer.family)) == 0 ||
        !is_permitted(oracle, allocation, &peer, has_channel)) {
        sim_cover_point(oracle->cover, has_channel ? SIM_COVER_CHANNEL_WITHOUT_PERMISSION
                                                   : SIM_COVER_DROP_NO_PERMISSION);
        return false;
    }
    if (!sim_oracle_limit_pass(oracle, allocation, true, payload.len)) {
        return false;
    }
    if (sim_oracle_is_listener(oracle, &peer)) {
        sim_cover_point(oracle->cover, SIM_COVER_LISTENER_DROPPED);
    } else if (is_own) {
        turn_around(oracle, allocation, &peer, payload, out);
    } else {
        out->kind = SIM_EXPECT_TO_PEER;
    }
    return out->kind == SIM_EXPECT_TO_PEER;
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
    } else if (to_peer(oracle, allocation, peer, false, data->value, out)) {
        bool is_ip4 = peer.family == ADDR_IP4 && out->tuple.client.family == ADDR_IP4;
        out->is_unfragmented = is_ip4 && sim_naive_find(message, DONT_FRAGMENT) != NULL;
        sim_cover_point(oracle->cover, out->is_unfragmented ? SIM_COVER_TO_PEER_UNFRAGMENTED
                                                            : SIM_COVER_TO_PEER_SEND);
    }
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
    if (to_peer(oracle, allocation, channel->peer, true, (struct bytes){datagram.ptr + 4, len},
                out)) {
        sim_cover_point(oracle->cover, SIM_COVER_TO_PEER_CHANNEL);
    }
}

static unsigned by_name(const struct sim_oracle *oracle, struct sim_name name)
{
    for (unsigned i = 0; i < SIM_SETUP_ALLOCATIONS; i++) {
        const struct sim_name *is = &oracle->allocations[i].name;
        if (oracle->allocations[i].is_live && is->home == name.home &&
            is->ref.index == name.ref.index && is->ref.generation == name.ref.generation) {
            return i;
        }
    }
    return SIM_ORACLE_NONE;
}

// The allocation whose socket of the peer's family it came on; SIM_ORACLE_NONE when it is closed.
static unsigned by_socket(const struct sim_oracle *oracle, struct sim_name name,
                          const struct addr *peer)
{
    unsigned allocation = by_name(oracle, name);

    if (allocation == SIM_ORACLE_NONE) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_STALE_SOCKET);
        return SIM_ORACLE_NONE;
    }
    if ((oracle->allocations[allocation].bound & sim_oracle_bit(peer->family)) == 0) {
        sim_cover_point(oracle->cover, SIM_COVER_DROP_STALE_FAMILY);
        return SIM_ORACLE_NONE;
    }
    return allocation;
}

void sim_oracle_from_peer(struct sim_oracle *oracle, struct now now, struct sim_name name,
                          const struct addr *peer, struct bytes datagram, struct sim_expect *out)
{
    unsigned allocation = by_socket(oracle, name, peer);

    oracle->now_ns = now.mono_ns;
    *out = (struct sim_expect){.kind = SIM_EXPECT_NOTHING};
    if (allocation != SIM_ORACLE_NONE && to_client(oracle, allocation, peer, datagram, out)) {
        sim_cover_point(oracle->cover,
                        out->channel != 0 ? SIM_COVER_TO_CLIENT_CHANNEL : SIM_COVER_TO_CLIENT_DATA);
    }
}

// RFC 8656 section 11.5.
void sim_oracle_icmp(struct sim_oracle *oracle, struct sim_name name, const struct addr *peer,
                     const struct stun_icmp *icmp, struct sim_expect *out)
{
    unsigned allocation = by_socket(oracle, name, peer);
    bool is_named = peer->family == ADDR_IP4
                        ? icmp->type == 3 || icmp->type == 11
                        : icmp->type == 1 || icmp->type == 2 || icmp->type == 3;

    *out = (struct sim_expect){.kind = SIM_EXPECT_NOTHING, .is_icmp = true};
    if (allocation == SIM_ORACLE_NONE) {
        return;
    }
    if (!is_named) {
        sim_cover_point(oracle->cover, SIM_COVER_ICMP_OTHER);
        return;
    }
    bool has_channel = channel_of(oracle, allocation, 0, peer) != NULL;
    if (!is_permitted(oracle, allocation, peer, has_channel)) {
        sim_cover_point(oracle->cover, SIM_COVER_ICMP_NO_PERMISSION);
        return;
    }
    out->kind = SIM_EXPECT_TO_CLIENT;
    out->allocation = allocation;
    out->tuple = oracle->allocations[allocation].tuple;
    out->peer = *peer;
    out->icmp = *icmp;
    sim_cover_point(oracle->cover, SIM_COVER_ICMP);
}
