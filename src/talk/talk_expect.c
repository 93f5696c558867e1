// SPDX-License-Identifier: Apache-2.0
#include "talk/talk_expect.h"

#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_words.h"

// The answer is not what it should be.
static void fail(struct talk *talk, struct bytes expected)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    if (!talk->is_decided) {
        talk_answer_write(talk, &wr);
        talk_fail(talk, expected, wr_done(&wr));
    }
}

void talk_expect_that(struct talk *talk, bool holds, const char *expected)
{
    if (!holds) {
        fail(talk, bytes_of_text(expected));
    }
}

void talk_expect_success(struct talk *talk)
{
    talk_expect_that(talk, talk_answer_is_success(talk), "a success response");
}

void talk_expect_either(struct talk *talk, uint16_t one, uint16_t other)
{
    const uint16_t codes[] = {one, other};
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    bool is_met = false;

    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        is_met = is_met || (codes[i] == 0 ? talk_answer_is_success(talk)
                                          : talk_answer_code(talk) == codes[i]);
        if (i > 0 && one == other) {
            break;
        }
        wr_text(&wr, i > 0 ? " or " : "");
        if (codes[i] == 0) {
            wr_text(&wr, "a success response");
        } else {
            wr_text(&wr, "an error response with code ");
            wr_decimal(&wr, codes[i]);
        }
    }
    if (!is_met) {
        fail(talk, wr_done(&wr));
    }
}

void talk_expect_error(struct talk *talk, uint16_t code)
{
    talk_expect_either(talk, code, code);
}

static bool is_anything(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    (void)arg;
    return arrival->socket == talk_me(talk)->socket;
}

static bool is_success(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    (void)arg;
    return arrival->socket == talk_me(talk)->socket && talk_answer_read(talk, arrival) &&
           talk_answer_is_success(talk);
}

// Sends the message; what is meant must not come.
static void expect_none(struct talk *talk, talk_match_fn is_it, const char *expected)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    talk_send(talk, (struct bytes){talk->message, talk->message_len});
    if (talk->is_decided) {
        return;
    }
    uint64_t until_ns = talk->world->now(talk->world->self).mono_ns + talk->target->quiet_ns;
    const struct talk_arrival *arrival = talk_wait(talk, until_ns, is_it, NULL);
    if (arrival != NULL) {
        talk_words_write(&wr, (struct bytes){arrival->bytes, arrival->len});
        talk_fail(talk, bytes_of_text(expected), wr_done(&wr));
        return;
    }
    // One that never answers anything is not right for that.
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_ask_with(talk, TALK_NOTHING);
    if (!talk->has_answer || talk->answer_outcome != STUN_MESSAGE_OK) {
        talk_skip(talk, "the server answers a Binding request neither");
    }
}

void talk_expect_silence(struct talk *talk)
{
    expect_none(talk, is_anything, "no answer");
}

void talk_expect_no_success(struct talk *talk)
{
    expect_none(talk, is_success, "no success");
}

static void expect_presence(struct talk *talk, enum stun_attr_type type, bool is_wanted)
{
    const char *name = talk_words_attr((uint16_t)type);
    struct bytes value;
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    if (talk_answer_find(talk, type, &value) != is_wanted || !talk->has_answer) {
        wr_text(&wr, is_wanted ? "an answer with " : "an answer without ");
        wr_text(&wr, name != NULL ? name : "an attribute");
        fail(talk, wr_done(&wr));
    }
}

void talk_expect_attr(struct talk *talk, enum stun_attr_type type)
{
    expect_presence(talk, type, true);
}

void talk_expect_no_attr(struct talk *talk, enum stun_attr_type type)
{
    expect_presence(talk, type, false);
}

void talk_expect_proof(struct talk *talk)
{
    const struct talk_client *client = talk_me(talk);
    struct bytes value;

    talk_expect_attr(talk, STUN_ATTR_MESSAGE_INTEGRITY);
    talk_expect_that(talk,
                     talk->is_decided ||
                         (talk_answer_find(talk, STUN_ATTR_MESSAGE_INTEGRITY, &value) &&
                          stun_message_is_intact(&talk->answer,
                                                 (struct bytes){client->key, sizeof client->key})),
                     "an answer whose MESSAGE-INTEGRITY is right");
}
