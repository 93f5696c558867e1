// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_relay.h"

#include <assert.h>

#include "stun/stun_chandata.h"
#include "turn/turn_server_priv.h"

enum { DATAGRAM_MAX = 65507 }; // bytes of UDP payload that IPv4 can carry

static enum turn_verdict drop(uint64_t *counter)
{
    (*counter)++;
    return TURN_DROP;
}

// The channel of an allocation for a peer on which data may go now, or POOL_NONE.
static uint32_t live_channel(const struct turn_server *server, uint32_t allocation,
                             const struct addr *peer)
{
    uint32_t channel = turn_channel_find_peer(server, allocation, peer);

    if (channel != POOL_NONE && turn_channel_at(server, channel)->is_resting) {
        return POOL_NONE;
    }
    return channel;
}

bool turn_relay_is_permitted(const struct turn_server *server, uint32_t allocation,
                             const struct addr *peer, uint32_t channel)
{
    if (turn_sweep_stops(server, allocation, peer)) {
        return false;
    }
    if (channel != POOL_NONE &&
        turn_allocation_manner(turn_allocation_at(server, allocation))->has_own_channels) {
        return true;
    }
    return turn_permission_find(server, allocation, peer) != POOL_NONE;
}

static size_t indication_head_len(const struct addr *peer)
{
    return STUN_HEADER_LEN + STUN_ATTR_HEAD_LEN + 4 + addr_ip(peer).len + STUN_ATTR_HEAD_LEN;
}

// Writes the head of a Data indication; the data and its padding follow it.
static void indication_write(struct turn_server *server, struct wr *wr, const struct addr *peer,
                             size_t data_len)
{
    size_t addr_len = STUN_ATTR_HEAD_LEN + 4 + addr_ip(peer).len;
    struct stun_header header = {
        .method = STUN_DATA,
        .class = STUN_INDICATION,
        .body_len = (uint16_t)(addr_len + STUN_ATTR_HEAD_LEN + STUN_ATTR_PADDED(data_len)),
    };

    crypto_random_fill(&server->random, header.transaction.id, STUN_TRANSACTION_LEN);
    stun_header_write(wr, &header);
    stun_attr_xor_addr_write(wr, STUN_ATTR_XOR_PEER_ADDRESS, &header.transaction, peer);
    wr_u16(wr, STUN_ATTR_DATA);
    wr_u16(wr, (uint16_t)data_len);
}

// Data from a peer, for the client of an allocation.
static enum turn_verdict to_client(struct turn_server *server, struct now now, uint32_t index,
                                   const struct addr *peer, struct bytes data,
                                   struct turn_forward *out)
{
    struct turn_allocation *allocation = turn_allocation_at(server, index);
    uint32_t channel = live_channel(server, index, peer);

    if (!turn_relay_is_permitted(server, index, peer, channel)) {
        return drop(&server->stats.dropped_no_permission);
    }
    size_t whole_len = channel != POOL_NONE
                           ? STUN_CHANDATA_HEAD_LEN + data.len
                           : indication_head_len(peer) + STUN_ATTR_PADDED(data.len);
    if (whole_len > DATAGRAM_MAX) {
        return drop(&server->stats.dropped_too_long);
    }
    if (!turn_limit_take(server, now, index, TURN_LIMIT_TO_CLIENT, data.len)) {
        return TURN_DROP;
    }
    struct wr wr = wr_init(out->head, sizeof out->head);
    if (channel != POOL_NONE) {
        stun_chandata_head_write(&wr, turn_channel_at(server, channel)->number, (uint16_t)data.len);
        out->padding_len = 0; // over UDP it is not needed (RFC 8656 section 12.5)
    } else {
        indication_write(server, &wr, peer, data.len);
        out->padding_len = (uint8_t)(STUN_ATTR_PADDED(data.len) - data.len);
    }
    assert(wr_ok(&wr));
    out->is_to_peer = false;
    out->is_unfragmented = false;
    out->head_len = (uint8_t)wr.len;
    out->allocation = pool_ref(&server->allocations.pool, index);
    out->tuple = allocation->tuple;
    out->payload = data;
    server->stats.packets_to_client++;
    server->stats.bytes_to_client += data.len;
    turn_stats_size(&server->stats, data.len);
    allocation->usage.packets_to_client++;
    allocation->usage.bytes_to_client += data.len;
    return TURN_FORWARD;
}

// Data from a client, on its way.
struct outgoing {
    struct now now;
    uint32_t allocation;
    uint32_t channel; // or POOL_NONE
    struct addr peer;
    struct bytes data;
};

// Data for an own address of the relay, at a port where a shard relays. What is relayed there is
// another client's, which sees it come from the sender's relayed address.
static enum turn_verdict turn_around(struct turn_server *server, const struct outgoing *from,
                                     uint32_t shard, const struct addr *peer,
                                     struct turn_forward *out)
{
    const struct turn_allocation *sender = turn_allocation_at(server, from->allocation);
    struct addr relayed = turn_allocation_relayed(server, sender, peer->family);

    server->stats.packets_turned++;
    server->stats.bytes_turned += from->data.len;
    if (shard == server->config.shard_index) {
        return to_client(server, from->now, turn_hairpin_find(server, peer), &relayed, from->data,
                         out);
    }
    out->shard = shard;
    out->relayed = relayed;
    out->peer = *peer;
    out->allocation = pool_ref(&server->allocations.pool, from->allocation);
    out->payload = from->data;
    return TURN_HAND_OVER;
}

// Counts against its limit wherever it leads, once the client may send it.
static enum turn_verdict to_peer(struct turn_server *server, const struct outgoing *from,
                                 struct turn_forward *out)
{
    const uint32_t index = from->allocation;
    struct turn_allocation *allocation = turn_allocation_at(server, index);
    struct addr peer = from->peer;
    bool is_own = turn_hairpin_is_own(server, &peer);
    uint32_t shard = is_own ? turn_hairpin_shard(server, &peer) : TURN_COMMONS_NO_SHARD;

    if (!turn_allocation_has_family(allocation, peer.family) ||
        !turn_relay_is_permitted(server, index, &peer, from->channel)) {
        return drop(&server->stats.dropped_no_permission);
    }
    if (!turn_limit_take(server, from->now, index, TURN_LIMIT_TO_PEER, from->data.len)) {
        return TURN_DROP;
    }
    const bool is_turned = shard != TURN_COMMONS_NO_SHARD;
    if (!is_turned && (turn_hairpin_is_listener(server, &peer) ||
                       (is_own && !turn_hairpin_is_allowed(server, &peer)))) {
        return drop(&server->stats.dropped_no_permission);
    }
    allocation->usage.packets_to_peer++;
    allocation->usage.bytes_to_peer += from->data.len;
    if (is_turned) {
        return turn_around(server, from, shard, &peer, out);
    }
    out->is_to_peer = true;
    out->is_unfragmented = false;
    out->head_len = 0;
    out->padding_len = 0;
    out->allocation = pool_ref(&server->allocations.pool, index);
    out->peer = peer;
    out->payload = from->data;
    server->stats.packets_to_peer++;
    server->stats.bytes_to_peer += from->data.len;
    turn_stats_size(&server->stats, from->data.len);
    return TURN_FORWARD;
}

enum turn_verdict turn_relay_chandata(struct turn_server *server, struct now now,
                                      const struct turn_tuple *tuple, struct bytes datagram,
                                      struct turn_forward *out)
{
    uint16_t number = 0;
    struct bytes data = {0};

    if (!stun_chandata_read(datagram, &number, &data)) {
        return drop(&server->stats.dropped_malformed);
    }
    uint32_t allocation = turn_allocation_find(server, tuple);
    if (allocation == POOL_NONE) {
        return drop(&server->stats.dropped_no_allocation);
    }
    uint32_t channel = turn_channel_find(server, allocation, number);
    if (channel == POOL_NONE || turn_channel_at(server, channel)->is_resting) {
        return drop(&server->stats.dropped_no_channel);
    }
    const struct outgoing from = {
        .now = now,
        .allocation = allocation,
        .channel = channel,
        .peer = turn_channel_at(server, channel)->peer,
        .data = data,
    };
    return to_peer(server, &from, out);
}

enum turn_verdict turn_relay_send(struct turn_server *server, struct now now,
                                  const struct turn_tuple *tuple,
                                  const struct stun_message *message, struct turn_forward *out)
{
    struct bytes peer_value = {0};
    struct bytes data = {0};
    struct addr peer = {0};

    if (message->unknown_count > 0 ||
        !stun_message_find(message, STUN_ATTR_XOR_PEER_ADDRESS, &peer_value) ||
        !stun_message_find(message, STUN_ATTR_DATA, &data) ||
        !stun_attr_xor_addr_read(peer_value, &message->header.transaction, &peer) ||
        peer.port == 0) {
        return drop(&server->stats.dropped_malformed);
    }
    uint32_t allocation = turn_allocation_find(server, tuple);
    if (allocation == POOL_NONE) {
        return drop(&server->stats.dropped_no_allocation);
    }
    const struct outgoing from = {
        .now = now,
        .allocation = allocation,
        .channel = POOL_NONE,
        .peer = peer,
        .data = data,
    };
    enum turn_verdict verdict = to_peer(server, &from, out);
    if (verdict == TURN_FORWARD && out->is_to_peer) {
        // Of use from IPv4 to IPv4 alone (RFC 8656 sections 13 and 14).
        out->is_unfragmented = stun_message_has(message, STUN_ATTR_DONT_FRAGMENT) &&
                               tuple->client.family == ADDR_IP4 && peer.family == ADDR_IP4;
    }
    return verdict;
}

// The socket that a peer's packet came on is still the allocation's: neither that is gone, nor has
// its client given back this one of its two families.
static bool is_relayed(const struct turn_server *server, struct pool_ref ref,
                       const struct addr *peer)
{
    const struct turn_allocation *allocation = pool_find(&server->allocations.pool, ref);
    return allocation != NULL && turn_allocation_has_family(allocation, peer->family);
}

enum turn_verdict turn_relay_from_shard(struct turn_server *server, struct now now,
                                        const struct addr *from, const struct addr *to,
                                        struct bytes data, struct turn_forward *out)
{
    uint32_t receiver = turn_hairpin_find(server, to);

    if (receiver == POOL_NONE) {
        return drop(&server->stats.dropped_no_allocation);
    }
    return to_client(server, now, receiver, from, data, out);
}

enum turn_verdict turn_relay_from_peer(struct turn_server *server, struct now now,
                                       struct pool_ref ref, const struct addr *peer,
                                       struct bytes datagram, struct turn_forward *out)
{
    if (!is_relayed(server, ref, peer)) {
        return drop(&server->stats.dropped_no_allocation);
    }
    return to_client(server, now, ref.index, peer, datagram, out);
}

// What RFC 8656 section 11.5 passes on: destination unreachable, time exceeded, packet too big.
static bool is_passed_on(const struct addr *peer, uint8_t type)
{
    return peer->family == ADDR_IP4 ? type == 3 || type == 11 : type >= 1 && type <= 3;
}

enum turn_verdict turn_relay_icmp(struct turn_server *server, struct pool_ref ref,
                                  const struct addr *peer, const struct stun_icmp *icmp,
                                  struct turn_forward *out)
{
    struct stun_header header = {.method = STUN_DATA, .class = STUN_INDICATION};

    if (!is_relayed(server, ref, peer)) {
        return drop(&server->stats.dropped_no_allocation);
    }
    if (!is_passed_on(peer, icmp->type)) {
        return drop(&server->stats.dropped_unexpected);
    }
    if (!turn_relay_is_permitted(server, ref.index, peer, live_channel(server, ref.index, peer))) {
        return drop(&server->stats.dropped_no_permission);
    }
    header.body_len = (uint16_t)(STUN_ATTR_HEAD_LEN + 4 + addr_ip(peer).len + STUN_ICMP_ATTR_LEN);
    crypto_random_fill(&server->random, header.transaction.id, STUN_TRANSACTION_LEN);
    struct wr wr = wr_init(out->head, sizeof out->head);
    stun_header_write(&wr, &header);
    stun_attr_xor_addr_write(&wr, STUN_ATTR_XOR_PEER_ADDRESS, &header.transaction, peer);
    stun_icmp_write(&wr, icmp);
    assert(wr_ok(&wr));
    out->is_to_peer = false;
    out->is_unfragmented = false;
    out->head_len = (uint8_t)wr.len;
    out->padding_len = 0;
    out->allocation = ref;
    out->tuple = turn_allocation_at(server, ref.index)->tuple;
    out->payload = (struct bytes){0};
    server->stats.errors_to_client++;
    return TURN_FORWARD;
}
