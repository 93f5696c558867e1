// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_permission.h"

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_data.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

enum { PAYLOAD = 40 }; // bytes of data

static void success(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_peer(talk, 0);
    IGNORE(talk_request(talk, STUN_CREATE_PERMISSION) != NULL);
    talk_request_peer(talk, 0);
    talk_ask(talk);
    talk_need_that(talk, talk->is_decided || talk_answer_code(talk) != STUN_ERROR_FORBIDDEN,
                   "the server forbids the peer: it must allow --peer-address");
    talk_expect_success(talk);
}

static void again(struct talk *talk)
{
    success(talk);
    IGNORE(talk_request(talk, STUN_CREATE_PERMISSION) != NULL);
    talk_request_peer(talk, 0);
    talk_ask(talk);
    talk_expect_success(talk);
}

static void many(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
    talk_need_peer(talk, 1);
    IGNORE(talk_request(talk, STUN_CREATE_PERMISSION) != NULL);
    talk_request_peer(talk, 0);
    talk_request_peer(talk, 1);
    talk_ask(talk);
    talk_expect_success(talk);
}

static void no_address(struct talk *talk)
{
    talk_need_allocation(talk);
    IGNORE(talk_request(talk, STUN_CREATE_PERMISSION) != NULL);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void with_address(struct talk *talk, struct bytes value)
{
    talk_need_allocation(talk);
    stun_attr_write(talk_request(talk, STUN_CREATE_PERMISSION), STUN_ATTR_XOR_PEER_ADDRESS, value);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void short_address(struct talk *talk)
{
    with_address(talk, (struct bytes)BYTES_LITERAL("\x00\x01\x12\x34"));
}

static void strange_family(struct talk *talk)
{
    with_address(talk, (struct bytes)BYTES_LITERAL("\x00\x7f\x12\x34\x01\x02\x03\x04"));
}

static void mismatch(struct talk *talk)
{
    talk_need_nonce(talk);
    talk_need_peer(talk, 0);
    IGNORE(talk_request(talk, STUN_CREATE_PERMISSION) != NULL);
    talk_request_peer(talk, 0);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_ALLOCATION_MISMATCH);
}

static void down(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
    talk_data_down(talk, 0, 0, talk_payload(talk, memory, sizeof memory));
}

static void down_from_another_port(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
    talk_need_peer(talk, 1);
    talk_need_that(talk,
                   talk->is_decided || addr_same_ip(&talk->peers[0].seen, &talk->peers[1].seen),
                   "the server sees this host at two addresses");
    talk_data_down(talk, 1, 0, talk_payload(talk, memory, sizeof memory));
}

static void down_without(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    talk_need_allocation(talk);
    talk_need_peer(talk, 0);
    talk_data_down_is_dropped(talk, 0, talk_payload(talk, memory, sizeof memory));
}

static void up_without(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    talk_need_allocation(talk);
    talk_need_peer(talk, 0);
    talk_data_send(talk, 0, 0, data);
    talk_data_is_dropped(talk, 0, data);
}

static void of_another_allocation(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
    talk_be(talk, 1);
    talk_need_allocation(talk);
    talk_data_down_is_dropped(talk, 0, talk_payload(talk, memory, sizeof memory));
}

static void ends_with_allocation(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
    stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, 0);
    talk_ask(talk);
    talk_need_success(talk, "the allocation cannot be deleted");
    talk_need_allocation(talk);
    talk_data_down_is_dropped(talk, 0, talk_payload(talk, memory, sizeof memory));
}

static const struct talk_check checks[] = {
    {
        .id = "permission-success",
        .section = "RFC 8656, 10.2",
        .level = TALK_MUST,
        .rule = "A CreatePermission for a peer succeeds.",
        .words = "The server then responds with a CreatePermission success response.",
        .run = success,
    },
    {
        .id = "permission-again",
        .section = "RFC 8656, 9",
        .level = TALK_MUST,
        .rule = "It succeeds again for the same peer.",
        .words = "If a permission for that IP address already exists, then the time-to-expiry for "
                 "that permission is reset to Permission Lifetime.",
        .run = again,
    },
    {
        .id = "permission-many",
        .section = "RFC 8656, 10.2",
        .level = TALK_MUST,
        .rule = "One request may name several peers.",
        .words = "The CreatePermission request MUST contain at least one XOR-PEER-ADDRESS "
                 "attribute and MAY contain multiple such attributes.",
        .run = many,
    },
    {
        .id = "permission-no-address-400",
        .section = "RFC 8656, 10.2",
        .level = TALK_MUST,
        .rule = "A request that names no peer gets 400.",
        .words = "If no such attribute exists, or if any of these attributes are invalid, then a "
                 "400 (Bad Request) error is returned.",
        .run = no_address,
    },
    {
        .id = "permission-short-address-400",
        .section = "RFC 8656, 10.2",
        .level = TALK_MUST,
        .rule = "An XOR-PEER-ADDRESS that is too short gets 400.",
        .words = "If no such attribute exists, or if any of these attributes are invalid, then a "
                 "400 (Bad Request) error is returned.",
        .run = short_address,
    },
    {
        .id = "permission-strange-family-400",
        .section = "RFC 8656, 10.2",
        .level = TALK_MUST,
        .rule = "An XOR-PEER-ADDRESS of a family that there is not gets 400.",
        .words = "If no such attribute exists, or if any of these attributes are invalid, then a "
                 "400 (Bad Request) error is returned.",
        .run = strange_family,
    },
    {
        .id = "permission-mismatch-437",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "A CreatePermission without an allocation gets 437.",
        .words = "if the 5-tuple does not identify an existing allocation, then the message MUST "
                 "either be rejected with a 437 Allocation Mismatch error (if it is a request) or "
                 "be silently ignored",
        .run = mismatch,
    },
    {
        .id = "permission-lets-in",
        .section = "RFC 8656, 11.3",
        .level = TALK_MUST,
        .rule = "What a permitted peer sends reaches the client as a Data indication.",
        .words = "If relaying is permitted but no channel is bound to the peer, then the server "
                 "forms and sends a Data indication. The Data indication MUST contain both an "
                 "XOR-PEER-ADDRESS and a DATA attribute.",
        .run = down,
    },
    {
        .id = "permission-of-all-ports",
        .section = "RFC 8656, 9",
        .level = TALK_MUST,
        .rule = "A permission is for an address, whatever the port.",
        .words = "Note that only addresses are compared and port numbers are not considered.",
        .run = down_from_another_port,
    },
    {
        .id = "permission-keeps-out",
        .section = "RFC 8656, 9",
        .level = TALK_MUST,
        .rule = "What others send does not reach the client.",
        .words = "If no match is found, relaying is not permitted and the server silently discards "
                 "the UDP datagram.",
        .run = down_without,
    },
    {
        .id = "permission-for-sending",
        .section = "RFC 8656, 11.2",
        .level = TALK_MUST,
        .rule = "Without a permission a Send indication is not relayed.",
        .words = "The server also checks that there is a permission installed for the IP address "
                 "contained in the XOR-PEER-ADDRESS attribute. If no such permission exists, the "
                 "message is discarded.",
        .run = up_without,
    },
    {
        .id = "permission-of-one-allocation",
        .section = "RFC 8656, 9",
        .level = TALK_MUST,
        .rule = "One allocation's permission is not the other's.",
        .words = "The permissions for one allocation are totally unrelated to the permissions for "
                 "a different allocation.",
        .run = of_another_allocation,
    },
    {
        .id = "permission-ends-with-allocation",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A new allocation of the same port begins without permissions.",
        .words = "the list of permissions and the list of channels are initially empty",
        .run = ends_with_allocation,
    },
};

const struct talk_subject conform_permission = {
    .name = "permissions",
    .about = "Permissions keep the Internet from sending to a client whatever it likes, and a "
             "client from sending wherever it likes. They are what stands between a TURN server "
             "and an open proxy.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
