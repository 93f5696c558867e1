// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_framing.h"

#include <string.h>

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_expect.h"

enum {
    UNKNOWN_METHOD = 0x7F, // no RFC knows it
    SHORT_COUNT = 24,      // lengths of datagrams that are tried
};

// Makes a good Binding request, to be spoilt.
static void make_binding(struct talk *talk, unsigned proof)
{
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_request_seal(talk, proof);
}

static void wrong_fingerprint(struct talk *talk)
{
    make_binding(talk, TALK_FINGERPRINT);
    talk->message[talk->message_len - 1] ^= 1;
    talk_expect_silence(talk);
}

static void wrong_cookie(struct talk *talk)
{
    make_binding(talk, TALK_NOTHING);
    talk->message[4] ^= 0x80;
    talk_expect_silence(talk);
}

static void wrong_first_bits(struct talk *talk)
{
    make_binding(talk, TALK_NOTHING);
    talk->message[0] |= 0xC0;
    talk_expect_silence(talk);
}

static void unaligned_length(struct talk *talk)
{
    make_binding(talk, TALK_NOTHING);
    // A header that counts three bytes more, and three bytes more.
    talk->message[3] = 3;
    memset(talk->message + talk->message_len, 0, 3);
    talk->message_len += 3;
    talk_expect_silence(talk);
}

static void too_long_length(struct talk *talk)
{
    make_binding(talk, TALK_NOTHING);
    talk->message[3] = 64; // which do not follow
    talk_expect_silence(talk);
}

static void unknown_method(struct talk *talk)
{
    IGNORE(talk_request(talk, UNKNOWN_METHOD) != NULL);
    talk_request_end(talk);
    talk_expect_silence(talk);
}

static void of_class(struct talk *talk, uint16_t method, enum stun_class class)
{
    IGNORE(talk_request_of_class(talk, method, class) != NULL);
    talk_request_end(talk);
    talk_expect_silence(talk);
}

static void responses(struct talk *talk)
{
    of_class(talk, STUN_BINDING, STUN_SUCCESS);
    of_class(talk, STUN_BINDING, STUN_ERROR);
    of_class(talk, STUN_ALLOCATE, STUN_SUCCESS);
}

static void wrong_classes(struct talk *talk)
{
    of_class(talk, STUN_ALLOCATE, STUN_INDICATION);
    of_class(talk, STUN_SEND, STUN_REQUEST);
    of_class(talk, STUN_DATA, STUN_REQUEST);
}

static void padding(struct talk *talk)
{
    // SOFTWARE of one byte, whose padding is not zero.
    stun_attr_write(talk_request(talk, STUN_BINDING), STUN_ATTR_SOFTWARE,
                    (struct bytes)BYTES_LITERAL("x"));
    talk_request_end(talk);
    memset(talk->message + talk->message_len - 3, 0xA5, 3);
    talk_ask_again(talk);
    talk_expect_success(talk);
}

static void expect_life(struct talk *talk)
{
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_ask(talk);
    talk_expect_that(talk, talk_answer_is_success(talk),
                     "a server that still answers a Binding request");
}

static void every_length(struct talk *talk)
{
    for (size_t len = 0; len <= SHORT_COUNT; len++) {
        make_binding(talk, TALK_FINGERPRINT);
        talk_send(talk, bytes_first((struct bytes){talk->message, talk->message_len}, len));
    }
    expect_life(talk);
}

static void overrun(struct talk *talk)
{
    // An attribute that says it is longer than the message, in requests of several methods.
    static const uint16_t methods[] = {STUN_BINDING, STUN_ALLOCATE, STUN_REFRESH,
                                       STUN_CREATE_PERMISSION, STUN_CHANNEL_BIND};

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        stun_attr_write(talk_request(talk, methods[i]), STUN_ATTR_USERNAME,
                        (struct bytes)BYTES_LITERAL("overrun!"));
        talk_request_end(talk);
        talk->message[STUN_HEADER_LEN + 2] = 0xFF;
        talk_send(talk, (struct bytes){talk->message, talk->message_len});
    }
    expect_life(talk);
}

static void overrun_is_no_success(struct talk *talk)
{
    stun_attr_write(talk_request(talk, STUN_BINDING), STUN_ATTR_SOFTWARE,
                    (struct bytes)BYTES_LITERAL("overrun!"));
    talk_request_end(talk);
    talk->message[STUN_HEADER_LEN + 2] = 0xFF;
    talk_expect_no_success(talk);
}

static void long_message(struct talk *talk)
{
    static const struct bytes character = BYTES_LITERAL("\xF0\x90\x8D\x88");
    uint8_t text[4 * 127]; // 127 characters of four bytes each
    struct wr wr = wr_init(text, sizeof text);

    while (wr.room > 0) {
        wr_bytes(&wr, character);
    }
    stun_attr_write(talk_request(talk, STUN_BINDING), STUN_ATTR_SOFTWARE,
                    (struct bytes){text, sizeof text});
    talk_ask(talk);
    talk_expect_success(talk);
}

static void duplicate(struct talk *talk)
{
    struct wr *wr = talk_request(talk, STUN_BINDING);

    stun_attr_write(wr, STUN_ATTR_SOFTWARE, (struct bytes)BYTES_LITERAL("one"));
    stun_attr_write(wr, STUN_ATTR_SOFTWARE, (struct bytes)BYTES_LITERAL("two"));
    talk_ask(talk);
    talk_expect_success(talk);
}

static const struct talk_check checks[] = {
    {
        .id = "framing-wrong-fingerprint",
        .section = "RFC 8489, 6.3",
        .level = TALK_SHOULD,
        .rule = "A request whose FINGERPRINT is wrong is not answered.",
        .words = "If the FINGERPRINT extension is being used, the agent checks that the "
                 "FINGERPRINT attribute is present and contains the correct value. If any errors "
                 "are detected, the message is silently discarded.",
        .run = wrong_fingerprint,
    },
    {
        .id = "framing-wrong-cookie",
        .section = "RFC 8489, 6.3",
        .level = TALK_MAY,
        .rule = "A message without the magic cookie is not answered, unless the server still "
                "serves clients of RFC 3489.",
        .words = "It checks that the first two bits are 0, that the Magic Cookie field has the "
                 "correct value [...] If any errors are detected, the message is silently "
                 "discarded.",
        .run = wrong_cookie,
    },
    {
        .id = "framing-first-bits",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "A message whose first two bits are not zero is not answered.",
        .words = "It checks that the first two bits are 0 [...] If any errors are detected, the "
                 "message is silently discarded.",
        .run = wrong_first_bits,
    },
    {
        .id = "framing-unaligned-length",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "A message whose length is no multiple of four is not answered.",
        .words = "It checks [...] that the message length is sensible [...] If any errors are "
                 "detected, the message is silently discarded.",
        .run = unaligned_length,
    },
    {
        .id = "framing-length-beyond-datagram",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "A message that says it is longer than its datagram is not answered.",
        .words = "It checks [...] that the message length is sensible [...] If any errors are "
                 "detected, the message is silently discarded.",
        .run = too_long_length,
    },
    {
        .id = "framing-unknown-method",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "A request of an unknown method is not answered.",
        .words = "It checks [...] that the method value is a supported method. [...] If any "
                 "errors are detected, the message is silently discarded.",
        .run = unknown_method,
    },
    {
        .id = "framing-stray-responses",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule =
            "Responses to nothing are not answered, or two servers could keep one another busy.",
        .words = "If the message class is \"Success Response\" or \"Error Response\", the agent "
                 "checks that the transaction ID matches a transaction that is still in progress. "
                 "[...] If any errors are detected, the message is silently discarded.",
        .run = responses,
    },
    {
        .id = "framing-wrong-class",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "An Allocate indication, and Send and Data requests, are not answered.",
        .words = "It checks that the message class is allowed for the particular method. [...] If "
                 "any errors are detected, the message is silently discarded.",
        .run = wrong_classes,
    },
    {
        .id = "framing-padding",
        .section = "RFC 8489, 14",
        .level = TALK_MUST,
        .rule = "What stands in an attribute's padding does not matter.",
        .words = "The padding bits MUST be set to zero on sending and MUST be ignored by the "
                 "receiver.",
        .run = padding,
    },
    {
        .id = "framing-duplicate-attribute",
        .section = "RFC 8489, 14",
        .level = TALK_MUST,
        .rule = "An attribute that stands there twice is no fault.",
        .words = "Any attribute type MAY appear more than once in a STUN message.",
        .run = duplicate,
    },
    {
        .id = "framing-long-attribute",
        .section = "RFC 8489, 14.14",
        .level = TALK_MUST,
        .rule = "A long SOFTWARE is no fault.",
        .words =
            "It MUST be a UTF-8-encoded [RFC3629] sequence of fewer than 128 characters (which can "
            "be as long as 509 when encoding them and as long as 763 bytes when decoding them).",
        .run = long_message,
    },
    {
        .id = "framing-overrun",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "A message whose attribute is longer than the message does not succeed.",
        .words = "When a STUN agent receives a STUN message, it first checks that the message "
                 "obeys the rules of Section 5. [...] If any errors are detected, the message is "
                 "silently discarded.",
        .run = overrun_is_no_success,
    },
    {
        .id = "framing-survives-short",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "Datagrams cut at every byte of a header do not end the service.",
        .words = "If any errors are detected, the message is silently discarded.",
        .run = every_length,
    },
    {
        .id = "framing-survives-overrun",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "Attributes that are longer than their messages do not end the service.",
        .words = "If any errors are detected, the message is silently discarded.",
        .run = overrun,
    },
};

const struct talk_subject conform_framing = {
    .name = "message format",
    .about = "What is not right is dropped without a word (RFC 8489, 6.3). A server that answers "
             "it all the same can be made to answer to others' packets, to another server's "
             "answers, or to be taken for another protocol; one that stops after it can be stopped "
             "by anybody with one datagram.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
