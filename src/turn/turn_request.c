// SPDX-License-Identifier: Apache-2.0
// Requests in the order of RFC 8489 sections 6.3.1 and 9.2.4, RFC 8656 section 5:
//
//      not from a client's address      dropped if strangers like that were answered too often
//      Binding                          answered to anyone
//      no MESSAGE-INTEGRITY             401 with realm and nonce
//      no USERNAME, REALM or NONCE      400
//      unknown user, wrong integrity    401 with realm and nonce, after the same work
//      nonce not ours or too old        438 with realm and nonce
//      unknown required attributes      420
//      not an Allocate, no allocation   437
//      an allocation of somebody else   441
//      then the method
//
// Nothing is remembered of a request that did not get that far, but how many there were.
//
// Whoever has an allocation may prove it first: what fails then is answered as long as the client's
// prefix has its share, however great a crowd there is elsewhere, and Binding always. Whoever
// brings a nonce that was made for his address is certainly there: the nonce is looked at first,
// but only to tell who stands in which crowd; what is answered has the order above.
#include "turn/turn_request.h"

#include <assert.h>

#include "crypto/crypto_wipe.h"
#include "turn/turn_auth.h"
#include "turn/turn_channel_bind.h"
#include "turn/turn_create_permission.h"
#include "turn/turn_refresh.h"
#include "turn/turn_server_priv.h"

static bool drop(struct turn_server *server)
{
    server->stats.requests_limited++;
    return false;
}

static enum turn_stranger_kind kind_of(const struct turn_request *request)
{
    if (request->to.method == STUN_BINDING || !turn_auth_is_claim(request->message)) {
        return TURN_STRANGER_PLAIN;
    }
    return request->is_client_certain ? TURN_STRANGER_CERTAIN : TURN_STRANGER_CLAIM;
}

// Whether a request is looked at any further. One that claims nothing is counted here, one that
// does when it has been found wanting.
static bool admit(struct turn_server *server, const struct turn_request *request)
{
    enum turn_stranger_kind kind = kind_of(request);
    const struct addr *client = &request->to.tuple.client;
    bool may_prove = kind != TURN_STRANGER_PLAIN || request->to.method == STUN_BINDING;

    if (request->allocation != POOL_NONE && may_prove) {
        return true;
    }
    if (!turn_stranger_is_welcome(&server->stranger, request->now, client, kind)) {
        return drop(server);
    }
    if (kind == TURN_STRANGER_PLAIN) {
        turn_stranger_take(&server->stranger, request->now, client, kind);
    }
    return true;
}

// Whether a claim that has not been proven is answered.
static bool tolerate(struct turn_server *server, const struct turn_request *request)
{
    enum turn_stranger_kind kind = kind_of(request);
    const struct addr *client = &request->to.tuple.client;

    if (kind == TURN_STRANGER_PLAIN) {
        return true; // it has been admitted
    }
    if (request->allocation == POOL_NONE) {
        turn_stranger_take(&server->stranger, request->now, client, kind);
        return true;
    }
    return turn_stranger_take_share(&server->stranger, request->now, client) || drop(server);
}

// True when the request may go on; otherwise it has been answered, or dropped.
static bool pass(struct turn_server *server, struct turn_request *request)
{
    enum turn_auth_outcome outcome = turn_auth_check(server, request);

    if (outcome != TURN_AUTH_PROVEN && !tolerate(server, request)) {
        return false;
    }
    switch (outcome) {
    case TURN_AUTH_PROVEN:
        return true;
    case TURN_AUTH_ABSENT:
        server->stats.challenges++;
        turn_response_challenge(server, &request->to, request->now, STUN_ERROR_UNAUTHENTICATED);
        return false;
    case TURN_AUTH_INCOMPLETE:
        turn_response_error(server, &request->to, STUN_ERROR_BAD_REQUEST);
        return false;
    case TURN_AUTH_STALE:
        server->stats.challenges++;
        turn_response_challenge(server, &request->to, request->now, STUN_ERROR_STALE_NONCE);
        return false;
    case TURN_AUTH_WRONG:
        turn_response_challenge(server, &request->to, request->now, STUN_ERROR_UNAUTHENTICATED);
        turn_request_refuse(server, request, request->doubt, NULL);
        return false;
    case TURN_AUTH_UNREADABLE:
        turn_request_refuse(server, request, request->doubt, NULL);
        return false;
    }
    return false;
}

static void answer_binding(struct turn_server *server, const struct turn_request *request)
{
    struct turn_response response = turn_response_begin(server, &request->to);

    server->stats.binding_requests++;
    stun_attr_xor_addr_write(&response.writer.wr, STUN_ATTR_XOR_MAPPED_ADDRESS,
                             &request->to.transaction, &request->to.tuple.client);
    turn_response_end(server, &response);
}

// What all methods but Allocate ask first.
static enum stun_error_code check_allocation(const struct turn_server *server,
                                             const struct turn_request *request)
{
    if (request->allocation == POOL_NONE) {
        return STUN_ERROR_ALLOCATION_MISMATCH;
    }
    const struct turn_allocation *allocation = turn_allocation_at(server, request->allocation);
    assert(allocation->state == TURN_ALLOCATION_LIVE);
    bool is_tenant =
        allocation->user == request->user || turn_allocation_manner(allocation)->has_open_tenure;
    return is_tenant ? STUN_ERROR_NONE : STUN_ERROR_WRONG_CREDENTIALS;
}

static enum stun_error_code create_permission(struct turn_server *server,
                                              const struct turn_request *request,
                                              enum stun_error_code code)
{
    server->stats.create_permission_requests++;
    if (code == STUN_ERROR_NONE) {
        code = turn_create_permission(server, request);
    }
    if (code != STUN_ERROR_NONE && request->manner->permits_blindly) {
        turn_request_succeed(server, request);
        return STUN_ERROR_NONE;
    }
    return code;
}

static enum stun_error_code run_method(struct turn_server *server,
                                       const struct turn_request *request)
{
    if (request->to.method == STUN_ALLOCATE) {
        server->stats.allocate_requests++;
        return turn_allocate(server, request);
    }
    enum stun_error_code code = check_allocation(server, request);
    if (request->to.method == STUN_CREATE_PERMISSION) {
        return create_permission(server, request, code);
    }
    if (code != STUN_ERROR_NONE) {
        return code;
    }
    if (request->to.method == STUN_REFRESH) {
        server->stats.refresh_requests++;
        return turn_refresh(server, request);
    }
    assert(request->to.method == STUN_CHANNEL_BIND);
    server->stats.channel_bind_requests++;
    return turn_channel_bind(server, request);
}

static bool is_ours(uint16_t method)
{
    return method == STUN_BINDING || method == STUN_ALLOCATE || method == STUN_REFRESH ||
           method == STUN_CREATE_PERMISSION || method == STUN_CHANNEL_BIND;
}

// Refuses for what the code alone tells. Who finds another reason refuses for that himself.
static void refuse_mistake(struct turn_server *server, const struct turn_request *request,
                           enum stun_error_code code)
{
    enum turn_refusal refusal = TURN_REFUSAL_NONE;

    if (code == STUN_ERROR_BAD_REQUEST) {
        refusal = TURN_REFUSAL_MALFORMED;
    } else if (code == STUN_ERROR_ALLOCATION_MISMATCH) {
        refusal = request->to.method == STUN_ALLOCATE ? TURN_REFUSAL_HAS_ALLOCATION
                                                      : TURN_REFUSAL_NO_ALLOCATION;
    } else if (code == STUN_ERROR_FAMILY_NOT_SUPPORTED) {
        refusal = TURN_REFUSAL_FAMILY;
    } else if (code == STUN_ERROR_WRONG_CREDENTIALS) {
        refusal = TURN_REFUSAL_WRONG_USER;
    } else if (code == STUN_ERROR_UNSUPPORTED_TRANSPORT) {
        refusal = TURN_REFUSAL_TRANSPORT;
    } else if (code == STUN_ERROR_PEER_FAMILY_MISMATCH) {
        refusal = TURN_REFUSAL_PEER_FAMILY;
    }
    if (refusal != TURN_REFUSAL_NONE) {
        turn_request_refuse(server, request, refusal, NULL);
    }
}

// Answers a request of a method of ours, unless a socket must be opened first.
static void answer(struct turn_server *server, struct turn_request *request)
{
    const struct stun_message *message = request->message;

    if (request->to.method != STUN_BINDING && !pass(server, request)) {
        return;
    }
    if (message->unknown_count > 0) {
        turn_response_unknown(server, &request->to, message);
        if (request->to.method != STUN_BINDING) {
            turn_request_refuse(server, request, TURN_REFUSAL_UNKNOWN_ATTRIBUTES, NULL);
        }
        return;
    }
    if (request->to.method == STUN_BINDING) {
        answer_binding(server, request);
        return;
    }
    enum stun_error_code code = run_method(server, request);
    if (code != STUN_ERROR_NONE) {
        server->stats.errors++;
        turn_response_error(server, &request->to, code);
        refuse_mistake(server, request, code);
    }
}

void turn_request_handle(struct turn_server *server, struct now now, const struct turn_tuple *tuple,
                         const struct stun_message *message, bool is_readable)
{
    struct turn_request request = {
        .now = now,
        .message = message,
        .manner = turn_manner_of(TURN_MANNER_RFC),
        .to =
            {
                .tuple = *tuple,
                .transaction = message->header.transaction,
                .method = message->header.method,
                .request_len = (uint16_t)message->whole.len,
                .realm = server->config.realm,
                .has_fingerprint = stun_message_has(message, STUN_ATTR_FINGERPRINT),
            },
    };

    assert(message->header.class == STUN_REQUEST);
    if (!is_ours(request.to.method)) {
        server->stats.dropped_unexpected++; // RFC 8489 section 6.3
        return;
    }
    request.allocation = turn_allocation_find(server, tuple);
    request.is_client_certain =
        request.to.method != STUN_BINDING && turn_auth_is_certain(server, &request);
    if (!admit(server, &request)) {
        return;
    }
    if (is_readable) {
        answer(server, &request);
    } else {
        turn_response_error(server, &request.to, STUN_ERROR_BAD_REQUEST);
    }
    crypto_wipe(&request.to.key, sizeof request.to.key);
}

void turn_request_succeed(struct turn_server *server, const struct turn_request *request)
{
    struct turn_response response = turn_response_begin(server, &request->to);
    turn_response_end(server, &response);
}

bool turn_request_lifetime(const struct turn_server *server, const struct turn_request *request,
                           uint32_t *lifetime_s)
{
    const struct turn_config *config = &server->config;
    struct bytes value = {0};
    uint32_t wish_s = config->default_lifetime_s;

    if (stun_message_find(request->message, STUN_ATTR_LIFETIME, &value) &&
        !stun_attr_u32_read(value, &wish_s)) {
        return false;
    }
    if (wish_s != 0 && wish_s < config->min_lifetime_s) {
        wish_s = config->min_lifetime_s;
    }
    *lifetime_s = wish_s < config->max_lifetime_s ? wish_s : config->max_lifetime_s;
    return true;
}

bool turn_request_family(const struct turn_request *request, enum addr_family *family)
{
    struct bytes value = {0};
    uint8_t wish = 0;

    if (!stun_message_find(request->message, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, &value)) {
        *family = ADDR_NONE;
        return true;
    }
    if (!stun_attr_u8_read(value, &wish) ||
        (wish != STUN_ATTR_FAMILY_IP4 && wish != STUN_ATTR_FAMILY_IP6)) {
        return false;
    }
    *family = wish == STUN_ATTR_FAMILY_IP4 ? ADDR_IP4 : ADDR_IP6;
    return true;
}

static enum turn_event event_of(enum turn_refusal refusal)
{
    if (turn_refusal_is_credential(refusal)) {
        return TURN_EVENT_UNPROVEN;
    }
    if (turn_refusal_is_mistake(refusal)) {
        return TURN_EVENT_MISTAKEN;
    }
    if (!turn_refusal_is_peer(refusal)) {
        return TURN_EVENT_EXHAUSTED;
    }
    return turn_refusal_is_liftable(refusal) ? TURN_EVENT_PEER_DENIED : TURN_EVENT_PEER_BARRED;
}

void turn_request_refuse(struct turn_server *server, const struct turn_request *request,
                         enum turn_refusal refusal, const struct addr *peer)
{
    struct turn_command command = {
        .type = TURN_COMMAND_REPORT,
        .report =
            {
                .event = event_of(refusal),
                .tuple = request->to.tuple,
                .username = request->username,
                .refusal = refusal,
                .method = request->to.method,
                .is_client_certain = request->is_client_certain,
            },
    };

    if (peer != NULL) {
        command.report.peer = *peer;
    }
    (*turn_stats_refused(&server->stats, refusal))++;
    turn_outbox_add(&server->outbox, &command);
}

// Whether an allocation may reach a peer. Of the relay's own addresses those that lead to its
// clients are never refused; which port of them a permission is for, it does not say.
static enum turn_refusal refusal_of(const struct turn_server *server,
                                    const struct turn_request *request, const struct addr *peer,
                                    bool is_own)
{
    bool has_port = request->to.method != STUN_CREATE_PERMISSION;

    if (has_port && turn_hairpin_is_listener(server, peer)) {
        return TURN_REFUSAL_LISTENER;
    }
    if (is_own && (!has_port || turn_hairpin_shard(server, peer) != TURN_COMMONS_NO_SHARD)) {
        return TURN_REFUSAL_NONE;
    }
    return turn_peers_denial(&server->policy->peers, peer, request->manner->reaches_private);
}

enum stun_error_code turn_request_peer(struct turn_server *server,
                                       const struct turn_request *request, struct bytes value,
                                       struct addr *out)
{
    const struct turn_allocation *allocation = turn_allocation_at(server, request->allocation);
    struct addr peer = {0};

    if (!stun_attr_xor_addr_read(value, &request->to.transaction, &peer)) {
        return STUN_ERROR_BAD_REQUEST;
    }
    if (!turn_allocation_has_family(allocation, peer.family)) {
        return STUN_ERROR_PEER_FAMILY_MISMATCH;
    }
    bool is_own = turn_hairpin_is_own(server, &peer);
    enum turn_refusal refusal = refusal_of(server, request, &peer, is_own);
    if (refusal != TURN_REFUSAL_NONE) {
        turn_request_refuse(server, request, refusal, &peer);
        return STUN_ERROR_FORBIDDEN;
    }
    *out = peer;
    return STUN_ERROR_NONE;
}
