// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_refresh.h"

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

enum { HIGHEST_S = 3600 };

static void refresh_for(struct talk *talk, uint32_t lifetime_s)
{
    stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, lifetime_s);
    talk_ask(talk);
}

static void success(struct talk *talk)
{
    talk_need_allocation(talk);
    IGNORE(talk_request(talk, STUN_REFRESH) != NULL);
    talk_ask(talk);
    talk_expect_success(talk);
}

static void lifetime(struct talk *talk)
{
    uint32_t lifetime_s = 0;

    success(talk);
    talk_expect_that(talk, talk_answer_lifetime(talk, &lifetime_s) && lifetime_s > 0,
                     "a LIFETIME above 0");
}

static void floor_of_it(struct talk *talk)
{
    uint32_t by_default_s = 0;
    uint32_t short_s = 0;

    lifetime(talk);
    talk_expect_that(talk, talk->is_decided || talk_answer_lifetime(talk, &by_default_s),
                     "a LIFETIME");
    refresh_for(talk, 1);
    talk_expect_success(talk);
    talk_expect_that(talk, talk_answer_lifetime(talk, &short_s) && short_s >= by_default_s,
                     "the default LIFETIME for a wish of 1 s");
}

static void cap_of_it(struct talk *talk)
{
    uint32_t lifetime_s = 0;

    talk_need_allocation(talk);
    refresh_for(talk, UINT32_MAX);
    talk_expect_success(talk);
    talk_expect_that(talk, talk_answer_lifetime(talk, &lifetime_s) && lifetime_s <= HIGHEST_S,
                     "a LIFETIME of at most 3600 s");
}

static void delete_it(struct talk *talk)
{
    uint32_t lifetime_s = 1;

    talk_need_allocation(talk);
    refresh_for(talk, 0);
    talk_expect_success(talk);
    talk_expect_that(talk, talk_answer_lifetime(talk, &lifetime_s) && lifetime_s == 0,
                     "a LIFETIME of 0");
}

static void need_deletion(struct talk *talk)
{
    talk_need_allocation(talk);
    refresh_for(talk, 0);
    talk_need_success(talk, "the allocation cannot be deleted");
}

static void deleted_is_gone(struct talk *talk)
{
    need_deletion(talk);
    refresh_for(talk, 600);
    talk_expect_error(talk, STUN_ERROR_ALLOCATION_MISMATCH);
}

static void deleted_twice(struct talk *talk)
{
    need_deletion(talk);
    talk_ask_again(talk);
    // A server may keep its response to the first one.
    talk_expect_either(talk, STUN_ERROR_ALLOCATION_MISMATCH, 0);
}

static void anew(struct talk *talk)
{
    need_deletion(talk);
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_ask(talk);
    talk_expect_success(talk);
}

static void without_allocation(struct talk *talk)
{
    talk_need_nonce(talk);
    refresh_for(talk, 600);
    talk_expect_error(talk, STUN_ERROR_ALLOCATION_MISMATCH);
}

static void delete_nothing(struct talk *talk)
{
    talk_need_nonce(talk);
    refresh_for(talk, 0);
    talk_expect_error(talk, STUN_ERROR_ALLOCATION_MISMATCH);
}

static void from_elsewhere(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_be(talk, 1);
    talk_need_nonce(talk);
    refresh_for(talk, 0);
    talk_be(talk, 0);
    refresh_for(talk, 600);
    talk_expect_success(talk);
}

static void unknown(struct talk *talk)
{
    talk_need_allocation(talk);
    stun_attr_u32_write(talk_request(talk, STUN_REFRESH), 0x7F71, 0);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_UNKNOWN_ATTRIBUTE);
}

static const struct talk_check checks[] = {
    {
        .id = "refresh-success",
        .section = "RFC 8656, 8.2",
        .level = TALK_MUST,
        .rule = "A Refresh succeeds.",
        .words = "If the \"desired lifetime\" is non-zero, then the request succeeds and the "
                 "allocation's time-to-expiry is set to the \"desired lifetime\".",
        .run = success,
    },
    {
        .id = "refresh-lifetime",
        .section = "RFC 8656, 8.2",
        .level = TALK_MUST,
        .rule = "The response says how long the allocation lasts from now on.",
        .words = "If the request succeeds, then the server sends a success response containing: A "
                 "LIFETIME attribute containing the current value of the time-to-expiry timer.",
        .run = lifetime,
    },
    {
        .id = "refresh-lifetime-floor",
        .section = "RFC 8656, 8.2",
        .level = TALK_MUST,
        .rule = "A wish for less than the default gets the default.",
        .words = "Otherwise, the \"desired lifetime\" is the default lifetime.",
        .run = floor_of_it,
    },
    {
        .id = "refresh-lifetime-cap",
        .section = "RFC 8656, 7.2",
        .level = TALK_SHOULD,
        .rule = "No wish gets more than an hour.",
        .words = "It is RECOMMENDED that the server use a maximum allowed lifetime value of no "
                 "more than 3600 seconds (1 hour).",
        .run = cap_of_it,
    },
    {
        .id = "refresh-delete",
        .section = "RFC 8656, 8.2",
        .level = TALK_MUST,
        .rule = "A Refresh for 0 s succeeds, and says 0.",
        .words = "If the \"desired lifetime\" is zero, then the request succeeds and the "
                 "allocation is deleted.",
        .run = delete_it,
    },
    {
        .id = "refresh-deleted-437",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "After that there is no allocation: 437.",
        .words = "For all TURN messages (including ChannelData) EXCEPT an Allocate request, if the "
                 "5-tuple does not identify an existing allocation, then the message MUST either "
                 "be rejected with a 437 Allocation Mismatch error (if it is a request) or be "
                 "silently ignored",
        .run = deleted_is_gone,
    },
    {
        .id = "refresh-delete-again",
        .section = "RFC 8656, 8.2",
        .level = TALK_MUST,
        .rule = "The same Refresh for 0 s once more gets 437, or its first response.",
        .words = "A retransmitted Refresh request with a zero \"desired lifetime\" will cause a "
                 "437 (Allocation Mismatch) response if the allocation has already been deleted",
        .run = deleted_twice,
    },
    {
        .id = "refresh-allocate-anew",
        .section = "RFC 8656, 7.2",
        .level = TALK_MUST,
        .rule = "After that the same port can allocate anew.",
        .words = "The server checks if the 5-tuple is currently in use by an existing allocation.",
        .run = anew,
    },
    {
        .id = "refresh-mismatch-437",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "A Refresh without an allocation gets 437.",
        .words = "if the 5-tuple does not identify an existing allocation, then the message MUST "
                 "either be rejected with a 437 Allocation Mismatch error (if it is a request) or "
                 "be silently ignored",
        .run = without_allocation,
    },
    {
        .id = "refresh-delete-mismatch-437",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "So does one for 0 s.",
        .words = "if the 5-tuple does not identify an existing allocation, then the message MUST "
                 "either be rejected with a 437 Allocation Mismatch error (if it is a request) or "
                 "be silently ignored",
        .run = delete_nothing,
    },
    {
        .id = "refresh-from-elsewhere",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "A Refresh for 0 s from another port does not end an allocation.",
        .words = "When a TURN message arrives at the server from the client, the server uses the "
                 "5-tuple in the message to identify the associated allocation.",
        .run = from_elsewhere,
    },
    {
        .id = "refresh-unknown-420",
        .section = "RFC 8489, 6.3.1",
        .level = TALK_MUST,
        .rule = "An unknown attribute that must be understood gets 420 there too.",
        .words = "If the request contains one or more unknown comprehension-required attributes, "
                 "the server replies with an error response with an error code of 420 (Unknown "
                 "Attribute)",
        .run = unknown,
    },
};

const struct talk_subject conform_refresh = {
    .name = "Refresh",
    .about = "How allocations are kept and ended. A client that gets no 437 believes in an "
             "allocation that is gone, and waits in vain; one whose allocation is not deleted "
             "holds a port that others want, and is reached by peers that it has left.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
