// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_user.h"

#include <string.h>

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_cookie.h"
#include "stun/stun_password.h"
#include "talk/talk.h"
#include "talk/talk_answer.h"
#include "talk/talk_ask.h"
#include "talk/talk_expect.h"
#include "talk/talk_need.h"

enum { NUMBER = 0x4123 };

static void expect_no_success(struct talk *talk, const char *came)
{
    if (!talk->is_decided && talk_answer_is_success(talk)) {
        talk_fail(talk, bytes_of_text("an error"), bytes_of_text(came));
    }
}

// A request about an allocation; what it would do if it succeeded is undone at the end anyway.
static void ask_about(struct talk *talk, uint16_t method, unsigned proof)
{
    struct wr *wr = talk_request(talk, method);

    if (method == STUN_REFRESH) {
        stun_attr_u32_write(wr, STUN_ATTR_LIFETIME, 600);
    } else if (method == STUN_CHANNEL_BIND) {
        stun_attr_u16_write(wr, STUN_ATTR_CHANNEL_NUMBER, NUMBER);
    }
    if (method != STUN_REFRESH) {
        talk_request_peer(talk, 0);
    }
    talk_ask_with(talk, proof);
}

static void ask_all_about(struct talk *talk, unsigned proof)
{
    ask_about(talk, STUN_REFRESH, proof);
    expect_no_success(talk, "success for Refresh");
    ask_about(talk, STUN_CHANNEL_BIND, proof);
    expect_no_success(talk, "success for ChannelBind");
    ask_about(talk, STUN_CREATE_PERMISSION, proof);
    expect_no_success(talk, "success for CreatePermission");
}

static void unproven(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_peer(talk, 0);
    ask_all_about(talk, TALK_NOTHING);
    ask_all_about(talk, TALK_USERNAME | TALK_REALM | TALK_NONCE);
}

static void wrongly_proven(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_peer(talk, 0);
    struct talk_client *client = talk_me(talk);
    client->key[0] ^= 1;
    ask_all_about(talk, TALK_PROOF);
    client->key[0] ^= 1;
}

static void other_user(struct talk *talk)
{
    talk_need_allocation(talk);
    talk_need_peer(talk, 0);
    const struct talk_client alice = *talk_me(talk);
    talk_need_other_user(talk);
    ask_all_about(talk, TALK_PROOF);
    *talk_me(talk) = alice; // whose it is to give back
}

// Proofs of nothing: lengths that an HMAC has not.
static void short_proof(struct talk *talk)
{
    static const uint8_t zeros[20] = {0};
    static const size_t lens[] = {0, 1, 4, 16, 19, 20};

    talk_need_nonce(talk);
    for (size_t i = 0; i < COUNT_OF(lens) && !talk->is_decided; i++) {
        talk_request_udp(talk_request(talk, STUN_ALLOCATE));
        talk_request_prove(talk, TALK_USERNAME | TALK_REALM | TALK_NONCE);
        stun_attr_write(&talk->writer.wr, STUN_ATTR_MESSAGE_INTEGRITY,
                        (struct bytes){zeros, lens[i]});
        talk_request_end(talk);
        talk_ask_again(talk);
        talk_answer_take(talk);
        expect_no_success(talk, "an allocation for a MESSAGE-INTEGRITY that proves nothing");
    }
}

static void no_proof(struct talk *talk)
{
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_ask_with(talk, TALK_NOTHING);
    talk_answer_take(talk);
    expect_no_success(talk, "an allocation for a stranger");
    talk_need_that(talk, talk->is_decided || talk->has_answer, "the server does not answer");
}

static void need_offer(struct talk *talk)
{
    talk_need_nonce(talk);
    talk_need_that(talk, talk->is_decided || talk_me(talk)->offer_len > 0,
                   "the server offers no PASSWORD-ALGORITHMS");
}

// The offer as who is between would have it: MD5 alone.
static void bid_down(struct talk *talk)
{
    struct talk_client *client = talk_me(talk);

    need_offer(talk);
    struct wr wr = wr_init(client->offer, sizeof client->offer);
    wr_u16(&wr, STUN_PASSWORD_MD5);
    wr_u16(&wr, 0);
    client->offer_len = (uint16_t)wr.len;
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_ask_with(talk, TALK_USERNAME | TALK_REALM | TALK_NONCE | TALK_ALGORITHMS |
                            TALK_ALGORITHM_MD5 | TALK_INTEGRITY);
    talk_answer_take(talk);
    expect_no_success(talk, "an allocation for an offer that is not the server's");
}

// The cookie as who is between would have it: it says that there is no offer.
static void cookie_down(struct talk *talk)
{
    struct talk_client *client = talk_me(talk);

    need_offer(talk);
    talk_need_that(talk, talk->is_decided || client->has_cookie, "its nonces have no cookie");
    memcpy(client->nonce + 9, "AAAA", 4);
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_ask(talk);
    talk_answer_take(talk);
    expect_no_success(talk, "an allocation for a nonce whose cookie was changed");
}

static void no_sha256(struct talk *talk)
{
    talk_need_nonce(talk);
    if (!talk->is_decided && talk_me(talk)->offer_len == 0) {
        talk_fail(talk, bytes_of_text("PASSWORD-ALGORITHMS with SHA-256"),
                  bytes_of_text("MD5 and SHA-1 alone"));
    }
}

static void in_clear(struct talk *talk)
{
    talk_need_nonce(talk);
    if (!talk->is_decided && (talk_me(talk)->features & STUN_COOKIE_USERNAME_ANONYMITY) == 0) {
        talk_fail(talk, bytes_of_text("USERHASH is served"),
                  bytes_of_text("names of users go over the wire as they are"));
    }
}

static void tell_software(struct talk *talk)
{
    uint8_t text[TALK_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);
    struct bytes software;

    if (talk->is_decided || !talk_answer_find(talk, STUN_ATTR_SOFTWARE, &software)) {
        return;
    }
    wr_text(&wr, "the server tells strangers what it is: ");
    for (size_t i = 0; i < software.len && i < 100; i++) {
        const uint8_t byte = software.ptr[i];
        wr_u8(&wr, byte >= ' ' && byte <= '~' ? byte : '.');
    }
    talk_fail(talk, bytes_of_text("no SOFTWARE for strangers"), wr_done(&wr));
}

static void software(struct talk *talk)
{
    IGNORE(talk_request(talk, STUN_BINDING) != NULL);
    talk_ask_with(talk, TALK_NOTHING);
    tell_software(talk);
    talk_request_udp(talk_request(talk, STUN_ALLOCATE));
    talk_ask_with(talk, TALK_NOTHING);
    tell_software(talk);
    talk_need_that(talk, talk->is_decided || talk->has_answer, "the server does not answer");
}

static const struct talk_cure open_cure = {
    .coturn = "remove no-auth; add lt-cred-mech and user, or use-auth-secret and "
              "static-auth-secret",
    .pion = "set AuthHandler, and have it return false for who is not known",
    .fairlead = "there is no way to serve strangers: tell us",
};
static const struct talk_cure code_cure = {
    .coturn = "tell coturn: no configuration does this",
    .pion = "tell pion: no configuration does this",
    .fairlead = "tell us: no configuration does this",
};
static const struct talk_cure sha256_cure = {
    .coturn = "it knows no SHA-256: give its users passwords that are long and random, or "
              "short-lived ones (use-auth-secret)",
    .pion = "it knows no SHA-256: give users passwords that are long and random, or short-lived "
            "ones",
    .fairlead = "offered always: tell us",
};
static const struct talk_cure clear_cure = {
    .coturn = "it knows no USERHASH: give users names that say nothing (use-auth-secret), or have "
              "clients come by TLS",
    .pion = "it knows no USERHASH: give users names that say nothing, or have clients come by TLS",
    .fairlead = "offered for --user; names of --auth-secret cannot be found by their hash, so they "
                "should say nothing",
};
static const struct talk_cure software_cure = {
    .coturn = "add no-software-attribute",
    .pion = "it is the application's name: leave it empty",
    .fairlead = "leave out --software",
};

static const struct talk_check checks[] = {
    {
        .id = "user-none",
        .section = "RFC 8656, 21.1.1",
        .severity = TALK_HIGH,
        .rule = "A stranger gets no allocation.",
        .words = "Anybody relays whatever he likes in the server's name.",
        .cure = &open_cure,
        .run = no_proof,
    },
    {
        .id = "user-short-proof",
        .section = "RFC 8489, 14.5",
        .severity = TALK_HIGH,
        .rule = "A proof that is too short, or all zeros, is none.",
        .words = "Who compares as many bytes as the other side says compares none.",
        .cure = &code_cure,
        .run = short_proof,
    },
    {
        .id = "user-unproven",
        .section = "RFC 8656, 21.1.3",
        .severity = TALK_HIGH,
        .rule = "What is asked about an allocation without proof is refused.",
        .words = "Whoever can send in a client's name ends or redirects what it has.",
        .cure = &code_cure,
        .run = unproven,
    },
    {
        .id = "user-wrongly-proven",
        .section = "RFC 8656, 21.1.3",
        .severity = TALK_HIGH,
        .rule = "So is what is proven by a wrong key.",
        .words = "Whoever can send in a client's name ends or redirects what it has.",
        .cure = &code_cure,
        .run = wrongly_proven,
    },
    {
        .id = "user-other",
        .section = "RFC 8656, 5",
        .severity = TALK_HIGH,
        .rule = "So is what another user asks about it: Refresh, ChannelBind, CreatePermission.",
        .words = "Behind one NAT ports are used anew, and who gets another's port gets his "
                 "allocation with it.",
        .cure = &code_cure,
        .run = other_user,
    },
    {
        .id = "user-bid-down",
        .section = "RFC 8489, 16.1.3",
        .severity = TALK_MEDIUM,
        .rule = "An offer of algorithms that is not the server's is refused.",
        .words = "Who is between takes SHA-256 out of the offer, and finds the password by MD5 and "
                 "SHA-1.",
        .cure = &code_cure,
        .run = bid_down,
    },
    {
        .id = "user-bid-down-cookie",
        .section = "RFC 8489, 9.2",
        .severity = TALK_MEDIUM,
        .rule = "A nonce whose cookie was changed is refused.",
        .words =
            "The cookie says that there is an offer, so that who is between cannot take it all "
            "out.",
        .cure = &code_cure,
        .run = cookie_down,
    },
    {
        .id = "user-sha256",
        .section = "RFC 8489, 18.5",
        .severity = TALK_INFO,
        .rule = "SHA-256 is offered.",
        .words = "MD5 and SHA-1 of a weak password are tried by the thousand million in a second.",
        .cure = &sha256_cure,
        .run = no_sha256,
    },
    {
        .id = "user-in-clear",
        .section = "RFC 8489, 16.1.2",
        .severity = TALK_INFO,
        .rule = "Names of users can be hidden.",
        .words = "Who reads along learns who calls when.",
        .cure = &clear_cure,
        .run = in_clear,
    },
    {
        .id = "user-software",
        .section = "RFC 8489, 16.1.2",
        .severity = TALK_INFO,
        .rule = "Strangers are not told make and version.",
        .words = "Lists of servers of a version with a hole are made before the hole is known.",
        .cure = &software_cure,
        .run = software,
    },
};

const struct talk_subject attack_user = {
    .name = "users",
    .about = "Who is who, and whether the server can be led to believe otherwise.",
    .checks = checks,
    .count = COUNT_OF(checks),
};
