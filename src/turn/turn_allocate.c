// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_allocate.h"

#include <assert.h>
#include <string.h>

#include "turn/turn_server_priv.h"

// What a well-formed Allocate asks for.
struct wish {
    uint8_t families;       // TURN_ALLOCATION_IP4 and _IP6; 0: as the reservation has it
    uint8_t refused_family; // asked for, and not served; ADDR_NONE: there is none
    enum turn_ports_wish port;
    bool has_token;
    struct bytes token;
    uint32_t lifetime_s;
};

enum { BOTH_FAMILIES = TURN_ALLOCATION_IP4 | TURN_ALLOCATION_IP6 };

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

static uint8_t served_families(const struct turn_server *server)
{
    return (server->config.public_ip4.family != ADDR_NONE ? TURN_ALLOCATION_IP4 : 0) |
           (server->config.public_ip6.family != ADDR_NONE ? TURN_ALLOCATION_IP6 : 0);
}

// REQUESTED-ADDRESS-FAMILY asks for one family, ADDITIONAL-ADDRESS-FAMILY for IPv6 beside IPv4, of
// which either will do; IPv4 is what a client gets that names none.
static enum stun_error_code read_families(const struct turn_server *server,
                                          const struct turn_request *request, struct wish *wish)
{
    enum addr_family requested = ADDR_NONE;
    struct bytes additional = {0};
    uint8_t family = 0;
    uint8_t served = served_families(server);
    bool is_known = turn_request_family(request, &requested);
    bool has_requested = stun_message_has(request->message, STUN_ATTR_REQUESTED_ADDRESS_FAMILY);

    if (stun_message_find(request->message, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, &additional)) {
        if (has_requested || wish->has_token || wish->port == TURN_PORTS_PAIR ||
            !stun_attr_u8_read(additional, &family) || family != STUN_ATTR_FAMILY_IP6) {
            return STUN_ERROR_BAD_REQUEST;
        }
        wish->families = served;
        if (served != BOTH_FAMILIES) {
            wish->refused_family = served == TURN_ALLOCATION_IP4 ? ADDR_IP6 : ADDR_IP4;
        }
        return STUN_ERROR_NONE;
    }
    if (wish->has_token) {
        return has_requested ? STUN_ERROR_BAD_REQUEST : STUN_ERROR_NONE;
    }
    if (!is_known) {
        return STUN_ERROR_FAMILY_NOT_SUPPORTED;
    }
    wish->families = requested == ADDR_IP6 ? TURN_ALLOCATION_IP6 : TURN_ALLOCATION_IP4;
    return (wish->families & served) != 0 ? STUN_ERROR_NONE : STUN_ERROR_FAMILY_NOT_SUPPORTED;
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
    if (!turn_request_lifetime(server, request, &wish.lifetime_s)) {
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
    code = read_families(server, request, &wish);
    if (code == STUN_ERROR_NONE) {
        *out = wish;
    }
    return code;
}

static uint8_t attr_family(uint8_t family)
{
    return family == ADDR_IP4 ? STUN_ATTR_FAMILY_IP4 : STUN_ATTR_FAMILY_IP6;
}

static void respond(struct turn_server *server, const struct turn_response_to *to,
                    const struct turn_allocation *allocation)
{
    static const uint8_t families[] = {ADDR_IP4, ADDR_IP6};
    static const uint8_t bits[] = {TURN_ALLOCATION_IP4, TURN_ALLOCATION_IP6};
    struct turn_response response = turn_response_begin(server, to);
    struct wr *wr = &response.writer.wr;

    for (size_t i = 0; i < COUNT_OF(families); i++) {
        if ((allocation->granted & bits[i]) != 0) {
            struct addr relayed = turn_allocation_relayed(server, allocation, families[i]);
            stun_attr_xor_addr_write(wr, STUN_ATTR_XOR_RELAYED_ADDRESS, &to->transaction, &relayed);
        }
    }
    if (allocation->refused_family != ADDR_NONE) {
        stun_error_address_write(wr, attr_family(allocation->refused_family),
                                 (enum stun_error_code)allocation->refused_code);
    }
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

static enum stun_error_code refuse(struct turn_server *server, const struct turn_request *request,
                                   enum stun_error_code code, enum turn_refusal refusal)
{
    turn_request_refuse(server, request, refusal, NULL);
    return code;
}

// The port range belongs to the whole relay, and so do the limits: what is asked of the commons.
static struct turn_commons_wish wish_of(const struct turn_server *server,
                                        const struct turn_request *request, const struct wish *wish)
{
    return (struct turn_commons_wish){
        .user = request->user,
        .shard = server->config.shard_index,
        .allocation = pool_next(&server->allocations.pool),
        .user_quota = server->config.allocations_per_user,
        .has_takeover = request->manner->has_takeover,
        .port = wish->port,
        .leaving = turn_allocation_leaving_port(server),
        .has_token = wish->has_token,
        .token = wish->token,
    };
}

// Where a new allocation replaces its user's old one, and that is this shard's, it goes first.
static void replace(struct turn_server *server, const struct turn_request *request)
{
    uint32_t old = turn_commons_find(server->commons, request->user, server->config.shard_index);

    if (old != POOL_NONE) {
        turn_allocation_delete(server, old, TURN_EVENT_REPLACED);
    }
}

static void wake(struct turn_server *server, uint32_t shard)
{
    const struct turn_command command = {.type = TURN_COMMAND_WAKE, .wake = {.shard = shard}};

    assert(shard != server->config.shard_index);
    turn_outbox_add(&server->outbox, &command);
}

// Has a new allocation counted, and takes its port: the reserved one, whose families then are the
// wish's, or a free one.
static enum stun_error_code enter(struct turn_server *server, const struct turn_request *request,
                                  struct wish *wish, struct turn_commons_grant *grant)
{
    uint32_t woken = TURN_COMMONS_NO_SHARD;

    // Who is refused keeps what he has.
    if (request->manner->has_takeover && !turn_commons_is_draining(server->commons)) {
        replace(server, request);
    }
    struct turn_commons_wish asked = wish_of(server, request, wish);
    enum turn_commons_outcome outcome =
        turn_commons_enter(server->commons, request->now, &server->random, &asked, grant, &woken);
    if (woken != TURN_COMMONS_NO_SHARD) {
        wake(server, woken);
    }
    switch (outcome) {
    case TURN_COMMONS_GRANTED:
        if (grant->port == asked.leaving) {
            turn_allocation_keep_port(server);
        }
        break;
    case TURN_COMMONS_DRAINING:
        return refuse(server, request, STUN_ERROR_INSUFFICIENT_CAPACITY, TURN_REFUSAL_DRAINING);
    case TURN_COMMONS_USER_QUOTA:
        return refuse(server, request, STUN_ERROR_QUOTA_REACHED, TURN_REFUSAL_USER_QUOTA);
    case TURN_COMMONS_ALLOCATIONS:
        return refuse(server, request, STUN_ERROR_INSUFFICIENT_CAPACITY, TURN_REFUSAL_ALLOCATIONS);
    case TURN_COMMONS_RESERVATIONS:
        return refuse(server, request, STUN_ERROR_INSUFFICIENT_CAPACITY, TURN_REFUSAL_RESERVATIONS);
    case TURN_COMMONS_TOKEN: // RFC 8656 section 7.2: it is not valid
        return refuse(server, request, STUN_ERROR_INSUFFICIENT_CAPACITY, TURN_REFUSAL_TOKEN);
    case TURN_COMMONS_PORTS:
        return refuse(server, request, STUN_ERROR_INSUFFICIENT_CAPACITY, TURN_REFUSAL_PORTS);
    }
    if (wish->has_token) {
        wish->families = grant->family == ADDR_IP4 ? TURN_ALLOCATION_IP4 : TURN_ALLOCATION_IP6;
    }
    return STUN_ERROR_NONE;
}

static void order_opened(struct turn_server *server, uint8_t family)
{
    struct turn_allocate_opening *opening = &server->opening;
    const struct turn_allocation *allocation = turn_allocation_at(server, opening->allocation);
    struct turn_command command = {
        .type = TURN_COMMAND_OPEN,
        .socket.allocation = pool_ref(&server->allocations.pool, opening->allocation),
    };

    opening->family = family;
    command.socket.relayed =
        addr_with_port(turn_allocation_relayed(server, allocation, family), opening->port);
    turn_outbox_add(&server->outbox, &command);
}

static uint8_t first_family(const struct turn_allocate_opening *opening)
{
    return (opening->families & TURN_ALLOCATION_IP4) != 0 ? ADDR_IP4 : ADDR_IP6;
}

enum stun_error_code turn_allocate(struct turn_server *server, const struct turn_request *request)
{
    struct wish wish = {0};
    struct turn_commons_grant grant = {0};

    if (request->allocation != POOL_NONE) {
        return answer_again(server, request);
    }
    if (turn_peers_is_tunnel(&request->to.tuple.client)) {
        return refuse(server, request, STUN_ERROR_FORBIDDEN, TURN_REFUSAL_TUNNELLED_CLIENT);
    }
    enum stun_error_code code = read_wish(server, request, &wish);
    if (code == STUN_ERROR_NONE) {
        code = enter(server, request, &wish, &grant);
    }
    if (code != STUN_ERROR_NONE) {
        return code;
    }
    uint32_t index = turn_allocation_create(server, &request->to.tuple, request->user);
    assert(index != POOL_NONE);
    struct turn_allocation *allocation = turn_allocation_at(server, index);
    allocation->holding = grant.holding;
    allocation->transaction = request->to.transaction;
    allocation->manner = (uint8_t)request->manner->kind;
    allocation->refused_family = wish.refused_family;
    allocation->refused_code = STUN_ERROR_FAMILY_NOT_SUPPORTED;

    assert(!server->opening.is_open);
    server->opening = (struct turn_allocate_opening){
        .is_open = true,
        .is_reserved = wish.has_token,
        .families = wish.families,
        .allocation = index,
        .lifetime_s = wish.lifetime_s,
        .wish = wish.port,
        .port = grant.port,
        .reservation = grant.reservation,
        .username = request->username,
        .to = request->to,
    };
    order_opened(server, first_family(&server->opening));
    return STUN_ERROR_NONE;
}

static void report_created(struct turn_server *server, const struct turn_allocation *allocation)
{
    const struct turn_allocate_opening *opening = &server->opening;
    const struct turn_command report = {
        .type = TURN_COMMAND_REPORT,
        .report =
            {
                .event = TURN_EVENT_ALLOCATED,
                .tuple = allocation->tuple,
                .relayed = turn_allocation_relayed(server, allocation, first_family(opening)),
                .username = opening->username,
                .lifetime_s = opening->lifetime_s,
            },
    };

    turn_outbox_add(&server->outbox, &report);
}

// The system gave the port for all families: the allocation lives, and its client learns of it.
static void finish(struct turn_server *server, struct now now)
{
    struct turn_allocate_opening *opening = &server->opening;
    struct turn_allocation *allocation = turn_allocation_at(server, opening->allocation);

    allocation->name = turn_name_of(opening->username);
    turn_allocation_opened(server, opening->allocation, opening->port, now, opening->lifetime_s);
    if (opening->reservation != POOL_NONE) {
        crypto_random_fill(&server->random, allocation->token, sizeof allocation->token);
        allocation->has_token = true;
        turn_commons_offer(server->commons, now, opening->reservation,
                           (uint16_t)(opening->port + 1), first_family(opening), allocation->token);
    }
    respond(server, &opening->to, allocation);
    report_created(server, allocation);
}

static void report_failure(struct turn_server *server, enum turn_event event,
                           enum turn_refusal refusal)
{
    const struct turn_allocate_opening *opening = &server->opening;
    const struct turn_allocation *allocation = turn_allocation_at(server, opening->allocation);
    struct turn_command report = {
        .type = TURN_COMMAND_REPORT,
        .report =
            {
                .event = event,
                .tuple = allocation->tuple,
                .username = opening->username,
                .refusal = refusal,
                .method = STUN_ALLOCATE,
                .is_client_certain = true,
            },
    };

    report.report.relayed =
        addr_with_port(turn_allocation_relayed(server, allocation, opening->family), opening->port);
    turn_outbox_add(&server->outbox, &report);
}

static void give_up(struct turn_server *server, enum turn_refusal refusal)
{
    struct turn_allocate_opening *opening = &server->opening;

    (*turn_stats_refused(&server->stats, refusal))++;
    report_failure(server, TURN_EVENT_EXHAUSTED, refusal);
    if (opening->reservation != POOL_NONE) {
        turn_commons_drop(server->commons, opening->reservation);
    }
    turn_allocation_delete(server, opening->allocation, TURN_EVENT_DELETED);
    server->stats.errors++;
    turn_response_error(server, &opening->to, STUN_ERROR_INSUFFICIENT_CAPACITY);
}

// Gives up a port: closes the socket of the family that was bound already.
static void leave_port(struct turn_server *server)
{
    struct turn_allocate_opening *opening = &server->opening;

    if (turn_allocation_at(server, opening->allocation)->families != 0) {
        turn_allocation_close(server, opening->allocation, first_family(opening), opening->port);
    }
    if (opening->wish == TURN_PORTS_PAIR) {
        turn_commons_give_port(server->commons, (uint16_t)(opening->port + 1));
    }
}

// Lets the refused port rest and takes another. False when there is none to try.
static bool try_another(struct turn_server *server, struct now now)
{
    struct turn_allocate_opening *opening = &server->opening;

    report_failure(server, TURN_EVENT_PORT_REFUSED, TURN_REFUSAL_NONE);
    leave_port(server);
    turn_commons_rest_port(server->commons, opening->port, now);
    server->stats.ports_refused++;
    return !opening->is_reserved && ++opening->tries < TURN_ALLOCATE_TRIES &&
           turn_commons_take_port(server->commons, now, opening->wish, &server->random,
                                  &opening->port);
}

// One family is bound. True when there is another one to bind, whose opening is then ordered.
static bool goes_on(struct turn_server *server)
{
    struct turn_allocate_opening *opening = &server->opening;
    struct turn_allocation *allocation = turn_allocation_at(server, opening->allocation);

    allocation->families |= opening->family == ADDR_IP4 ? TURN_ALLOCATION_IP4 : TURN_ALLOCATION_IP6;
    if (allocation->families == opening->families) {
        return false;
    }
    order_opened(server, ADDR_IP6);
    return true;
}

// The system has no more sockets. An allocation of which one family is bound goes on with that.
static void do_without(struct turn_server *server, struct now now)
{
    struct turn_allocate_opening *opening = &server->opening;
    struct turn_allocation *allocation = turn_allocation_at(server, opening->allocation);

    if (allocation->families != 0) {
        allocation->refused_family = opening->family;
        allocation->refused_code = STUN_ERROR_INSUFFICIENT_CAPACITY;
        finish(server, now);
        return;
    }
    leave_port(server);
    turn_commons_give_port(server->commons, opening->port);
    give_up(server, TURN_REFUSAL_SOCKETS);
}

void turn_allocate_opened(struct turn_server *server, struct now now, enum turn_opened opened)
{
    struct turn_allocate_opening *opening = &server->opening;

    assert(opening->is_open);
    switch (opened) {
    case TURN_OPENED:
        if (goes_on(server)) {
            return;
        }
        finish(server, now);
        break;
    case TURN_PORT_REFUSED:
        if (try_another(server, now)) {
            order_opened(server, first_family(opening));
            return;
        }
        give_up(server, TURN_REFUSAL_BINDS);
        break;
    case TURN_SYSTEM_REFUSED:
        do_without(server, now);
        break;
    }
    memset(opening, 0, sizeof *opening);
}
