// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_step.h"

#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_need.h"

enum {
    IP4_HEAD_LEN = 20,
    IP6_HEAD_LEN = 40,
    UDP_HEAD_LEN = 8,
};

void attack_step_leave(struct talk *talk)
{
    if (talk_me(talk)->is_allocated && talk_me(talk)->is_met && !talk->is_decided) {
        stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, 0);
        talk_ask(talk);
    }
    if (!talk->is_decided) {
        talk_close(talk);
    }
}

void attack_step_meet_again(struct talk *talk)
{
    // Some servers refuse an Allocate there before they ask for a proof.
    stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, 0);
    talk_ask_with(talk, TALK_NOTHING);
    talk_me(talk)->is_allocated = !talk->is_decided && talk_answer_learn(talk);
}

void attack_step_need_ip6(struct talk *talk)
{
    struct wr *wr;

    talk_need_nonce(talk);
    wr = talk_request(talk, STUN_ALLOCATE);
    talk_request_udp(wr);
    stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_need_that(talk,
                   talk->is_decided || talk_answer_code(talk) != STUN_ERROR_FAMILY_NOT_SUPPORTED,
                   "the server relays no IPv6");
    talk_need_success(talk, "no allocation of IPv6 is to be had");
    talk_need_that(talk, talk->is_decided || talk_me(talk)->relayed.family == ADDR_IP6,
                   "the server relays no IPv6");
}

bool attack_step_is_alive(struct talk *talk)
{
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_ask_with(talk, TALK_NOTHING);
    if (!talk->has_answer) { // it may serve TURN alone
        talk_request_udp(talk_request(talk, STUN_ALLOCATE));
        talk_ask_with(talk, TALK_NOTHING);
    }
    return talk->has_answer;
}

uint32_t attack_step_wire_len(const struct talk *talk, size_t len)
{
    return (uint32_t)len + UDP_HEAD_LEN +
           (talk->target->server.family == ADDR_IP6 ? IP6_HEAD_LEN : IP4_HEAD_LEN);
}

static bool is_mine(struct talk *talk, const struct talk_arrival *arrival, void *arg)
{
    (void)arg;
    return arrival->socket == talk_me(talk)->socket;
}

struct attack_step_catch attack_step_catch_all(struct talk *talk)
{
    struct attack_step_catch caught = {0};
    const uint64_t end_ns = talk->world->now(talk->world->self).mono_ns + talk->target->quiet_ns;
    const struct talk_arrival *arrival;

    while (!talk->is_decided && (arrival = talk_wait(talk, end_ns, is_mine, NULL)) != NULL) {
        caught.datagrams++;
        caught.wire_bytes += attack_step_wire_len(talk, arrival->len);
        if (talk->world->now(talk->world->self).mono_ns >= end_ns) {
            break; // one that never stops
        }
    }
    return caught;
}

void attack_step_send(struct talk *talk)
{
    talk_send(talk, (struct bytes){talk->message, talk->message_len});
}
