// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_challenge.h"

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

enum { QUOTED_MAX = 763 }; // bytes of a realm and of a nonce

// An Allocate, proven by what is said.
static void allocate_with(struct talk *talk, unsigned proof)
{
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_ask_with(talk, proof);
    talk_answer_take(talk);
}

static void challenge(struct talk *talk)
{
    allocate_with(talk, TALK_NOTHING);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static void need_challenge(struct talk *talk)
{
    allocate_with(talk, TALK_NOTHING);
    talk_need_error(talk, STUN_ERROR_UNAUTHENTICATED, "the answer is no 401");
}

static void challenge_realm(struct talk *talk)
{
    need_challenge(talk);
    talk_expect_attr(talk, STUN_ATTR_REALM);
}

static void challenge_nonce(struct talk *talk)
{
    need_challenge(talk);
    talk_expect_attr(talk, STUN_ATTR_NONCE);
}

static void challenge_bare(struct talk *talk)
{
    need_challenge(talk);
    talk_expect_no_attr(talk, STUN_ATTR_USERNAME);
    talk_expect_no_attr(talk, STUN_ATTR_USERHASH);
    talk_expect_no_attr(talk, STUN_ATTR_MESSAGE_INTEGRITY);
    talk_expect_no_attr(talk, STUN_ATTR_MESSAGE_INTEGRITY_SHA256);
}

static void challenge_lengths(struct talk *talk)
{
    struct bytes realm = {0};
    struct bytes nonce = {0};

    need_challenge(talk);
    bool are_there = talk_answer_find(talk, STUN_ATTR_REALM, &realm) &&
                     talk_answer_find(talk, STUN_ATTR_NONCE, &nonce);
    talk_expect_that(talk, are_there && realm.len > 0 && realm.len <= QUOTED_MAX,
                     "a REALM of 1 to 763 bytes");
    talk_expect_that(talk, nonce.len > 0 && nonce.len <= QUOTED_MAX, "a NONCE of 1 to 763 bytes");
}

static void nonce_of_each(struct talk *talk)
{
    struct bytes nonce;

    talk_need_nonce(talk);
    const struct talk_client *first = talk_me(talk);
    talk_be(talk, 1);
    need_challenge(talk);
    bool is_there = talk_answer_find(talk, STUN_ATTR_NONCE, &nonce);
    talk_expect_that(
        talk, is_there && !bytes_equal(nonce, (struct bytes){first->nonce, first->nonce_len}),
        "another NONCE for another port");
}

// Every request that is not proven is challenged, whatever it is.
static void challenge_refresh(struct talk *talk)
{
    talk_need_allocation(talk);
    // Servers that send strangers little for little have something to answer to.
    stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, 600);
    talk_ask_with(talk, TALK_NOTHING);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static void challenge_permission(struct talk *talk)
{
    const uint8_t ip[] = {192, 0, 2, 1};
    const struct addr peer = addr_ip4(ip, 9);

    talk_need_allocation(talk);
    IGNORE(talk_request(talk, STUN_CREATE_PERMISSION) != NULL);
    talk_request_addr(talk, &peer);
    talk_ask_with(talk, TALK_NOTHING);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static void challenge_channel(struct talk *talk)
{
    const uint8_t ip[] = {192, 0, 2, 1};
    const struct addr peer = addr_ip4(ip, 9);

    talk_need_allocation(talk);
    stun_attr_u16_write(talk_request(talk, STUN_CHANNEL_BIND), STUN_ATTR_CHANNEL_NUMBER, 0x4001);
    talk_request_addr(talk, &peer);
    talk_ask_with(talk, TALK_NOTHING);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static void without(struct talk *talk, unsigned missing)
{
    talk_need_nonce(talk);
    allocate_with(talk, TALK_PROOF & ~missing);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void without_username(struct talk *talk)
{
    without(talk, TALK_USERNAME);
}

static void without_realm(struct talk *talk)
{
    without(talk, TALK_REALM);
}

static void without_nonce(struct talk *talk)
{
    without(talk, TALK_NONCE);
}

static void without_integrity(struct talk *talk)
{
    talk_need_nonce(talk);
    allocate_with(talk, TALK_PROOF & ~TALK_INTEGRITY);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static const struct talk_check checks[] = {
    {
        .id = "auth-challenge-401",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "An Allocate that proves nothing gets 401.",
        .words = "If the message does not contain a MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 "
                 "attribute, the server MUST generate an error response with an error code of 401 "
                 "(Unauthenticated).",
        .run = challenge,
    },
    {
        .id = "auth-challenge-realm",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "That 401 tells the realm.",
        .words = "This response MUST include a REALM value.",
        .run = challenge_realm,
    },
    {
        .id = "auth-challenge-nonce",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "That 401 brings a nonce.",
        .words = "The response MUST include a NONCE, selected by the server.",
        .run = challenge_nonce,
    },
    {
        .id = "auth-challenge-bare",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_SHOULD,
        .rule = "That 401 has no username and no proof.",
        .words = "The response SHOULD NOT contain a USERNAME, USERHASH, MESSAGE-INTEGRITY, or "
                 "MESSAGE-INTEGRITY-SHA256 attribute.",
        .run = challenge_bare,
    },
    {
        .id = "auth-challenge-lengths",
        .section = "RFC 8489, 14.10",
        .level = TALK_MUST,
        .rule = "Realm and nonce have a length that every client can hold.",
        .words = "The NONCE attribute MUST be fewer than 128 characters (which can be as long as "
                 "509 bytes when encoding them and a long as 763 bytes when decoding them).",
        .run = challenge_lengths,
    },
    {
        .id = "auth-nonce-of-each-address",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "Clients at different ports get different nonces.",
        .words = "The server MUST NOT choose the same NONCE for two requests unless they have the "
                 "same source IP address and port.",
        .run = nonce_of_each,
    },
    {
        .id = "auth-challenge-refresh",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A Refresh that proves nothing gets 401.",
        .words = "If the message does not contain a MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 "
                 "attribute, the server MUST generate an error response with an error code of 401 "
                 "(Unauthenticated).",
        .run = challenge_refresh,
    },
    {
        .id = "auth-challenge-permission",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A CreatePermission that proves nothing gets 401.",
        .words = "If the message does not contain a MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 "
                 "attribute, the server MUST generate an error response with an error code of 401 "
                 "(Unauthenticated).",
        .run = challenge_permission,
    },
    {
        .id = "auth-challenge-channel",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A ChannelBind that proves nothing gets 401.",
        .words = "If the message does not contain a MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 "
                 "attribute, the server MUST generate an error response with an error code of 401 "
                 "(Unauthenticated).",
        .run = challenge_channel,
    },
    {
        .id = "auth-no-username-400",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A proof without USERNAME gets 400.",
        .words = "If the message contains a MESSAGE-INTEGRITY or a MESSAGE-INTEGRITY-SHA256 "
                 "attribute, but is missing either the USERNAME or USERHASH, REALM, or NONCE "
                 "attribute, the server MUST generate an error response with an error code of 400 "
                 "(Bad Request).",
        .run = without_username,
    },
    {
        .id = "auth-no-realm-400",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A proof without REALM gets 400.",
        .words = "If the message contains a MESSAGE-INTEGRITY or a MESSAGE-INTEGRITY-SHA256 "
                 "attribute, but is missing either the USERNAME or USERHASH, REALM, or NONCE "
                 "attribute, the server MUST generate an error response with an error code of 400 "
                 "(Bad Request).",
        .run = without_realm,
    },
    {
        .id = "auth-no-nonce-400",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A proof without NONCE gets 400.",
        .words = "If the message contains a MESSAGE-INTEGRITY or a MESSAGE-INTEGRITY-SHA256 "
                 "attribute, but is missing either the USERNAME or USERHASH, REALM, or NONCE "
                 "attribute, the server MUST generate an error response with an error code of 400 "
                 "(Bad Request).",
        .run = without_nonce,
    },
    {
        .id = "auth-no-integrity-401",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "Username, realm and nonce without an HMAC get 401.",
        .words = "If the message does not contain a MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 "
                 "attribute, the server MUST generate an error response with an error code of 401 "
                 "(Unauthenticated).",
        .run = without_integrity,
    },
};

const struct talk_subject conform_challenge = {
    .name = "challenge",
    .about = "Every request but Binding is proven. The challenge is what a client makes its proof "
             "of: without realm and nonce it cannot, and with another error than 401 or 400 it "
             "does not know that it should.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
