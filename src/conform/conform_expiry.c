// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_expiry.h"

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_data.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

enum {
    PERMISSION_S = 300,
    CHANNEL_S = 600,
    RESERVATION_S = 30,
    MARGIN_S = 20, // a server may look at its timers now and then only
    PAYLOAD = 40,
    NUMBER = 0x4001,
    REST_S = 60,          // of a channel's time, and a margin, behind two permissions
    LIFETIME_MAX_S = 700, // of an allocation whose end is waited for
};

static void permission_lasts(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
    talk_sleep(talk, PERMISSION_S - MARGIN_S);
    talk_data_down(talk, 0, 0, talk_payload(talk, memory, sizeof memory));
}

static void permission_ends(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
    talk_sleep(talk, PERMISSION_S + MARGIN_S);
    talk_data_down_is_dropped(talk, 0, talk_payload(talk, memory, sizeof memory));
}

static void permission_not_by_data(struct talk *talk)
{
    uint8_t memory[PAYLOAD];
    struct bytes data = talk_payload(talk, memory, sizeof memory);

    talk_need_allocation(talk);
    talk_need_permission(talk, 0);
    talk_sleep(talk, PERMISSION_S / 2);
    talk_data_up(talk, 0, 0, data);
    talk_data_down(talk, 0, 0, data);
    talk_sleep(talk, PERMISSION_S / 2 + MARGIN_S);
    talk_data_down_is_dropped(talk, 0, talk_payload(talk, memory, sizeof memory));
}

static void permit_anew(struct talk *talk)
{
    talk_need_nonce(talk); // the old one may be stale by now
    talk_need_permission(talk, 0);
}

static void channel_lasts(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    talk_need_allocation(talk);
    talk_need_channel(talk, 0, NUMBER);
    talk_sleep(talk, PERMISSION_S - MARGIN_S);
    permit_anew(talk);
    talk_sleep(talk, CHANNEL_S - PERMISSION_S - MARGIN_S);
    talk_data_down(talk, 0, NUMBER, talk_payload(talk, memory, sizeof memory));
}

static void need_long_allocation(struct talk *talk, uint32_t wish_s)
{
    uint32_t lifetime_s = 0;

    talk_need_allocation(talk);
    stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, wish_s);
    talk_ask(talk);
    talk_need_that(
        talk, talk->is_decided || (talk_answer_lifetime(talk, &lifetime_s) && lifetime_s >= wish_s),
        "no allocation of more than ten minutes is to be had");
}

static void channel_ends(struct talk *talk)
{
    uint8_t memory[PAYLOAD];

    need_long_allocation(talk, CHANNEL_S + 6 * MARGIN_S);
    talk_need_channel(talk, 0, NUMBER);
    talk_sleep(talk, PERMISSION_S - MARGIN_S);
    permit_anew(talk);
    talk_sleep(talk, PERMISSION_S - MARGIN_S);
    permit_anew(talk);
    talk_sleep(talk, REST_S);
    // The permission is there still, so what comes is an indication.
    talk_data_down(talk, 0, 0, talk_payload(talk, memory, sizeof memory));
}

static void allocation_ends(struct talk *talk)
{
    uint32_t lifetime_s = 0;

    talk_need_nonce(talk);
    stun_attr_u32_write(talk_request(talk, STUN_ALLOCATE), STUN_ATTR_LIFETIME, 1);
    talk_request_udp(&talk->writer.wr);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_need_that(talk,
                   talk->is_decided ||
                       (talk_answer_lifetime(talk, &lifetime_s) && lifetime_s <= LIFETIME_MAX_S),
                   "the allocation lasts too long");
    talk_sleep(talk, lifetime_s + MARGIN_S);
    talk_need_nonce(talk);
    stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, 600);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_ALLOCATION_MISMATCH);
}

static void allocation_lasts(struct talk *talk)
{
    uint32_t lifetime_s = 0;

    talk_need_nonce(talk);
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_ask(talk);
    talk_answer_take(talk);
    talk_need_that(talk,
                   talk->is_decided || (talk_answer_lifetime(talk, &lifetime_s) &&
                                        lifetime_s > MARGIN_S && lifetime_s <= LIFETIME_MAX_S),
                   "the allocation lasts too long");
    talk_sleep(talk, lifetime_s > MARGIN_S ? lifetime_s - MARGIN_S : 0);
    talk_need_nonce(talk);
    stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, 600);
    talk_ask(talk);
    talk_expect_success(talk);
}

static void reservation_lasts(struct talk *talk)
{
    const uint8_t flags = STUN_ATTR_EVEN_PORT_RESERVE;
    struct bytes token = {0};
    uint8_t copy[STUN_ATTR_RESERVATION_LEN] = {0};
    struct wr wr = wr_init(copy, sizeof copy);

    talk_need_nonce(talk);
    stun_attr_write(talk_request(talk, STUN_ALLOCATE), STUN_ATTR_EVEN_PORT,
                    (struct bytes){&flags, 1});
    talk_request_udp(&talk->writer.wr);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_need_that(talk,
                   talk->is_decided ||
                       (talk_answer_find(talk, STUN_ATTR_RESERVATION_TOKEN, &token) &&
                        token.len == sizeof copy),
                   "no RESERVATION-TOKEN is to be had");
    wr_bytes(&wr, token);
    talk_sleep(talk, RESERVATION_S - 5);
    talk_be(talk, 1);
    talk_need_nonce(talk);
    stun_attr_write(talk_request(talk, STUN_ALLOCATE), STUN_ATTR_RESERVATION_TOKEN,
                    (struct bytes){copy, sizeof copy});
    talk_request_udp(&talk->writer.wr);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_success(talk);
}

static const struct talk_check checks[] = {
    {
        .id = "expiry-permission-lasts",
        .section = "RFC 8656, 9",
        .level = TALK_MUST,
        .rule = "A permission lasts for five minutes.",
        .words = "The Permission Lifetime MUST be 300 seconds (= 5 minutes).",
        .is_slow = true,
        .run = permission_lasts,
    },
    {
        .id = "expiry-permission-ends",
        .section = "RFC 8656, 9",
        .level = TALK_MUST,
        .rule = "It lasts no longer.",
        .words = "The Permission Lifetime MUST be 300 seconds (= 5 minutes).",
        .is_slow = true,
        .run = permission_ends,
    },
    {
        .id = "expiry-permission-not-by-data",
        .section = "RFC 8656, 11.2",
        .level = TALK_MUST,
        .rule = "Data do not prolong it, either way.",
        .words = "Note that a Send indication never causes the server to refresh the permission.",
        .is_slow = true,
        .run = permission_not_by_data,
    },
    {
        .id = "expiry-channel-lasts",
        .section = "RFC 8656, 12",
        .level = TALK_MUST,
        .rule = "A channel lasts for ten minutes.",
        .words = "A channel binding lasts for 10 minutes unless refreshed.",
        .is_slow = true,
        .run = channel_lasts,
    },
    {
        .id = "expiry-channel-ends",
        .section = "RFC 8656, 12",
        .level = TALK_MUST,
        .rule = "It lasts no longer: a permitted peer's data then come in indications.",
        .words = "When the channel binding expires, the channel becomes unbound.",
        .is_slow = true,
        .run = channel_ends,
    },
    {
        .id = "expiry-allocation-lasts",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "An allocation lasts as long as the response says.",
        .words = "A LIFETIME attribute containing the current value of the time-to-expiry timer.",
        .is_slow = true,
        .run = allocation_lasts,
    },
    {
        .id = "expiry-allocation-ends",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "It lasts no longer, if nobody refreshes it.",
        .words = "A LIFETIME attribute containing the current value of the time-to-expiry timer.",
        .is_slow = true,
        .run = allocation_ends,
    },
    {
        .id = "expiry-reservation-lasts",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "A reserved port is held for half a minute.",
        .words = "The server MUST hold this reservation for at least 30 seconds",
        .is_slow = true,
        .run = reservation_lasts,
    },
};

const struct talk_subject conform_expiry = {
    .name = "what expires",
    .about = "What ends by itself. A permission that never ends lets peers in for ever; one that "
             "ends too soon makes calls fall silent after minutes.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
