// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_enumerate.h"

#include <assert.h>
#include <string.h>

#include "attack/attack_rank.h"
#include "attack/attack_step.h"
#include "base/macro.h"
#include "stun/stun_attr.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_need.h"

enum {
    SAMPLES = 120,       // of each name, in each round
    ROUNDS = 3,          // all of which must say the same
    Z_HUNDREDTHS = 450,  // by chance one round in 150,000 has more, and three never do
    DIFFERENCE_NS = 500, // between medians: what is less is nobody's to measure from afar
    BATCH = 8,           // pairs between which ports are changed
    LOST_MAX = 8,        // answers, in a round
    NAME_MAX = 508,      // bytes of a username
    FORM_MAX = 512,      // bytes of what an answer is told by
};

// A name as long as the user's, which nobody has.
static struct bytes nobody_like(struct talk *talk, uint8_t memory[NAME_MAX])
{
    const struct bytes user = talk->target->username;
    // What stands before the colon may be a time, of which the server asks first (TURN REST).
    const size_t colon = bytes_index(user, ':');
    const size_t from = colon < user.len ? colon + 1 : 0;

    assert(user.len <= NAME_MAX);
    memcpy(memory, user.ptr, user.len);
    for (size_t i = from; i < user.len; i++) {
        memory[i] = (uint8_t)('a' + crypto_random_below(&talk->random, 26));
    }
    return (struct bytes){memory, user.len};
}

// Begins an Allocate of that user, with a key that is wrong.
static void write_allocate(struct talk *talk, struct bytes username)
{
    talk_me(talk)->username = username;
    crypto_random_fill(&talk->random, talk_me(talk)->key, sizeof talk_me(talk)->key);
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_request_seal(talk, TALK_PROOF);
}

// What an answer can be told by: class, code, and its attributes with their lengths.
static struct bytes form_write(struct talk *talk, uint8_t memory[FORM_MAX])
{
    struct wr wr = wr_init(memory, FORM_MAX);
    struct rd rd =
        rd_init(bytes_from((struct bytes){talk->answer_bytes, talk->answer_len}, STUN_HEADER_LEN));
    struct stun_attr attr;

    wr_u8(&wr, talk->has_answer);
    if (!talk->has_answer) {
        return wr_done(&wr);
    }
    wr_u8(&wr, talk->answer.header.class);
    wr_u16(&wr, talk_answer_code(talk));
    while (rd.left > 0 && stun_attr_read(&rd, &attr)) {
        wr_u16(&wr, attr.type);
        wr_u16(&wr, (uint16_t)attr.value.len);
    }
    return wr_done(&wr);
}

static void answer(struct talk *talk)
{
    const struct bytes user = talk->target->username;
    uint8_t name[NAME_MAX];
    uint8_t forms[2][FORM_MAX];
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    talk_need_nonce(talk);
    if (talk->is_decided) {
        return;
    }
    write_allocate(talk, user);
    talk_ask_again(talk);
    talk_need_that(talk, talk->has_answer, "a wrong password gets no answer");
    const struct bytes known = form_write(talk, forms[0]);
    wr_text(&wr, "a user: ");
    wr_decimal(&wr, talk_answer_code(talk));
    talk_me(talk)->username = user;
    // From a port of its own: some servers have a port keep the first name that it came with.
    talk_be(talk, 1);
    talk_need_nonce(talk);
    write_allocate(talk, nobody_like(talk, name));
    talk_ask_again(talk);
    const struct bytes unknown = form_write(talk, forms[1]);
    wr_text(&wr, ", nobody: ");
    wr_decimal(&wr, talk_answer_code(talk));
    wr_text(&wr, talk->has_answer ? ", or other attributes or lengths" : ", no answer");
    talk_me(talk)->username = user;
    if (!talk->is_decided && !bytes_equal(known, unknown)) {
        talk_fail(talk, bytes_of_text("the same answer for a wrong password and for nobody"),
                  wr_done(&wr));
    }
}

static bool is_any_answer(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    (void)arg;
    return arrival->socket == talk_me(talk)->socket && talk_answer_read(talk, arrival);
}

// How long one answer takes; false when none comes.
static bool measure(struct talk *talk, uint32_t client, struct bytes username, uint64_t *out_ns)
{
    talk_be(talk, client);
    write_allocate(talk, username);
    attack_step_send(talk);
    const uint64_t sent_ns = talk->world->now(talk->world->self).mono_ns;
    if (talk_wait(talk, sent_ns + talk->target->patience_ns / 4, is_any_answer, NULL) == NULL) {
        return false;
    }
    *out_ns = talk->world->now(talk->world->self).mono_ns - sent_ns;
    return true;
}

// Ports and nonces anew, one for the user and one for nobody: some servers have a port keep its
// name, and ports are served by threads of which one may be busier.
static void renew(struct talk *talk, struct bytes user)
{
    for (uint32_t client = 0; client < 2; client++) {
        talk_be(talk, client);
        talk_me(talk)->username = user;
        attack_step_leave(talk);
        talk_need_nonce(talk);
    }
}

// One round: pairs, of which chance says who is first. False when too many answers are missing.
static bool measure_round(struct talk *talk, struct bytes user, struct attack_rank *out)
{
    uint64_t known[SAMPLES];
    uint64_t unknown[SAMPLES];
    uint8_t name[NAME_MAX];
    struct bytes nobody = {0};
    uint32_t lost = 0;
    uint32_t count = 0;

    for (uint32_t i = 0; count < SAMPLES && lost < LOST_MAX; i++) {
        if (i % BATCH == 0) {
            renew(talk, user);
            if (talk->is_decided) {
                return false;
            }
            nobody = nobody_like(talk, name);
        }
        const uint32_t first = crypto_random_below(&talk->random, 2);
        uint64_t *const times[] = {&known[count], &unknown[count]};
        const struct bytes names[] = {user, nobody};
        const bool is_first_there = measure(talk, first, names[first], times[first]);
        if (measure(talk, 1 - first, names[1 - first], times[1 - first]) && is_first_there) {
            count++;
        } else {
            lost++;
        }
    }
    renew(talk, user);
    if (count < SAMPLES) {
        return false;
    }
    *out = attack_rank_compare(known, unknown, SAMPLES);
    return true;
}

static uint64_t difference_of(const struct attack_rank *rank)
{
    return rank->median_first > rank->median_second ? rank->median_first - rank->median_second
                                                    : rank->median_second - rank->median_first;
}

static int32_t size_of(int32_t number)
{
    return number < 0 ? -number : number;
}

static void time_of_answer(struct talk *talk)
{
    const struct bytes user = talk->target->username;
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    struct attack_rank rank = {0};
    int32_t sign = 0;

    for (int i = 0; i < ROUNDS && !talk->is_decided; i++) {
        talk_need_nonce(talk);
        if (!measure_round(talk, user, &rank)) {
            talk_skip(talk, "too few of a user's answers and of nobody's come to compare them");
            return;
        }
        if (size_of(rank.z_hundredths) < Z_HUNDREDTHS || difference_of(&rank) < DIFFERENCE_NS ||
            (sign != 0 && (rank.z_hundredths > 0) != (sign > 0))) {
            return;
        }
        sign = rank.z_hundredths;
    }
    wr_text(&wr, "answers to a user take ");
    wr_decimal(&wr, difference_of(&rank));
    wr_text(&wr, rank.z_hundredths > 0 ? " ns more" : " ns less");
    wr_text(&wr, " than to nobody, in each of 3 rounds of 120");
    talk_fail(talk, bytes_of_text("the same time for a wrong password and for nobody"),
              wr_done(&wr));
}

static const struct talk_cure answer_cure = {
    .coturn = "tell coturn; short-lived credentials (use-auth-secret) leave no names to be found",
    .pion = "update it: unknown users get another answer than wrong passwords only by AuthHandler",
    .fairlead = "tell us, unless it is in Firezone's manner, which has no names to be found",
};
static const struct talk_cure time_cure = {
    .coturn = "short-lived credentials (use-auth-secret) leave no names to be found",
    .pion = "have AuthHandler make a key for unknown users too, of a password that nobody has",
    .fairlead = "a key is made for unknown users too: tell us",
};

#define NAMES                                                                                      \
    "Who knows which names there are tries passwords for these alone, and knows whom he can "      \
    "write "                                                                                       \
    "to."

static const struct talk_check checks[] = {
    {
        .id = "enumerate-answer",
        .section = "RFC 8489, 16.1.2",
        .severity = TALK_LOW,
        .rule = "A wrong password and an unknown user get the same answer.",
        .words = NAMES,
        .cure = &answer_cure,
        .run = answer,
    },
    {
        .id = "enumerate-time",
        .section = "RFC 8489, 16.1.2",
        .severity = TALK_INFO,
        .rule = "They get it after the same time.",
        .words = NAMES " A difference that is seen from this near may be lost in the noise from "
                       "afar.",
        .is_alone = true,
        .cure = &time_cure,
        .run = time_of_answer,
    },
};

const struct talk_subject attack_enumerate = {
    .name = "names of users",
    .about = "A server that answers otherwise to a name that it knows tells who its users are.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
