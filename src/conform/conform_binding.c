// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_binding.h"

#include <string.h>

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

enum {
    UNKNOWN_REQUIRED = 0x7F71, // attributes that no RFC knows
    UNKNOWN_OPTIONAL = 0xFF71,
};

static const struct bytes four = BYTES_LITERAL("four");

static void ask_binding(struct talk *talk)
{
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_ask(talk);
}

static void success(struct talk *talk)
{
    ask_binding(talk);
    talk_expect_success(talk);
}

static void mapped(struct talk *talk)
{
    ask_binding(talk);
    talk_expect_success(talk);
    talk_expect_that(talk, talk_answer_addr(talk, STUN_ATTR_XOR_MAPPED_ADDRESS).family != ADDR_NONE,
                     "an answer with an XOR-MAPPED-ADDRESS that can be read");
}

static void mapped_is_source(struct talk *talk)
{
    ask_binding(talk);
    struct addr first = talk_answer_addr(talk, STUN_ATTR_XOR_MAPPED_ADDRESS);
    ask_binding(talk);
    struct addr second = talk_answer_addr(talk, STUN_ATTR_XOR_MAPPED_ADDRESS);
    const struct addr *local = &talk_me(talk)->local;
    // A NAT may be in the way, which changes address and port, but not from one request to the
    // next.
    const bool is_near = addr_same_ip(local, &talk->target->server) || addr_is_loopback(local);

    talk_expect_that(talk, first.family != ADDR_NONE && addr_equal(&first, &second),
                     "the same XOR-MAPPED-ADDRESS for both requests of one socket");
    talk_expect_that(talk, !is_near || addr_equal(&second, local),
                     "an XOR-MAPPED-ADDRESS that is where the request came from");
}

static bool is_anything(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    (void)arg;
    return arrival->socket == talk_me(talk)->socket;
}

static void once(struct talk *talk)
{
    ask_binding(talk);
    talk_expect_success(talk);
    if (talk->is_decided) {
        return;
    }
    uint64_t until_ns = talk->world->now(talk->world->self).mono_ns + talk->target->quiet_ns;
    talk_expect_that(talk, talk_wait(talk, until_ns, is_anything, NULL) == NULL,
                     "one answer to one request; this one came more than once");
}

static void extreme_transactions(struct talk *talk)
{
    static const uint8_t fills[] = {0x00, 0xFF};

    for (size_t i = 0; i < COUNT_OF(fills); i++) {
        IGNORE(talk_request(talk, STUN_BINDING) != NULL);
        talk_request_end(talk);
        memset(talk->message + 8, fills[i], STUN_TRANSACTION_LEN);
        memset(talk->header.transaction.id, fills[i], STUN_TRANSACTION_LEN);
        talk_ask_again(talk);
        talk_expect_success(talk);
    }
}

static void fingerprint(struct talk *talk)
{
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_ask_with(talk, TALK_FINGERPRINT);
    talk_expect_success(talk);
}

static void no_fingerprint_needed(struct talk *talk)
{
    ask_binding(talk);
    talk_expect_success(talk);
}

static void software(struct talk *talk)
{
    ask_binding(talk);
    talk_expect_success(talk);
    talk_expect_attr(talk, STUN_ATTR_SOFTWARE);
}

static void ask_unknown(struct talk *talk)
{
    stun_attr_write(talk_request(talk, STUN_BINDING), UNKNOWN_REQUIRED, four);
    talk_ask(talk);
}

static void unknown_420(struct talk *talk)
{
    ask_unknown(talk);
    talk_expect_error(talk, STUN_ERROR_UNKNOWN_ATTRIBUTE);
}

static void unknown_listed(struct talk *talk)
{
    struct bytes list = {0};

    ask_unknown(talk);
    talk_need_error(talk, STUN_ERROR_UNKNOWN_ATTRIBUTE, "the answer is no 420");
    talk_expect_attr(talk, STUN_ATTR_UNKNOWN_ATTRIBUTES);
    struct rd rd = rd_init(
        talk_answer_find(talk, STUN_ATTR_UNKNOWN_ATTRIBUTES, &list) ? list : (struct bytes){0});
    talk_expect_that(talk, talk->is_decided || rd_u16(&rd) == UNKNOWN_REQUIRED,
                     "UNKNOWN-ATTRIBUTES that lists 0x7f71");
}

static void unknown_optional(struct talk *talk)
{
    stun_attr_write(talk_request(talk, STUN_BINDING), UNKNOWN_OPTIONAL, four);
    talk_ask(talk);
    talk_expect_success(talk);
}

static void unexpected_known(struct talk *talk)
{
    // An attribute of responses, in a request.
    stun_attr_u32_write(talk_request(talk, STUN_BINDING), STUN_ATTR_LIFETIME, 600);
    talk_ask(talk);
    talk_expect_success(talk);
}

static void indication(struct talk *talk)
{
    IGNORE(talk_request_indication(talk, STUN_BINDING) != NULL);
    talk_request_end(talk);
    talk_expect_silence(talk);
}

static void retransmission(struct talk *talk)
{
    ask_binding(talk);
    struct addr first = talk_answer_addr(talk, STUN_ATTR_XOR_MAPPED_ADDRESS);
    talk_expect_success(talk);
    talk_ask_again(talk);
    talk_expect_success(talk);
    struct addr second = talk_answer_addr(talk, STUN_ATTR_XOR_MAPPED_ADDRESS);
    talk_expect_that(talk, addr_equal(&first, &second), "the same address in both answers");
}

static const struct talk_check checks[] = {
    {
        .id = "binding-success",
        .section = "RFC 8489, 12",
        .level = TALK_MUST,
        .rule = "A Binding request of anybody is answered with success.",
        .words = "The STUN server MUST support the Binding method.",
        .run = success,
    },
    {
        .id = "binding-mapped-address",
        .section = "RFC 8489, 6.3.1.1",
        .level = TALK_MUST,
        .rule = "The answer to a Binding request has an XOR-MAPPED-ADDRESS.",
        .words = "When forming the success response, the server adds an XOR-MAPPED-ADDRESS "
                 "attribute to the response",
        .run = mapped,
    },
    {
        .id = "binding-mapped-address-is-source",
        .section = "RFC 8489, 6.3.1.1",
        .level = TALK_MUST,
        .rule = "The address in it is the one from which the request came.",
        .words = "this attribute contains the source transport address of the request message",
        .run = mapped_is_source,
    },
    {
        .id = "binding-one-answer",
        .section = "RFC 8489, 6.3.1",
        .level = TALK_MUST,
        .rule = "One request gets one answer.",
        .words = "If all the checks succeed, the server formulates a success response",
        .run = once,
    },
    {
        .id = "binding-any-transaction-id",
        .section = "RFC 8489, 6.3.1.1",
        .level = TALK_MUST,
        .rule = "Transaction ids of all zeros and all ones are echoed like any other.",
        .words = "When forming the response (success or error), the server follows the rules of "
                 "Section 6.",
        .run = extreme_transactions,
    },
    {
        .id = "binding-fingerprint",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "A request with a FINGERPRINT is served.",
        .words = "The client and the server MAY include the FINGERPRINT attribute in any "
                 "STUN-formatted messages defined in this document.",
        .run = fingerprint,
    },
    {
        .id = "binding-without-fingerprint",
        .section = "RFC 8489, 12",
        .level = TALK_MUST,
        .rule = "A request without a FINGERPRINT is served.",
        .words = "It MAY utilize the FINGERPRINT mechanism but MUST NOT require it.",
        .run = no_fingerprint_needed,
    },
    {
        .id = "binding-software",
        .section = "RFC 8489, 6.3.1.1",
        .level = TALK_SHOULD,
        .rule = "The answer says by SOFTWARE what the server is; many leave it out, so that it "
                "says less to strangers.",
        .words = "In addition, the server SHOULD add a SOFTWARE attribute to the message.",
        .run = software,
    },
    {
        .id = "binding-unknown-420",
        .section = "RFC 8489, 6.3.1",
        .level = TALK_MUST,
        .rule = "An unknown attribute that must be understood gets 420.",
        .words = "If the request contains one or more unknown comprehension-required attributes, "
                 "the server replies with an error response with an error code of 420 (Unknown "
                 "Attribute)",
        .run = unknown_420,
    },
    {
        .id = "binding-unknown-listed",
        .section = "RFC 8489, 6.3.1.1",
        .level = TALK_MUST,
        .rule = "The 420 lists the attribute that is unknown.",
        .words = "for an error code of 420 (Unknown Attribute), the server MUST include an "
                 "UNKNOWN-ATTRIBUTES attribute",
        .run = unknown_listed,
    },
    {
        .id = "binding-unknown-optional",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "An unknown attribute that may be ignored is ignored.",
        .words = "Unknown comprehension-optional attributes MUST be ignored by the agent.",
        .run = unknown_optional,
    },
    {
        .id = "binding-unexpected-known",
        .section = "RFC 8489, 6.3",
        .level = TALK_SHOULD,
        .rule = "A known attribute that does not belong into a Binding request is ignored.",
        .words = "Known-but-unexpected attributes SHOULD be ignored by the agent.",
        .run = unexpected_known,
    },
    {
        .id = "binding-indication",
        .section = "RFC 8489, 6.3.2",
        .level = TALK_MUST,
        .rule = "A Binding indication is not answered.",
        .words = "No response is generated for an indication.",
        .run = indication,
    },
    {
        .id = "binding-retransmission",
        .section = "RFC 8489, 6.3.1",
        .level = TALK_MUST,
        .rule = "A Binding request that comes once more is answered alike.",
        .words = "The server MUST respond to retransmissions",
        .run = retransmission,
    },
};

const struct talk_subject conform_binding = {
    .name = "Binding",
    .about =
        "Clients learn by Binding requests at which address others see them. What is wrong here "
        "keeps ICE from finding its candidates, or tells strangers more than they asked for.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
