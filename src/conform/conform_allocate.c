// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_allocate.h"

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

enum {
    TCP = 6,         // protocol numbers
    RESERVED = 255,  // which is none
    DEFAULT_S = 600, // lifetimes
    HIGHEST_S = 3600,
    DYNAMIC_PORT = 49152, // where ports begin that belong to no service
    WELL_KNOWN_PORT = 1023,
};

static void ask_allocate(struct talk *talk)
{
    talk_request_udp(&talk->writer.wr);
    talk_ask(talk);
    talk_answer_take(talk);
}

static void success(struct talk *talk)
{
    talk_need_nonce(talk);
    IGNORE(talk_request(talk, STUN_ALLOCATE) != NULL);
    ask_allocate(talk);
    talk_expect_success(talk);
}

static void relayed(struct talk *talk)
{
    success(talk);
    talk_expect_that(talk, talk_me(talk)->relayed.family != ADDR_NONE,
                     "an XOR-RELAYED-ADDRESS that can be read");
}

static void relayed_ip4(struct talk *talk)
{
    success(talk);
    talk_need_that(talk, !talk->asks_ip6, "the server relays no IPv4");
    talk_expect_that(talk, talk_me(talk)->relayed.family == ADDR_IP4,
                     "an XOR-RELAYED-ADDRESS of IPv4");
}

static void mapped(struct talk *talk)
{
    success(talk);
    const struct addr mapped_first = talk_me(talk)->mapped;
    talk_expect_that(talk, mapped_first.family != ADDR_NONE, "an XOR-MAPPED-ADDRESS");
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_ask_with(talk, TALK_NOTHING);
    talk_need_success(talk, "the server answers no Binding request");
    struct addr bound = talk_answer_addr(talk, STUN_ATTR_XOR_MAPPED_ADDRESS);
    talk_expect_that(talk, addr_equal(&bound, &mapped_first),
                     "the same address as the Allocate response had");
}

static void lifetime(struct talk *talk)
{
    uint32_t lifetime_s = 0;

    success(talk);
    talk_expect_that(talk, talk_answer_lifetime(talk, &lifetime_s) && lifetime_s > 0,
                     "a LIFETIME above 0");
}

static void allocate_for(struct talk *talk, uint32_t wish_s, uint32_t *out_s)
{
    talk_need_nonce(talk);
    stun_attr_u32_write(talk_request(talk, STUN_ALLOCATE), STUN_ATTR_LIFETIME, wish_s);
    ask_allocate(talk);
    talk_expect_success(talk);
    talk_expect_that(talk, talk_answer_lifetime(talk, out_s), "a LIFETIME");
}

static void lifetime_of_default(struct talk *talk)
{
    uint32_t by_default_s = 0;
    uint32_t short_s = 0;

    success(talk);
    talk_expect_that(talk, talk_answer_lifetime(talk, &by_default_s), "a LIFETIME");
    talk_be(talk, 1);
    allocate_for(talk, 1, &short_s);
    talk_expect_that(talk, short_s >= by_default_s, "the default LIFETIME for a wish of 1 s");
}

static void lifetime_granted(struct talk *talk)
{
    uint32_t got_s = 0;

    allocate_for(talk, DEFAULT_S + 100, &got_s);
    talk_expect_that(talk, got_s >= DEFAULT_S, "a LIFETIME of at least 600 s for a wish of 700 s");
}

static void lifetime_capped(struct talk *talk)
{
    uint32_t got_s = 0;

    allocate_for(talk, UINT32_MAX, &got_s);
    talk_expect_that(talk, got_s <= HIGHEST_S, "a LIFETIME of at most 3600 s");
}

static void port_is_dynamic(struct talk *talk)
{
    success(talk);
    talk_expect_that(talk, talk_me(talk)->relayed.port >= DYNAMIC_PORT,
                     "a relayed port from 49152 to 65535");
}

static void port_is_not_well_known(struct talk *talk)
{
    success(talk);
    talk_expect_that(talk, talk_me(talk)->relayed.port > WELL_KNOWN_PORT,
                     "a relayed port above 1023");
}

static void software(struct talk *talk)
{
    success(talk);
    talk_expect_attr(talk, STUN_ATTR_SOFTWARE);
}

static void no_token_unasked(struct talk *talk)
{
    success(talk);
    talk_expect_no_attr(talk, STUN_ATTR_RESERVATION_TOKEN);
}

static void without_transport(struct talk *talk)
{
    talk_need_nonce(talk);
    IGNORE(talk_request(talk, STUN_ALLOCATE) != NULL);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void malformed_transport(struct talk *talk)
{
    talk_need_nonce(talk);
    stun_attr_write(talk_request(talk, STUN_ALLOCATE), STUN_ATTR_REQUESTED_TRANSPORT,
                    (struct bytes)BYTES_LITERAL("\x11\x00\x00\x00\x00\x00\x00\x00"));
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void of_transport(struct talk *talk, uint8_t protocol)
{
    talk_need_nonce(talk);
    stun_attr_u8_write(talk_request(talk, STUN_ALLOCATE), STUN_ATTR_REQUESTED_TRANSPORT, protocol);
    talk_ask(talk);
    talk_answer_take(talk);
}

static void unknown_transport(struct talk *talk)
{
    of_transport(talk, RESERVED);
    talk_expect_error(talk, STUN_ERROR_UNSUPPORTED_TRANSPORT);
}

static void tcp_over_udp(struct talk *talk)
{
    of_transport(talk, TCP);
    // RFC 6062 section 5.1 has 400 for it over UDP, who does not know that RFC has 442.
    talk_expect_either(talk, STUN_ERROR_UNSUPPORTED_TRANSPORT, STUN_ERROR_BAD_REQUEST);
}

static void reserved_bits(struct talk *talk)
{
    talk_need_nonce(talk);
    stun_attr_write(talk_request(talk, STUN_ALLOCATE), STUN_ATTR_REQUESTED_TRANSPORT,
                    (struct bytes)BYTES_LITERAL("\x11\xA5\xA5\xA5"));
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_success(talk);
}

static void twice(struct talk *talk)
{
    talk_need_allocation(talk);
    IGNORE(talk_request(talk, STUN_ALLOCATE) != NULL);
    talk_request_udp(&talk->writer.wr);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_ALLOCATION_MISMATCH);
}

static void retransmission(struct talk *talk)
{
    talk_need_allocation(talk);
    const struct addr first = talk_me(talk)->relayed;
    talk_ask_again(talk);
    talk_expect_success(talk);
    struct addr second = talk_answer_addr(talk, STUN_ATTR_XOR_RELAYED_ADDRESS);
    talk_expect_that(talk, addr_equal(&first, &second), "the same XOR-RELAYED-ADDRESS");
}

static void dont_fragment(struct talk *talk)
{
    talk_need_nonce(talk);
    stun_attr_write(talk_request(talk, STUN_ALLOCATE), STUN_ATTR_DONT_FRAGMENT,
                    (struct bytes){NULL, 0});
    ask_allocate(talk);
    talk_expect_either(talk, 0, STUN_ERROR_UNKNOWN_ATTRIBUTE);
}

static void dont_fragment_served(struct talk *talk)
{
    talk_need_nonce(talk);
    stun_attr_write(talk_request(talk, STUN_ALLOCATE), STUN_ATTR_DONT_FRAGMENT,
                    (struct bytes){NULL, 0});
    ask_allocate(talk);
    talk_expect_success(talk);
}

static void of_its_own(struct talk *talk)
{
    talk_need_allocation(talk);
    const struct addr first = talk_me(talk)->relayed;
    talk_be(talk, 1);
    talk_need_allocation(talk);
    talk_expect_that(talk, !addr_equal(&first, &talk_me(talk)->relayed),
                     "another relayed address for another client");
}

static const struct talk_check checks[] = {
    {
        .id = "allocate-success",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "An Allocate for UDP succeeds.",
        .words = "If all the checks pass, the server creates the allocation.",
        .run = success,
    },
    {
        .id = "allocate-relayed-address",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "The response says at which address is relayed.",
        .words = "The success response contains: An XOR-RELAYED-ADDRESS attribute containing the "
                 "relayed transport address",
        .run = relayed,
    },
    {
        .id = "allocate-ip4-by-default",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "It is of IPv4 unless another family was asked for.",
        .words = "If the REQUESTED-ADDRESS-FAMILY attribute is absent and the server supports the "
                 "IPv4 address family, the server MUST allocate an IPv4 relayed transport address "
                 "for the TURN client.",
        .run = relayed_ip4,
    },
    {
        .id = "allocate-mapped-address",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "The response says from where the client came, as a Binding response does.",
        .words = "An XOR-MAPPED-ADDRESS attribute containing the client's IP address and port "
                 "(from the 5-tuple).",
        .run = mapped,
    },
    {
        .id = "allocate-lifetime",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "The response says how long the allocation lasts.",
        .words = "A LIFETIME attribute containing the current value of the time-to-expiry timer.",
        .run = lifetime,
    },
    {
        .id = "allocate-lifetime-floor",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A wish for less than the default gets the default.",
        .words = "If this computed value is greater than the default lifetime, then the server "
                 "uses the computed lifetime as the initial value of the time-to-expiry field. "
                 "Otherwise, the server uses the default lifetime.",
        .run = lifetime_of_default,
    },
    {
        .id = "allocate-lifetime-wish",
        .section = "RFC 8656, 7.2",
        .level = TALK_SHOULD,
        .rule = "A wish for somewhat more than ten minutes gets at least those.",
        .words = "the server computes the minimum of the client's proposed lifetime and the "
                 "server's maximum allowed lifetime",
        .run = lifetime_granted,
    },
    {
        .id = "allocate-lifetime-cap",
        .section = "RFC 8656, 7.2",
        .level = TALK_SHOULD,
        .rule = "No wish gets more than an hour.",
        .words = "It is RECOMMENDED that the server use a maximum allowed lifetime value of no "
                 "more than 3600 seconds (1 hour).",
        .run = lifetime_capped,
    },
    {
        .id = "allocate-port-dynamic",
        .section = "RFC 8656, 7.2",
        .level = TALK_SHOULD,
        .rule = "The relayed port is one that belongs to no service.",
        .words = "In all cases, the server SHOULD only allocate ports from the range 49152 - 65535 "
                 "(the Dynamic and/or Private Port range [PORT-NUMBERS]), unless",
        .run = port_is_dynamic,
    },
    {
        .id = "allocate-port-not-well-known",
        .section = "RFC 8656, 7.2",
        .level = TALK_SHOULD,
        .rule = "At least it is none of the well-known ones.",
        .words = "In any case, the TURN server SHOULD NOT allocate ports in the range 0 - 1023 "
                 "(the Well-Known Port range)",
        .run = port_is_not_well_known,
    },
    {
        .id = "allocate-software",
        .section = "RFC 8656, 5",
        .level = TALK_SHOULD,
        .rule = "The response says by SOFTWARE what the server is.",
        .words = "The server SHOULD include the SOFTWARE attribute in all Allocate and Refresh "
                 "responses (either success or failure)",
        .run = software,
    },
    {
        .id = "allocate-no-token-unasked",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "There is no RESERVATION-TOKEN that nobody asked for.",
        .words = "A RESERVATION-TOKEN attribute (if a second relayed transport address was "
                 "reserved).",
        .run = no_token_unasked,
    },
    {
        .id = "allocate-no-transport-400",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "An Allocate without REQUESTED-TRANSPORT gets 400.",
        .words = "If the REQUESTED-TRANSPORT attribute is not included or is malformed, the server "
                 "rejects the request with a 400 (Bad Request) error.",
        .run = without_transport,
    },
    {
        .id = "allocate-bad-transport-400",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A REQUESTED-TRANSPORT of eight bytes gets 400.",
        .words = "If the REQUESTED-TRANSPORT attribute is not included or is malformed, the server "
                 "rejects the request with a 400 (Bad Request) error.",
        .run = malformed_transport,
    },
    {
        .id = "allocate-unknown-transport-442",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A transport that there is not gets 442.",
        .words = "if the attribute is included but specifies a protocol that is not supported by "
                 "the server, the server rejects the request with a 442 (Unsupported Transport "
                 "Protocol) error",
        .run = unknown_transport,
    },
    {
        .id = "allocate-tcp-442",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "TCP towards peers, asked for over UDP, gets 442, or 400 from who knows RFC 6062.",
        .words = "if the attribute is included but specifies a protocol that is not supported by "
                 "the server, the server rejects the request with a 442 (Unsupported Transport "
                 "Protocol) error",
        .run = tcp_over_udp,
    },
    {
        .id = "allocate-reserved-ignored",
        .section = "RFC 8656, 18.8",
        .level = TALK_MUST,
        .rule = "What stands in the reserved bytes of REQUESTED-TRANSPORT does not matter.",
        .words = "The RFFU field MUST be set to zero on transmission and MUST be ignored on "
                 "reception.",
        .run = reserved_bits,
    },
    {
        .id = "allocate-twice-437",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A second Allocate from the same port gets 437.",
        .words = "The server checks if the 5-tuple is currently in use by an existing allocation. "
                 "If yes, the server rejects the request with a 437 (Allocation Mismatch) error.",
        .run = twice,
    },
    {
        .id = "allocate-retransmission",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "The same Allocate once more gets the same response.",
        .words = "STUN requires that the server recognize this case and treat the request as "
                 "idempotent",
        .run = retransmission,
    },
    {
        .id = "allocate-dont-fragment",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "DONT-FRAGMENT is served, or gets 420.",
        .words = "but the server does not support sending UDP datagrams with the DF bit set to 1 "
                 "[...] then the server treats the DONT-FRAGMENT attribute in the Allocate request "
                 "as an unknown comprehension-required attribute",
        .run = dont_fragment,
    },
    {
        .id = "allocate-dont-fragment-served",
        .section = "RFC 8656, 7.2",
        .level = TALK_MAY,
        .rule = "DONT-FRAGMENT is served, so that clients can find the path's MTU.",
        .words = "The request may contain a DONT-FRAGMENT attribute.",
        .run = dont_fragment_served,
    },
    {
        .id = "allocate-address-of-its-own",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "Two clients are relayed at two addresses.",
        .words = "the server allocates any available relayed transport address",
        .run = of_its_own,
    },
};

const struct talk_subject conform_allocate = {
    .name = "Allocate",
    .about = "An allocation is the relayed address that a client gets. Wrong codes make clients "
             "try again what cannot succeed, or give up what would; an allocation that comes twice "
             "is one that nobody uses.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
