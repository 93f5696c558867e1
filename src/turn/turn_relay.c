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

// Data for a peer of an allocation, if there is a permission for it.
static enum turn_verdict to_peer(struct turn_server *server, uint32_t allocation,
                                 const struct addr *peer, struct bytes data,
                                 struct turn_forward *out)
{
    if (turn_permission_find(server, allocation, peer) == POOL_NONE) {
        return drop(&server->stats.dropped_no_permission);
    }
    out->is_to_peer = true;
    out->is_unfragmented = false;
    out->head_len = 0;
    out->padding_len = 0;
    out->allocation = pool_ref(&server->allocations.pool, allocation);
    out->peer = *peer;
    out->payload = data;
    server->stats.packets_to_peer++;
    server->stats.bytes_to_peer += data.len;
    return TURN_FORWARD;
}

enum turn_verdict turn_relay_chandata(struct turn_server *server, const struct turn_tuple *tuple,
                                      struct bytes datagram, struct turn_forward *out)
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
    if (channel == POOL_NONE) {
        return drop(&server->stats.dropped_no_channel);
    }
    return to_peer(server, allocation, &turn_channel_at(server, channel)->peer, data, out);
}

enum turn_verdict turn_relay_send(struct turn_server *server, const struct turn_tuple *tuple,
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
    enum turn_verdict verdict = to_peer(server, allocation, &peer, data, out);
    if (verdict == TURN_FORWARD) {
        out->is_unfragmented = stun_message_has(message, STUN_ATTR_DONT_FRAGMENT);
    }
    return verdict;
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

enum turn_verdict turn_relay_from_peer(struct turn_server *server, struct pool_ref ref,
                                       const struct addr *peer, struct bytes datagram,
                                       struct turn_forward *out)
{
    const struct turn_allocation *allocation = pool_find(&server->allocations.pool, ref);

    if (allocation == NULL) {
        return drop(&server->stats.dropped_no_allocation);
    }
    if (turn_permission_find(server, ref.index, peer) == POOL_NONE) {
        return drop(&server->stats.dropped_no_permission);
    }
    uint32_t channel = turn_channel_find_peer(server, ref.index, peer);
    size_t head_max = channel != POOL_NONE ? STUN_CHANDATA_HEAD_LEN : TURN_FORWARD_HEAD_MAX;
    if (STUN_ATTR_PADDED(datagram.len) + head_max > DATAGRAM_MAX) {
        return drop(&server->stats.dropped_too_long);
    }
    struct wr wr = wr_init(out->head, sizeof out->head);
    if (channel != POOL_NONE) {
        stun_chandata_head_write(&wr, turn_channel_at(server, channel)->number,
                                 (uint16_t)datagram.len);
        out->padding_len = 0; // over UDP it is not needed (RFC 8656 section 12.5)
    } else {
        indication_write(server, &wr, peer, datagram.len);
        out->padding_len = (uint8_t)(STUN_ATTR_PADDED(datagram.len) - datagram.len);
    }
    assert(wr_ok(&wr));
    out->is_to_peer = false;
    out->is_unfragmented = false;
    out->head_len = (uint8_t)wr.len;
    out->allocation = ref;
    out->tuple = allocation->tuple;
    out->payload = datagram;
    server->stats.packets_to_client++;
    server->stats.bytes_to_client += datagram.len;
    return TURN_FORWARD;
}
