// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_port.h"

#include <string.h>

#include "attack/attack_step.h"
#include "base/macro.h"
#include "stun/stun_attr.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_need.h"

enum {
    SAMPLES = 24,
    NEAR = 4,      // steps so small are such as counters have
    NEAR_MAX = 10, // of 23 steps: of ports drawn from 200 or more, one series in 10^10 has more
    TOKENS = 6,
    PORT_TRIES = 8,   // of this host
    RANGE_MIN = 1024, // ports
};

struct sample {
    uint32_t count;
    uint16_t ports[SAMPLES];
};

// Allocations one after another, each from a port of its own, each given back.
static struct sample draw(struct talk *talk)
{
    struct sample sample = {0};

    for (uint32_t i = 0; i < SAMPLES && !talk->is_decided; i++) {
        talk_need_allocation(talk);
        if (!talk->is_decided) {
            sample.ports[sample.count++] = talk_me(talk)->relayed.port;
        }
        attack_step_leave(talk);
    }
    return sample;
}

static void series_write(struct wr *wr, const struct sample *sample)
{
    for (uint32_t i = 0; i < sample->count && i < 8; i++) {
        wr_text(wr, i > 0 ? ", " : "relayed ports ");
        wr_decimal(wr, sample->ports[i]);
    }
    wr_text(wr, ", ...");
}

static uint32_t step_of(const struct sample *sample, uint32_t i)
{
    return (uint32_t)(sample->ports[i + 1] - sample->ports[i]) & 0xFFFF;
}

static void series(struct talk *talk)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    const struct sample sample = draw(talk);
    uint32_t near = 0;
    uint32_t alike = 0;

    for (uint32_t i = 0; i + 1 < sample.count; i++) {
        const uint32_t step = step_of(&sample, i);
        near += step <= NEAR || step >= 0x10000 - NEAR;
        alike += i > 0 && step == step_of(&sample, i - 1);
    }
    if (!talk->is_decided && (near > NEAR_MAX || alike > NEAR_MAX)) {
        series_write(&wr, &sample);
        talk_fail(talk, bytes_of_text("relayed ports that cannot be foretold"), wr_done(&wr));
    }
}

static void parity(struct talk *talk)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    const struct sample sample = draw(talk);
    uint32_t even = 0;

    for (uint32_t i = 0; i < sample.count; i++) {
        even += sample.ports[i] % 2 == 0;
    }
    if (!talk->is_decided && (even == 0 || even == sample.count)) {
        series_write(&wr, &sample);
        talk_fail(talk, bytes_of_text("relayed ports, even ones and odd ones"), wr_done(&wr));
    }
}

static void range(struct talk *talk)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    const struct sample sample = draw(talk);
    uint16_t lowest = UINT16_MAX;
    uint16_t highest = 0;

    for (uint32_t i = 0; i < sample.count; i++) {
        lowest = sample.ports[i] < lowest ? sample.ports[i] : lowest;
        highest = sample.ports[i] > highest ? sample.ports[i] : highest;
    }
    if (!talk->is_decided && highest - lowest < RANGE_MIN) {
        wr_text(&wr, "24 relayed ports lie from ");
        wr_decimal(&wr, lowest);
        wr_text(&wr, " to ");
        wr_decimal(&wr, highest);
        talk_fail(talk, bytes_of_text("relayed ports from a range of more than 1024"),
                  wr_done(&wr));
    }
}

static void reused(struct talk *talk)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    const struct sample sample = draw(talk);
    uint32_t again = 0;

    for (uint32_t i = 0; i + 1 < sample.count; i++) {
        again += sample.ports[i] == sample.ports[i + 1];
    }
    if (!talk->is_decided && again > 2) { // of 200 ports, by chance once in 5000 series
        wr_decimal(&wr, again);
        wr_text(&wr, " of 24 clients got the port that the one before had just given back");
        talk_fail(talk, bytes_of_text("a port rests before another client gets it"), wr_done(&wr));
    }
}

static void ask_pair(struct talk *talk)
{
    talk_need_nonce(talk);
    struct wr *wr = talk_request(talk, STUN_ALLOCATE);
    talk_request_udp(wr);
    stun_attr_write(wr, STUN_ATTR_EVEN_PORT, (struct bytes)BYTES_LITERAL("\x80"));
    talk_ask(talk);
    talk_answer_take(talk);
}

// An allocation with an even port, and a token for the next one.
static void reserve(struct talk *talk, uint8_t out_token[STUN_ATTR_RESERVATION_LEN])
{
    struct bytes token = {0};

    ask_pair(talk);
    // A check that is held again leaves its reservations behind: rather from another port at once.
    for (int i = 1; i < PORT_TRIES && talk->hindrance == TALK_PORT_TAKEN; i++) {
        talk_close(talk);
        ask_pair(talk);
    }
    talk_need_success(talk, "the server reserves no ports");
    talk_need_that(talk,
                   talk->is_decided ||
                       (talk_answer_find(talk, STUN_ATTR_RESERVATION_TOKEN, &token) &&
                        token.len == STUN_ATTR_RESERVATION_LEN),
                   "the server reserves no ports");
    if (!talk->is_decided && token.ptr != NULL) {
        memcpy(out_token, token.ptr, STUN_ATTR_RESERVATION_LEN);
    }
}

static void tokens_guessed(struct talk *talk)
{
    uint8_t tokens[TOKENS][STUN_ATTR_RESERVATION_LEN] = {{0}};
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    uint32_t same = 0;

    for (uint32_t i = 0; i < TOKENS; i++) {
        reserve(talk, tokens[i]);
        attack_step_leave(talk);
    }
    for (size_t i = 0; i < STUN_ATTR_RESERVATION_LEN; i++) {
        bool is_same = true;
        for (uint32_t j = 1; j < TOKENS; j++) {
            is_same = is_same && tokens[j][i] == tokens[0][i];
        }
        same += is_same;
    }
    if (talk->is_decided || same == 0) {
        return;
    }
    wr_text(&wr, "tokens alike in ");
    wr_decimal(&wr, same);
    wr_text(&wr, " of 8 bytes: ");
    for (uint32_t i = 0; i < 4; i++) {
        wr_text(&wr, i > 0 ? ", " : "");
        wr_hex(&wr, (struct bytes){tokens[i], STUN_ATTR_RESERVATION_LEN});
    }
    talk_fail(talk, bytes_of_text("reservation tokens of 8 random bytes"), wr_done(&wr));
}

static void token_of_other(struct talk *talk)
{
    uint8_t token[STUN_ATTR_RESERVATION_LEN] = {0};

    talk_be(talk, 1);
    talk_need_other_user(talk);
    talk_be(talk, 0);
    reserve(talk, token);
    talk_be(talk, 1);
    struct wr *wr = talk_request(talk, STUN_ALLOCATE);
    talk_request_udp(wr);
    stun_attr_write(wr, STUN_ATTR_RESERVATION_TOKEN, (struct bytes){token, sizeof token});
    talk_ask(talk);
    talk_answer_take(talk);
    if (!talk->is_decided && talk_answer_is_success(talk)) {
        talk_fail(talk, bytes_of_text("no port for another user's token"),
                  bytes_of_text("another user's token got its port"));
    }
}

static const struct talk_cure random_cure = {
    .coturn = "4.7.1 or later, of which ports come from a generator that cannot be foretold",
    .pion = "use RelayAddressGeneratorPortRange, which draws ports at random",
    .fairlead = "ports are drawn at random from the whole range: tell us",
};
static const struct talk_cure parity_cure = {
    .coturn = "tell coturn: its allocator takes ports in pairs",
    .pion = "use RelayAddressGeneratorPortRange, which draws ports at random",
    .fairlead = "ports are drawn at random from the whole range: tell us",
};
static const struct talk_cure range_cure = {
    .coturn = "widen min-port and max-port",
    .pion = "widen MinPort and MaxPort of RelayAddressGeneratorPortRange",
    .fairlead = "widen --lowest-port and --highest-port",
};
static const struct talk_cure rest_cure = {
    .coturn = "widen min-port and max-port",
    .pion = "widen MinPort and MaxPort of RelayAddressGeneratorPortRange",
    .fairlead = "a port rests for a while: widen --lowest-port and --highest-port",
};
static const struct talk_cure token_cure = {
    .coturn = "tell coturn: no configuration does this",
    .pion = "tell pion: no configuration does this",
    .fairlead = "a token is random, and its user's alone: tell us",
};

#define FORETOLD                                                                                   \
    "Who can tell where the next call will be relayed speaks to it before its peers do, from "     \
    "wherever he likes."

static const struct talk_check checks[] = {
    {
        .id = "port-series",
        .section = "RFC 8656, 7.2",
        .severity = TALK_MEDIUM,
        .rule = "Relayed ports follow no series.",
        .words = FORETOLD,
        .cure = &random_cure,
        .run = series,
    },
    {
        .id = "port-parity",
        .section = "RFC 6056, 3",
        .severity = TALK_INFO,
        .rule = "Relayed ports are even and odd.",
        .words = "Half of the ports are half of the guesses.",
        .cure = &parity_cure,
        .run = parity,
    },
    {
        .id = "port-range",
        .section = "RFC 6056, 3",
        .severity = TALK_INFO,
        .rule = "Relayed ports come from a range of more than 1024.",
        .words = "What is drawn from few is guessed soon, and is used again soon.",
        .cure = &range_cure,
        .run = range,
    },
    {
        .id = "port-reused",
        .section = "RFC 8656, 7.2",
        .severity = TALK_LOW,
        .rule = "A port that was given back rests before another client gets it.",
        .words =
            "Peers of the call before go on sending for a while, to whoever has the port then.",
        .cure = &rest_cure,
        .run = reused,
    },
    {
        .id = "port-token-guessed",
        .section = "RFC 8656, 18.10",
        .severity = TALK_LOW,
        .rule = "All 8 bytes of reservation tokens are random.",
        .words = "Who guesses a token gets another's port, and what is sent there.",
        .cure = &token_cure,
        .run = tokens_guessed,
    },
    {
        .id = "port-token-of-other",
        .section = "RFC 8656, 18.10",
        .severity = TALK_LOW,
        .rule = "A token is good for the user alone to whom it was given.",
        .words = "Who reads it along gets another's port, and what is sent there.",
        .cure = &token_cure,
        .run = token_of_other,
    },
};

const struct talk_subject attack_port = {
    .name = "ports and tokens",
    .about = "Who can tell which port comes next is there before the call is.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
