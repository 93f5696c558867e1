// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stun/reading.h"
#include "stun/rfc5769.h"
#include "stun/stun_fingerprint.h"
#include "stun/stun_integrity.h"

static const struct bytes key = BYTES_LITERAL("key");
static const uint8_t zeros[UINT16_MAX];

// --- Messages made by hand, so that the writer's mistakes cannot hide the reader's ---------------

struct draft {
    uint8_t raw[1024];
    struct wr wr;
};

static void begin(struct draft *draft)
{
    draft->wr = wr_init(draft->raw, sizeof draft->raw);
    wr_u16(&draft->wr, 0x0003); // an Allocate request
    wr_u16(&draft->wr, 0);
    wr_u32(&draft->wr, STUN_MAGIC_COOKIE);
    wr_text(&draft->wr, "transaction!");
}

static void add(struct draft *draft, uint16_t type, const void *value, size_t len)
{
    wr_u16(&draft->wr, type);
    wr_u16(&draft->wr, (uint16_t)len);
    wr_bytes(&draft->wr, (struct bytes){value, len});
    wr_zero(&draft->wr, (4 - len % 4) % 4);
}

static void add_text(struct draft *draft, uint16_t type, const char *text)
{
    add(draft, type, text, strlen(text));
}

static void set_length(struct draft *draft, size_t more)
{
    wr_u16_at(&draft->wr, 2, (uint16_t)(draft->wr.len - STUN_HEADER_LEN + more));
}

static void add_integrity(struct draft *draft)
{
    uint8_t value[STUN_INTEGRITY_LEN];

    stun_integrity(wr_done(&draft->wr), key, value);
    add(draft, STUN_ATTR_MESSAGE_INTEGRITY, value, sizeof value);
}

static void add_fingerprint(struct draft *draft)
{
    set_length(draft, 8);
    uint32_t value = stun_fingerprint(wr_done(&draft->wr));
    wr_u16(&draft->wr, STUN_ATTR_FINGERPRINT);
    wr_u16(&draft->wr, 4);
    wr_u32(&draft->wr, value);
}

static struct bytes end(struct draft *draft)
{
    set_length(draft, 0);
    assert_true(wr_ok(&draft->wr));
    return wr_done(&draft->wr);
}

// How many attributes of a type stun_message_next hands out.
static size_t count_of(const struct stun_message *message, enum stun_attr_type type)
{
    struct bytes value;
    size_t at = 0;
    size_t count = 0;

    while (stun_message_next(message, type, &at, &value)) {
        count++;
    }
    assert_false(stun_message_next(message, type, &at, &value)); // and stays at the end
    return count;
}

// --- The frame ----------------------------------------------------------------------------------

static void refuses_a_datagram_longer_than_the_message(void **state)
{
    uint8_t raw[256] = {0};

    (void)state;
    for (int sample = 0; sample < RFC5769_COUNT; sample++) {
        struct bytes right = rfc5769_message(sample);
        memcpy(raw, right.ptr, right.len);
        assert_int_equal(reading_outcome((struct bytes){raw, right.len}), STUN_MESSAGE_OK);
        for (size_t more = 1; more <= 8; more++) {
            assert_int_equal(reading_outcome((struct bytes){raw, right.len + more}),
                             STUN_MESSAGE_NOT_STUN);
        }
    }
}

static void refuses_every_other_length(void **state)
{
    struct draft draft;

    (void)state;
    begin(&draft);
    add_text(&draft, STUN_ATTR_USERNAME, "user");
    struct bytes whole = end(&draft);
    for (unsigned len = 0; len <= UINT16_MAX; len++) {
        wr_u16_at(&draft.wr, 2, (uint16_t)len);
        assert_int_equal(reading_outcome(whole),
                         len == 8 ? STUN_MESSAGE_OK : STUN_MESSAGE_NOT_STUN);
    }
}

static void refuses_a_body_that_is_no_multiple_of_four(void **state)
{
    struct draft draft;

    (void)state;
    for (size_t more = 1; more < 4; more++) {
        begin(&draft);
        wr_zero(&draft.wr, more);
        assert_int_equal(reading_outcome(end(&draft)), STUN_MESSAGE_NOT_STUN);
    }
}

static void reads_a_lone_header(void **state)
{
    struct draft draft;
    struct stun_message message;

    (void)state;
    begin(&draft);
    assert_int_equal(stun_message_read(end(&draft), &message), STUN_MESSAGE_OK);
    assert_int_equal(message.unknown_count, 0);
    assert_false(stun_message_has(&message, STUN_ATTR_USERNAME));
    assert_false(stun_message_is_intact(&message, key));
    assert_int_equal(count_of(&message, STUN_ATTR_XOR_PEER_ADDRESS), 0);
}

static void refuses_an_attribute_whose_length_lies(void **state)
{
    struct draft draft;

    (void)state;
    begin(&draft);
    add_text(&draft, STUN_ATTR_REALM, "12345678");
    struct bytes whole = end(&draft);
    for (unsigned len = 0; len <= UINT16_MAX; len++) {
        wr_u16_at(&draft.wr, STUN_HEADER_LEN + 2, (uint16_t)len);
        if (len > 8) {
            assert_int_equal(reading_outcome(whole), STUN_MESSAGE_MALFORMED);
        } else if (len > 4) {
            assert_int_equal(reading_outcome(whole), STUN_MESSAGE_OK);
        } else { // the rest of the value is read as an attribute
            assert_int_not_equal(reading_outcome(whole), STUN_MESSAGE_OK);
        }
    }
}

// Offsets have 16 bits: what lies behind must not be found at the wrong place.
static void refuses_a_message_longer_than_its_offsets_reach(void **state)
{
    static uint8_t raw[STUN_HEADER_LEN + 65532];
    struct stun_message message;

    (void)state;
    for (size_t data_len = 65464; data_len <= 65516; data_len += 4) {
        struct wr wr = wr_init(raw, sizeof raw);
        size_t body_len = 4 + data_len + 8;

        wr_u16(&wr, 0x0017);
        wr_u16(&wr, (uint16_t)body_len);
        wr_u32(&wr, STUN_MAGIC_COOKIE);
        wr_text(&wr, "transaction!");
        wr_u16(&wr, STUN_ATTR_DATA);
        wr_u16(&wr, (uint16_t)data_len);
        wr_bytes(&wr, (struct bytes){zeros, data_len});
        wr_u16(&wr, STUN_ATTR_NONCE);
        wr_u16(&wr, 4);
        wr_text(&wr, "once");
        assert_true(wr_ok(&wr));

        enum stun_message_outcome outcome = stun_message_read(wr_done(&wr), &message);
        if (wr.len <= UINT16_MAX) {
            assert_int_equal(outcome, STUN_MESSAGE_OK);
            assert_true(reading_has_text(&message, STUN_ATTR_NONCE, "once"));
        } else {
            assert_int_equal(outcome, STUN_MESSAGE_NOT_STUN);
        }
    }
}

// --- Lengths of the known types -----------------------------------------------------------------

static bool is_right_len(uint16_t type, size_t len)
{
    switch (type) {
    case STUN_ATTR_USERNAME:
    case STUN_ATTR_REALM:
    case STUN_ATTR_NONCE:
        return len <= 763;
    case STUN_ATTR_ERROR_CODE:
    case STUN_ATTR_ADDRESS_ERROR_CODE:
        return len >= 4 && len <= 4 + 763;
    case STUN_ATTR_MESSAGE_INTEGRITY:
        return len == 20;
    case STUN_ATTR_MESSAGE_INTEGRITY_SHA256: // TURN lets nobody truncate it
    case STUN_ATTR_USERHASH:
        return len == 32;
    case STUN_ATTR_PASSWORD_ALGORITHM:
    case STUN_ATTR_PASSWORD_ALGORITHMS:
        return len >= 4 && len % 4 == 0; // entries with their padding
    case STUN_ATTR_ALTERNATE_DOMAIN:
        return len <= 255;
    case STUN_ATTR_UNKNOWN_ATTRIBUTES:
        return len % 2 == 0;
    case STUN_ATTR_MAPPED_ADDRESS:
    case STUN_ATTR_XOR_PEER_ADDRESS:
    case STUN_ATTR_XOR_RELAYED_ADDRESS:
    case STUN_ATTR_XOR_MAPPED_ADDRESS:
    case STUN_ATTR_ALTERNATE_SERVER:
        return len == 8 || len == 20;
    case STUN_ATTR_CHANNEL_NUMBER:
    case STUN_ATTR_LIFETIME:
    case STUN_ATTR_REQUESTED_ADDRESS_FAMILY:
    case STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY:
    case STUN_ATTR_REQUESTED_TRANSPORT:
    case STUN_ATTR_FINGERPRINT:
        return len == 4;
    case STUN_ATTR_EVEN_PORT:
        return len == 1 || len == 4;
    case STUN_ATTR_RESERVATION_TOKEN:
    case STUN_ATTR_ICMP:
        return len == 8;
    case STUN_ATTR_DONT_FRAGMENT:
        return len == 0;
    default: // DATA and all that the codec does not know
        return true;
    }
}

static void refuses_known_types_with_every_wrong_length(void **state)
{
    struct draft draft;

    (void)state;
    for (unsigned step = 0; step < 2 * 0x60; step++) {
        const uint16_t type = (uint16_t)(step < 0x60 ? step : 0x8000 + step - 0x60);
        for (size_t len = 0; len <= 800; len++) {
            begin(&draft);
            add(&draft, type, zeros, len);
            enum stun_message_outcome expected = STUN_MESSAGE_OK;
            if (!is_right_len(type, len)) {
                expected = STUN_MESSAGE_BAD_VALUE;
            } else if (type == STUN_ATTR_FINGERPRINT) {
                expected = STUN_MESSAGE_BAD_CHECKSUM;
            }
            assert_int_equal(reading_outcome(end(&draft)), expected);
        }
    }
}

static void refuses_a_wrong_length_in_a_repeated_attribute_too(void **state)
{
    struct draft draft;

    (void)state;
    begin(&draft);
    add(&draft, STUN_ATTR_LIFETIME, zeros, 4);
    add(&draft, STUN_ATTR_LIFETIME, zeros, 5);
    assert_int_equal(reading_outcome(end(&draft)), STUN_MESSAGE_BAD_VALUE);
}

// --- Which attributes count ---------------------------------------------------------------------

static void takes_the_first_of_a_repeated_attribute(void **state)
{
    struct draft draft;
    struct stun_message message;
    struct bytes value;
    size_t at = 0;

    (void)state;
    begin(&draft);
    add_text(&draft, STUN_ATTR_USERNAME, "first");
    add_text(&draft, STUN_ATTR_REALM, "between");
    add_text(&draft, STUN_ATTR_USERNAME, "second");
    assert_int_equal(stun_message_read(end(&draft), &message), STUN_MESSAGE_OK);
    assert_true(reading_has_text(&message, STUN_ATTR_USERNAME, "first"));
    assert_true(reading_has_text(&message, STUN_ATTR_REALM, "between"));

    assert_true(stun_message_next(&message, STUN_ATTR_USERNAME, &at, &value));
    assert_true(bytes_equal_text(value, "first"));
    assert_true(stun_message_next(&message, STUN_ATTR_USERNAME, &at, &value));
    assert_true(bytes_equal_text(value, "second"));
    assert_false(stun_message_next(&message, STUN_ATTR_USERNAME, &at, &value));
    assert_true(bytes_equal_text(value, "second")); // untouched
}

static void counts_nothing_but_proofs_behind_message_integrity(void **state)
{
    struct draft draft;
    struct stun_message message;

    (void)state;
    begin(&draft);
    add(&draft, STUN_ATTR_XOR_PEER_ADDRESS, zeros, 8);
    add_integrity(&draft);
    add_text(&draft, STUN_ATTR_USERNAME, "smuggled");
    add(&draft, STUN_ATTR_XOR_PEER_ADDRESS, zeros, 8);
    add(&draft, STUN_ATTR_LIFETIME, zeros, 7); // its length does not matter here
    add(&draft, 0x7abc, zeros, 4);             // nor that it is unknown
    add(&draft, STUN_ATTR_MESSAGE_INTEGRITY, zeros, 20);
    add(&draft, STUN_ATTR_MESSAGE_INTEGRITY_SHA256, zeros, 32);
    add_text(&draft, STUN_ATTR_REALM, "smuggled");
    add_fingerprint(&draft);
    assert_int_equal(stun_message_read(end(&draft), &message), STUN_MESSAGE_OK);
    assert_false(stun_message_has(&message, STUN_ATTR_USERNAME));
    assert_false(stun_message_has(&message, STUN_ATTR_REALM));
    assert_false(stun_message_has(&message, STUN_ATTR_LIFETIME));
    assert_int_equal(message.unknown_count, 0);
    assert_int_equal(count_of(&message, STUN_ATTR_XOR_PEER_ADDRESS), 1);
    assert_true(stun_message_has(&message, STUN_ATTR_MESSAGE_INTEGRITY_SHA256));
    assert_true(stun_message_has(&message, STUN_ATTR_FINGERPRINT));
    assert_true(stun_message_is_intact(&message, key)); // by the first of the two
}

static void counts_nothing_but_fingerprint_behind_the_sha256(void **state)
{
    struct draft draft;
    struct stun_message message;

    (void)state;
    begin(&draft);
    add(&draft, STUN_ATTR_XOR_PEER_ADDRESS, zeros, 8);
    add(&draft, STUN_ATTR_MESSAGE_INTEGRITY_SHA256, zeros, 32);
    add(&draft, STUN_ATTR_XOR_PEER_ADDRESS, zeros, 20);
    add_text(&draft, STUN_ATTR_USERNAME, "smuggled");
    add_integrity(&draft);
    add_fingerprint(&draft);
    assert_int_equal(stun_message_read(end(&draft), &message), STUN_MESSAGE_OK);
    assert_false(stun_message_has(&message, STUN_ATTR_USERNAME));
    assert_false(stun_message_has(&message, STUN_ATTR_MESSAGE_INTEGRITY));
    assert_false(stun_message_is_intact(&message, key));
    assert_true(stun_message_has(&message, STUN_ATTR_FINGERPRINT));
    assert_int_equal(count_of(&message, STUN_ATTR_XOR_PEER_ADDRESS), 1);
}

// Each proof covers what stands before it, and the one behind covers the other.
static void proves_both_integrities_of_one_message(void **state)
{
    struct draft draft;
    struct stun_message message;
    uint8_t value[STUN_INTEGRITY_SHA256_LEN];

    (void)state;
    begin(&draft);
    add_text(&draft, STUN_ATTR_USERNAME, "user");
    add_integrity(&draft);
    stun_integrity_sha256(wr_done(&draft.wr), key, value);
    add(&draft, STUN_ATTR_MESSAGE_INTEGRITY_SHA256, value, sizeof value);
    add_fingerprint(&draft);
    assert_int_equal(stun_message_read(end(&draft), &message), STUN_MESSAGE_OK);
    assert_true(stun_message_is_intact(&message, key));
    assert_true(stun_message_is_intact_sha256(&message, key));

    begin(&draft);
    add_text(&draft, STUN_ATTR_USERNAME, "user");
    add_integrity(&draft);
    draft.raw[draft.wr.len - 1] ^= 1;
    add(&draft, STUN_ATTR_MESSAGE_INTEGRITY_SHA256, value, sizeof value);
    assert_int_equal(stun_message_read(end(&draft), &message), STUN_MESSAGE_OK);
    assert_false(stun_message_is_intact(&message, key));
    assert_false(stun_message_is_intact_sha256(&message, key));
}

static void hands_out_each_attribute_that_it_has(void **state)
{
    struct draft draft;
    struct stun_message message;

    (void)state;
    begin(&draft);
    add_text(&draft, STUN_ATTR_USERNAME, "user");
    add_integrity(&draft);
    add(&draft, STUN_ATTR_MESSAGE_INTEGRITY_SHA256, zeros, 32);
    add_fingerprint(&draft);
    assert_int_equal(stun_message_read(end(&draft), &message), STUN_MESSAGE_OK);
    assert_int_equal(count_of(&message, STUN_ATTR_USERNAME), 1);
    assert_int_equal(count_of(&message, STUN_ATTR_MESSAGE_INTEGRITY), 1);
    assert_int_equal(count_of(&message, STUN_ATTR_MESSAGE_INTEGRITY_SHA256), 1);
    assert_int_equal(count_of(&message, STUN_ATTR_FINGERPRINT), 1);
}

static void refuses_anything_behind_fingerprint(void **state)
{
    static const uint16_t types[] = {STUN_ATTR_USERNAME, STUN_ATTR_MESSAGE_INTEGRITY,
                                     STUN_ATTR_FINGERPRINT, 0x7abc, 0xfabc};
    struct draft draft;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        begin(&draft);
        add_fingerprint(&draft);
        add(&draft, types[i], zeros, 20);
        assert_int_equal(reading_outcome(end(&draft)), STUN_MESSAGE_MALFORMED);
    }
}

static void lists_each_unknown_required_type_once(void **state)
{
    static const uint16_t expected[STUN_MESSAGE_UNKNOWN_MAX] = {
        0x0000, 0x0002, 0x0024, 0x0030, 0x7fff, 0x002f, 0x001f, 0x001b,
    };
    struct draft draft;
    struct stun_message message;

    (void)state;
    begin(&draft);
    add(&draft, 0x8025, zeros, 4); // comprehension-optional: never listed
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        add(&draft, expected[i], zeros, i);
        add(&draft, expected[i / 2], zeros, 0);
        add(&draft, (uint16_t)(0xffff - i), zeros, 3);
        add(&draft, STUN_ATTR_DONT_FRAGMENT, zeros, 0);
        assert_int_equal(stun_message_read(end(&draft), &message), STUN_MESSAGE_OK);
        assert_int_equal(message.unknown_count, i + 1);
        assert_memory_equal(message.unknown, expected, (i + 1) * sizeof expected[0]);
    }
    for (uint16_t type = 0x4000; type < 0x4010; type++) { // a ninth and more are left out
        add(&draft, type, zeros, 0);
    }
    assert_int_equal(stun_message_read(end(&draft), &message), STUN_MESSAGE_OK);
    assert_int_equal(message.unknown_count, STUN_MESSAGE_UNKNOWN_MAX);
    assert_memory_equal(message.unknown, expected, sizeof expected);
}

// Every type that is not in enum stun_attr_type.
static bool is_unknown(uint16_t type)
{
    switch ((enum stun_attr_type)type) {
    case STUN_ATTR_MAPPED_ADDRESS:
    case STUN_ATTR_USERNAME:
    case STUN_ATTR_MESSAGE_INTEGRITY:
    case STUN_ATTR_ERROR_CODE:
    case STUN_ATTR_UNKNOWN_ATTRIBUTES:
    case STUN_ATTR_CHANNEL_NUMBER:
    case STUN_ATTR_LIFETIME:
    case STUN_ATTR_XOR_PEER_ADDRESS:
    case STUN_ATTR_DATA:
    case STUN_ATTR_REALM:
    case STUN_ATTR_NONCE:
    case STUN_ATTR_XOR_RELAYED_ADDRESS:
    case STUN_ATTR_REQUESTED_ADDRESS_FAMILY:
    case STUN_ATTR_EVEN_PORT:
    case STUN_ATTR_REQUESTED_TRANSPORT:
    case STUN_ATTR_DONT_FRAGMENT:
    case STUN_ATTR_MESSAGE_INTEGRITY_SHA256:
    case STUN_ATTR_PASSWORD_ALGORITHM:
    case STUN_ATTR_USERHASH:
    case STUN_ATTR_XOR_MAPPED_ADDRESS:
    case STUN_ATTR_RESERVATION_TOKEN:
    case STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY:
    case STUN_ATTR_ADDRESS_ERROR_CODE:
    case STUN_ATTR_PASSWORD_ALGORITHMS:
    case STUN_ATTR_ALTERNATE_DOMAIN:
    case STUN_ATTR_ICMP:
    case STUN_ATTR_SOFTWARE:
    case STUN_ATTR_ALTERNATE_SERVER:
    case STUN_ATTR_FINGERPRINT:
        return false;
    }
    return true;
}

// The first length that a known type may have.
static size_t first_right_len(uint16_t type)
{
    size_t len = 0;

    while (!is_right_len(type, len)) {
        len++;
    }
    return len;
}

static void tells_known_types_from_unknown_ones(void **state)
{
    struct draft draft;
    struct stun_message message;

    (void)state;
    for (unsigned type = 0; type <= UINT16_MAX; type++) {
        const bool is_listed = is_unknown((uint16_t)type) && type < 0x8000;

        if (type == STUN_ATTR_MESSAGE_INTEGRITY || type == STUN_ATTR_MESSAGE_INTEGRITY_SHA256 ||
            type == STUN_ATTR_FINGERPRINT) {
            continue; // what follows them does not count
        }
        begin(&draft);
        add_text(&draft, STUN_ATTR_NONCE, "before");
        add(&draft, (uint16_t)type, zeros, first_right_len((uint16_t)type));
        add_text(&draft, STUN_ATTR_REALM, "behind");
        assert_int_equal(stun_message_read(end(&draft), &message), STUN_MESSAGE_OK);
        assert_int_equal(message.unknown_count, is_listed ? 1 : 0);
        assert_int_equal(message.unknown[0], is_listed ? type : 0);
        assert_true(reading_has_text(&message, STUN_ATTR_NONCE, "before"));
        assert_true(stun_message_has(&message, STUN_ATTR_REALM));
        assert_int_equal(count_of(&message, STUN_ATTR_REALM), type == STUN_ATTR_REALM ? 2 : 1);
        if (!is_unknown((uint16_t)type)) {
            assert_true(stun_message_has(&message, (enum stun_attr_type)type));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_datagram_longer_than_the_message),
        cmocka_unit_test(refuses_every_other_length),
        cmocka_unit_test(refuses_a_body_that_is_no_multiple_of_four),
        cmocka_unit_test(reads_a_lone_header),
        cmocka_unit_test(refuses_an_attribute_whose_length_lies),
        cmocka_unit_test(refuses_a_message_longer_than_its_offsets_reach),
        cmocka_unit_test(refuses_known_types_with_every_wrong_length),
        cmocka_unit_test(refuses_a_wrong_length_in_a_repeated_attribute_too),
        cmocka_unit_test(takes_the_first_of_a_repeated_attribute),
        cmocka_unit_test(counts_nothing_but_proofs_behind_message_integrity),
        cmocka_unit_test(counts_nothing_but_fingerprint_behind_the_sha256),
        cmocka_unit_test(proves_both_integrities_of_one_message),
        cmocka_unit_test(hands_out_each_attribute_that_it_has),
        cmocka_unit_test(refuses_anything_behind_fingerprint),
        cmocka_unit_test(lists_each_unknown_required_type_once),
        cmocka_unit_test(tells_known_types_from_unknown_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
