// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_error.h"
#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

static const uint8_t transaction[STUN_TRANSACTION_LEN] = {1, 2, 3};

static bool is_signed_with(const struct turn_fixture *f, const struct turn_key *key)
{
    return stun_message_is_intact(&f->response, turn_key_bytes(key));
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

static void a_challenge_says_realm_nonce_and_algorithms_and_nothing_else(void **state)
{
    static const uint16_t types[] = {STUN_ATTR_ERROR_CODE, STUN_ATTR_REALM, STUN_ATTR_NONCE,
                                     STUN_ATTR_PASSWORD_ALGORITHMS};
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
                                     STUN_ATTR_PASSWORD_ALGORITHMS, STUN_ATTR_FINGERPRINT};
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
    struct turn_key key = turn_fixture_key(f);

    assert_int_equal(turn_fixture_refresh(f, 600), 437);
    assert_true(is_signed_with(f, &key));
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_ALLOCATE);
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    assert_true(is_signed_with(f, &key));
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u32_write(&draft.writer.wr, 0x002f, 0);
    assert_int_equal(turn_fixture_ask(f, &draft), 420);
    assert_true(is_signed_with(f, &key));
    f->refusals = 1;
    f->refusal = TURN_SYSTEM_REFUSED;
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    assert_true(is_signed_with(f, &key));
    turn_fixture_allocate(f);
    assert_true(is_signed_with(f, &key));
    assert_int_equal(turn_fixture_permit(f, &denied), 403);
    assert_true(is_signed_with(f, &key));
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    assert_true(is_signed_with(f, &key));
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_true(is_signed_with(f, &key));
    f->user = "bob";
    f->password = "hidden";
    assert_int_equal(turn_fixture_refresh(f, 0), 441);
    assert_false(is_signed_with(f, &key));
    key = turn_fixture_key(f); // with the key of whoever asked
    assert_true(is_signed_with(f, &key));
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
    static char software[TURN_CONFIG_SOFTWARE_MAX];
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct turn_fixture_draft draft;

    memset(realm, 'r', sizeof realm);
    memset(software, 's', sizeof software);
    config.realm = (struct bytes){(uint8_t *)realm, sizeof realm};
    config.software = (struct bytes){(uint8_t *)software, sizeof software};
    turn_fixture_restart(f, &config);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_SOFTWARE, config.software); // may be answered long
    stun_writer_fingerprint(&draft.writer);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
    assert_int_equal(turn_fixture_value(f, STUN_ATTR_REALM).len, sizeof realm);
    assert_int_equal(turn_fixture_value(f, STUN_ATTR_SOFTWARE).len, sizeof software);
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];
    memcpy(nonce, turn_fixture_value(f, STUN_ATTR_NONCE).ptr, sizeof nonce);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    f->signing = TURN_FIXTURE_SHA256 | TURN_FIXTURE_SHA_NAMED;
    turn_fixture_sign_with(f, &draft, (struct bytes){nonce, sizeof nonce});
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

// --- The amplification limit ---------------------------------------------------------------------

// Everything that a stranger can be answered: Binding, 420 to it, 400 to a broken value, the first
// 401, 400 to half a credential, 438, 401 to a wrong one, each of Firezone's, and with and without
// FINGERPRINT. `padding` bytes of SOFTWARE make requests longer.
enum { STRANGE_KINDS = 9 };

static struct bytes strange_request(struct turn_fixture *f, struct turn_fixture_draft *draft,
                                    unsigned kind, size_t padding, bool has_fingerprint)
{
    static const uint8_t zeros[TURN_CONFIG_SOFTWARE_MAX];
    struct wr *wr = &draft->writer.wr;
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];

    if (kind == 6) { // with a wrong password and a good nonce, which long requests get
        turn_nonce_write(&f->server->nonce, f->now, &f->tuple.client, nonce);
    }
    turn_fixture_begin(f, draft, STUN_REQUEST, kind < 2 ? STUN_BINDING : STUN_ALLOCATE);
    if (padding > 0) {
        stun_attr_write(wr, STUN_ATTR_SOFTWARE, (struct bytes){zeros, padding});
    }
    switch (kind) {
    case 1: // as many unknown types as there is room for in a short request
        for (uint16_t type = 0x0030; type < 0x0038; type++) {
            stun_attr_write(wr, type, (struct bytes){0});
        }
        break;
    case 2:
        stun_attr_write(wr, STUN_ATTR_LIFETIME, (struct bytes){zeros, 1});
        break;
    case 4:
        stun_attr_write(wr, STUN_ATTR_MESSAGE_INTEGRITY, (struct bytes){zeros, 20});
        break;
    case 5:
    case 8:
        turn_fixture_sign_with(f, draft, bytes_of_text("x"));
        break;
    case 6:
        turn_fixture_sign_with(f, draft, (struct bytes){nonce, sizeof nonce});
        break;
    case 7: // Firezone's greeting
        turn_fixture_sign_with(f, draft, (struct bytes){0});
        break;
    default:
        break;
    }
    if (has_fingerprint) {
        stun_writer_fingerprint(&draft->writer);
    }
    return turn_fixture_finish(draft);
}

static uint64_t responses_counted(struct turn_fixture *f)
{
    const struct turn_stats *stats = turn_server_stats(f->server);
    uint64_t sum = 0;

    for (size_t i = 0; i < TURN_STATS_METHOD_COUNT; i++) {
        for (size_t k = 0; k < TURN_STATS_OUTCOME_COUNT; k++) {
            sum += stats->responses[i][k];
        }
    }
    return sum;
}

static void check_amplification(struct turn_fixture *f, uint32_t factor)
{
    struct turn_config config = turn_fixture_config();

    config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    config.max_amplification = factor;
    config.software = bytes_of_text("fairlead of a version with a long name");
    turn_fixture_restart(f, &config);
    for (unsigned kind = 0; kind < STRANGE_KINDS; kind++) {
        bool is_firezone = kind >= 7;
        uint64_t answered = 0;
        f->realm = NULL;
        f->user = "mallory";
        f->password = "guess";
        if (is_firezone) {
            turn_fixture_use_firezone(f, "1892160000:n23JJ2wKKtt30oXi");
        }
        for (size_t padding = 0; padding < 2 * TURN_CONFIG_SOFTWARE_MAX; padding++) {
            struct turn_fixture_draft draft;
            uint64_t withheld = turn_server_stats(f->server)->responses_withheld;
            uint64_t counted = responses_counted(f);
            struct bytes whole = strange_request(f, &draft, kind, padding / 2, padding % 2 != 0);
            int code = turn_fixture_send(f, whole);
            bool is_withheld = turn_server_stats(f->server)->responses_withheld > withheld;
            assert_int_equal(code == TURN_FIXTURE_SILENCE, is_withheld);
            assert_int_equal(responses_counted(f) - counted, !is_withheld);
            if (!is_withheld) {
                assert_true(f->response.whole.len <= factor * whole.len);
                answered++;
            }
        }
        assert_true(answered > 0); // whoever asks at length is answered
    }
}

static void answers_strangers_of_every_kind_with_four_times_their_bytes_at_most(void **state)
{
    check_amplification(*state, 4);
}

static void answers_strangers_of_every_kind_with_no_more_than_their_bytes(void **state)
{
    check_amplification(*state, 1);
}

static void the_limit_is_none_for_those_who_have_proven_themselves(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct turn_fixture_draft draft;
    static char software[TURN_CONFIG_SOFTWARE_MAX];

    memset(software, 's', sizeof software);
    config.max_amplification = 1;
    config.software = (struct bytes){(uint8_t *)software, sizeof software};
    turn_fixture_restart(f, &config);
    uint8_t nonce[TURN_NONCE_LEN];
    turn_nonce_write(&f->server->nonce, f->now, &f->tuple.client, nonce);
    turn_fixture_begin_allocate(f, &draft);
    turn_fixture_sign_with(f, &draft, (struct bytes){nonce, sizeof nonce});
    struct bytes whole = turn_fixture_finish(&draft);
    assert_int_equal(turn_fixture_send(f, whole), TURN_FIXTURE_SUCCESS);
    assert_true(f->response.whole.len > whole.len);
}

// Browsers ask by an Allocate of 28 bytes. They must get their challenge whatever --software says.
static void a_challenge_leaves_software_out_rather_than_be_withheld(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct turn_fixture_draft draft;
    static char software[TURN_CONFIG_SOFTWARE_MAX];

    memset(software, 's', sizeof software);
    config.software = (struct bytes){(uint8_t *)software, sizeof software};
    config.realm = bytes_of_text("turn.example.org");
    turn_fixture_restart(f, &config);
    turn_fixture_begin_allocate(f, &draft);
    struct bytes whole = turn_fixture_finish(&draft);
    assert_int_equal(whole.len, 28);
    assert_int_equal(turn_fixture_send(f, whole), 401);
    assert_false(stun_message_has(&f->response, STUN_ATTR_SOFTWARE));
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_BINDING);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
    assert_false(stun_message_has(&f->response, STUN_ATTR_SOFTWARE));
}

static void says_its_software_only_when_it_is_told_to(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    turn_fixture_allocate(f);
    assert_false(stun_message_has(&f->response, STUN_ATTR_SOFTWARE));
    config.software = bytes_of_text("fairlead");
    turn_fixture_restart(f, &config);
    turn_fixture_allocate(f);
    assert_true(bytes_equal_text(turn_fixture_value(f, STUN_ATTR_SOFTWARE), "fairlead"));
}

static void counts_each_by_method_and_code(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    const struct addr peer = turn_fixture_addr("8.8.4.4", 9);
    const struct addr loopback = turn_fixture_addr("127.0.0.1", 9);

    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_BINDING);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), 401);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_permit(f, &loopback), 403);
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x3fff, &peer), 400);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_refresh(f, 0), 437);
    struct turn_stats stats = *turn_server_stats(f->server);
    const struct {
        enum turn_stats_method method;
        enum turn_stats_outcome outcome;
    } expected[] = {
        {TURN_STATS_BINDING, TURN_STATS_SUCCESS},
        {TURN_STATS_ALLOCATE, TURN_STATS_UNAUTHENTICATED},
        {TURN_STATS_ALLOCATE, TURN_STATS_SUCCESS},
        {TURN_STATS_CREATE_PERMISSION, TURN_STATS_FORBIDDEN},
        {TURN_STATS_CREATE_PERMISSION, TURN_STATS_SUCCESS},
        {TURN_STATS_CHANNEL_BIND, TURN_STATS_BAD_REQUEST},
        {TURN_STATS_REFRESH, TURN_STATS_SUCCESS},
        {TURN_STATS_REFRESH, TURN_STATS_ALLOCATION_MISMATCH},
    };
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_true(stats.responses[expected[i].method][expected[i].outcome] > 0);
    }
    for (size_t i = 0; i < TURN_STATS_METHOD_COUNT; i++) {
        for (size_t k = 0; k < TURN_STATS_OUTCOME_COUNT; k++) {
            bool is_expected = false;
            for (size_t n = 0; n < COUNT_OF(expected); n++) {
                is_expected |= expected[n].method == i && expected[n].outcome == k;
            }
            assert_int_equal(stats.responses[i][k] > 0, is_expected);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(a_challenge_says_realm_nonce_and_algorithms_and_nothing_else),
        TURN_FIXTURE_TEST(echoes_fingerprint),
        TURN_FIXTURE_TEST(all_responses_to_signed_requests_are_signed),
        TURN_FIXTURE_TEST(unproven_requests_get_unsigned_responses),
        TURN_FIXTURE_TEST(lists_unknown_attributes),
        TURN_FIXTURE_TEST(the_longest_response_fits),
        TURN_FIXTURE_TEST(answers_strangers_with_four_times_their_bytes_at_most),
        TURN_FIXTURE_TEST(answers_strangers_of_every_kind_with_four_times_their_bytes_at_most),
        TURN_FIXTURE_TEST(answers_strangers_of_every_kind_with_no_more_than_their_bytes),
        TURN_FIXTURE_TEST(the_limit_is_none_for_those_who_have_proven_themselves),
        TURN_FIXTURE_TEST(a_challenge_leaves_software_out_rather_than_be_withheld),
        TURN_FIXTURE_TEST(says_its_software_only_when_it_is_told_to),
        TURN_FIXTURE_TEST(counts_each_by_method_and_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
