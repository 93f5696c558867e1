// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_create_permission.h"

#include <assert.h>

#include "turn/turn_server_priv.h"

// Judges every peer of the request.
static enum stun_error_code check_peers(struct turn_server *server,
                                        const struct turn_request *request)
{
    struct bytes value = {0};
    size_t at = 0;
    uint32_t peer_count = 0;

    while (stun_message_next(request->message, STUN_ATTR_XOR_PEER_ADDRESS, &at, &value)) {
        struct addr peer = {0};
        enum stun_error_code code = turn_request_peer(server, request, value, &peer);

        if (code != STUN_ERROR_NONE) {
            return code;
        }
        peer_count++;
    }
    return peer_count > 0 ? STUN_ERROR_NONE : STUN_ERROR_BAD_REQUEST;
}

// The next peer at or behind *at, when all have been judged.
static bool next_peer(const struct turn_server *server, const struct turn_request *request,
                      size_t *at, struct addr *peer)
{
    struct bytes value = {0};

    if (!stun_message_next(request->message, STUN_ATTR_XOR_PEER_ADDRESS, at, &value)) {
        return false;
    }
    bool is_read = stun_attr_xor_addr_read(value, &request->to.transaction, peer);
    assert(is_read);
    IGNORE(turn_hairpin_is_own(server, peer)); // known by its public address
    return true;
}

// Creates the permissions that are not there yet; a peer may be named twice. When a limit is in the
// way of one, those that were created are gone again: the newest of an allocation stands in front.
// To count them first would take a comparison of each peer with each.
static enum turn_refusal create_all(struct turn_server *server, const struct turn_request *request)
{
    const struct turn_allocation *owner = turn_allocation_at(server, request->allocation);
    struct addr peer = {0};
    size_t at = 0;
    uint32_t created_count = 0;

    while (next_peer(server, request, &at, &peer)) {
        if (turn_permission_find(server, request->allocation, &peer) != POOL_NONE) {
            continue;
        }
        enum turn_refusal limit =
            turn_permission_install(server, request->allocation, &peer, request->now);
        if (limit != TURN_REFUSAL_NONE) {
            for (; created_count > 0; created_count--) {
                turn_permission_delete(server, owner->first_permission);
            }
            return limit;
        }
        created_count++;
    }
    return TURN_REFUSAL_NONE;
}

// All peers of a request, or none.
enum stun_error_code turn_create_permission(struct turn_server *server,
                                            const struct turn_request *request)
{
    struct addr peer = {0};
    size_t at = 0;

    enum stun_error_code code = check_peers(server, request);
    if (code != STUN_ERROR_NONE) {
        return code;
    }
    enum turn_refusal limit = create_all(server, request);
    if (limit != TURN_REFUSAL_NONE) {
        turn_request_refuse(server, request, limit, NULL);
        return STUN_ERROR_INSUFFICIENT_CAPACITY;
    }
    while (next_peer(server, request, &at, &peer)) { // refreshes those that were there
        limit = turn_permission_install(server, request->allocation, &peer, request->now);
        assert(limit == TURN_REFUSAL_NONE);
    }
    turn_request_succeed(server, request);
    return STUN_ERROR_NONE;
}
