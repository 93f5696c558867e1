// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_family.h"

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

enum { NO_FAMILY = 0x7F };

static void allocate_of(struct talk *talk, uint16_t type, uint8_t family)
{
    struct wr *wr;

    talk_need_nonce(talk);
    wr = talk_request(talk, STUN_ALLOCATE);
    talk_request_udp(wr);
    stun_attr_u8_write(wr, type, family);
    talk_ask(talk);
    talk_answer_take(talk);
}

static void ip4(struct talk *talk)
{
    allocate_of(talk, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP4);
    talk_expect_either(talk, 0, STUN_ERROR_FAMILY_NOT_SUPPORTED);
    talk_need_success(talk, "the server relays no IPv4");
    talk_expect_that(talk, talk_me(talk)->relayed.family == ADDR_IP4,
                     "an XOR-RELAYED-ADDRESS of IPv4");
}

static void ip6(struct talk *talk)
{
    allocate_of(talk, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    talk_expect_either(talk, 0, STUN_ERROR_FAMILY_NOT_SUPPORTED);
    if (!talk->is_decided && talk_answer_is_success(talk)) {
        talk_expect_that(talk, talk_me(talk)->relayed.family == ADDR_IP6,
                         "an XOR-RELAYED-ADDRESS of IPv6");
    }
}

static void ip6_served(struct talk *talk)
{
    allocate_of(talk, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    talk_expect_success(talk);
}

static void unknown(struct talk *talk)
{
    allocate_of(talk, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, NO_FAMILY);
    talk_expect_error(talk, STUN_ERROR_FAMILY_NOT_SUPPORTED);
}

// Asks as who does not mind the family. Where that is refused, as there is no IPv4, the check is
// held again with asks_ip6.
static void look_for_ip4(struct talk *talk)
{
    const uint32_t me = talk->me;

    if (talk->asks_ip6) {
        return;
    }
    talk_be(talk, TALK_CLIENTS - 1);
    talk_need_nonce(talk);
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_ask(talk);
    talk_answer_take(talk);
    if (talk_me(talk)->is_allocated) {
        stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, 0);
        talk_ask(talk);
        talk_me(talk)->is_allocated = false;
        talk_close(talk);
    }
    talk_be(talk, me);
}

static void reserved_bits(struct talk *talk)
{
    struct wr *wr;

    look_for_ip4(talk);
    talk_need_nonce(talk);
    wr = talk_request(talk, STUN_ALLOCATE);
    talk_request_udp(wr);
    stun_attr_write(wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
                    talk->asks_ip6 ? (struct bytes)BYTES_LITERAL("\x02\xA5\xA5\xA5")
                                   : (struct bytes)BYTES_LITERAL("\x01\xA5\xA5\xA5"));
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_success(talk);
}

// Both families of addresses in the response, by their first and second XOR-RELAYED-ADDRESS.
static uint32_t relayed_count(const struct talk *talk)
{
    struct bytes value;
    uint32_t count = 0;
    size_t at = 0;

    while (talk_answer_is_success(talk) &&
           stun_message_next(&talk->answer, STUN_ATTR_XOR_RELAYED_ADDRESS, &at, &value)) {
        count++;
    }
    return count;
}

// What is missing may be told by an error code.
static bool knows_additional(const struct talk *talk)
{
    struct bytes value;

    return relayed_count(talk) == 2 ||
           talk_answer_find(talk, STUN_ATTR_ADDRESS_ERROR_CODE, &value) ||
           talk_answer_code(talk) == STUN_ERROR_INSUFFICIENT_CAPACITY;
}

void conform_family_need_additional(struct talk *talk)
{
    const uint32_t me = talk->me;

    talk_be(talk, TALK_CLIENTS - 1);
    allocate_of(talk, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    talk_need_that(talk, talk->is_decided || knows_additional(talk),
                   "the server does not know ADDITIONAL-ADDRESS-FAMILY");
    talk_be(talk, me);
}

static void additional(struct talk *talk)
{
    look_for_ip4(talk);
    talk_need_that(talk, !talk->asks_ip6, "the server relays no IPv4");
    allocate_of(talk, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    talk_expect_that(talk, talk->is_decided || knows_additional(talk),
                     "two XOR-RELAYED-ADDRESS, or ADDRESS-ERROR-CODE or 508 for what is missing");
}

static void additional_served(struct talk *talk)
{
    look_for_ip4(talk);
    talk_need_that(talk, !talk->asks_ip6, "the server relays no IPv4");
    allocate_of(talk, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    talk_expect_success(talk);
    talk_expect_that(talk, talk->is_decided || relayed_count(talk) == 2, "two XOR-RELAYED-ADDRESS");
}

static void additional_ip4(struct talk *talk)
{
    conform_family_need_additional(talk);
    allocate_of(talk, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP4);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void requested_and_additional(struct talk *talk)
{
    struct wr *wr;

    conform_family_need_additional(talk);
    talk_need_nonce(talk);
    wr = talk_request(talk, STUN_ALLOCATE);
    talk_request_udp(wr);
    stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP4);
    stun_attr_u8_write(wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void reserve_and_additional(struct talk *talk)
{
    const uint8_t flags = STUN_ATTR_EVEN_PORT_RESERVE;
    struct wr *wr;

    conform_family_need_additional(talk);
    talk_need_nonce(talk);
    wr = talk_request(talk, STUN_ALLOCATE);
    talk_request_udp(wr);
    stun_attr_write(wr, STUN_ATTR_EVEN_PORT, (struct bytes){&flags, 1});
    stun_attr_u8_write(wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

// An address of the family that the allocation does not have.
static void write_other_family(struct talk *talk)
{
    const uint8_t ip4_bytes[ADDR_IP4_LEN] = {192, 0, 2, 1};
    const uint8_t ip6_bytes[ADDR_IP6_LEN] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    const struct addr addr =
        talk_me(talk)->relayed.family == ADDR_IP4 ? addr_ip6(ip6_bytes, 9) : addr_ip4(ip4_bytes, 9);

    talk_request_addr(talk, &addr);
}

static void permission_mismatch(struct talk *talk)
{
    talk_need_allocation(talk);
    IGNORE(talk_request(talk, STUN_CREATE_PERMISSION) != NULL);
    write_other_family(talk);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_PEER_FAMILY_MISMATCH);
}

static void channel_mismatch(struct talk *talk)
{
    talk_need_allocation(talk);
    stun_attr_u16_write(talk_request(talk, STUN_CHANNEL_BIND), STUN_ATTR_CHANNEL_NUMBER, 0x4001);
    write_other_family(talk);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_PEER_FAMILY_MISMATCH);
}

static void refresh_mismatch(struct talk *talk)
{
    talk_need_allocation(talk);
    stun_attr_u8_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
                       talk_me(talk)->relayed.family == ADDR_IP4 ? STUN_ATTR_FAMILY_IP6
                                                                 : STUN_ATTR_FAMILY_IP4);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_PEER_FAMILY_MISMATCH);
}

static void refresh_match(struct talk *talk)
{
    talk_need_allocation(talk);
    stun_attr_u8_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
                       talk_me(talk)->relayed.family == ADDR_IP4 ? STUN_ATTR_FAMILY_IP4
                                                                 : STUN_ATTR_FAMILY_IP6);
    talk_ask(talk);
    talk_expect_success(talk);
}

static const struct talk_check checks[] = {
    {
        .id = "family-ip4",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "Who asks for IPv4 gets IPv4, or 440.",
        .words = "If the server does not support the address family requested by the client in "
                 "REQUESTED-ADDRESS-FAMILY [...] it MUST include an ERROR-CODE attribute with the "
                 "440 (Address Family not Supported) response code.",
        .run = ip4,
    },
    {
        .id = "family-ip6",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "Who asks for IPv6 gets IPv6, or 440.",
        .words = "If the server does not support the address family requested by the client in "
                 "REQUESTED-ADDRESS-FAMILY [...] it MUST include an ERROR-CODE attribute with the "
                 "440 (Address Family not Supported) response code.",
        .run = ip6,
    },
    {
        .id = "family-ip6-served",
        .section = "RFC 8656, 5",
        .level = TALK_MAY,
        .rule = "IPv6 is relayed.",
        .words = "TURN, as defined in this specification, supports both IPv4 and IPv6.",
        .run = ip6_served,
    },
    {
        .id = "family-unknown-440",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A family that there is not gets 440.",
        .words = "If the server does not support the address family requested by the client in "
                 "REQUESTED-ADDRESS-FAMILY [...] it MUST include an ERROR-CODE attribute with the "
                 "440 (Address Family not Supported) response code.",
        .run = unknown,
    },
    {
        .id = "family-reserved-ignored",
        .section = "RFC 8656, 18.6",
        .level = TALK_MUST,
        .rule = "What stands in the reserved bytes of REQUESTED-ADDRESS-FAMILY does not matter.",
        .words = "the 24 bits in the Reserved field MUST be set to zero by the client and MUST be "
                 "ignored by the server",
        .run = reserved_bits,
    },
    {
        .id = "family-additional",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "Who asks for IPv6 beside IPv4 gets both, or is told why not.",
        .words = "if it can only allocate one relayed transport address of a specific address "
                 "type, then it includes ADDRESS-ERROR-CODE attribute in the success response",
        .run = additional,
    },
    {
        .id = "family-additional-served",
        .section = "RFC 8656, 7.2",
        .level = TALK_MAY,
        .rule = "Both families are relayed by one allocation.",
        .words = "If the server can fully meet the request, then the server allocates one IPv4 and "
                 "one IPv6 relay address",
        .run = additional_served,
    },
    {
        .id = "family-additional-ip4-400",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "IPv4 as the additional family gets 400.",
        .words = "If yes, and the attribute value is 0x01 (IPv4 address family), then the server "
                 "rejects the request with a 400 (Bad Request) error.",
        .run = additional_ip4,
    },
    {
        .id = "family-both-attributes-400",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A requested beside an additional family gets 400.",
        .words = "The server checks if the request contains both REQUESTED-ADDRESS-FAMILY and "
                 "ADDITIONAL-ADDRESS-FAMILY attributes. If yes, then the server rejects the "
                 "request with a 400 (Bad Request) error.",
        .run = requested_and_additional,
    },
    {
        .id = "family-reserve-and-additional-400",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A pair of ports of both families gets 400.",
        .words = "The server checks if the request contains an EVEN-PORT attribute with the R bit "
                 "set to 1. If yes, and the request also contains an ADDITIONAL-ADDRESS-FAMILY "
                 "attribute, the server rejects the request with a 400 (Bad Request) error.",
        .run = reserve_and_additional,
    },
    {
        .id = "family-permission-443",
        .section = "RFC 8656, 10.2",
        .level = TALK_MUST,
        .rule = "A permission for a peer of the other family gets 443.",
        .words = "the server MUST generate an error response with the 443 (Peer Address Family "
                 "Mismatch) response code",
        .run = permission_mismatch,
    },
    {
        .id = "family-channel-443",
        .section = "RFC 8656, 12.2",
        .level = TALK_MUST,
        .rule = "A channel to a peer of the other family gets 443.",
        .words = "the server MUST generate an error response with the 443 (Peer Address Family "
                 "Mismatch) response code",
        .run = channel_mismatch,
    },
    {
        .id = "family-refresh-443",
        .section = "RFC 8656, 8.2",
        .level = TALK_MUST,
        .rule = "A Refresh of the other family gets 443.",
        .words = "If the server receives a Refresh Request with a REQUESTED-ADDRESS-FAMILY "
                 "attribute and the attribute value does not match the address family of the "
                 "allocation, the server MUST reply with a 443 (Peer Address Family Mismatch) "
                 "Refresh error response.",
        .run = refresh_mismatch,
    },
    {
        .id = "family-refresh",
        .section = "RFC 8656, 8.2",
        .level = TALK_MUST,
        .rule = "A Refresh of the allocation's own family succeeds.",
        .words = "the request succeeds and the allocation's time-to-expiry is set to the "
                 "\"desired lifetime\"",
        .run = refresh_match,
    },
};

const struct talk_subject conform_family = {
    .name = "address families",
    .about = "Which addresses a client gets, and which peers it can reach with them. What a server "
             "ignores here a client takes for granted: it sends to peers that it never reaches.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
