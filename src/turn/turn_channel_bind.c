// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_channel_bind.h"

#include "stun/stun_chandata.h"
#include "turn/turn_server_priv.h"

static enum stun_error_code read_binding(struct turn_server *server,
                                         const struct turn_request *request, uint16_t *number,
                                         struct addr *peer)
{
    struct bytes number_value = {0};
    struct bytes peer_value = {0};

    if (!stun_message_find(request->message, STUN_ATTR_CHANNEL_NUMBER, &number_value) ||
        !stun_message_find(request->message, STUN_ATTR_XOR_PEER_ADDRESS, &peer_value) ||
        !stun_attr_u16_read(number_value, number) || !stun_chandata_is_number(*number) ||
        *number > request->manner->channel_last) {
        return STUN_ERROR_BAD_REQUEST;
    }
    enum stun_error_code code = turn_request_peer(server, request, peer_value, peer);
    if (code == STUN_ERROR_NONE && peer->port == 0) {
        return STUN_ERROR_BAD_REQUEST;
    }
    return code;
}

// Binds the two, with the permission that comes with it, or refreshes both. All or nothing; says
// which limit is in the way.
static enum turn_refusal bind(struct turn_server *server, const struct turn_request *request,
                              uint16_t number, const struct addr *peer)
{
    uint32_t allocation = request->allocation;
    bool is_new = turn_channel_find(server, allocation, number) == POOL_NONE;
    enum turn_refusal limit = TURN_REFUSAL_NONE;

    if (is_new) {
        limit = turn_channel_create(server, allocation, number, peer, request->now);
    }
    if (limit != TURN_REFUSAL_NONE) {
        return limit;
    }
    if (!request->manner->has_own_channels) {
        limit = turn_permission_install(server, allocation, peer, request->now);
    }
    uint32_t channel = turn_channel_find(server, allocation, number);
    if (limit == TURN_REFUSAL_NONE) {
        turn_channel_refresh(server, channel, request->now);
    } else if (is_new) {
        turn_channel_delete(server, channel);
    }
    return limit;
}

enum stun_error_code turn_channel_bind(struct turn_server *server,
                                       const struct turn_request *request)
{
    uint16_t number = 0;
    struct addr peer = {0};

    enum stun_error_code code = read_binding(server, request, &number, &peer);
    if (code != STUN_ERROR_NONE) {
        return code;
    }
    // Either both are free, or they are bound to each other, which is a refresh.
    uint32_t by_number = turn_channel_find(server, request->allocation, number);
    uint32_t by_peer = turn_channel_find_peer(server, request->allocation, &peer);
    if (by_number != by_peer) {
        return STUN_ERROR_BAD_REQUEST;
    }
    enum turn_refusal limit = bind(server, request, number, &peer);
    if (limit != TURN_REFUSAL_NONE) {
        turn_request_refuse(server, request, limit, NULL);
        return STUN_ERROR_INSUFFICIENT_CAPACITY;
    }
    turn_request_succeed(server, request);
    return STUN_ERROR_NONE;
}
