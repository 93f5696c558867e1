// SPDX-License-Identifier: Apache-2.0
// Each check sends datagrams of one shape, as a stranger or as a user whose proof is right, and
// then asks whether somebody still answers. None is more than TALK_DATAGRAM_MAX bytes.
#include "attack/attack_crash.h"

#include <string.h>

#include "attack/attack_step.h"
#include "base/macro.h"
#include "stun/stun_attr.h"
#include "talk/talk.h"
#include "talk/talk_ask.h"
#include "talk/talk_need.h"

enum {
    ACCESS_TOKEN = 0x001B, // of RFC 7635
    MOBILITY_TICKET = 0x8030,
    ORIGIN = 0x802F,
    CHANGE_REQUEST = 0x0003,
    CONNECTION_ID = 0x002A, // of RFC 6062
    FLOOD = 400,            // attributes in one message
    RANDOM = 200,           // datagrams of chance
    LONG = 1900,            // bytes
};

static void expect_alive(struct talk *talk, const char *came)
{
    if (!talk->is_decided) {
        talk_close(talk);
        if (!attack_step_is_alive(talk)) {
            talk_fail(talk, bytes_of_text("the server answers as before"), bytes_of_text(came));
        }
    }
}

// There must be somebody who can fall silent.
static void need_alive(struct talk *talk)
{
    if (!talk->is_decided && !attack_step_is_alive(talk)) {
        talk_skip(talk, "the server did not answer before");
    }
}

static void send_bytes(struct talk *talk, const void *ptr, size_t len)
{
    talk_send(talk, (struct bytes){ptr, len});
}

static void u16_put(uint8_t *to, size_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

// A request with one attribute of `len` bytes 'A', in the middle of others.
static void write_with(struct talk *talk, uint16_t method, uint16_t type, size_t len,
                       bool is_proven)
{
    uint8_t value[LONG];
    struct wr *wr = talk_request(talk, method);

    memset(value, 'A', sizeof value);
    talk_request_udp(wr);
    stun_attr_write(wr, type, (struct bytes){value, len});
    talk_request_seal(talk, is_proven ? TALK_PROOF : TALK_NOTHING);
}

// Every length up to 20 bytes and some large ones, in each method that knows attributes of TURN.
static void send_lengths(struct talk *talk, uint16_t type, bool is_proven)
{
    static const uint16_t methods[] = {STUN_BINDING, STUN_ALLOCATE, STUN_REFRESH,
                                       STUN_CREATE_PERMISSION, STUN_CHANNEL_BIND};
    static const size_t lens[] = {0,  1,  2,  3,  4,  5,   7,   8,   9,
                                  12, 13, 19, 20, 21, 255, 256, 763, 1025};

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        for (size_t j = 0; j < COUNT_OF(lens) && !talk->is_decided; j++) {
            write_with(talk, methods[i], type, lens[j], is_proven);
            attack_step_send(talk);
        }
    }
}

static void header(struct talk *talk)
{
    static const uint16_t lens[] = {1, 2, 3, 4, 8, 20, 0x7FFC, 0xFFFC, 0xFFFF};

    need_alive(talk);
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        IGNORE(talk_request(talk, STUN_BINDING) != NULL);
        talk_request_seal(talk, TALK_NOTHING);
        u16_put(talk->message + 2, lens[i]);
        attack_step_send(talk);
    }
    for (size_t len = 0; len <= STUN_HEADER_LEN; len++) {
        IGNORE(talk_request(talk, STUN_ALLOCATE) != NULL);
        talk_request_seal(talk, TALK_NOTHING);
        send_bytes(talk, talk->message, len);
    }
    expect_alive(talk, "silence, after headers that lie about their length, or are cut");
}

static void attribute(struct talk *talk)
{
    static const uint16_t lens[] = {1, 5, 0x7FFF, 0xFFFC, 0xFFFF};

    need_alive(talk);
    for (uint16_t type = 0; type <= 0x30 && !talk->is_decided; type++) {
        for (size_t i = 0; i < COUNT_OF(lens); i++) {
            write_with(talk, STUN_ALLOCATE, type, 4, false);
            u16_put(talk->message + talk->message_len - 6, lens[i]);
            attack_step_send(talk);
        }
    }
    expect_alive(talk, "silence, after attributes that say they are longer than their message");
}

static void misaligned(struct talk *talk)
{
    need_alive(talk);
    for (size_t len = 1; len < 16 && !talk->is_decided; len++) {
        // The next attribute begins where padding should be: at an odd place.
        struct wr wr = wr_init(talk->message, sizeof talk->message);
        const struct stun_header head = {.method = STUN_ALLOCATE,
                                         .body_len = (uint16_t)(8 + (len + 3) / 4 * 4)};
        stun_header_write(&wr, &head);
        wr_u16(&wr, STUN_ATTR_USERNAME);
        wr_u16(&wr, (uint16_t)len);
        wr_zero(&wr, len); // without padding
        wr_u16(&wr, STUN_ATTR_LIFETIME);
        wr_u16(&wr, 4);
        wr_zero(&wr, (4 - len % 4) % 4); // and is cut, so that the length of all is right
        talk->message_len = wr.len;
        attack_step_send(talk);
    }
    expect_alive(talk, "silence, after attributes at odd places");
}

static void every_attribute(struct talk *talk, bool is_proven)
{
    static const uint16_t others[] = {
        ACCESS_TOKEN, MOBILITY_TICKET, ORIGIN, CHANGE_REQUEST, CONNECTION_ID, 0x8000,
        0x8001,       0x8002,          0x8003, 0x8004,         0x8022,        0x8023,
        0x8025,       0x8027,          0x8028, 0x802B,         0x802C};

    need_alive(talk);
    if (is_proven) {
        talk_need_nonce(talk);
    }
    for (uint16_t type = 0; type <= 0x30; type++) {
        send_lengths(talk, type, is_proven);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        send_lengths(talk, others[i], is_proven);
    }
}

static void attributes_of_stranger(struct talk *talk)
{
    every_attribute(talk, false);
    expect_alive(talk, "silence, after attributes of lengths that they cannot have");
}

static void attributes_of_user(struct talk *talk)
{
    talk_need_allocation(talk); // so that requests have something to be about
    every_attribute(talk, true);
    if (!talk->is_decided) {
        attack_step_leave(talk);
        expect_alive(talk, "silence, after a user's attributes of lengths that they cannot have");
    }
}

static void token(struct talk *talk)
{
    static const size_t lens[] = {2, 3, 64, 128, 129, 256, 512, 1024, 1500, 1800};

    need_alive(talk);
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        for (int is_long_nonce = 0; is_long_nonce < 2; is_long_nonce++) {
            uint8_t value[LONG];
            struct wr *wr = talk_request(talk, STUN_ALLOCATE);
            talk_request_udp(wr);
            memset(value, 'A', sizeof value);
            // An AEAD nonce of as many bytes as it says, or of more than there are.
            u16_put(value, is_long_nonce ? UINT16_MAX : 12);
            stun_attr_write(wr, STUN_ATTR_USERNAME, (struct bytes)BYTES_LITERAL("kid"));
            stun_attr_write(wr, ACCESS_TOKEN, (struct bytes){value, lens[i]});
            talk_request_seal(talk, TALK_INTEGRITY);
            attack_step_send(talk);
        }
    }
    expect_alive(talk, "silence, after ACCESS-TOKEN of many lengths");
}

static void http(struct talk *talk)
{
    static const struct bytes requests[] = {
        BYTES_LITERAL("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        BYTES_LITERAL("POST / HTTP/1.1\r\nHost: a\r\n\r\n"),
        BYTES_LITERAL("POST / HTTP/1.1\r\nContent-Length: 4294967295\r\n\r\na=b"),
        BYTES_LITERAL("POST /logon HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
        BYTES_LITERAL("GET /?%00%ff&=&&x HTTP/1.1\r\n\r\n"),
        BYTES_LITERAL("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), // the front of a ClientHello
        BYTES_LITERAL("\x16\xfe\xff\0\0\0\0\0\0\0\0\xff\xff\x01"),     // and of DTLS
    };

    need_alive(talk);
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        talk_send(talk, requests[i]);
    }
    expect_alive(talk, "silence, after requests of HTTP and TLS");
}

static void many(struct talk *talk)
{
    static const uint16_t types[] = {0x7F70, STUN_ATTR_XOR_PEER_ADDRESS, STUN_ATTR_USERNAME,
                                     STUN_ATTR_MESSAGE_INTEGRITY, STUN_ATTR_FINGERPRINT};
    static const uint16_t methods[] = {STUN_BINDING, STUN_ALLOCATE, STUN_CREATE_PERMISSION};

    need_alive(talk);
    for (size_t i = 0; i < COUNT_OF(types) * COUNT_OF(methods); i++) {
        struct wr *wr = talk_request(talk, methods[i % COUNT_OF(methods)]);
        const uint16_t type = types[i / COUNT_OF(methods)];
        for (uint32_t j = 0; j < FLOOD; j++) {
            stun_attr_write(wr, (uint16_t)(type == 0x7F70 ? type + j % 0x80 : type),
                            (struct bytes){0});
        }
        talk_request_seal(talk, TALK_NOTHING);
        attack_step_send(talk);
    }
    expect_alive(talk, "silence, after messages of 400 attributes");
}

static void chance(struct talk *talk)
{
    uint8_t bytes[256];

    need_alive(talk);
    for (uint32_t i = 0; i < RANDOM; i++) {
        const struct bytes datagram =
            talk_payload(talk, bytes, crypto_random_below(&talk->random, sizeof bytes));
        talk_send(talk, datagram);
    }
    for (uint32_t i = 0; i < RANDOM; i++) {
        // A good message of which some bytes are others.
        write_with(talk, i % 2 == 0 ? STUN_ALLOCATE : STUN_BINDING, STUN_ATTR_USERNAME, 20, false);
        for (int j = 0; j < 4; j++) {
            const size_t at = crypto_random_below(&talk->random, (uint32_t)talk->message_len);
            talk->message[at] = (uint8_t)crypto_random_below(&talk->random, 256);
        }
        attack_step_send(talk);
    }
    expect_alive(talk, "silence, after datagrams of chance");
}

static const struct talk_cure cure = {
    .coturn = "update it, and tell coturn, not in public; have systemd start it again",
    .pion = "update it, and tell pion, not in public",
    .fairlead = "tell us, not in public (SECURITY.md)",
};
static const struct talk_cure token_cure = {
    .coturn = "4.10 or later; leave out oauth",
    .pion = "it knows no ACCESS-TOKEN: tell pion",
    .fairlead = "tell us, not in public (SECURITY.md)",
};

#define DOWN "One datagram of a stranger ends all calls."

static const struct talk_check checks[] = {
    {
        .id = "crash-header",
        .section = "CWE-125",
        .severity = TALK_HIGH,
        .rule = "Headers that lie, or are cut, do no harm.",
        .words = DOWN,
        .is_alone = true,
        .cure = &cure,
        .run = header,
    },
    {
        .id = "crash-attribute",
        .section = "CWE-125",
        .severity = TALK_HIGH,
        .rule = "Attributes that are longer than their message do no harm.",
        .words = DOWN,
        .is_alone = true,
        .cure = &cure,
        .run = attribute,
    },
    {
        .id = "crash-misaligned",
        .section = "CVE-2026-40613",
        .severity = TALK_HIGH,
        .rule = "Attributes at odd places do no harm.",
        .words = "ARM64 and others stop a program that reads two bytes where it should not. " DOWN,
        .is_alone = true,
        .cure = &cure,
        .run = misaligned,
    },
    {
        .id = "crash-lengths",
        .section = "CWE-125",
        .severity = TALK_HIGH,
        .rule = "Attributes of lengths that they cannot have do no harm.",
        .words = DOWN,
        .is_alone = true,
        .cure = &cure,
        .run = attributes_of_stranger,
    },
    {
        .id = "crash-lengths-of-user",
        .section = "CWE-125",
        .severity = TALK_HIGH,
        .rule = "Nor do those of a user, whose requests are read further.",
        .words = "One datagram of a user ends all calls.",
        .is_alone = true,
        .cure = &cure,
        .run = attributes_of_user,
    },
    {
        .id = "crash-token",
        .section = "CVE-2026-43994",
        .severity = TALK_HIGH,
        .rule = "ACCESS-TOKEN of any length does no harm.",
        .words = "Strangers wrote beyond the end of the stack. " DOWN,
        .is_alone = true,
        .cure = &token_cure,
        .run = token,
    },
    {
        .id = "crash-http",
        .section = "CVE-2020-6061",
        .severity = TALK_HIGH,
        .rule = "Requests of HTTP and TLS do no harm.",
        .words = "A server that has a web page at the port of TURN has its faults there too. " DOWN,
        .is_alone = true,
        .cure = &cure,
        .run = http,
    },
    {
        .id = "crash-many",
        .section = "CWE-400",
        .severity = TALK_HIGH,
        .rule = "Messages of 400 attributes do no harm.",
        .words = DOWN,
        .is_alone = true,
        .cure = &cure,
        .run = many,
    },
    {
        .id = "crash-chance",
        .section = "CWE-20",
        .severity = TALK_HIGH,
        .rule = "Datagrams of chance do no harm.",
        .words = DOWN,
        .is_alone = true,
        .cure = &cure,
        .run = chance,
    },
};

const struct talk_subject attack_crash = {
    .name = "robustness",
    .about = "Datagrams such as have brought servers down: malformed ones, and those of known "
             "faults. What is asked is whether the server answers afterwards.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
