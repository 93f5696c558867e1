// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_allocate.h"

#include <assert.h>
#include <string.h>

#include "turn/turn_server_priv.h"

// What a well-formed Allocate asks for.
struct wish {
    enum addr_family family; // of the relayed address; ADDR_NONE: as the reservation has it
    enum turn_ports_wish port;
    bool has_token;
    struct bytes token;
    uint32_t lifetime_s;
};

static enum stun_error_code check_transport(const struct turn_request *request)
{
    struct bytes value = {0};
    uint8_t protocol = 0;

    if (!stun_message_find(request->message, STUN_ATTR_REQUESTED_TRANSPORT, &value) ||
        !stun_attr_u8_read(value, &protocol)) {
        return STUN_ERROR_BAD_REQUEST;
    }
    return protocol == STUN_ATTR_TRANSPORT_UDP ? STUN_ERROR_NONE : STUN_ERROR_UNSUPPORTED_TRANSPORT;
}

static bool serves(const struct turn_server *server, enum addr_family family)
{
    return (family == ADDR_IP4 ? server->config.public_ip4.family
                               : server->config.public_ip6.family) != ADDR_NONE;
}

static enum stun_error_code read_wish(const struct turn_server *server,
                                      const struct turn_request *request, struct wish *out)
{
    struct wish wish = {.port = TURN_PORTS_ANY};
    struct bytes even = {0};
    uint8_t flags = 0;
    enum stun_error_code code = check_transport(request);

    if (code != STUN_ERROR_NONE) {
        return code;
    }
    if (!turn_request_lifetime(server, request, &wish.lifetime_s) ||
        !turn_request_family(request, &wish.family)) {
        return STUN_ERROR_BAD_REQUEST;
    }
    if (wish.lifetime_s == 0) {
        wish.lifetime_s = server->config.min_lifetime_s; // only a Refresh may ask for an end
    }
    wish.has_token = stun_message_find(request->message, STUN_ATTR_RESERVATION_TOKEN, &wish.token);
    if (stun_message_find(request->message, STUN_ATTR_EVEN_PORT, &even)) {
        if (wish.has_token || !stun_attr_u8_read(even, &flags)) {
            return STUN_ERROR_BAD_REQUEST;
        }
        wish.port = (flags & STUN_ATTR_EVEN_PORT_RESERVE) != 0 ? TURN_PORTS_PAIR : TURN_PORTS_EVEN;
    }
    if (wish.has_token && wish.family != ADDR_NONE) {
        return STUN_ERROR_BAD_REQUEST;
    }
    if (!wish.has_token) {
        wish.family = wish.family == ADDR_NONE ? ADDR_IP4 : wish.family;
        if (!serves(server, wish.family)) {
            return STUN_ERROR_FAMILY_NOT_SUPPORTED;
        }
    }
    *out = wish;
    return STUN_ERROR_NONE;
}

static void respond(struct turn_server *server, const struct turn_response_to *to,
                    const struct turn_allocation *allocation)
{
    struct turn_response response = turn_response_begin(server, to);
    struct wr *wr = &response.writer.wr;
    struct addr relayed = turn_allocation_relayed(server, allocation);

    stun_attr_xor_addr_write(wr, STUN_ATTR_XOR_RELAYED_ADDRESS, &to->transaction, &relayed);
    stun_attr_u32_write(wr, STUN_ATTR_LIFETIME, allocation->granted_s);
    if (allocation->has_token) {
        stun_attr_write(wr, STUN_ATTR_RESERVATION_TOKEN,
                        (struct bytes){allocation->token, sizeof allocation->token});
    }
    stun_attr_xor_addr_write(wr, STUN_ATTR_XOR_MAPPED_ADDRESS, &to->transaction, &to->tuple.client);
    turn_response_end(server, &response);
}

// The client has an allocation: either this is the request that made it, once more, or 437.
static enum stun_error_code answer_again(struct turn_server *server,
                                         const struct turn_request *request)
{
    const struct turn_allocation *allocation = turn_allocation_at(server, request->allocation);

    assert(allocation->state == TURN_ALLOCATION_LIVE);
    if (allocation->user != request->user ||
        memcmp(&allocation->transaction, &request->to.transaction,
               sizeof allocation->transaction) != 0) {
        return STUN_ERROR_ALLOCATION_MISMATCH;
    }
    respond(server, &request->to, allocation);
    return STUN_ERROR_NONE;
}

static void order_opened(struct turn_server *server)
{
    const struct turn_allocate_opening *opening = &server->opening;
    const struct turn_allocation *allocation = turn_allocation_at(server, opening->allocation);
    struct turn_command command = {
        .type = TURN_COMMAND_OPEN,
        .socket.allocation = pool_ref(&server->allocations.pool, opening->allocation),
    };

    command.socket.relayed =
        addr_with_port(turn_allocation_relayed(server, allocation), opening->port);
    turn_outbox_add(&server->outbox, &command);
}

static enum stun_error_code refuse(struct turn_server *server, const struct turn_request *request,
                                   const char *reason)
{
    turn_request_report(server, request, TURN_EVENT_EXHAUSTED, NULL, reason);
    return STUN_ERROR_INSUFFICIENT_CAPACITY;
}

enum stun_error_code turn_allocate(struct turn_server *server, const struct turn_request *request)
{
    struct wish wish = {0};
    uint16_t port = 0;

    if (request->allocation != POOL_NONE) {
        return answer_again(server, request);
    }
    enum stun_error_code code = read_wish(server, request, &wish);
    if (code != STUN_ERROR_NONE) {
        return code;
    }
    if (pool_is_full(&server->allocations.pool)) {
        return refuse(server, request, "all allocations are in use");
    }
    if (wish.port == TURN_PORTS_PAIR && !turn_reservation_has_room(server)) {
        return refuse(server, request, "all reservations are in use");
    }
    if (wish.has_token) {
        uint8_t family = 0;
        if (!turn_reservation_redeem(server, request->user, wish.token, &port, &family)) {
            return STUN_ERROR_INSUFFICIENT_CAPACITY; // RFC 8656 section 7.2: the token is not valid
        }
        wish.family = family;
    } else if (!turn_ports_take(&server->ports, wish.port, &server->random, &port)) {
        return refuse(server, request, "all relayed ports are in use");
    }
    uint32_t index = turn_allocation_create(server, &request->to.tuple, wish.family);
    assert(index != POOL_NONE);
    struct turn_allocation *allocation = turn_allocation_at(server, index);
    allocation->user = request->user;
    allocation->transaction = request->to.transaction;

    assert(!server->opening.is_open);
    server->opening = (struct turn_allocate_opening){
        .is_open = true,
        .is_reserved = wish.has_token,
        .allocation = index,
        .lifetime_s = wish.lifetime_s,
        .wish = wish.port,
        .port = port,
        .user = request->user,
        .username = request->username,
        .to = request->to,
    };
    order_opened(server);
    return STUN_ERROR_NONE;
}

// The system gave the port: the allocation lives, and its client learns of it.
static void finish(struct turn_server *server, struct now now)
{
    struct turn_allocate_opening *opening = &server->opening;
    struct turn_allocation *allocation = turn_allocation_at(server, opening->allocation);

    turn_allocation_opened(server, opening->allocation, opening->port, now, opening->lifetime_s);
    if (opening->wish == TURN_PORTS_PAIR) {
        turn_reservation_make(server, opening->user, (uint16_t)(opening->port + 1),
                              allocation->family, now, allocation->token);
        allocation->has_token = true;
    }
    respond(server, &opening->to, allocation);
    const struct turn_command report = {
        .type = TURN_COMMAND_REPORT,
        .report =
            {
                .event = TURN_EVENT_ALLOCATED,
                .tuple = allocation->tuple,
                .relayed = turn_allocation_relayed(server, allocation),
                .username = opening->username,
                .lifetime_s = opening->lifetime_s,
            },
    };
    turn_outbox_add(&server->outbox, &report);
}

static void report_failure(struct turn_server *server, enum turn_event event, const char *reason)
{
    const struct turn_allocate_opening *opening = &server->opening;
    const struct turn_allocation *allocation = turn_allocation_at(server, opening->allocation);
    struct turn_command report = {
        .type = TURN_COMMAND_REPORT,
        .report = {.event = event, .tuple = allocation->tuple, .reason = reason},
    };

    report.report.relayed =
        addr_with_port(turn_allocation_relayed(server, allocation), opening->port);
    turn_outbox_add(&server->outbox, &report);
}

static void give_up(struct turn_server *server, const char *reason)
{
    struct turn_allocate_opening *opening = &server->opening;

    report_failure(server, TURN_EVENT_EXHAUSTED, reason);
    turn_allocation_delete(server, opening->allocation, TURN_EVENT_DELETED);
    server->stats.errors++;
    turn_response_error(server, &opening->to, STUN_ERROR_INSUFFICIENT_CAPACITY);
}

// Lets the refused port rest and takes another. False when there is none to try.
static bool try_another(struct turn_server *server, struct now now)
{
    struct turn_allocate_opening *opening = &server->opening;

    turn_ports_rest(&server->ports, opening->port, now);
    if (opening->wish == TURN_PORTS_PAIR) {
        turn_ports_give(&server->ports, (uint16_t)(opening->port + 1));
    }
    server->stats.ports_refused++;
    report_failure(server, TURN_EVENT_PORT_REFUSED, NULL);
    return !opening->is_reserved && ++opening->tries < TURN_ALLOCATE_TRIES &&
           turn_ports_take(&server->ports, opening->wish, &server->random, &opening->port);
}

void turn_allocate_opened(struct turn_server *server, struct now now, enum turn_opened opened)
{
    struct turn_allocate_opening *opening = &server->opening;

    assert(opening->is_open);
    switch (opened) {
    case TURN_OPENED:
        finish(server, now);
        break;
    case TURN_PORT_REFUSED:
        if (try_another(server, now)) {
            order_opened(server);
            return; // still open: the next port is being tried
        }
        give_up(server, "the system refuses relayed ports");
        break;
    case TURN_SYSTEM_REFUSED:
        turn_ports_give(&server->ports, opening->port);
        if (opening->wish == TURN_PORTS_PAIR) {
            turn_ports_give(&server->ports, (uint16_t)(opening->port + 1));
        }
        give_up(server, "the system has no more sockets");
        break;
    }
    memset(opening, 0, sizeof *opening);
}
