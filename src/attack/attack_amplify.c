// SPDX-License-Identifier: Apache-2.0
// The factor is what comes divided by what goes, in bytes on the wire: IP and UDP headers count. It
// is sought over all requests of a check, each sent once from a port that has proven nothing.
#include "attack/attack_amplify.h"

#include "attack/attack_step.h"
#include "base/macro.h"
#include "stun/stun_attr.h"
#include "talk/talk.h"
#include "talk/talk_ask.h"
#include "talk/talk_words.h"

enum {
    // Factors in hundredths, from which on it is so severe. What the best known reflectors do is
    // tens and hundreds; below two nobody bothers.
    INFO_FROM = 101,
    LOW_FROM = 300,
    MEDIUM_FROM = 600,
    HIGH_FROM = 1500,
    CHANGE_REQUEST = 0x0003, // of RFC 5780
    PADDING = 0x0026,
    RESPONSE_PORT = 0x0027,
    CONNECT = 0x00A, // of RFC 6062
    CONNECTION_BIND = 0x00B,
    UNKNOWN_METHOD = 0xABC,
    UNKNOWN_REQUIRED = 0x7F70,
    UNKNOWN_COUNT = 32,
};

// The worst that was found.
struct worst {
    uint32_t hundredths;
    uint32_t sent;
    uint32_t came;
    uint32_t datagrams;
    const char *what;
};

// Sends what stands in talk->message, from a port of its own, and weighs what comes.
static void weigh(struct talk *talk, const char *what, struct worst *worst)
{
    if (talk->is_decided) {
        return;
    }
    const uint32_t sent = attack_step_wire_len(talk, talk->message_len);
    attack_step_send(talk);
    const struct attack_step_catch caught = attack_step_catch_all(talk);
    const uint32_t hundredths = caught.wire_bytes * 100 / sent;
    if (hundredths > worst->hundredths || caught.datagrams > worst->datagrams) {
        *worst = (struct worst){hundredths, sent, caught.wire_bytes, caught.datagrams, what};
    }
    talk_close(talk);
}

static void weigh_bare(struct talk *talk, uint16_t method, const char *what, struct worst *worst)
{
    IGNORE(talk_request(talk, method) != NULL);
    talk_request_seal(talk, TALK_NOTHING);
    weigh(talk, what, worst);
}

static void factor_write(struct wr *wr, const struct worst *worst)
{
    wr_text(wr, worst->what);
    wr_text(wr, ": ");
    wr_decimal(wr, worst->came);
    wr_text(wr, " bytes in ");
    wr_decimal(wr, worst->datagrams);
    wr_text(wr, worst->datagrams == 1 ? " datagram for " : " datagrams for ");
    wr_decimal(wr, worst->sent);
    wr_text(wr, ", factor ");
    wr_decimal(wr, worst->hundredths / 100);
    wr_text(wr, ".");
    wr_decimal(wr, worst->hundredths % 100 / 10);
    wr_decimal(wr, worst->hundredths % 10);
}

static void judge(struct talk *talk, const struct worst *worst)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    if (talk->is_decided || (worst->hundredths < INFO_FROM && worst->datagrams <= 1)) {
        return;
    }
    factor_write(&wr, worst);
    talk_weigh(talk, worst->hundredths >= HIGH_FROM     ? TALK_HIGH
                     : worst->hundredths >= MEDIUM_FROM ? TALK_MEDIUM
                     : worst->hundredths >= LOW_FROM    ? TALK_LOW
                     : worst->datagrams > 1             ? TALK_LOW
                                                        : TALK_INFO);
    talk_fail(talk, bytes_of_text("no more bytes come than went"), wr_done(&wr));
}

static void binding(struct talk *talk)
{
    struct worst worst = {.what = "nothing"};

    weigh_bare(talk, STUN_BINDING, "a Binding request of 20 bytes", &worst);
    judge(talk, &worst);
}

static void binding_odd(struct talk *talk)
{
    struct worst worst = {.what = "nothing"};
    struct wr *wr;

    stun_attr_u32_write(talk_request(talk, STUN_BINDING), CHANGE_REQUEST, 0x6);
    talk_request_seal(talk, TALK_NOTHING);
    weigh(talk, "Binding with CHANGE-REQUEST", &worst);
    stun_attr_u16_write(talk_request(talk, STUN_BINDING), RESPONSE_PORT, talk->target->server.port);
    talk_request_seal(talk, TALK_NOTHING);
    weigh(talk, "Binding with RESPONSE-PORT", &worst);
    stun_attr_u32_write(talk_request(talk, STUN_BINDING), PADDING, 0);
    talk_request_seal(talk, TALK_NOTHING);
    weigh(talk, "Binding with PADDING", &worst);
    wr = talk_request(talk, STUN_BINDING);
    for (uint32_t i = 0; i < UNKNOWN_COUNT; i++) {
        stun_attr_write(wr, (uint16_t)(UNKNOWN_REQUIRED + i), (struct bytes){0});
    }
    talk_request_seal(talk, TALK_NOTHING);
    weigh(talk, "Binding with 32 unknown attributes", &worst);
    stun_attr_write(talk_request(talk, STUN_BINDING), UNKNOWN_REQUIRED, (struct bytes){0});
    talk_request_seal(talk, TALK_NOTHING);
    weigh(talk, "Binding with an unknown attribute", &worst);
    judge(talk, &worst);
}

static void challenge(struct talk *talk)
{
    struct worst worst = {.what = "nothing"};

    weigh_bare(talk, STUN_ALLOCATE, "an Allocate of 20 bytes", &worst);
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_request_seal(talk, TALK_NOTHING);
    weigh(talk, "an Allocate with REQUESTED-TRANSPORT", &worst);
    weigh_bare(talk, STUN_REFRESH, "a Refresh of 20 bytes", &worst);
    weigh_bare(talk, STUN_CREATE_PERMISSION, "a CreatePermission of 20 bytes", &worst);
    weigh_bare(talk, STUN_CHANNEL_BIND, "a ChannelBind of 20 bytes", &worst);
    weigh_bare(talk, CONNECT, "a Connect of 20 bytes", &worst);
    weigh_bare(talk, CONNECTION_BIND, "a ConnectionBind of 20 bytes", &worst);
    judge(talk, &worst);
}

static void stale(struct talk *talk)
{
    static const struct bytes name = BYTES_LITERAL("a");
    struct worst worst = {.what = "nothing"};
    struct wr *wr = talk_request(talk, STUN_ALLOCATE);

    stun_attr_write(wr, STUN_ATTR_USERNAME, name);
    stun_attr_write(wr, STUN_ATTR_REALM, name);
    stun_attr_write(wr, STUN_ATTR_NONCE, name);
    talk_request_seal(talk, TALK_INTEGRITY);
    weigh(talk, "an Allocate with a nonce that was made up", &worst);
    judge(talk, &worst);
}

static void other_bytes(struct talk *talk)
{
    static const struct {
        struct bytes bytes;
        const char *what;
    } datagrams[] = {
        {BYTES_LITERAL(""), "an empty datagram"},
        {BYTES_LITERAL("\0"), "one byte"},
        {BYTES_LITERAL("\x40\0\0\0"), "ChannelData without data"},
        {BYTES_LITERAL("\0\1\0\0"), "4 bytes of a STUN header"},
        // Without the cookie, as RFC 3489 had it, with 16 bytes of id.
        {BYTES_LITERAL("\0\1\0\0abcdefghijklmnop"), "a Binding request of RFC 3489"},
        {BYTES_LITERAL("\0\3\0\0abcdefghijklmnop"), "an Allocate without the cookie"},
    };
    struct worst worst = {.what = "nothing"};

    for (size_t i = 0; i < COUNT_OF(datagrams); i++) {
        struct wr wr = wr_init(talk->message, sizeof talk->message);
        wr_bytes(&wr, datagrams[i].bytes);
        talk->message_len = wr.len;
        weigh(talk, datagrams[i].what, &worst);
    }
    weigh_bare(talk, UNKNOWN_METHOD, "a request of an unknown method", &worst);
    judge(talk, &worst);
}

static const struct talk_cure binding_cure = {
    .coturn = "add no-software-attribute and no-rfc5780, and in 4.6 no-stun-backward-compatibility "
              "and response-origin-only-with-rfc5780; where nobody needs Binding, no-stun or "
              "secure-stun",
    .pion = "Binding cannot be left out; what is sent as SOFTWARE can: leave it empty",
    .fairlead = "20 bytes become 32, which is what RFC 8489 wants; leave out --software",
};
static const struct talk_cure challenge_cure = {
    .coturn = "add no-software-attribute, choose a short realm, and from 4.7 on "
              "unauthorized-ratelimit",
    .pion = "choose a short Realm; limit challenges for each address in front of it",
    .fairlead = "choose a short --realm, leave out --software; lower --unauthenticated-rate",
};
static const struct talk_cure other_cure = {
    .coturn =
        "add no-stun-backward-compatibility and no-software-attribute; a request of an unknown "
        "method is challenged, which no configuration changes",
    .pion = "tell pion: no configuration does this",
    .fairlead = "tell us: what is not STUN is not answered",
};

#define AMPLIFICATION                                                                              \
    "Who sends a request in another's name has the server send the answer there: it makes a "      \
    "flood "                                                                                       \
    "larger, and hides where it comes from. In May 2025 many TURN servers were used so."

static const struct talk_check checks[] = {
    {
        .id = "amplify-binding",
        .section = "RFC 8489, 16.2.1",
        .severity = TALK_MEDIUM,
        .rule = "The answer to a Binding request has no more bytes than the request.",
        .words = AMPLIFICATION,
        .cure = &binding_cure,
        .run = binding,
    },
    {
        .id = "amplify-odd",
        .section = "RFC 5780, 9.2",
        .severity = TALK_MEDIUM,
        .rule = "Nor has it with attributes of RFC 5780, or unknown ones.",
        .words = AMPLIFICATION,
        .cure = &binding_cure,
        .run = binding_odd,
    },
    {
        .id = "amplify-challenge",
        .section = "RFC 8656, 21.1.1",
        .severity = TALK_MEDIUM,
        .rule = "Nor has a challenge.",
        .words = AMPLIFICATION,
        .cure = &challenge_cure,
        .run = challenge,
    },
    {
        .id = "amplify-stale",
        .section = "RFC 8656, 21.1.1",
        .severity = TALK_MEDIUM,
        .rule = "Nor has the answer to a nonce that was made up.",
        .words = AMPLIFICATION,
        .cure = &challenge_cure,
        .run = stale,
    },
    {
        .id = "amplify-other",
        .section = "RFC 8489, 6.3",
        .severity = TALK_MEDIUM,
        .rule = "Nor has the answer to what is no request of today's STUN.",
        .words = AMPLIFICATION,
        .cure = &other_cure,
        .run = other_bytes,
    },
};

const struct talk_subject attack_amplify = {
    .name = "amplification",
    .about = "Datagrams can be sent in anybody's name, and the answer goes there. Bytes are "
             "counted as they are on the wire, with the headers of IP and UDP; from a factor "
             "of 3 on a finding is low, from 6 on medium, from 15 on high.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
