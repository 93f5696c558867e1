// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_error.h"
#include "turn/turn_fixture.h"

static const uint8_t transaction[STUN_TRANSACTION_LEN] = {1, 2, 3};

static bool is_signed_with(const struct turn_fixture *f, const uint8_t key[STUN_KEY_LEN])
{
    return stun_message_is_intact(&f->response, (struct bytes){key, STUN_KEY_LEN});
}

// The types of all attributes of the response, in their order.
static size_t types_of(const struct turn_fixture *f, uint16_t *types, size_t room)
{
    struct rd rd = rd_init(bytes_from(f->response.whole, STUN_HEADER_LEN));
    struct stun_attr attr;
    size_t count = 0;

    while (rd.left > 0) {
        assert_true(stun_attr_read(&rd, &attr));
        assert_true(count < room);
        types[count++] = attr.type;
    }
    return count;
}

static void expect_types(const struct turn_fixture *f, const uint16_t *expected, size_t count)
{
    uint16_t types[16];

    assert_int_equal(types_of(f, types, COUNT_OF(types)), count);
    assert_memory_equal(types, expected, count * sizeof *expected);
}

static void a_challenge_says_realm_and_nonce_and_nothing_else(void **state)
{
    static const uint16_t types[] = {STUN_ATTR_ERROR_CODE, STUN_ATTR_REALM, STUN_ATTR_NONCE};
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
    expect_types(f, types, COUNT_OF(types));
    assert_true(bytes_equal_text(turn_fixture_value(f, STUN_ATTR_REALM), "fairlead"));
    assert_memory_equal(&f->response.header.transaction, &draft.transaction,
                        sizeof draft.transaction);
    assert_int_equal(f->response.header.method, STUN_ALLOCATE);
}

static void echoes_fingerprint(void **state)
{
    static const uint16_t types[] = {STUN_ATTR_ERROR_CODE, STUN_ATTR_REALM, STUN_ATTR_NONCE,
                                     STUN_ATTR_FINGERPRINT};
    static const uint16_t signed_types[] = {STUN_ATTR_XOR_RELAYED_ADDRESS, STUN_ATTR_LIFETIME,
                                            STUN_ATTR_XOR_MAPPED_ADDRESS,
                                            STUN_ATTR_MESSAGE_INTEGRITY, STUN_ATTR_FINGERPRINT};
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    stun_writer_fingerprint(&draft.writer);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
    expect_types(f, types, COUNT_OF(types)); // reading the response has checked its value
    turn_fixture_begin_allocate(f, &draft);
    turn_fixture_sign(f, &draft);
    stun_writer_fingerprint(&draft.writer);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
    expect_types(f, signed_types, COUNT_OF(signed_types));
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_BINDING);
    stun_writer_fingerprint(&draft.writer);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
    assert_true(stun_message_has(&f->response, STUN_ATTR_FINGERPRINT));
}

static void all_responses_to_signed_requests_are_signed(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct addr denied = turn_fixture_addr("127.0.0.1", 9);
    struct turn_fixture_draft draft;
    uint8_t key[STUN_KEY_LEN];

    turn_fixture_key(f, key);
    assert_int_equal(turn_fixture_refresh(f, 600), 437);
    assert_true(is_signed_with(f, key));
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_ALLOCATE);
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    assert_true(is_signed_with(f, key));
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u32_write(&draft.writer.wr, 0x002f, 0);
    assert_int_equal(turn_fixture_ask(f, &draft), 420);
    assert_true(is_signed_with(f, key));
    f->refusals = 1;
    f->refusal = TURN_SYSTEM_REFUSED;
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    assert_true(is_signed_with(f, key));
    turn_fixture_allocate(f);
    assert_true(is_signed_with(f, key));
    assert_int_equal(turn_fixture_permit(f, &denied), 403);
    assert_true(is_signed_with(f, key));
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    assert_true(is_signed_with(f, key));
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_true(is_signed_with(f, key));
    f->user = "bob";
    f->password = "hidden";
    assert_int_equal(turn_fixture_refresh(f, 0), 441);
    assert_false(is_signed_with(f, key));
    turn_fixture_key(f, key); // with the key of whoever asked
    assert_true(is_signed_with(f, key));
}

static void unproven_requests_get_unsigned_responses(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    f->password = "guess";
    assert_int_equal(turn_fixture_refresh(f, 600), 401);
    assert_false(stun_message_has(&f->response, STUN_ATTR_MESSAGE_INTEGRITY));
    f->password = "secret";
    turn_fixture_begin_allocate(f, &draft);
    turn_fixture_sign_with(f, &draft, bytes_of_text("stale"));
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 438);
    assert_false(stun_message_has(&f->response, STUN_ATTR_MESSAGE_INTEGRITY));
}

static void lists_unknown_attributes(void **state)
{
    static const uint16_t types[] = {0x002f, 0x7fff, 0x0002};
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    for (size_t count = 1; count <= COUNT_OF(types); count++) {
        turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_BINDING);
        stun_attr_u32_write(&draft.writer.wr, 0x8030, 0); // may be ignored
        for (size_t i = 0; i < count; i++) {
            stun_attr_u32_write(&draft.writer.wr, types[i], 0);
            stun_attr_u32_write(&draft.writer.wr, types[i], 0); // is listed once
        }
        assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 420);
        struct bytes list = turn_fixture_value(f, STUN_ATTR_UNKNOWN_ATTRIBUTES);
        assert_int_equal(list.len, count * 2);
        struct rd rd = rd_init(list);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(rd_u16(&rd), types[i]);
        }
    }
}

static void the_longest_response_fits(void **state)
{
    static char realm[TURN_CONFIG_REALM_MAX];
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct turn_fixture_draft draft;

    memset(realm, 'r', sizeof realm);
    config.realm = (struct bytes){(uint8_t *)realm, sizeof realm};
    turn_fixture_restart(f, &config);
    turn_fixture_begin_allocate(f, &draft);
    stun_writer_fingerprint(&draft.writer);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
    assert_int_equal(turn_fixture_value(f, STUN_ATTR_REALM).len, sizeof realm);
    f->tuple.client = turn_fixture_addr("2001:db8::1", 4001);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    turn_fixture_sign(f, &draft);
    stun_writer_fingerprint(&draft.writer);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
}

static void answers_strangers_with_four_times_their_bytes_at_most(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t raw[STUN_HEADER_LEN];

    for (uint16_t method = 0; method < 16; method++) {
        struct stun_header header = {.method = method};
        struct wr wr = wr_init(raw, sizeof raw);
        memcpy(header.transaction.id, transaction, sizeof header.transaction.id);
        stun_header_write(&wr, &header);
        if (turn_fixture_send(f, wr_done(&wr)) != TURN_FIXTURE_SILENCE) {
            assert_in_range(f->response.whole.len, STUN_HEADER_LEN, 4 * STUN_HEADER_LEN);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(a_challenge_says_realm_and_nonce_and_nothing_else),
        TURN_FIXTURE_TEST(echoes_fingerprint),
        TURN_FIXTURE_TEST(all_responses_to_signed_requests_are_signed),
        TURN_FIXTURE_TEST(unproven_requests_get_unsigned_responses),
        TURN_FIXTURE_TEST(lists_unknown_attributes),
        TURN_FIXTURE_TEST(the_longest_response_fits),
        TURN_FIXTURE_TEST(answers_strangers_with_four_times_their_bytes_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
