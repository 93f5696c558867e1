// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"

static void every_reason_has_words_of_its_own(void **state)
{
    (void)state;
    assert_null(turn_refusal_words(TURN_REFUSAL_NONE));
    for (enum turn_refusal i = TURN_REFUSAL_NONE + 1; i < TURN_REFUSAL_END; i++) {
        assert_true(strlen(turn_refusal_words(i)) > 0);
        for (enum turn_refusal j = TURN_REFUSAL_NONE + 1; j < i; j++) {
            assert_string_not_equal(turn_refusal_words(i), turn_refusal_words(j));
        }
    }
}

// --allow-peer lifts what a kind of address is denied for, and nothing else.
static void only_kinds_of_peers_can_be_lifted(void **state)
{
    (void)state;
    for (enum turn_refusal i = TURN_REFUSAL_NONE; i < TURN_REFUSAL_END; i++) {
        bool is_peer = i >= TURN_REFUSAL_RULE && i <= TURN_REFUSAL_DOCUMENTATION;
        bool is_credential = i >= TURN_REFUSAL_STRANGER && i < TURN_REFUSAL_RULE;
        assert_int_equal(turn_refusal_is_credential(i), is_credential);
        assert_int_equal(turn_refusal_is_peer(i), is_peer);
        assert_int_equal(turn_refusal_is_liftable(i), is_peer && i >= TURN_REFUSAL_OWN);
    }
}

// --- each limit is told apart from its neighbours, and named with its option ---------------------

static void expect_words(const struct turn_fixture *f, const char *option)
{
    const struct turn_command_report *report = turn_fixture_report(f, TURN_EVENT_EXHAUSTED);

    assert_non_null(report);
    assert_non_null(strstr(turn_refusal_words(report->refusal), option));
}

static void names_the_option_of_the_limit_that_was_met(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct addr peer = turn_fixture_addr("192.0.2.1", 9);

    config.max_permissions = 3;
    config.permissions_per_allocation = 2;
    config.max_channels = 2;
    config.channels_per_allocation = 1;
    turn_fixture_restart(f, &config);
    for (uint16_t client = 1; client <= 3; client++) {
        f->tuple.client.port = (uint16_t)(4000 + client);
        turn_fixture_allocate(f);
        peer.ip[3] = 1;
        peer.port = 9;
        int code = turn_fixture_bind(f, 0x4000, &peer);
        assert_int_equal(code, client <= 2 ? TURN_FIXTURE_SUCCESS : 508);
        if (client == 1) {
            peer.port = 10;
            assert_int_equal(turn_fixture_bind(f, 0x4001, &peer), 508);
            expect_words(f, "--channels-per-allocation");
            peer.ip[3] = 2;
            assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
            peer.ip[3] = 3;
            assert_int_equal(turn_fixture_permit(f, &peer), 508);
            expect_words(f, "--permissions-per-allocation");
        }
    }
    expect_words(f, "--max-channels");
    assert_int_equal(turn_fixture_permit(f, &peer), 508);
    expect_words(f, "--max-permissions");
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_ALLOCATIONS_CHANNELS), 1);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_ALLOCATIONS_PERMISSIONS), 1);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_CHANNELS), 1);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_PERMISSIONS), 1);
}

static void counts_what_the_system_has_not(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    f->refusals = 1;
    f->refusal = TURN_SYSTEM_REFUSED;
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_SOCKETS), 1);
    f->refusals = UINT32_MAX;
    f->refusal = TURN_PORT_REFUSED;
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_BINDS), 1);
}

// --- what is wrong with a credential
// --------------------------------------------------------------

static const struct turn_command_report *guess(struct turn_fixture *f, int code)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), code);
    const struct turn_command_report *report = turn_fixture_report(f, TURN_EVENT_UNPROVEN);
    assert_non_null(report);
    assert_true(addr_equal(&report->tuple.client, &f->tuple.client));
    return report;
}

static void tells_a_wrong_password_from_a_user_who_does_not_exist(void **state)
{
    struct turn_fixture *f = *state;

    f->password = "guess";
    const struct turn_command_report *report = guess(f, 401);
    assert_int_equal(report->refusal, TURN_REFUSAL_PASSWORD);
    assert_true(bytes_equal_text(report->username, "alice"));
    assert_true(report->is_client_certain);
    f->user = "mallory";
    report = guess(f, 401);
    assert_int_equal(report->refusal, TURN_REFUSAL_STRANGER);
    assert_int_equal(report->username.len, 0); // who knows what it is that was typed there
    f->user = "1999999999:carol";              // as --auth-secret would make it, if there were one
    assert_int_equal(guess(f, 401)->refusal, TURN_REFUSAL_STRANGER);
    f->user = "alice";
    f->realm = "elsewhere";
    assert_int_equal(guess(f, 401)->refusal, TURN_REFUSAL_REALM);
}

static void tells_what_is_wrong_with_a_credential_that_ends(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    const struct bytes secret = BYTES_LITERAL("north");
    char password[TURN_CREDENTIAL_REST_LEN + 1] = {0};

    config.auth_secrets = &secret;
    config.auth_secret_count = 1;
    turn_fixture_restart(f, &config);
    f->user = "1700000000:carol";
    turn_credential_rest_password(secret, bytes_of_text(f->user), (uint8_t *)password);
    f->password = password;
    f->now.wall_s = 1700000001;
    const struct turn_command_report *report = guess(f, 401);
    assert_int_equal(report->refusal, TURN_REFUSAL_REST_OVER);
    assert_true(bytes_equal_text(report->username, f->user));
    f->password = "guess";
    assert_int_equal(guess(f, 401)->refusal, TURN_REFUSAL_REST_PASSWORD);
}

static void tells_what_is_wrong_with_firezones_credentials(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_become_firezone(f);
    f->now.wall_s = 1892160001;
    assert_int_equal(guess(f, 401)->refusal, TURN_REFUSAL_FIREZONE_OVER);
    f->password = "guess";
    assert_int_equal(guess(f, 401)->refusal, TURN_REFUSAL_FIREZONE_PASSWORD);
    f->user = "a:b:c";
    assert_int_equal(guess(f, TURN_FIXTURE_SILENCE)->refusal, TURN_REFUSAL_FIREZONE_NAME);
}

// Passwords can be guessed without ever taking a nonce, and so under anybody's address.
static void does_not_vouch_for_the_address_of_who_has_no_nonce_of_his(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    turn_fixture_nonce(f, nonce);
    f->tuple.client.ip[3]++;
    f->password = "guess";
    turn_fixture_begin_allocate(f, &draft);
    turn_fixture_sign_with(f, &draft, (struct bytes){nonce, sizeof nonce});
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
    assert_false(turn_fixture_report(f, TURN_EVENT_UNPROVEN)->is_client_certain);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_PASSWORD), 1);
}

static void says_nothing_of_who_proves_himself_or_has_not_tried(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    turn_fixture_nonce(f, nonce); // a first request
    assert_null(turn_fixture_report(f, TURN_EVENT_UNPROVEN));
    turn_fixture_allocate(f);
    assert_null(turn_fixture_report(f, TURN_EVENT_UNPROVEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_words_of_its_own),
        cmocka_unit_test(only_kinds_of_peers_can_be_lifted),
        TURN_FIXTURE_TEST(names_the_option_of_the_limit_that_was_met),
        TURN_FIXTURE_TEST(counts_what_the_system_has_not),
        TURN_FIXTURE_TEST(tells_a_wrong_password_from_a_user_who_does_not_exist),
        TURN_FIXTURE_TEST(tells_what_is_wrong_with_a_credential_that_ends),
        TURN_FIXTURE_TEST(tells_what_is_wrong_with_firezones_credentials),
        TURN_FIXTURE_TEST(does_not_vouch_for_the_address_of_who_has_no_nonce_of_his),
        TURN_FIXTURE_TEST(says_nothing_of_who_proves_himself_or_has_not_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
