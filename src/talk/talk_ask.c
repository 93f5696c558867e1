// SPDX-License-Identifier: Apache-2.0
#include "talk/talk_ask.h"

#include "talk/talk_answer.h"
#include "talk/talk_hindrance.h"

#define RTO_NS (SECOND_NS / 2) // before a request is sent again; then twice as long, and so on

static bool is_answer(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    (void)arg;
    return arrival->socket == talk_me(talk)->socket &&
           addr_equal(&arrival->from, &talk->target->server) && talk_answer_read(talk, arrival);
}

void talk_ask_again(struct talk *talk)
{
    uint64_t interval_ns = RTO_NS;

    talk->has_answer = false;
    if (talk->is_decided) {
        return;
    }
    uint64_t now_ns = talk->world->now(talk->world->self).mono_ns;
    const uint64_t end_ns = now_ns + talk->target->patience_ns;
    while (!talk->has_answer && !talk->is_decided && now_ns < end_ns) {
        uint64_t until_ns = end_ns - now_ns > interval_ns ? now_ns + interval_ns : end_ns;
        talk_send(talk, (struct bytes){talk->message, talk->message_len});
        IGNORE(talk_wait(talk, until_ns, is_answer, NULL) != NULL); // talk->has_answer tells it
        interval_ns *= 2;
        now_ns = talk->world->now(talk->world->self).mono_ns;
    }
    talk_hindrance_look(talk);
}

void talk_ask_with(struct talk *talk, unsigned proof)
{
    talk_request_seal(talk, proof);
    talk_ask_again(talk);
}

void talk_ask(struct talk *talk)
{
    talk_ask_with(talk, talk_me(talk)->is_met ? TALK_PROOF : TALK_NOTHING);
}

void talk_ask_nothing(struct talk *talk)
{
    talk_request_seal(talk, TALK_NOTHING);
    talk_send(talk, (struct bytes){talk->message, talk->message_len});
}
