// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_create_permission.h"

#include "turn/turn_server_priv.h"

// Judges every peer of the request, and counts the permissions that are not there yet; of a peer
// that is named twice, each time.
static enum stun_error_code check_peers(struct turn_server *server,
                                        const struct turn_request *request, uint32_t *new_count)
{
    struct bytes value = {0};
    size_t at = 0;
    uint32_t peer_count = 0;

    *new_count = 0;
    while (stun_message_next(request->message, STUN_ATTR_XOR_PEER_ADDRESS, &at, &value)) {
        struct addr peer = {0};
        enum stun_error_code code = turn_request_peer(server, request, value, &peer);

        if (code != STUN_ERROR_NONE) {
            return code;
        }
        peer_count++;
        if (turn_permission_find(server, request->allocation, &peer) == POOL_NONE) {
            (*new_count)++;
        }
    }
    return peer_count > 0 ? STUN_ERROR_NONE : STUN_ERROR_BAD_REQUEST;
}

// All peers of a request, or none.
enum stun_error_code turn_create_permission(struct turn_server *server,
                                            const struct turn_request *request)
{
    struct bytes value = {0};
    size_t at = 0;
    uint32_t new_count = 0;

    enum stun_error_code code = check_peers(server, request, &new_count);
    if (code != STUN_ERROR_NONE) {
        return code;
    }
    enum turn_refusal limit = turn_permission_limit(server, request->allocation, new_count);
    if (limit != TURN_REFUSAL_NONE) {
        turn_request_refuse(server, request, limit, NULL);
        return STUN_ERROR_INSUFFICIENT_CAPACITY;
    }
    while (stun_message_next(request->message, STUN_ATTR_XOR_PEER_ADDRESS, &at, &value)) {
        struct addr peer = {0};
        if (stun_attr_xor_addr_read(value, &request->to.transaction, &peer)) {
            IGNORE(turn_hairpin_is_own(server, &peer)); // known by its public address
            turn_permission_install(server, request->allocation, &peer, request->now);
        }
    }
    turn_request_succeed(server, request);
    return STUN_ERROR_NONE;
}
