// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_refresh.h"

#include "turn/turn_server_priv.h"

static void apply(struct turn_server *server, const struct turn_request *request, uint8_t family,
                  uint32_t lifetime_s)
{
    const struct turn_allocation *allocation = turn_allocation_at(server, request->allocation);
    bool has_both = allocation->families == (TURN_ALLOCATION_IP4 | TURN_ALLOCATION_IP6);

    if (lifetime_s != 0) {
        turn_allocation_refresh(server, request->allocation, request->now, lifetime_s);
    } else if (has_both && family != ADDR_NONE) {
        // One of the two families ends; what was permitted of it reaches nobody any more.
        turn_allocation_close(server, request->allocation, family, allocation->port);
    } else {
        server->stats.allocations_deleted++;
        turn_allocation_delete(server, request->allocation, TURN_EVENT_DELETED);
    }
}

static bool has_family(const struct turn_server *server, const struct turn_request *request,
                       enum addr_family family)
{
    return family == ADDR_NONE ||
           turn_allocation_has_family(turn_allocation_at(server, request->allocation),
                                      (uint8_t)family);
}

enum stun_error_code turn_refresh(struct turn_server *server, const struct turn_request *request)
{
    enum addr_family family = ADDR_NONE;
    uint32_t lifetime_s = 0;

    if (!turn_request_lifetime(server, request, &lifetime_s)) {
        return STUN_ERROR_BAD_REQUEST;
    }
    // Firezone's clients repeat the attributes of their Allocate.
    if (!request->manner->has_open_tenure &&
        (!turn_request_family(request, &family) || !has_family(server, request, family))) {
        return STUN_ERROR_PEER_FAMILY_MISMATCH;
    }
    apply(server, request, (uint8_t)family, lifetime_s);
    struct turn_response response = turn_response_begin(server, &request->to);
    stun_attr_u32_write(&response.writer.wr, STUN_ATTR_LIFETIME, lifetime_s);
    turn_response_end(server, &response);
    return STUN_ERROR_NONE;
}
