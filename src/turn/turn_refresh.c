// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_refresh.h"

#include "turn/turn_server_priv.h"

enum stun_error_code turn_refresh(struct turn_server *server, const struct turn_request *request)
{
    enum addr_family family = ADDR_NONE;
    uint32_t lifetime_s = 0;

    if (!turn_request_lifetime(server, request, &lifetime_s) ||
        !turn_request_family(request, &family)) {
        return STUN_ERROR_BAD_REQUEST;
    }
    if (family != ADDR_NONE && family != turn_allocation_at(server, request->allocation)->family) {
        return STUN_ERROR_PEER_FAMILY_MISMATCH;
    }
    if (lifetime_s == 0) {
        server->stats.allocations_deleted++;
        turn_allocation_delete(server, request->allocation, TURN_EVENT_DELETED);
    } else {
        turn_allocation_refresh(server, request->allocation, request->now, lifetime_s);
    }
    struct turn_response response = turn_response_begin(server, &request->to);
    stun_attr_u32_write(&response.writer.wr, STUN_ATTR_LIFETIME, lifetime_s);
    turn_response_end(server, &response);
    return STUN_ERROR_NONE;
}
