// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_cookie.h"
#include "stun/stun_password.h"
#include "stun/stun_userhash.h"
#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

// A nonce for the client, and an Allocate that is signed with it in the fixture's way.
static int ask(struct turn_fixture *f)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    return turn_fixture_ask(f, &draft);
}

static int ask_and_leave(struct turn_fixture *f)
{
    int code = ask(f);

    if (code == TURN_FIXTURE_SUCCESS) {
        struct stun_message response = f->response;
        uint8_t raw[TURN_COMMAND_MESSAGE_MAX];
        memcpy(raw, f->raw_response, sizeof raw);
        assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
        memcpy(f->raw_response, raw, sizeof raw);
        f->response = response;
    }
    return code;
}

// --- RFC 8489: proofs and algorithms -------------------------------------------------------------

static void takes_every_proof_with_every_algorithm(void **state)
{
    static const struct {
        unsigned signing;
        unsigned answer; // the proof of the response: that of the request, the stronger of two
    } rows[] = {
        {TURN_FIXTURE_SHA1, TURN_FIXTURE_SHA1},
        {TURN_FIXTURE_SHA256, TURN_FIXTURE_SHA256},
        {TURN_FIXTURE_SHA1 | TURN_FIXTURE_SHA256, TURN_FIXTURE_SHA256},
        {TURN_FIXTURE_SHA1 | TURN_FIXTURE_MD5_NAMED, TURN_FIXTURE_SHA1},
        {TURN_FIXTURE_SHA256 | TURN_FIXTURE_MD5_NAMED, TURN_FIXTURE_SHA256},
        {TURN_FIXTURE_SHA1 | TURN_FIXTURE_SHA_NAMED, TURN_FIXTURE_SHA1},
        {TURN_FIXTURE_SHA256 | TURN_FIXTURE_SHA_NAMED, TURN_FIXTURE_SHA256},
        {TURN_FIXTURE_SHA1 | TURN_FIXTURE_SHA256 | TURN_FIXTURE_SHA_NAMED, TURN_FIXTURE_SHA256},
    };
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        f->signing = rows[i / 2].signing | (i % 2 != 0 ? TURN_FIXTURE_HIDDEN : 0);
        assert_int_equal(ask_and_leave(f), TURN_FIXTURE_SUCCESS);
        assert_true(turn_fixture_is_signed(f, rows[i / 2].answer));
        assert_int_equal(stun_message_has(&f->response, STUN_ATTR_MESSAGE_INTEGRITY),
                         rows[i / 2].answer == TURN_FIXTURE_SHA1);
        assert_int_equal(stun_message_has(&f->response, STUN_ATTR_MESSAGE_INTEGRITY_SHA256),
                         rows[i / 2].answer == TURN_FIXTURE_SHA256);
        const char *password = f->password;
        f->password = "guess";
        assert_int_equal(ask(f), 401);
        f->password = password;
    }
}

// An Allocate whose two proofs are made with keys of their own.
static int ask_with_two_proofs(struct turn_fixture *f, const char *sha1_password,
                               const char *sha256_password)
{
    struct turn_fixture_draft draft;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    turn_fixture_nonce(f, nonce);
    turn_fixture_begin_allocate(f, &draft);
    f->password = sha1_password;
    f->signing = TURN_FIXTURE_SHA1;
    turn_fixture_sign_with(f, &draft, (struct bytes){nonce, sizeof nonce});
    f->password = sha256_password;
    struct turn_key key = turn_fixture_key(f);
    stun_writer_integrity_sha256(&draft.writer, turn_key_bytes(&key));
    return turn_fixture_send(f, turn_fixture_finish(&draft));
}

static void of_two_proofs_the_stronger_one_counts(void **state)
{
    struct turn_fixture *f = *state;

    assert_int_equal(ask_with_two_proofs(f, "secret", "guess"), 401);
    assert_int_equal(ask_with_two_proofs(f, "guess", "secret"), TURN_FIXTURE_SUCCESS);
}

static void offers_both_algorithms_and_says_so_in_the_nonce(void **state)
{
    static const uint8_t offer[] = {0, 2, 0, 0, 0, 1, 0, 0}; // SHA-256, then MD5
    struct turn_fixture *f = *state;
    uint32_t features = 0;

    f->password = "guess";
    assert_int_equal(ask(f), 401);
    struct bytes offered = turn_fixture_value(f, STUN_ATTR_PASSWORD_ALGORITHMS);
    assert_true(bytes_equal(offered, (struct bytes){offer, sizeof offer}));
    assert_true(stun_cookie_read(turn_fixture_value(f, STUN_ATTR_NONCE), &features));
    assert_true((features & STUN_COOKIE_PASSWORD_ALGORITHMS) != 0);
}

// An Allocate with attributes of its own for the algorithms; `key_algorithm` makes the key.
static int ask_with_algorithms(struct turn_fixture *f, const char *offered, size_t offered_len,
                               const char *chosen, size_t chosen_len)
{
    struct turn_fixture_draft draft;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    turn_fixture_nonce(f, nonce);
    turn_fixture_begin_allocate(f, &draft);
    if (offered != NULL) {
        stun_attr_write(&draft.writer.wr, STUN_ATTR_PASSWORD_ALGORITHMS,
                        (struct bytes){(const uint8_t *)offered, offered_len});
    }
    if (chosen != NULL) {
        stun_attr_write(&draft.writer.wr, STUN_ATTR_PASSWORD_ALGORITHM,
                        (struct bytes){(const uint8_t *)chosen, chosen_len});
    }
    turn_fixture_sign_with(f, &draft, (struct bytes){nonce, sizeof nonce});
    return turn_fixture_send(f, turn_fixture_finish(&draft));
}

// RFC 8489 section 9.2.4: whoever cuts down the offer on its way is found out.
static void refuses_by_400_a_bid_down(void **state)
{
    static const struct {
        const char *offered;
        size_t offered_len;
        const char *chosen;
        size_t chosen_len;
    } rows[] = {
        {"\0\1\0\0", 4, "\0\1\0\0", 4},                  // SHA-256 was taken away
        {"\0\2\0\0", 4, "\0\2\0\0", 4},                  // MD5 was
        {"\0\1\0\0\0\2\0\0", 8, "\0\1\0\0", 4},          // another order
        {"\0\2\0\0\0\1\0\0\0\3\0\0", 12, "\0\1\0\0", 4}, // more than was offered
        {NULL, 0, "\0\1\0\0", 4},                        // one without the other
        {"\0\2\0\0\0\1\0\0", 8, NULL, 0},
        {"\0\2\0\0\0\1\0\0", 8, "\0\3\0\0", 4}, // what was not offered
        {"\0\2\0\0\0\1\0\0", 8, "\0\0\0\0", 4},
        {"\0\2\0\0\0\1\0\0", 8, "\0\1\0\4abcd", 8}, // parameters, which it has none
        {"", 0, "\0\1\0\0", 4},
    };
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(ask_with_algorithms(f, rows[i].offered, rows[i].offered_len,
                                             rows[i].chosen, rows[i].chosen_len),
                         400);
        assert_false(stun_message_has(&f->response, STUN_ATTR_MESSAGE_INTEGRITY));
    }
    assert_true(turn_fixture_is_empty(f));
    assert_int_equal(ask_with_algorithms(f, "\0\2\0\0\0\1\0\0", 8, "\0\1\0\0", 4),
                     TURN_FIXTURE_SUCCESS);
}

static void the_key_is_that_of_the_algorithm_that_was_named(void **state)
{
    struct turn_fixture *f = *state;

    // Signed with the key of MD5, said to be that of SHA-256.
    assert_int_equal(ask_with_algorithms(f, "\0\2\0\0\0\1\0\0", 8, "\0\2\0\0", 4), 401);
}

// --- USERHASH ------------------------------------------------------------------------------------

static uint32_t features_of(struct turn_fixture *f)
{
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];
    uint32_t features = 0;

    turn_fixture_nonce(f, nonce);
    assert_true(stun_cookie_read((struct bytes){nonce, sizeof nonce}, &features));
    return features;
}

static void asks_for_hidden_usernames_only_while_all_can_be_found(void **state)
{
    const struct bytes secrets[] = {bytes_of_text("north")};
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    assert_true((features_of(f) & STUN_COOKIE_USERNAME_ANONYMITY) != 0);
    config.auth_secrets = secrets;
    config.auth_secret_count = 1;
    turn_fixture_restart(f, &config);
    assert_false((features_of(f) & STUN_COOKIE_USERNAME_ANONYMITY) != 0);
    turn_fixture_become_firezone(f);
    assert_false((features_of(f) & STUN_COOKIE_USERNAME_ANONYMITY) != 0);
}

static void a_hidden_user_is_the_same_user(void **state)
{
    struct turn_fixture *f = *state;

    f->signing |= TURN_FIXTURE_HIDDEN;
    assert_int_equal(ask(f), TURN_FIXTURE_SUCCESS);
    const struct turn_command_report *report = turn_fixture_report(f, TURN_EVENT_ALLOCATED);
    assert_non_null(report);
    assert_true(bytes_equal_text(report->username, "alice"));
    f->signing = TURN_FIXTURE_SHA1;
    assert_int_equal(turn_fixture_refresh(f, 600), TURN_FIXTURE_SUCCESS);
    f->user = "bob";
    f->password = "hidden";
    f->signing |= TURN_FIXTURE_HIDDEN;
    assert_int_equal(turn_fixture_refresh(f, 600), 441);
}

static void a_hidden_stranger_is_a_stranger(void **state)
{
    struct turn_fixture *f = *state;

    f->signing |= TURN_FIXTURE_HIDDEN;
    f->user = "mallory";
    assert_int_equal(ask(f), 401);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_STRANGER), 1);
}

static void of_username_and_hash_the_name_counts(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    uint8_t hash[STUN_USERHASH_LEN];

    stun_userhash(bytes_of_text("bob"), f->config.realm, hash);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_USERHASH, (struct bytes){hash, sizeof hash});
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
}

// --- TURN REST -----------------------------------------------------------------------------------

static const char dated[] = "1700003600:carol"; // an hour from the fixture's now

// The next requests are signed as dated users are, under a secret.
static void use_rest(struct turn_fixture *f, char *password, const char *secret, const char *user)
{
    uint8_t text[TURN_CREDENTIAL_REST_LEN];

    turn_credential_rest_password(bytes_of_text(secret), bytes_of_text(user), text);
    memcpy(password, text, sizeof text);
    password[sizeof text] = 0;
    f->user = user;
    f->password = password;
}

static void restart_with_secrets(struct turn_fixture *f, const struct bytes *secrets, size_t count)
{
    struct turn_config config = turn_fixture_config();

    config.auth_secrets = secrets;
    config.auth_secret_count = count;
    turn_fixture_restart(f, &config);
}

static void rest_credentials_are_good_under_each_secret(void **state)
{
    static const char *const names[] = {"old", "new", "next"};
    const struct bytes secrets[] = {bytes_of_text("old"), bytes_of_text("new"),
                                    bytes_of_text("next")};
    static const unsigned ways[] = {TURN_FIXTURE_SHA1, TURN_FIXTURE_SHA256,
                                    TURN_FIXTURE_SHA256 | TURN_FIXTURE_SHA_NAMED};
    char password[TURN_CREDENTIAL_REST_LEN + 1];
    struct turn_fixture *f = *state;

    restart_with_secrets(f, secrets, COUNT_OF(secrets));
    for (size_t i = 0; i < COUNT_OF(names) * COUNT_OF(ways); i++) {
        use_rest(f, password, names[i % 3], dated);
        f->signing = ways[i / 3];
        assert_int_equal(ask_and_leave(f), TURN_FIXTURE_SUCCESS);
        // Signed under the very secret of the request.
        assert_true(
            turn_fixture_is_signed(f, i / 3 == 0 ? TURN_FIXTURE_SHA1 : TURN_FIXTURE_SHA256));
    }
    f->signing = TURN_FIXTURE_SHA1;
    use_rest(f, password, "older", dated);
    assert_int_equal(ask(f), 401);
    use_rest(f, password, "old", dated);
    f->user = "1700003601:carol"; // the password is that of another second
    assert_int_equal(ask(f), 401);
    f->user = "alice"; // users of the configuration are there beside them
    f->password = "secret";
    assert_int_equal(ask(f), TURN_FIXTURE_SUCCESS);
}

static void rest_credentials_end_with_their_second(void **state)
{
    const struct bytes secrets[] = {bytes_of_text("north")};
    char password[TURN_CREDENTIAL_REST_LEN + 1];
    struct turn_fixture *f = *state;

    restart_with_secrets(f, secrets, 1);
    use_rest(f, password, "north", dated);
    f->now.wall_s = 1700003600;
    assert_int_equal(ask(f), TURN_FIXTURE_SUCCESS);
    f->now.wall_s = 1700003601;
    assert_int_equal(turn_fixture_refresh(f, 600), 401);
    assert_false(stun_message_has(&f->response, STUN_ATTR_MESSAGE_INTEGRITY));
    f->now.wall_s = 1700003600; // the wall clock was put back
    assert_int_equal(turn_fixture_refresh(f, 600), TURN_FIXTURE_SUCCESS);
}

static void dated_users_without_a_secret_are_strangers(void **state)
{
    char password[TURN_CREDENTIAL_REST_LEN + 1];
    struct turn_fixture *f = *state;

    use_rest(f, password, "", dated);
    assert_int_equal(ask(f), 401);
}

// --- Firezone ------------------------------------------------------------------------------------

// What Firezone's clients send first: name, realm and proof, but no nonce yet.
static int greet(struct turn_fixture *f)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    turn_fixture_sign_with(f, &draft, (struct bytes){0});
    return turn_fixture_send(f, turn_fixture_finish(&draft));
}

static int ask_with_nonce(struct turn_fixture *f, const char *nonce)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    turn_fixture_sign_with(f, &draft, bytes_of_text(nonce));
    return turn_fixture_send(f, turn_fixture_finish(&draft));
}

static void firezones_first_401_is_signed(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_become_firezone(f);
    assert_int_equal(greet(f), 401);
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
    assert_true(bytes_equal_text(turn_fixture_value(f, STUN_ATTR_REALM), "firezone"));
    struct bytes value = turn_fixture_value(f, STUN_ATTR_NONCE);
    char nonce[TURN_FIXTURE_NONCE_LEN + 1] = {0};
    memcpy(nonce, value.ptr, value.len);
    assert_int_equal(ask_with_nonce(f, nonce), TURN_FIXTURE_SUCCESS);
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
}

static void firezones_first_401_is_signed_for_whoever_does_not_sign_too(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_become_firezone(f);
    f->signing = 0;
    assert_int_equal(greet(f), 401);
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
}

// A 401 to a request with a nonce makes Firezone's clients drop the relay for good.
static void any_bad_nonce_of_firezones_is_438_and_signed(void **state)
{
    static const char *const nonces[] = {
        "x",          "0e21b9e4-4e3f-4bbd-a2b5-6a2d4a2f7c5e", "obMatJos2AAAB",
        "not-a-uuid", "obMatJos2AAABAAAAAAAAAAAAAAAAAAAA",
    };
    struct turn_fixture *f = *state;

    turn_fixture_become_firezone(f);
    for (size_t i = 0; i < COUNT_OF(nonces); i++) {
        assert_int_equal(ask_with_nonce(f, nonces[i]), 438);
        assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
        assert_true(bytes_equal_text(turn_fixture_value(f, STUN_ATTR_REALM), "firezone"));
        assert_int_equal(turn_fixture_value(f, STUN_ATTR_NONCE).len, TURN_FIXTURE_NONCE_LEN);
    }
    char nonce[TURN_FIXTURE_NONCE_LEN + 1] = {0};
    turn_fixture_nonce(f, (uint8_t *)nonce);
    f->tuple.client.port++; // a nonce of another address
    assert_int_equal(ask_with_nonce(f, nonce), 438);
    f->tuple.client.port--;
    turn_fixture_wait(f, 3601 * SECOND_NS); // one that is too old
    assert_int_equal(ask_with_nonce(f, nonce), 438);
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
    f->now.wall_s = 1892160001; // nor is it 401 when the credential is over as well
    assert_int_equal(ask_with_nonce(f, nonce), 438);
}

static void firezones_wrong_password_gets_a_signed_401(void **state)
{
    struct turn_fixture *f = *state;
    const char *password = NULL;

    turn_fixture_become_firezone(f);
    password = f->password;
    f->password = "guess";
    assert_int_equal(ask(f), 401);
    f->password = password; // whoever knows the right one can tell
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_FIREZONE_PASSWORD), 1);
    assert_true(turn_fixture_is_empty(f));
}

static void firezones_credential_ends_with_its_second(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_become_firezone(f);
    f->now.wall_s = 1892160000;
    assert_int_equal(ask_and_leave(f), TURN_FIXTURE_SUCCESS);
    f->now.wall_s = 1892160001;
    assert_int_equal(ask(f), 401);
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
}

static void firezones_unreadable_usernames_get_no_answer(void **state)
{
    static const char *const users[] = {"alice", "", "x:y", "1:2:3", "1892160000"};
    struct turn_fixture *f = *state;

    turn_fixture_become_firezone(f);
    for (size_t i = 0; i < COUNT_OF(users); i++) {
        f->user = users[i];
        assert_int_equal(ask(f), TURN_FIXTURE_SILENCE);
        assert_int_equal(greet(f), TURN_FIXTURE_SILENCE);
    }
    assert_true(turn_fixture_is_empty(f));
}

static void all_of_firezones_errors_are_signed(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    struct addr denied = turn_fixture_addr("127.0.0.1", 9);

    turn_fixture_become_firezone(f);
    assert_int_equal(turn_fixture_refresh(f, 600), 437);
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_ALLOCATE);
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &denied), 403);
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
    assert_int_equal(ask(f), 437);
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
}

static void the_realm_chooses_the_manner(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_become_firezone(f);
    assert_int_equal(ask_and_leave(f), TURN_FIXTURE_SUCCESS);
    f->realm = NULL; // a stamped credential in the RFC's realm is a stranger's
    assert_int_equal(ask(f), 401);
    assert_true(bytes_equal_text(turn_fixture_value(f, STUN_ATTR_REALM), "fairlead"));
    assert_false(stun_message_has(&f->response, STUN_ATTR_MESSAGE_INTEGRITY));
    f->user = "alice";
    f->password = "secret";
    assert_int_equal(ask_and_leave(f), TURN_FIXTURE_SUCCESS);
    f->realm = "firezone"; // and the other way round
    assert_int_equal(ask(f), TURN_FIXTURE_SILENCE);
}

static void without_a_stamp_secret_firezone_is_a_realm_like_others(void **state)
{
    struct turn_fixture *f = *state;

    f->realm = "firezone";
    assert_int_equal(ask(f), 401);
    assert_true(bytes_equal_text(turn_fixture_value(f, STUN_ATTR_REALM), "fairlead"));
    struct turn_config config = turn_fixture_config();
    config.realm = bytes_of_text("firezone");
    turn_fixture_restart(f, &config);
    assert_int_equal(ask(f), TURN_FIXTURE_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(takes_every_proof_with_every_algorithm),
        TURN_FIXTURE_TEST(of_two_proofs_the_stronger_one_counts),
        TURN_FIXTURE_TEST(offers_both_algorithms_and_says_so_in_the_nonce),
        TURN_FIXTURE_TEST(refuses_by_400_a_bid_down),
        TURN_FIXTURE_TEST(the_key_is_that_of_the_algorithm_that_was_named),
        TURN_FIXTURE_TEST(asks_for_hidden_usernames_only_while_all_can_be_found),
        TURN_FIXTURE_TEST(a_hidden_user_is_the_same_user),
        TURN_FIXTURE_TEST(a_hidden_stranger_is_a_stranger),
        TURN_FIXTURE_TEST(of_username_and_hash_the_name_counts),
        TURN_FIXTURE_TEST(rest_credentials_are_good_under_each_secret),
        TURN_FIXTURE_TEST(rest_credentials_end_with_their_second),
        TURN_FIXTURE_TEST(dated_users_without_a_secret_are_strangers),
        TURN_FIXTURE_TEST(firezones_first_401_is_signed),
        TURN_FIXTURE_TEST(firezones_first_401_is_signed_for_whoever_does_not_sign_too),
        TURN_FIXTURE_TEST(any_bad_nonce_of_firezones_is_438_and_signed),
        TURN_FIXTURE_TEST(firezones_wrong_password_gets_a_signed_401),
        TURN_FIXTURE_TEST(firezones_credential_ends_with_its_second),
        TURN_FIXTURE_TEST(firezones_unreadable_usernames_get_no_answer),
        TURN_FIXTURE_TEST(all_of_firezones_errors_are_signed),
        TURN_FIXTURE_TEST(the_realm_chooses_the_manner),
        TURN_FIXTURE_TEST(without_a_stamp_secret_firezone_is_a_realm_like_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
