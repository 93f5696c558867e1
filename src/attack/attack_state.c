// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_state.h"

#include "attack/attack_step.h"
#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_hindrance.h"
#include "talk/talk_need.h"

enum {
    STRANGERS = 2000, // ports, each of which asks once and is gone
    ROUNDS = 3,       // all of which must say the same
    SLOW_MS = 1000,   // more than without strangers
    CROWD = 80,       // allocations that one user asks for
    MS_NS = 1000000,
};

static uint64_t now_of(struct talk *talk)
{
    return talk->world->now(talk->world->self).mono_ns;
}

// A stranger who asks, and does not wait for what comes.
static void be_stranger(struct talk *talk, uint32_t i)
{
    static const uint16_t methods[] = {STUN_ALLOCATE, STUN_REFRESH, STUN_CREATE_PERMISSION,
                                       STUN_CHANNEL_BIND};
    const uint16_t method = i % 4 < 2 ? STUN_ALLOCATE : methods[i / 4 % COUNT_OF(methods)];
    struct wr *wr = talk_request(talk, method);

    if (method == STUN_ALLOCATE) {
        talk_request_udp(wr);
    }
    talk_request_seal(talk, TALK_NOTHING);
    attack_step_send(talk);
    talk_close(talk);
}

// How long an allocation takes, which is given back. False when none is to be had.
static bool time_allocation(struct talk *talk, uint64_t *out_ms)
{
    const uint64_t begun_ns = now_of(talk);

    talk_need_allocation(talk);
    const bool is_served = talk_me(talk)->relayed.family != ADDR_NONE;
    *out_ms = (now_of(talk) - begun_ns) / MS_NS;
    attack_step_leave(talk);
    return is_served;
}

static void strangers(struct talk *talk)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    uint64_t before_ms = 0;
    uint64_t took_ms = 0;
    bool is_served = time_allocation(talk, &before_ms); // or there is nothing to be taken away

    // A host that is busy for a moment is so once.
    for (int round = 0; round < ROUNDS && is_served && !talk->is_decided; round++) {
        for (uint32_t i = 0; i < STRANGERS; i++) {
            be_stranger(talk, i);
        }
        is_served = time_allocation(talk, &took_ms);
        if (is_served && took_ms < before_ms + SLOW_MS) {
            return;
        }
    }
    if (took_ms == 0) {
        return; // there was none before either, and the check is skipped
    }
    wr_text(&wr, is_served ? "an allocation took " : "no allocation was to be had within ");
    wr_decimal(&wr, took_ms);
    wr_text(&wr, " ms, after requests of 2000 strangers");
    talk->is_decided = false; // it is what was asked for, no need
    talk_weigh(talk, is_served ? TALK_LOW : TALK_HIGH);
    talk_fail(talk, bytes_of_text("strangers take nothing from users"), wr_done(&wr));
}

// The sockets of a crowd of clients, of which one at a time is the client that speaks.
struct crowd {
    uint32_t count;
    uint32_t sockets[CROWD];
    struct addr locals[CROWD];
};

// Gives back what they have; how many still had it. Where a user has one allocation, as in
// Firezone's manner, each takes the place of the one before.
static uint32_t give_back(struct talk *talk, const struct crowd *crowd)
{
    uint32_t count = 0;

    talk->is_decided = false;
    talk_close(talk);
    for (uint32_t i = 0; i < crowd->count; i++) {
        struct talk_client *client = talk_me(talk);
        client->is_open = true;
        client->socket = crowd->sockets[i];
        client->local = crowd->locals[i];
        attack_step_meet_again(talk);
        const bool is_asked = client->is_allocated;
        attack_step_leave(talk);
        count += is_asked && talk_answer_is_success(talk);
    }
    return count;
}

static void quota(struct talk *talk)
{
    struct crowd crowd = {0};

    while (crowd.count < CROWD && !talk->is_decided) {
        talk_need_nonce(talk);
        talk_request_udp(talk_request(talk, STUN_ALLOCATE));
        talk_ask(talk);
        if (talk->is_decided || !talk_answer_is_success(talk)) {
            break;
        }
        struct talk_client *client = talk_me(talk);
        crowd.sockets[crowd.count] = client->socket;
        crowd.locals[crowd.count] = client->local;
        crowd.count++;
        client->is_open = false; // the crowd has it from now on
    }
    const bool was_decided = talk->is_decided;
    const uint16_t code = talk_answer_code(talk);
    if (code == STUN_ERROR_QUOTA_REACHED) {
        talk_hindrance_forget(talk); // it is what is asked for
    }
    const uint32_t count = give_back(talk, &crowd);
    talk->is_decided = was_decided;
    if (count == CROWD) {
        talk_fail(talk, bytes_of_text("a limit for each user"),
                  bytes_of_text("one user had 80 allocations at the same time"));
    }
    talk_need_that(talk, talk->is_decided || code != STUN_ERROR_UNAUTHENTICATED,
                   "the server refuses the user by 401");
    talk_need_that(talk, talk->is_decided || code == 0 || code == STUN_ERROR_QUOTA_REACHED,
                   "something else than a user's quota was at its end: use it alone, by --only");
}

static const struct talk_cure strangers_cure = {
    .coturn = "4.17 or later with stateless-nonce and unauthorized-ratelimit",
    .pion = "limit challenges for each address in front of it",
    .fairlead = "nothing is held for strangers: raise --unauthenticated-rate, which all strangers "
                "together may take",
};
static const struct talk_cure quota_cure = {
    .coturn = "add user-quota=10 and total-quota=1200",
    .pion = "set QuotaHandler, which version 2 does not have",
    .fairlead = "lower --user-quota",
};

static const struct talk_check checks[] = {
    {
        .id = "state-strangers",
        .section = "RFC 8656, 21.3.1",
        .severity = TALK_HIGH,
        .rule = "Requests of 2000 strangers take nothing from a user.",
        .words = "A server that remembers who has asked is full of who has never been there: one "
                 "datagram in another's name has cost 18 kB for a minute.",
        .is_alone = true,
        .cure = &strangers_cure,
        .run = strangers,
    },
    {
        .id = "state-quota",
        .section = "RFC 8656, 21.3.1",
        .severity = TALK_LOW,
        .rule = "One user cannot have as many allocations as he likes.",
        .words =
            "One name and its password, stolen or given away, takes all ports from all others.",
        .is_alone = true,
        .cure = &quota_cure,
        .run = quota,
    },
};

const struct talk_subject attack_state = {
    .name = "exhaustion",
    .about = "What strangers and single users can take from all others.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
