// SPDX-License-Identifier: Apache-2.0
#include "conform/conform_sha256.h"

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_cookie.h"
#include "stun/stun_error.h"
#include "stun/stun_password.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

static void allocate_with(struct talk *talk, unsigned proof)
{
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_ask_with(talk, proof);
    talk_answer_take(talk);
}

// The server offers algorithms, or there is nothing to be asked of them.
static void need_offer(struct talk *talk)
{
    talk_need_nonce(talk);
    talk_need_that(talk, talk->is_decided || talk_me(talk)->offer_len > 0,
                   "the server offers no PASSWORD-ALGORITHMS");
}

static void cookie(struct talk *talk)
{
    talk_need_nonce(talk);
    talk_expect_that(talk, talk->is_decided || talk_me(talk)->has_cookie,
                     "a NONCE that begins with obMatJos2 and four characters");
}

static void offer(struct talk *talk)
{
    talk_need_nonce(talk);
    talk_expect_attr(talk, STUN_ATTR_PASSWORD_ALGORITHMS);
}

static void offer_has_bit(struct talk *talk)
{
    need_offer(talk);
    talk_expect_that(
        talk, talk->is_decided || (talk_me(talk)->features & STUN_COOKIE_PASSWORD_ALGORITHMS) != 0,
        "a NONCE whose cookie says that there are PASSWORD-ALGORITHMS");
}

static void integrity(struct talk *talk)
{
    need_offer(talk);
    allocate_with(talk, TALK_PROOF_SHA256);
    talk_expect_success(talk);
}

static void integrity_response(struct talk *talk)
{
    need_offer(talk);
    const struct talk_client *client = talk_me(talk);
    allocate_with(talk, TALK_PROOF_SHA256);
    talk_need_success(talk, "no allocation is to be had by SHA-256");
    talk_expect_attr(talk, STUN_ATTR_MESSAGE_INTEGRITY_SHA256);
    talk_expect_that(
        talk,
        talk->is_decided ||
            stun_message_is_intact_sha256(
                &talk->answer, (struct bytes){client->key_sha256, sizeof client->key_sha256}),
        "an answer whose MESSAGE-INTEGRITY-SHA256 is right");
}

static void legacy(struct talk *talk)
{
    need_offer(talk);
    allocate_with(talk, TALK_PROOF);
    talk_expect_success(talk);
    talk_expect_proof(talk);
}

static void md5_named(struct talk *talk)
{
    need_offer(talk);
    allocate_with(talk, (TALK_PROOF_SHA256 & ~TALK_ALGORITHM_SHA256) | TALK_ALGORITHM_MD5);
    talk_expect_success(talk);
}

static void wrong_password(struct talk *talk)
{
    talk_me(talk)->password = bytes_of_text("not-the-password");
    need_offer(talk);
    allocate_with(talk, TALK_PROOF_SHA256);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static void changed_offer(struct talk *talk)
{
    need_offer(talk);
    // As if someone on the way had left MD5 alone.
    const struct bytes md5 = BYTES_LITERAL("\x00\x01\x00\x00");
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    stun_attr_write(&talk->writer.wr, STUN_ATTR_PASSWORD_ALGORITHMS, md5);
    talk_ask_with(talk, TALK_PROOF | TALK_ALGORITHM_MD5);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void half_of_it(struct talk *talk)
{
    need_offer(talk);
    allocate_with(talk, TALK_PROOF | TALK_ALGORITHMS);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
    allocate_with(talk, TALK_PROOF_SHA256 & ~TALK_ALGORITHMS);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void unknown_algorithm(struct talk *talk)
{
    const struct bytes strange = BYTES_LITERAL("\x7f\x71\x00\x00");

    need_offer(talk);
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    stun_attr_write(&talk->writer.wr, STUN_ATTR_PASSWORD_ALGORITHM, strange);
    talk_ask_with(talk, TALK_PROOF | TALK_ALGORITHMS);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_BAD_REQUEST);
}

static void both_proofs(struct talk *talk)
{
    need_offer(talk);
    allocate_with(talk, TALK_PROOF_SHA256 | TALK_INTEGRITY);
    talk_expect_success(talk);
}

static void spoilt_stronger(struct talk *talk)
{
    need_offer(talk);
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_request_seal(talk, TALK_PROOF_SHA256 | TALK_INTEGRITY);
    talk->message[talk->message_len - 1] ^= 1; // of the SHA-256
    talk_ask_again(talk);
    talk_answer_take(talk);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static void stale_offer(struct talk *talk)
{
    need_offer(talk);
    struct talk_client *client = talk_me(talk);
    if (!talk->is_decided) {
        uint8_t *last = &client->nonce[client->nonce_len - 1];
        *last = *last == 'a' ? 'b' : 'a';
    }
    allocate_with(talk, TALK_PROOF_SHA256);
    talk_expect_error(talk, STUN_ERROR_STALE_NONCE);
    talk_expect_attr(talk, STUN_ATTR_PASSWORD_ALGORITHMS);
}

static void anonymity(struct talk *talk)
{
    talk_need_nonce(talk);
    talk_expect_that(
        talk, talk->is_decided || (talk_me(talk)->features & STUN_COOKIE_USERNAME_ANONYMITY) != 0,
        "a NONCE whose cookie says that usernames may be hidden");
}

static void userhash(struct talk *talk)
{
    need_offer(talk);
    talk_need_that(
        talk, talk->is_decided || (talk_me(talk)->features & STUN_COOKIE_USERNAME_ANONYMITY) != 0,
        "the server does not say that usernames may be hidden");
    allocate_with(talk, (TALK_PROOF_SHA256 & ~TALK_USERNAME) | TALK_USERHASH);
    talk_expect_success(talk);
}

static void userhash_unknown(struct talk *talk)
{
    need_offer(talk);
    talk_need_that(
        talk, talk->is_decided || (talk_me(talk)->features & STUN_COOKIE_USERNAME_ANONYMITY) != 0,
        "the server does not say that usernames may be hidden");
    talk_me(talk)->username = bytes_of_text("nobody-of-that-name");
    allocate_with(talk, (TALK_PROOF_SHA256 & ~TALK_USERNAME) | TALK_USERHASH);
    talk_expect_error(talk, STUN_ERROR_UNAUTHENTICATED);
}

static const struct talk_check checks[] = {
    {
        .id = "sha256-nonce-cookie",
        .section = "RFC 8489, 9.2",
        .level = TALK_MUST,
        .rule = "The nonce says in front that the server knows RFC 8489.",
        .words = "To indicate that it supports this specification, a server MUST prepend the NONCE "
                 "attribute value with the character string composed of \"obMatJos2\" concatenated "
                 "with the (4-character) base64 [RFC4648] encoding of the 24-bit STUN Security "
                 "Features",
        .run = cookie,
    },
    {
        .id = "sha256-offer",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MAY,
        .rule = "The 401 offers PASSWORD-ALGORITHMS, without which there is MD5 and SHA-1 alone.",
        .words = "The server MAY support alternate password algorithms, in which case it can list "
                 "them in preferential order in a PASSWORD-ALGORITHMS attribute.",
        .run = offer,
    },
    {
        .id = "sha256-offer-has-bit",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "Who offers them says so in the nonce, where nobody on the way can take it away.",
        .words = "If the server adds a PASSWORD-ALGORITHMS attribute, it MUST set the STUN "
                 "Security Feature \"Password algorithms\" bit to 1.",
        .run = offer_has_bit,
    },
    {
        .id = "sha256-integrity",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "Who proves himself by MESSAGE-INTEGRITY-SHA256 is served.",
        .words = "If the MESSAGE-INTEGRITY-SHA256 attribute is present, compute the value for the "
                 "message integrity as described in Section 14.6",
        .run = integrity,
    },
    {
        .id = "sha256-response-is-proven",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "The response to it is proven by MESSAGE-INTEGRITY-SHA256.",
        .words = "Any response generated by the server MUST include the MESSAGE-INTEGRITY-SHA256 "
                 "attribute",
        .run = integrity_response,
    },
    {
        .id = "sha256-md5-still-served",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "Clients that know nothing of it are served as before.",
        .words = "If the request contains neither the PASSWORD-ALGORITHMS nor the "
                 "PASSWORD-ALGORITHM algorithm, then the request is processed as though "
                 "PASSWORD-ALGORITHM were MD5.",
        .run = legacy,
    },
    {
        .id = "sha256-md5-named",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MAY,
        .rule = "A client that knows MD5 alone may name it, with an HMAC by SHA-256.",
        .words = "PASSWORD-ALGORITHM matches one of the entries in PASSWORD-ALGORITHMS",
        .run = md5_named,
    },
    {
        .id = "sha256-wrong-password-401",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A wrong password gets 401 there too.",
        .words = "If the resulting value does not match the contents of the MESSAGE-INTEGRITY "
                 "attribute or the MESSAGE-INTEGRITY-SHA256 attribute, the server MUST reject the "
                 "request with an error response.",
        .run = wrong_password,
    },
    {
        .id = "sha256-changed-offer-400",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "An offer that was changed on the way gets 400.",
        .words = "PASSWORD-ALGORITHMS matches the value sent in the response that sent this NONCE "
                 "[...] the server MUST generate an error response with an error code of 400 (Bad "
                 "Request)",
        .run = changed_offer,
    },
    {
        .id = "sha256-half-an-offer-400",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "The offer without a choice, and a choice without the offer, get 400.",
        .words = "Otherwise, unless (1) PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS are both "
                 "present [...] the server MUST generate an error response with an error code of "
                 "400 (Bad Request)",
        .run = half_of_it,
    },
    {
        .id = "sha256-unknown-algorithm-400",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "An algorithm that was not offered gets 400.",
        .words = "PASSWORD-ALGORITHM matches one of the entries in PASSWORD-ALGORITHMS, the server "
                 "MUST generate an error response with an error code of 400 (Bad Request)",
        .run = unknown_algorithm,
    },
    {
        .id = "sha256-both-proofs",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A message with both HMACs is good.",
        .words = "If the MESSAGE-INTEGRITY-SHA256 attribute is present, compute the value for the "
                 "message integrity as described in Section 14.6 [...] Otherwise",
        .run = both_proofs,
    },
    {
        .id = "sha256-stronger-counts",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "Of both HMACs the stronger one decides.",
        .words = "If the MESSAGE-INTEGRITY-SHA256 attribute is present, compute the value for the "
                 "message integrity as described in Section 14.6 [...] Otherwise",
        .run = spoilt_stronger,
    },
    {
        .id = "sha256-stale-nonce-offer",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "A 438 brings the offer too.",
        .words = "This response MUST include NONCE, REALM, and PASSWORD-ALGORITHMS attributes",
        .run = stale_offer,
    },
    {
        .id = "sha256-anonymity",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MAY,
        .rule = "Usernames may be hidden from who reads along.",
        .words = "The server MAY support anonymous username, in which case it MUST set the STUN "
                 "Security Feature \"Username anonymity\" bit set to 1.",
        .run = anonymity,
    },
    {
        .id = "sha256-userhash",
        .section = "RFC 8489, 9.2.5",
        .level = TALK_MUST,
        .rule = "Where they may, a user is known by USERHASH.",
        .words = "If the \"nonce cookie\" is present and has the STUN Security Feature \"Username "
                 "anonymity\" bit set to 1, then the USERHASH attribute MUST be used",
        .run = userhash,
    },
    {
        .id = "sha256-userhash-unknown-401",
        .section = "RFC 8489, 9.2.4",
        .level = TALK_MUST,
        .rule = "The USERHASH of nobody gets 401.",
        .words = "If the value of the USERNAME or USERHASH attribute is not valid, the server MUST "
                 "generate an error response with an error code of 401 (Unauthenticated).",
        .run = userhash_unknown,
    },
};

const struct talk_subject conform_sha256 = {
    .name = "security of RFC 8489",
    .about = "RFC 8489 proves by SHA-256 what RFC 5389 proved by MD5 and SHA-1, keeps anybody on "
             "the way from choosing the weaker of both, and can hide usernames. A server that has "
             "none of it works with today's clients; the findings say so as features that it "
             "lacks, beside the one MUST, the cookie in the nonce.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
