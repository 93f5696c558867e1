// SPDX-License-Identifier: Apache-2.0
#include "talk/talk_hindrance.h"

#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk_answer.h"

enum {
    // Of 28,000 ports of a host some hundred are remembered from the run before: one other is
    // enough. Of a few hundred it may be most.
    PORT_TRIES = 24,
    QUOTA_TRIES = 4,
    QUOTA_WAIT_S = 2, // coturn lets go of what was given back after about a second
    AGAIN_MAX_S = 60, // a check that has waited for longer is not begun anew
};

// Whether the Allocate leaves it to the server of which family the allocation is.
static bool is_family_open(const struct talk *talk)
{
    const struct bytes sent = {talk->message, talk->message_len};
    struct stun_message message;
    struct bytes value;

    return stun_message_read(sent, &message) == STUN_MESSAGE_OK &&
           !stun_message_find(&message, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, &value) &&
           !stun_message_find(&message, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, &value) &&
           !stun_message_find(&message, STUN_ATTR_RESERVATION_TOKEN, &value);
}

static enum talk_hindrance hindrance_of(const struct talk *talk)
{
    switch (talk_answer_code(talk)) {
    case STUN_ERROR_ALLOCATION_MISMATCH:
        return talk->clients[talk->me].has_held ? TALK_UNHINDERED : TALK_PORT_TAKEN;
    case STUN_ERROR_QUOTA_REACHED:
        return TALK_QUOTA_REACHED;
    case STUN_ERROR_FAMILY_NOT_SUPPORTED:
        return !talk->asks_ip6 && is_family_open(talk) ? TALK_IP4_MISSING : TALK_UNHINDERED;
    default:
        return TALK_UNHINDERED;
    }
}

void talk_hindrance_look(struct talk *talk)
{
    talk->hindrance = TALK_UNHINDERED;
    if (talk->header.method != STUN_ALLOCATE) {
        return;
    }
    if (talk_answer_is_success(talk)) {
        talk_me(talk)->has_held = true;
        talk->hindrances &= 1U << TALK_IP4_MISSING; // the others are overcome
        return;
    }
    talk->hindrance = hindrance_of(talk);
    talk->hindrances |= 1U << talk->hindrance;
}

void talk_hindrance_forget(struct talk *talk)
{
    talk->hindrance = TALK_UNHINDERED;
    talk->hindrances = 0;
    talk->decided_by = TALK_UNHINDERED;
}

static bool has_met(const struct talk *talk, enum talk_hindrance hindrance)
{
    return (talk->hindrances & 1U << hindrance) != 0;
}

bool talk_hindrance_wants_more(const struct talk *talk, uint32_t tries, uint32_t *out_s)
{
    const uint64_t took_ns = talk->world->now(talk->world->self).mono_ns - talk->begun_ns;

    if (has_met(talk, TALK_IP4_MISSING)) {
        *out_s = 0;
        return true; // once, as IPv6 is asked for from now on
    }
    if (took_ns > AGAIN_MAX_S * SECOND_NS) {
        return false;
    }
    if (has_met(talk, TALK_QUOTA_REACHED)) {
        *out_s = QUOTA_WAIT_S;
        return tries < QUOTA_TRIES;
    }
    *out_s = 0;
    return has_met(talk, TALK_PORT_TAKEN) && tries < PORT_TRIES;
}

void talk_hindrance_tell(struct talk *talk)
{
    const bool is_about_quota = talk->decided_by == TALK_QUOTA_REACHED ||
                                (talk->verdict == TALK_PASS && has_met(talk, TALK_QUOTA_REACHED));

    if (is_about_quota) {
        talk->is_decided = false;
        talk_skip(talk, "the quota of the user is reached (486), after a while too: raise it, or "
                        "ask with less --jobs");
    }
}
