// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_nonce.h"

#include <string.h>

#include "attack/attack_step.h"
#include "base/macro.h"
#include "stun/stun_cookie.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_need.h"

enum {
    SAMPLES = 16,
    SHOWN = 24,     // characters of a nonce that are looked at
    VARIED_MIN = 6, // characters in which nonces have to differ: 6 of base64 are 36 bits
    OLD_S = 3660,   // RFC 8656 section 5: at least once every hour
};

static void allocate(struct talk *talk)
{
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_ask_with(talk, TALK_PROOF);
    talk_answer_take(talk);
}

// The nonce that the client has now is none of the server's making, or not for it.
static void expect_refused(struct talk *talk, const char *came)
{
    if (!talk->is_decided) {
        allocate(talk);
    }
    if (!talk->is_decided && talk_answer_is_success(talk)) {
        talk_fail(talk, bytes_of_text("no success with such a nonce"), bytes_of_text(came));
    }
    talk_need_that(talk, talk->is_decided || talk->has_answer,
                   "the server does not answer, so that nothing is known");
}

static void set_nonce(struct talk *talk, const void *text, size_t len)
{
    struct talk_client *client = talk_me(talk);

    memcpy(client->nonce, text, len);
    client->nonce_len = (uint16_t)len;
}

static void forged(struct talk *talk)
{
    static const char digits[] = "0123456789abcdef";
    struct talk_client *client = talk_me(talk);
    uint8_t random[TALK_NAME_MAX];

    talk_need_nonce(talk);
    crypto_random_fill(&talk->random, random, sizeof random);
    // As long as one of the server's, behind what may be a cookie.
    const size_t from = client->has_cookie ? STUN_COOKIE_LEN : 0;
    for (size_t i = from; i < client->nonce_len; i++) {
        client->nonce[i] = (uint8_t)digits[random[i] % 16];
    }
    expect_refused(talk, "an allocation for a nonce that was made up");
}

// Each character alone is changed, from the last to the first behind the cookie.
static void altered(struct talk *talk)
{
    struct talk_client *client = talk_me(talk);

    talk_need_nonce(talk);
    const size_t from = client->has_cookie ? STUN_COOKIE_LEN : 0;
    const size_t step = client->nonce_len > 16 ? client->nonce_len / 8U : 2;
    for (size_t i = client->nonce_len; i > from && !talk->is_decided; i -= i > step ? step : i) {
        const uint8_t was = client->nonce[i - 1];
        client->nonce[i - 1] = was == 'a' ? 'b' : 'a';
        expect_refused(talk, "an allocation for a nonce of which one character was changed");
        client->nonce[i - 1] = was;
    }
}

static void cut(struct talk *talk)
{
    struct talk_client *client = talk_me(talk);

    talk_need_nonce(talk);
    const uint16_t len = client->nonce_len;
    client->nonce_len = len > 0 ? (uint16_t)(len - 1) : 0;
    expect_refused(talk, "an allocation for a nonce whose last character is missing");
    client->nonce_len = 1;
    expect_refused(talk, "an allocation for the first character of a nonce");
    if (len < TALK_NAME_MAX) {
        client->nonce[len] = 'a';
        client->nonce_len = (uint16_t)(len + 1);
        expect_refused(talk, "an allocation for a nonce that goes on");
    }
    set_nonce(talk, "a", 1);
    expect_refused(talk, "an allocation for the nonce \"a\"");
}

// The very bytes of a request, once more and from elsewhere.
static void replayed(struct talk *talk)
{
    talk_need_nonce(talk);
    allocate(talk);
    talk_need_success(talk, "no allocation is to be had");
    const size_t len = talk->message_len;
    uint8_t message[TALK_DATAGRAM_MAX];
    memcpy(message, talk->message, len);
    talk_be(talk, 1);
    memcpy(talk->message, message, len);
    talk_ask_again(talk);
    if (!talk->is_decided && talk_answer_is_success(talk)) {
        talk_fail(talk, bytes_of_text("no success for a request that came before, elsewhere"),
                  bytes_of_text("an allocation for the bytes of another's request"));
        // It has to be given back by who can prove it.
        talk->is_decided = false;
        attack_step_meet_again(talk);
        talk->is_decided = true;
    }
}

static void elsewhere(struct talk *talk)
{
    talk_need_nonce(talk);
    talk->clients[1] = talk->clients[0];
    talk->clients[1].is_open = false;
    talk_be(talk, 1);
    expect_refused(talk, "an allocation for a nonce that was given to another port");
}

static void old(struct talk *talk)
{
    talk_need_nonce(talk);
    if (!talk->is_decided) {
        talk_sleep(talk, OLD_S);
    }
    expect_refused(talk, "an allocation for a nonce of an hour ago");
}

// Counts the characters, of those behind the cookie, that are not the same in all samples.
static uint32_t count_varied(uint8_t samples[SAMPLES][TALK_NAME_MAX], size_t from, size_t len)
{
    uint32_t varied = 0;

    for (size_t i = from; i < len; i++) {
        bool is_same = true;
        for (size_t j = 1; j < SAMPLES; j++) {
            is_same = is_same && samples[j][i] == samples[0][i];
        }
        varied += !is_same;
    }
    return varied;
}

static void guessed(struct talk *talk)
{
    uint8_t samples[SAMPLES][TALK_NAME_MAX] = {{0}};
    size_t shortest = TALK_NAME_MAX;
    size_t from = 0;
    bool is_repeated = false;

    for (size_t i = 0; i < SAMPLES && !talk->is_decided; i++) {
        talk_need_nonce(talk);
        const struct talk_client *client = talk_me(talk);
        memcpy(samples[i], client->nonce, client->nonce_len);
        shortest = client->nonce_len < shortest ? client->nonce_len : shortest;
        from = client->has_cookie ? STUN_COOKIE_LEN : 0;
        for (size_t j = 0; j < i; j++) {
            is_repeated = is_repeated || memcmp(samples[i], samples[j], TALK_NAME_MAX) == 0;
        }
        attack_step_leave(talk); // the next one is another port's
    }
    if (talk->is_decided) {
        return;
    }
    if (is_repeated) {
        talk_fail(talk, bytes_of_text("each port gets a nonce of its own"),
                  bytes_of_text("two ports got the same nonce"));
    } else if (count_varied(samples, from, shortest) < VARIED_MIN) {
        talk_fail(talk, bytes_of_text("nonces differ in 6 characters or more"),
                  bytes_of_text("the nonces of 16 ports differ in fewer characters: they count"));
    }
}

static const struct talk_cure nonce_cure = {
    .coturn = "tell coturn: no configuration does this",
    .pion = "tell pion: no configuration does this",
    .fairlead = "tell us: no configuration does this",
};
static const struct talk_cure replay_cure = {
    .coturn = "4.6 and later bind a nonce to its session; from 4.17 on, stateless-nonce to the "
              "address",
    .pion = "its nonces are not bound to addresses: shorten the time for which they are good",
    .fairlead = "a nonce is bound to address and port: tell us",
};
static const struct talk_cure old_cure = {
    .coturn = "add stale-nonce=600",
    .pion = "its nonces are good for an hour: build it with a shorter time",
    .fairlead = "a nonce expires: tell us",
};
static const struct talk_cure guess_cure = {
    .coturn = "4.7.1 or later, of which nonces come from a generator that cannot be foretold",
    .pion = "update it: nonces carry an HMAC",
    .fairlead = "nonces carry an HMAC: tell us",
};

#define FORGED                                                                                     \
    "A nonce that anybody can make is none: requests that were recorded can be used for ever, "    \
    "and "                                                                                         \
    "from anywhere."

static const struct talk_check checks[] = {
    {
        .id = "nonce-forged",
        .section = "RFC 8489, 9.2.4",
        .severity = TALK_MEDIUM,
        .rule = "A nonce that was made up is refused.",
        .words = FORGED,
        .cure = &nonce_cure,
        .run = forged,
    },
    {
        .id = "nonce-altered",
        .section = "RFC 8489, 9.2.4",
        .severity = TALK_MEDIUM,
        .rule = "So is one of which any character was changed.",
        .words = FORGED,
        .cure = &nonce_cure,
        .run = altered,
    },
    {
        .id = "nonce-cut",
        .section = "RFC 8489, 9.2.4",
        .severity = TALK_MEDIUM,
        .rule = "So is one that was cut or goes on.",
        .words = FORGED,
        .cure = &nonce_cure,
        .run = cut,
    },
    {
        .id = "nonce-replayed",
        .section = "RFC 8656, 21.1.3",
        .severity = TALK_LOW,
        .rule = "A request that was recorded gets no allocation from another port.",
        .words = "Who reads along makes allocations in a user's name, and fills his quota.",
        .cure = &replay_cure,
        .run = replayed,
    },
    {
        .id = "nonce-elsewhere",
        .section = "RFC 8489, 9.2",
        .severity = TALK_INFO,
        .rule = "A nonce is good for the port that it was given to alone.",
        .words = "A nonce that is bound to nothing can be collected beforehand, and spares who "
                 "floods the server the way back.",
        .cure = &replay_cure,
        .run = elsewhere,
    },
    {
        .id = "nonce-guessed",
        .section = "CVE-2025-69217",
        .severity = TALK_MEDIUM,
        .rule = "Nonces do not repeat, nor count.",
        .words = "Who can tell the next nonce needs no answer from the server, so that he can come "
                 "from any address.",
        .cure = &guess_cure,
        .run = guessed,
    },
    {
        .id = "nonce-old",
        .section = "RFC 8656, 5",
        .severity = TALK_LOW,
        .rule = "A nonce of an hour ago is refused.",
        .words = "What was recorded once can be used for as long as its nonce is good.",
        .is_slow = true,
        .cure = &old_cure,
        .run = old,
    },
};

const struct talk_subject attack_nonce = {
    .name = "nonces",
    .about = "A nonce makes what was recorded useless. It does so when it is the server's, "
             "new, and good for one client.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
