// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_auth.h"

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

enum {
    UNKNOWN_REQUIRED = 0x7F71, // an attribute that no RFC knows
};

static const struct bytes nobody = BYTES_LITERAL("nobody-of-that-name");
static const struct bytes wrong = BYTES_LITERAL("not-the-password");

// An Allocate, proven by what is said.
static void allocate_with(struct talk *talk, unsigned proof)
{
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_ask_with(talk, proof);
    talk_answer_take(talk);
}

static void ask_as_unknown_user(struct talk *talk)
{
    talk_need_nonce(talk);
    talk_me(talk)->username = nobody;
    allocate_with(talk, TALK_PROOF);
}

static void unknown_user(struct talk *talk)
{
    ask_as_unknown_user(talk);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static void unknown_user_challenge(struct talk *talk)
{
    ask_as_unknown_user(talk);
    talk_need_error(talk, STUN_ERROR_UNAUTHENTICATED, "the answer is no 401");
    talk_expect_attr(talk, STUN_ATTR_REALM);
    talk_expect_attr(talk, STUN_ATTR_NONCE);
}

static void meet_with_wrong_password(struct talk *talk)
{
    talk_me(talk)->password = wrong;
    talk_need_nonce(talk);
}

static void ask_as_wrong_password(struct talk *talk)
{
    meet_with_wrong_password(talk);
    allocate_with(talk, TALK_PROOF);
}

static void wrong_password(struct talk *talk)
{
    ask_as_wrong_password(talk);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static void wrong_password_challenge(struct talk *talk)
{
    ask_as_wrong_password(talk);
    talk_need_error(talk, STUN_ERROR_UNAUTHENTICATED, "the answer is no 401");
    talk_expect_attr(talk, STUN_ATTR_REALM);
    talk_expect_attr(talk, STUN_ATTR_NONCE);
}

static void spoilt_message(struct talk *talk)
{
    talk_need_nonce(talk);
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_request_seal(talk, TALK_PROOF);
    talk->message[talk->message_len - 1] ^= 1; // the last byte of the HMAC
    talk_ask_again(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static void make_stale(struct talk *talk)
{
    struct talk_client *client = talk_me(talk);

    talk_need_nonce(talk);
    // What stands in front may be a cookie, which is no part of what is made for this client.
    if (client->nonce_len > 0) {
        uint8_t *last = &client->nonce[client->nonce_len - 1];
        *last = *last == 'a' ? 'b' : 'a';
    }
}

static void ask_with_stale_nonce(struct talk *talk)
{
    make_stale(talk);
    allocate_with(talk, TALK_PROOF);
}

static void stale_nonce(struct talk *talk)
{
    ask_with_stale_nonce(talk);
    talk_expect_error(talk, STUN_ERROR_STALE_NONCE);
}

static void stale_nonce_anew(struct talk *talk)
{
    ask_with_stale_nonce(talk);
    talk_need_error(talk, STUN_ERROR_STALE_NONCE, "the answer is no 438");
    talk_expect_attr(talk, STUN_ATTR_NONCE);
    talk_expect_attr(talk, STUN_ATTR_REALM);
    talk_expect_that(talk, talk->is_decided || talk_answer_learn(talk),
                     "a NONCE and a REALM that fit");
    allocate_with(talk, TALK_PROOF);
    talk_expect_success(talk);
}

static void foreign_nonce(struct talk *talk)
{
    talk_need_nonce(talk);
    talk->clients[1] = talk->clients[0];
    talk->clients[1].is_open = false;
    talk_be(talk, 1); // the same nonce from another port
    allocate_with(talk, TALK_PROOF);
    talk_expect_error(talk, STUN_ERROR_STALE_NONCE);
}

static void success(struct talk *talk)
{
    talk_need_nonce(talk);
    allocate_with(talk, TALK_PROOF);
    talk_expect_success(talk);
}

static void success_is_proven(struct talk *talk)
{
    talk_need_nonce(talk);
    allocate_with(talk, TALK_PROOF);
    talk_need_success(talk, "no allocation is to be had");
    talk_expect_proof(talk);
}

static void error_is_proven(struct talk *talk)
{
    talk_need_nonce(talk);
    stun_attr_u8_write(talk_request(talk, STUN_ALLOCATE), STUN_ATTR_REQUESTED_TRANSPORT, 254);
    talk_ask(talk);
    talk_need_that(talk, talk->is_decided || talk_answer_code(talk) != 0,
                   "the request is not refused");
    talk_expect_proof(talk);
}

static void response_is_bare(struct talk *talk)
{
    talk_need_nonce(talk);
    allocate_with(talk, TALK_PROOF);
    talk_need_success(talk, "no allocation is to be had");
    talk_expect_no_attr(talk, STUN_ATTR_USERNAME);
    talk_expect_no_attr(talk, STUN_ATTR_REALM);
    talk_expect_no_attr(talk, STUN_ATTR_NONCE);
}

static void behind_integrity(struct talk *talk)
{
    talk_need_nonce(talk);
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_request_prove(talk, TALK_PROOF);
    stun_attr_write(&talk->writer.wr, UNKNOWN_REQUIRED, nobody);
    talk_request_end(talk);
    talk_ask_again(talk);
    talk_answer_take(talk);
    talk_expect_success(talk);
}

static void with_fingerprint(struct talk *talk)
{
    talk_need_nonce(talk);
    allocate_with(talk, TALK_PROOF | TALK_FINGERPRINT);
    talk_expect_success(talk);
}

static void unknown_after_proof(struct talk *talk)
{
    struct wr *wr;

    talk_need_nonce(talk);
    wr = talk_request(talk, STUN_ALLOCATE);
    talk_request_udp(wr);
    stun_attr_write(wr, UNKNOWN_REQUIRED, nobody);
    talk_ask(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_UNKNOWN_ATTRIBUTE);
}

static void proof_before_unknown(struct talk *talk)
{
    struct wr *wr = talk_request(talk, STUN_ALLOCATE);

    talk_request_udp(wr);
    stun_attr_write(wr, UNKNOWN_REQUIRED, nobody);
    talk_ask_with(talk, TALK_NOTHING);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static void other_user(struct talk *talk)
{
    talk_need_allocation(talk);
    const struct talk_client alice = *talk_me(talk);
    talk_need_other_user(talk);
    stun_attr_u32_write(talk_request(talk, STUN_REFRESH), STUN_ATTR_LIFETIME, 600);
    talk_ask(talk);
    talk_expect_error(talk, STUN_ERROR_WRONG_CREDENTIALS);
    *talk_me(talk) = alice; // whose it is to give back
}

static const struct talk_check checks[] = {
    {
        .id = "auth-unknown-user-401",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "An unknown user gets 401.",
        .words = "If the value of the USERNAME or USERHASH attribute is not valid, the server MUST "
                 "generate an error response with an error code of 401 (Unauthenticated).",
        .run = unknown_user,
    },
    {
        .id = "auth-unknown-user-challenge",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "An unknown user's 401 has a realm and a nonce.",
        .words = "This response MUST include a REALM value. The response MUST include a NONCE, "
                 "selected by the server.",
        .run = unknown_user_challenge,
    },
    {
        .id = "auth-wrong-password-401",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A wrong password gets 401.",
        .words = "If the resulting value does not match the contents of the MESSAGE-INTEGRITY "
                 "attribute or the MESSAGE-INTEGRITY-SHA256 attribute, the server MUST reject the "
                 "request with an error response. This response MUST use an error code of 401 "
                 "(Unauthenticated).",
        .run = wrong_password,
    },
    {
        .id = "auth-wrong-password-challenge",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A wrong password's 401 has a realm and a nonce.",
        .words = "It MUST include the REALM and NONCE attributes",
        .run = wrong_password_challenge,
    },
    {
        .id = "auth-spoilt-integrity-401",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "An HMAC of which one bit is wrong gets 401.",
        .words = "If the resulting value does not match the contents of the MESSAGE-INTEGRITY "
                 "attribute or the MESSAGE-INTEGRITY-SHA256 attribute, the server MUST reject the "
                 "request with an error response. This response MUST use an error code of 401 "
                 "(Unauthenticated).",
        .run = spoilt_message,
    },
    {
        .id = "auth-stale-nonce-438",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A nonce that the server did not make gets 438 from who is proven otherwise.",
        .words = "If the NONCE is no longer valid, the server MUST generate an error response with "
                 "an error code of 438 (Stale Nonce).",
        .run = stale_nonce,
    },
    {
        .id = "auth-stale-nonce-anew",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "That 438 brings a realm, and a nonce with which the next try succeeds.",
        .words = "This response MUST include NONCE, REALM, and PASSWORD-ALGORITHMS attributes "
                 "[...] The NONCE attribute value MUST be valid.",
        .run = stale_nonce_anew,
    },
    {
        .id = "auth-foreign-nonce-438",
        .section = "RFC 8489, 9.2",
        .level = TALK_MAY,
        .rule = "A nonce that was made for another port gets 438, so that it cannot be replayed "
                "from elsewhere.",
        .words = "It is a cookie, selected by the server and encoded in such a way as to indicate "
                 "a duration of validity or client identity from which it is valid.",
        .run = foreign_nonce,
    },
    {
        .id = "auth-success",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "Who proves himself by MESSAGE-INTEGRITY is served.",
        .words = "If these checks pass, the server continues to process the request.",
        .run = success,
    },
    {
        .id = "auth-success-is-proven",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "The success response is proven too.",
        .words = "Any response generated by the server MUST include the MESSAGE-INTEGRITY-SHA256 "
                 "attribute [...] unless the request was processed as though PASSWORD-ALGORITHM "
                 "was MD5 [...] In that case, the MESSAGE-INTEGRITY attribute MUST be used instead",
        .run = success_is_proven,
    },
    {
        .id = "auth-error-is-proven",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "So is an error response to who is proven.",
        .words = "Any response generated by the server MUST include the MESSAGE-INTEGRITY-SHA256 "
                 "attribute [...] unless the request was processed as though PASSWORD-ALGORITHM "
                 "was MD5 [...] In that case, the MESSAGE-INTEGRITY attribute MUST be used instead",
        .run = error_is_proven,
    },
    {
        .id = "auth-response-bare",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_SHOULD,
        .rule = "A success response has no username, realm or nonce.",
        .words = "the REALM, NONCE, USERNAME, and USERHASH attributes SHOULD NOT be included",
        .run = response_is_bare,
    },
    {
        .id = "auth-behind-integrity",
        .section = "RFC 8489, 9",
        .level = TALK_MUST,
        .rule =
            "An unknown attribute behind MESSAGE-INTEGRITY, which nobody has proven, is ignored.",
        .words = "Note that agents MUST ignore all attributes that follow MESSAGE-INTEGRITY, with "
                 "the exception of the MESSAGE-INTEGRITY-SHA256 and FINGERPRINT attributes.",
        .run = behind_integrity,
    },
    {
        .id = "auth-with-fingerprint",
        .section = "RFC 8489, 14.7",
        .level = TALK_MUST,
        .rule = "A proof with a FINGERPRINT behind it is good.",
        .words = "the FINGERPRINT attribute MUST be the last attribute in the message and thus "
                 "will appear after MESSAGE-INTEGRITY",
        .run = with_fingerprint,
    },
    {
        .id = "auth-unknown-420",
        .section = "RFC 8489, 6.3.1",
        .level = TALK_MUST,
        .rule = "Of who is proven an unknown attribute that must be understood gets 420.",
        .words = "If the request contains one or more unknown comprehension-required attributes, "
                 "the server replies with an error response with an error code of 420 (Unknown "
                 "Attribute)",
        .run = unknown_after_proof,
    },
    {
        .id = "auth-proof-before-unknown",
        .section = "RFC 8489, 6.3",
        .level = TALK_MUST,
        .rule = "Of who is not proven it gets 401: strangers learn nothing of what is served.",
        .words = "Once the authentication checks are done, the STUN agent checks for unknown "
                 "attributes and known-but-unexpected attributes in the message.",
        .run = proof_before_unknown,
    },
    {
        .id = "auth-other-user-441",
        .section = "RFC 8656, 5",
        .level = TALK_MUST,
        .rule = "Another user's request about an allocation gets 441.",
        .words = "the request does not use the same username as used to create the allocation, "
                 "then the request MUST be rejected with a 441 (Wrong Credentials) error",
        .run = other_user,
    },
};

const struct talk_subject conform_auth = {
    .name = "authentication",
    .about = "Who is whom, and what becomes of those who are not. Clients ask for a new password "
             "after 401, and take a new nonce after 438; after any other code they give up. "
             "Responses that are not proven can be forged by whoever reads along.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
