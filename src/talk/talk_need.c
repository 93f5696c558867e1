// SPDX-License-Identifier: Apache-2.0
#include "talk/talk_need.h"

#include <assert.h>

#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"

enum {
    LIFETIME_S = 600, // the default of RFC 8656
    PORTS_MAX = 8,    // of this host that are tried
};

void talk_need_that(struct talk *talk, bool holds, const char *why)
{
    if (!holds) {
        talk_skip(talk, why);
    }
}

static void give_up(struct talk *talk, const char *what)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    wr_text(&wr, what);
    wr_text(&wr, ": ");
    talk_answer_write(talk, &wr);
    talk_decide(talk, TALK_SKIP, bytes_of_text(talk->check->rule), wr_done(&wr));
}

void talk_need_success(struct talk *talk, const char *what)
{
    if (!talk->is_decided && !talk_answer_is_success(talk)) {
        give_up(talk, what);
    }
}

void talk_need_error(struct talk *talk, uint16_t code, const char *what)
{
    if (!talk->is_decided && talk_answer_code(talk) != code) {
        give_up(talk, what);
    }
}

// A request that proves nothing. Once there is an allocation an Allocate may get 437 instead.
static void ask_unproven(struct talk *talk)
{
    const struct talk_client *client = talk_me(talk);
    struct wr *wr = talk_request(talk, client->is_allocated ? STUN_REFRESH : STUN_ALLOCATE);

    if (client->is_allocated) {
        stun_attr_u32_write(wr, STUN_ATTR_LIFETIME, LIFETIME_S);
    } else {
        talk_request_udp(wr);
    }
    if (talk->target->realm.len > 0) {
        // Without an HMAC it is as if it proved nothing, but says by whose rules.
        stun_attr_write(wr, STUN_ATTR_USERNAME, client->username);
        stun_attr_write(wr, STUN_ATTR_REALM, talk->target->realm);
    }
    talk_ask_with(talk, TALK_NOTHING);
    if (talk->header.method == STUN_ALLOCATE) {
        talk_answer_take(talk);
    }
}

void talk_need_nonce(struct talk *talk)
{
    talk_need_that(talk, talk_me(talk)->username.len > 0,
                   "no user of the server is known (--user and --pass, or --auth-secret)");
    talk_need_that(talk, !talk->target->is_refused, "the server refuses the user by 401");
    ask_unproven(talk);
    // Another conversation had this port before, and the server has not let go of it yet.
    for (int i = 1; i < PORTS_MAX && !talk_me(talk)->is_met && !talk->is_decided &&
                    talk_answer_code(talk) == STUN_ERROR_ALLOCATION_MISMATCH;
         i++) {
        talk_close(talk);
        ask_unproven(talk);
    }
    talk_need_that(talk, talk->is_decided || !talk_answer_is_success(talk),
                   "the server asks nobody for a proof");
    if (!talk->is_decided && !talk_answer_learn(talk)) {
        give_up(talk, "the server does not ask for a proof");
    }
}

// The family of peers: IPv4, unless this host is known to the server by an IPv6 address alone.
static enum addr_family peer_family(const struct talk *talk)
{
    const struct talk_target *target = talk->target;

    return target->server.family == ADDR_IP6 && target->peer_ip4.family == ADDR_NONE ? ADDR_IP6
                                                                                     : ADDR_IP4;
}

static void ask_allocation(struct talk *talk)
{
    struct wr *wr = talk_request(talk, STUN_ALLOCATE);

    talk_request_udp(wr);
    if (peer_family(talk) == ADDR_IP6) {
        stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    }
    talk_ask(talk);
    talk_answer_take(talk);
}

void talk_need_allocation(struct talk *talk)
{
    enum { TRIES = 6 };

    talk_need_nonce(talk);
    ask_allocation(talk);
    // Some servers see who had the port before only by the name.
    for (int i = 1; i < PORTS_MAX && talk->hindrance == TALK_PORT_TAKEN; i++) {
        talk_close(talk);
        talk_need_nonce(talk);
        ask_allocation(talk);
    }
    // What checks before this one gave back may count for a while.
    for (int i = 1; i < TRIES && talk_answer_code(talk) == STUN_ERROR_QUOTA_REACHED; i++) {
        talk_sleep(talk, 1);
        ask_allocation(talk);
    }
    if (!talk->is_decided && talk_me(talk)->relayed.family == ADDR_NONE) {
        give_up(talk, "no allocation is to be had");
    }
}

void talk_need_other_user(struct talk *talk)
{
    struct talk_client *client = talk_me(talk);

    talk_need_that(talk, talk->target->other_username.len > 0,
                   "no other user of the server is known");
    talk_need_that(talk, !talk->target->is_other_refused,
                   "the server refuses the other user by 401");
    client->username = talk->target->other_username;
    client->password = talk->target->other_password;
    talk_need_nonce(talk);
}

// What the server sees as the peer's address: its own answer to a Binding request, if it gives one.
static void look_at_peer(struct talk *talk, struct talk_peer *peer)
{
    const uint32_t me = talk->me;
    struct talk_client *scout = &talk->clients[TALK_CLIENTS - 1];
    const bool was_open = scout->is_open;
    const uint32_t socket = scout->socket;

    // The peer speaks as a client for a moment.
    talk_be(talk, TALK_CLIENTS - 1);
    scout->is_open = true;
    scout->socket = peer->socket;
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_ask_with(talk, TALK_NOTHING);
    struct addr seen = talk_answer_addr(talk, STUN_ATTR_XOR_MAPPED_ADDRESS);
    if (seen.family == peer->local.family) {
        peer->seen = seen;
    }
    scout->is_open = was_open;
    scout->socket = socket;
    talk_be(talk, me);
}

void talk_need_peer(struct talk *talk, uint32_t peer)
{
    const struct talk_target *target = talk->target;
    const uint8_t relayed = talk_me(talk)->relayed.family;
    const uint8_t family = relayed != ADDR_NONE ? relayed : (uint8_t)peer_family(talk);
    const struct addr *at = family == ADDR_IP6 ? &target->peer_ip6 : &target->peer_ip4;

    assert(peer < TALK_PEERS);
    struct talk_peer *new = &talk->peers[peer];
    talk_need_that(talk, at->family != ADDR_NONE || target->server.family == family,
                   "no address of this host is known at which the peer could be");
    if (talk->is_decided || new->is_open) {
        return;
    }
    new->is_open =
        talk->world->open(talk->world->self, at, &target->server, &new->socket, &new->local);
    talk_need_that(talk, new->is_open, "no socket can be opened for the peer");
    new->seen = new->local;
    if (at->family == ADDR_NONE) {
        look_at_peer(talk, new);
    }
}

// A NAT before the peer lets in only who was sent something: the server relays or drops it.
static void open_way(struct talk *talk, uint32_t index)
{
    const struct talk_peer *peer = &talk->peers[index];

    if (!talk->is_decided && !addr_equal(&peer->seen, &peer->local)) {
        talk_send_from_peer(talk, index, bytes_of_text("open"));
    }
}

void talk_need_permission(struct talk *talk, uint32_t peer)
{
    talk_need_peer(talk, peer);
    IGNORE(talk_request(talk, STUN_CREATE_PERMISSION) != NULL);
    talk_request_peer(talk, peer);
    talk_ask(talk);
    talk_need_success(talk, "the server permits no peer");
    open_way(talk, peer);
}

void talk_need_channel(struct talk *talk, uint32_t peer, uint16_t number)
{
    talk_need_peer(talk, peer);
    stun_attr_u16_write(talk_request(talk, STUN_CHANNEL_BIND), STUN_ATTR_CHANNEL_NUMBER, number);
    talk_request_peer(talk, peer);
    talk_ask(talk);
    talk_need_success(talk, "the server binds no channel");
    open_way(talk, peer);
}

void talk_need_way(struct talk *talk, uint32_t peer)
{
    enum { SCOUT = 0x4FFE }; // a channel that no check binds

    stun_attr_u16_write(talk_request(talk, STUN_CHANNEL_BIND), STUN_ATTR_CHANNEL_NUMBER, SCOUT);
    talk_request_peer(talk, peer);
    talk_ask(talk);
    talk_need_that(talk, talk->is_decided || talk_answer_code(talk) != STUN_ERROR_FORBIDDEN,
                   "the server permits the address of the peer, but forbids its port: it must "
                   "allow --peer-address");
}

void talk_need_no_more(struct talk *talk)
{
    const bool was_decided = talk->is_decided;

    talk->is_decided = false;
    for (uint32_t i = 0; i < TALK_CLIENTS; i++) {
        talk_be(talk, i);
        if (talk_me(talk)->is_allocated && talk_me(talk)->is_met) {
            stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, 0);
            talk_ask(talk);
        }
    }
    talk->is_decided = was_decided;
}
