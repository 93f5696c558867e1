// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"

static const uint16_t signed_methods[] = {STUN_ALLOCATE, STUN_REFRESH, STUN_CREATE_PERMISSION,
                                          STUN_CHANNEL_BIND};

enum part { USERNAME = 1, REALM = 2, NONCE = 4, INTEGRITY = 8, UNKNOWN = 16 };

// An Allocate whose credentials are chosen one by one.
static int ask(struct turn_fixture *f, unsigned parts, struct bytes nonce)
{
    struct turn_fixture_draft draft;
    struct wr *wr = &draft.writer.wr;
    struct turn_key key = turn_fixture_key(f);

    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_ALLOCATE);
    // So long that each answer fits into four times its request (max_amplification).
    stun_attr_write(wr, STUN_ATTR_SOFTWARE, bytes_of_text("a client of the tests"));
    if ((parts & UNKNOWN) != 0) {
        stun_attr_u32_write(wr, 0x002f, 0);
    }
    if ((parts & USERNAME) != 0) {
        stun_attr_write(wr, STUN_ATTR_USERNAME, bytes_of_text(f->user));
    }
    if ((parts & REALM) != 0) {
        stun_attr_write(wr, STUN_ATTR_REALM, f->config.realm);
    }
    if ((parts & NONCE) != 0) {
        stun_attr_write(wr, STUN_ATTR_NONCE, nonce);
    }
    if ((parts & INTEGRITY) != 0) {
        stun_writer_integrity(&draft.writer, turn_key_bytes(&key));
    }
    return turn_fixture_send(f, turn_fixture_finish(&draft));
}

// --- Binding -------------------------------------------------------------------------------------

static void answers_binding_to_anyone(void **state)
{
    static const char *const ips[] = {"198.51.100.1", "2001:db8::1"};
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(ips); i++) {
        struct turn_fixture_draft draft;
        f->tuple.client = turn_fixture_addr(ips[i], 4001);
        turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_BINDING);
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
        struct addr mapped = turn_fixture_address(f, STUN_ATTR_XOR_MAPPED_ADDRESS);
        assert_true(addr_equal(&mapped, &f->tuple.client));
        assert_int_equal(f->response.whole.len, i == 0 ? 32 : 44); // and nothing more
    }
    assert_int_equal(turn_server_stats(f->server)->binding_requests, 2);
}

// --- Credentials, RFC 8489 section 9.2.4
// ----------------------------------------------------------

static void challenges_whoever_does_not_sign(void **state)
{
    struct turn_fixture *f = *state;

    for (unsigned parts = 0; parts < INTEGRITY; parts++) { // whatever else is there
        assert_int_equal(ask(f, parts, bytes_of_text("nonce")), 401);
    }
    for (size_t i = 0; i < COUNT_OF(signed_methods); i++) {
        struct turn_fixture_draft draft;
        turn_fixture_begin(f, &draft, STUN_REQUEST, signed_methods[i]);
        stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 600);
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
        assert_int_equal(f->response.header.method, signed_methods[i]);
    }
    assert_true(turn_fixture_is_empty(f));
}

static void refuses_half_credentials_by_400(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];
    struct bytes span = {nonce, sizeof nonce};

    turn_fixture_nonce(f, nonce);
    for (unsigned parts = 0; parts < 7; parts++) {
        assert_int_equal(ask(f, parts | INTEGRITY, span), 400);
        assert_false(stun_message_has(&f->response, STUN_ATTR_NONCE));
        assert_false(stun_message_has(&f->response, STUN_ATTR_MESSAGE_INTEGRITY));
    }
    assert_int_equal(ask(f, 7 | INTEGRITY, span), 400); // this one for want of a transport
    assert_true(stun_message_has(&f->response, STUN_ATTR_MESSAGE_INTEGRITY));
}

static void ends_a_nonce_by_438(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];
    struct bytes span = {nonce, sizeof nonce};

    turn_fixture_nonce(f, nonce);
    assert_int_equal(ask(f, 15, span), 400); // its credentials are right
    turn_fixture_wait(f, 3600 * SECOND_NS);
    assert_int_equal(ask(f, 15, span), 400); // across the hour's change of keys
    turn_fixture_wait(f, SECOND_NS);
    assert_int_equal(ask(f, 15, span), 438);
    memcpy(nonce, turn_fixture_value(f, STUN_ATTR_NONCE).ptr, sizeof nonce);
    assert_true(bytes_equal_text(turn_fixture_value(f, STUN_ATTR_REALM), "fairlead"));
    assert_int_equal(ask(f, 15, span), 400); // the new one is good
}

static void refuses_forged_and_foreign_nonces_by_438(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];
    struct bytes span = {nonce, sizeof nonce};

    assert_int_equal(ask(f, 15, bytes_of_text("")), 438);
    assert_int_equal(ask(f, 15, bytes_of_text("AAAAAAAAAAAAAAAAAAAA")), 438);
    turn_fixture_nonce(f, nonce);
    f->tuple.client.port++;
    assert_int_equal(ask(f, 15, span), 438);
    f->tuple.client.port--;
    assert_int_equal(ask(f, 15, span), 400);
    nonce[0] ^= 1;
    assert_int_equal(ask(f, 15, span), 438);
}

static void strangers_and_guessers_get_the_same_answer(void **state)
{
    static const struct {
        const char *user;
        const char *password;
    } rows[] = {{"alice", "guess"}, {"mallory", "guess"}, {"mallory", "secret"}, {"", ""}};
    struct turn_fixture *f = *state;
    uint8_t first[TURN_COMMAND_MESSAGE_MAX];
    size_t first_len = 0;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct turn_fixture_draft draft;
        f->user = rows[i].user;
        f->password = rows[i].password;
        turn_fixture_begin_allocate(f, &draft);
        turn_fixture_sign(f, &draft);
        memset(draft.raw + 8, 0x11, STUN_TRANSACTION_LEN); // signed is what counts: still wrong
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
        if (i == 0) {
            first_len = f->response.whole.len;
            memcpy(first, f->raw_response, first_len);
        }
        // At one moment and for one client even the nonce is the same.
        assert_int_equal(f->response.whole.len, first_len);
        assert_memory_equal(f->raw_response, first, first_len);
        // The response is on its way before anybody writes to a log.
        assert_int_equal(f->command_count, 2);
        assert_int_equal(f->commands[0].type, TURN_COMMAND_SEND);
        assert_int_equal(f->commands[1].type, TURN_COMMAND_REPORT);
    }
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_PASSWORD), 1);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_STRANGER), COUNT_OF(rows) - 1);
}

static void wants_its_own_realm(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    struct wr *wr = &draft.writer.wr;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    turn_fixture_nonce(f, nonce);
    struct turn_key key =
        turn_fixture_key(f); // the right key, so that it is the attribute that is refused
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(wr, STUN_ATTR_USERNAME, bytes_of_text("alice"));
    stun_attr_write(wr, STUN_ATTR_REALM, bytes_of_text("elsewhere"));
    stun_attr_write(wr, STUN_ATTR_NONCE, (struct bytes){nonce, sizeof nonce});
    stun_writer_integrity(&draft.writer, turn_key_bytes(&key));
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
    assert_true(bytes_equal_text(turn_fixture_value(f, STUN_ATTR_REALM), "fairlead"));
    f->config.realm = bytes_of_text("elsewhere"); // the key that goes with it does not help
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 401);
}

static void every_changed_byte_breaks_the_proof(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    turn_fixture_nonce(f, nonce);
    turn_fixture_begin_allocate(f, &draft);
    turn_fixture_sign_with(f, &draft, (struct bytes){nonce, sizeof nonce});
    struct bytes whole = turn_fixture_finish(&draft);
    for (size_t at = 0; at < whole.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            draft.raw[at] ^= (uint8_t)(1U << bit);
            int code = turn_fixture_send(f, whole);
            // Binding needs no proof; padding is covered by it like all else.
            if (code == TURN_FIXTURE_SUCCESS) {
                assert_int_equal(f->response.header.method, STUN_BINDING);
            }
            assert_int_equal(turn_fixture_gauges(f).allocations, 0);
            draft.raw[at] ^= (uint8_t)(1U << bit);
        }
    }
    assert_int_equal(turn_fixture_send(f, whole), TURN_FIXTURE_SUCCESS);
}

// --- The order of the checks
// ----------------------------------------------------------------------

static void checks_in_the_order_of_the_rfc(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];
    struct bytes good = {nonce, sizeof nonce};
    struct bytes stale = bytes_of_text("stale");
    struct addr denied = turn_fixture_addr("127.0.0.1", 9);

    turn_fixture_nonce(f, nonce);
    // Each step has all the later things wrong as well.
    f->password = "guess";
    assert_int_equal(ask(f, UNKNOWN, stale), 401);
    assert_int_equal(ask(f, UNKNOWN | INTEGRITY, stale), 400);
    assert_int_equal(ask(f, UNKNOWN | 15, stale), 401); // RFC 8489 asks for the nonce last
    assert_int_equal(ask(f, UNKNOWN | 15, good), 401);
    f->password = "secret";
    assert_int_equal(ask(f, UNKNOWN | 15, stale), 438);
    assert_false(stun_message_has(&f->response, STUN_ATTR_MESSAGE_INTEGRITY));
    assert_int_equal(ask(f, UNKNOWN | 15, good), 420);
    assert_int_equal(turn_fixture_permit(f, &denied), 437);
    turn_fixture_allocate(f);
    f->user = "bob";
    f->password = "hidden";
    assert_int_equal(turn_fixture_permit(f, &denied), 441);
    f->user = "alice";
    f->password = "secret";
    assert_int_equal(turn_fixture_permit(f, &denied), 403);
}

static void all_but_allocate_need_an_allocation_of_their_user(void **state)
{
    struct turn_fixture *f = *state;

    for (int has = 0; has < 2; has++) {
        for (size_t i = 1; i < COUNT_OF(signed_methods); i++) {
            struct turn_fixture_draft draft;
            turn_fixture_begin(f, &draft, STUN_REQUEST, signed_methods[i]);
            assert_int_equal(turn_fixture_ask(f, &draft), has == 0 ? 437 : 441);
        }
        f->user = "alice";
        f->password = "secret";
        if (has == 0) {
            turn_fixture_allocate(f);
        }
        f->user = "bob";
        f->password = "hidden";
    }
    assert_int_equal(turn_server_stats(f->server)->errors, 6);
    assert_int_equal(turn_fixture_gauges(f).allocations, 1);
}

// --- What is no request of ours
// -------------------------------------------------------------------

static void is_silent_about_methods_it_does_not_know(void **state)
{
    struct turn_fixture *f = *state;
    uint64_t dropped = 0;

    for (uint16_t method = 0; method < 0x1000; method++) {
        bool is_ours = method == 1 || method == 3 || method == 4 || method == 8 || method == 9;
        struct turn_fixture_draft draft;
        turn_fixture_begin(f, &draft, STUN_REQUEST, method);
        stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 600);
        int code = turn_fixture_send(f, turn_fixture_finish(&draft));
        assert_int_equal(code != TURN_FIXTURE_SILENCE, is_ours);
        dropped += !is_ours;
    }
    assert_int_equal(turn_server_stats(f->server)->dropped_unexpected, dropped);
}

static void answers_a_value_of_impossible_length_by_400(void **state)
{
    static const struct {
        uint16_t type;
        uint16_t len;
    } rows[] = {{STUN_ATTR_LIFETIME, 3},          {STUN_ATTR_LIFETIME, 8},
                {STUN_ATTR_CHANNEL_NUMBER, 2},    {STUN_ATTR_XOR_PEER_ADDRESS, 12},
                {STUN_ATTR_USERNAME, 764},        {STUN_ATTR_MESSAGE_INTEGRITY, 19},
                {STUN_ATTR_RESERVATION_TOKEN, 7}, {STUN_ATTR_DONT_FRAGMENT, 1}};
    static const uint8_t zeros[764];
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct turn_fixture_draft draft;
        turn_fixture_begin_allocate(f, &draft);
        stun_attr_write(&draft.writer.wr, rows[i].type, (struct bytes){zeros, rows[i].len});
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 400);
        turn_fixture_begin(f, &draft, STUN_INDICATION, STUN_SEND); // others get no answer
        stun_attr_write(&draft.writer.wr, rows[i].type, (struct bytes){zeros, rows[i].len});
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SILENCE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(answers_binding_to_anyone),
        TURN_FIXTURE_TEST(challenges_whoever_does_not_sign),
        TURN_FIXTURE_TEST(refuses_half_credentials_by_400),
        TURN_FIXTURE_TEST(ends_a_nonce_by_438),
        TURN_FIXTURE_TEST(refuses_forged_and_foreign_nonces_by_438),
        TURN_FIXTURE_TEST(strangers_and_guessers_get_the_same_answer),
        TURN_FIXTURE_TEST(wants_its_own_realm),
        TURN_FIXTURE_TEST(every_changed_byte_breaks_the_proof),
        TURN_FIXTURE_TEST(checks_in_the_order_of_the_rfc),
        TURN_FIXTURE_TEST(all_but_allocate_need_an_allocation_of_their_user),
        TURN_FIXTURE_TEST(is_silent_about_methods_it_does_not_know),
        TURN_FIXTURE_TEST(answers_a_value_of_impossible_length_by_400),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
