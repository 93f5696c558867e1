// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_port.h"

#include <string.h>

#include "base/macro.h"
#include "conform/conform_family.h"
#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

// Asks for an even port; EVEN-PORT has one byte.
static void allocate_even(struct talk *talk, uint8_t flags)
{
    struct wr *wr;

    talk_need_nonce(talk);
    wr = talk_request(talk, STUN_ALLOCATE);
    talk_request_udp(wr);
    stun_attr_write(wr, STUN_ATTR_EVEN_PORT, (struct bytes){&flags, 1});
    talk_ask(talk);
    talk_answer_take(talk);
}

static void even(struct talk *talk)
{
    allocate_even(talk, 0);
    talk_expect_either(talk, 0, STUN_ERROR_INSUFFICIENT_CAPACITY);
}

// Whoever does not serve it at all is told by "port-even" alone.
static void need_even(struct talk *talk, uint8_t flags)
{
    allocate_even(talk, flags);
    talk_need_success(talk, "no even port is to be had");
}

static void even_is_even(struct talk *talk)
{
    need_even(talk, 0);
    talk_expect_that(talk, talk_me(talk)->relayed.port % 2 == 0, "an even relayed port");
}

static void reserve(struct talk *talk)
{
    allocate_even(talk, STUN_ATTR_EVEN_PORT_RESERVE);
    talk_expect_either(talk, 0, STUN_ERROR_INSUFFICIENT_CAPACITY);
    talk_need_success(talk, "no pair of ports is to be had");
    talk_expect_attr(talk, STUN_ATTR_RESERVATION_TOKEN);
}

// Reserves the next port; false when there is no token, and the check is over.
static bool need_token(struct talk *talk, uint8_t token[STUN_ATTR_RESERVATION_LEN])
{
    struct bytes value = {0};

    need_even(talk, STUN_ATTR_EVEN_PORT_RESERVE);
    talk_need_that(talk,
                   talk->is_decided ||
                       (talk_answer_find(talk, STUN_ATTR_RESERVATION_TOKEN, &value) &&
                        value.len == STUN_ATTR_RESERVATION_LEN),
                   "no RESERVATION-TOKEN is to be had");
    struct rd rd = rd_init(value);
    rd_copy(&rd, token, STUN_ATTR_RESERVATION_LEN);
    return !talk->is_decided && rd_ok(&rd);
}

static struct wr *begin_with_token(struct talk *talk, const uint8_t *token)
{
    struct wr *wr = talk_request(talk, STUN_ALLOCATE);

    talk_request_udp(wr);
    stun_attr_write(wr, STUN_ATTR_RESERVATION_TOKEN,
                    (struct bytes){token, STUN_ATTR_RESERVATION_LEN});
    return wr;
}

static void ask_for(struct talk *talk, const uint8_t *token)
{
    talk_be(talk, 1);
    talk_need_nonce(talk);
    IGNORE(begin_with_token(talk, token) != NULL);
    talk_ask(talk);
    talk_answer_take(talk);
}

static void token_is_good(struct talk *talk)
{
    uint8_t token[STUN_ATTR_RESERVATION_LEN];

    if (need_token(talk, token)) {
        ask_for(talk, token);
        talk_expect_success(talk);
    }
}

static void token_is_next_port(struct talk *talk)
{
    uint8_t token[STUN_ATTR_RESERVATION_LEN];

    if (!need_token(talk, token)) {
        return;
    }
    const struct addr first = talk_me(talk)->relayed;
    ask_for(talk, token);
    talk_need_success(talk, "the token is not good");
    talk_expect_that(talk,
                     addr_same_ip(&talk_me(talk)->relayed, &first) &&
                         talk_me(talk)->relayed.port == first.port + 1,
                     "the next port of the same address");
}

static void token_once(struct talk *talk)
{
    uint8_t token[STUN_ATTR_RESERVATION_LEN];

    if (!need_token(talk, token)) {
        return;
    }
    ask_for(talk, token);
    talk_need_success(talk, "the token is not good");
    talk_be(talk, 2);
    talk_need_nonce(talk);
    IGNORE(begin_with_token(talk, token) != NULL);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_INSUFFICIENT_CAPACITY);
}

static void token_unknown(struct talk *talk)
{
    uint8_t token[STUN_ATTR_RESERVATION_LEN];

    talk_payload(talk, token, sizeof token);
    talk_need_nonce(talk);
    IGNORE(begin_with_token(talk, token) != NULL);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_INSUFFICIENT_CAPACITY);
}

static void token_and_even(struct talk *talk)
{
    const uint8_t token[STUN_ATTR_RESERVATION_LEN] = {1};
    const uint8_t flags = 0;

    talk_need_nonce(talk);
    stun_attr_write(begin_with_token(talk, token), STUN_ATTR_EVEN_PORT, (struct bytes){&flags, 1});
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void token_and_family(struct talk *talk)
{
    const uint8_t token[STUN_ATTR_RESERVATION_LEN] = {1};

    talk_need_nonce(talk);
    stun_attr_u8_write(begin_with_token(talk, token), STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
                       STUN_ATTR_FAMILY_IP4);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void token_and_additional(struct talk *talk)
{
    const uint8_t token[STUN_ATTR_RESERVATION_LEN] = {1};

    conform_family_need_additional(talk);
    talk_need_nonce(talk);
    stun_attr_u8_write(begin_with_token(talk, token), STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY,
                       STUN_ATTR_FAMILY_IP6);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void token_unpredictable(struct talk *talk)
{
    uint8_t first[STUN_ATTR_RESERVATION_LEN];
    uint8_t second[STUN_ATTR_RESERVATION_LEN];

    if (!need_token(talk, first)) {
        return;
    }
    talk_be(talk, 1);
    if (need_token(talk, second)) {
        // Two random ones share their first or last four bytes once in two thousand million times.
        talk_expect_that(talk,
                         memcmp(first, second, 4) != 0 && memcmp(first + 4, second + 4, 4) != 0,
                         "two tokens that have nothing in common");
    }
}

static const struct talk_check checks[] = {
    {
        .id = "port-even",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "EVEN-PORT is served, or gets 508.",
        .words = "If the request contains an EVEN-PORT attribute with the R bit set to 0, then the "
                 "server allocates a relayed transport address with an even port number.",
        .run = even,
    },
    {
        .id = "port-even-is-even",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "Who asks for an even port gets an even port.",
        .words = "If the request contains an EVEN-PORT attribute with the R bit set to 0, then the "
                 "server allocates a relayed transport address with an even port number.",
        .run = even_is_even,
    },
    {
        .id = "port-reserve",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "Who asks for the next port to be reserved gets a token.",
        .words = "The server then includes the token in a RESERVATION-TOKEN attribute in the "
                 "success response.",
        .run = reserve,
    },
    {
        .id = "port-token",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "The token is good for another allocation.",
        .words = "If the request contains a RESERVATION-TOKEN attribute, the server uses the "
                 "previously reserved transport address corresponding to the included token",
        .run = token_is_good,
    },
    {
        .id = "port-token-next",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "It is good for the next port of the same address.",
        .words = "Port N is used in the current allocation, while the relayed transport address "
                 "with port N+1 is assigned a token and reserved for a future allocation.",
        .run = token_is_next_port,
    },
    {
        .id = "port-token-once-508",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A token that was used gets 508.",
        .words = "If the token is not valid for some reason, the server rejects the request with a "
                 "508 (Insufficient Capacity) error.",
        .run = token_once,
    },
    {
        .id = "port-token-unknown-508",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A token that the server did not give gets 508.",
        .words = "If the token is not valid for some reason, the server rejects the request with a "
                 "508 (Insufficient Capacity) error.",
        .run = token_unknown,
    },
    {
        .id = "port-token-and-even-400",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A token beside EVEN-PORT gets 400.",
        .words = "If yes, and the request also contains an EVEN-PORT or REQUESTED-ADDRESS-FAMILY "
                 "or ADDITIONAL-ADDRESS-FAMILY attribute, the server rejects the request with a "
                 "400 (Bad Request) error.",
        .run = token_and_even,
    },
    {
        .id = "port-token-and-family-400",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A token beside REQUESTED-ADDRESS-FAMILY gets 400.",
        .words = "If yes, and the request also contains an EVEN-PORT or REQUESTED-ADDRESS-FAMILY "
                 "or ADDITIONAL-ADDRESS-FAMILY attribute, the server rejects the request with a "
                 "400 (Bad Request) error.",
        .run = token_and_family,
    },
    {
        .id = "port-token-and-additional-400",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A token beside ADDITIONAL-ADDRESS-FAMILY gets 400.",
        .words = "If yes, and the request also contains an EVEN-PORT or REQUESTED-ADDRESS-FAMILY "
                 "or ADDITIONAL-ADDRESS-FAMILY attribute, the server rejects the request with a "
                 "400 (Bad Request) error.",
        .run = token_and_additional,
    },
    {
        .id = "port-token-unpredictable",
        .section = "RFC 8656, 18.10",
        .level = TALK_SHOULD,
        .rule = "Two tokens have nothing in common from which a third could be guessed.",
        .words = "The RESERVATION-TOKEN attribute contains a token that uniquely identifies a "
                 "relayed transport address being held in reserve by the server.",
        .run = token_unpredictable,
    },
};

const struct talk_subject conform_port = {
    .name = "EVEN-PORT, RESERVATION-TOKEN",
    .about = "Pairs of ports are for RTP and RTCP of old. Few clients ask for them today; those "
             "that do take what they are given for what they asked for.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
