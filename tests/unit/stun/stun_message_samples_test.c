// SPDX-License-Identifier: Apache-2.0
// The reader of messages on the RFCs' own samples, whole and damaged.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stun/reading.h"
#include "stun/rfc5769.h"
#include "stun/rfc8489.h"
#include "stun/stun_integrity.h"
#include "stun/stun_message.h"
#include "support/exact.h"

// --- RFC 5769 -----------------------------------------------------------------------------------

static void reads_the_request_of_rfc_5769(void **state)
{
    struct bytes copy = exact_copy(rfc5769_message(RFC5769_REQUEST));
    struct stun_message message;

    (void)state;
    assert_int_equal(stun_message_read(copy, &message), STUN_MESSAGE_OK);
    assert_int_equal(message.header.method, STUN_BINDING);
    assert_int_equal(message.header.class, STUN_REQUEST);
    assert_true(reading_has_text(&message, STUN_ATTR_SOFTWARE, "STUN test client"));
    assert_true(reading_has_text(&message, STUN_ATTR_USERNAME, "evtj:h6vY"));
    assert_true(stun_message_has(&message, STUN_ATTR_FINGERPRINT));
    assert_true(stun_message_is_intact(&message, rfc5769_key(RFC5769_REQUEST)));
    assert_int_equal(message.unknown_count, 1); // PRIORITY is ICE's; ICE-CONTROLLED is optional
    assert_int_equal(message.unknown[0], 0x0024);
    exact_free(copy);
}

static void reads_the_responses_of_rfc_5769(void **state)
{
    static const uint8_t ip6[ADDR_IP6_LEN] = {0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78,
                                              0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77};
    const struct addr expected[] = {
        [RFC5769_IP4_RESPONSE] = addr_ip4((const uint8_t[]){192, 0, 2, 1}, 32853),
        [RFC5769_IP6_RESPONSE] = addr_ip6(ip6, 32853),
    };

    (void)state;
    for (int sample = RFC5769_IP4_RESPONSE; sample <= RFC5769_IP6_RESPONSE; sample++) {
        struct bytes copy = exact_copy(rfc5769_message(sample));
        struct stun_message message;
        struct bytes value;
        struct addr addr;

        assert_int_equal(stun_message_read(copy, &message), STUN_MESSAGE_OK);
        assert_int_equal(message.header.class, STUN_SUCCESS);
        assert_true(reading_has_text(&message, STUN_ATTR_SOFTWARE, "test vector"));
        assert_true(stun_message_find(&message, STUN_ATTR_XOR_MAPPED_ADDRESS, &value));
        assert_true(stun_attr_xor_addr_read(value, &message.header.transaction, &addr));
        assert_true(addr_equal(&addr, &expected[sample]));
        assert_true(stun_message_has(&message, STUN_ATTR_FINGERPRINT));
        assert_true(stun_message_is_intact(&message, rfc5769_key(sample)));
        assert_int_equal(message.unknown_count, 0);
        exact_free(copy);
    }
}

static void reads_the_long_term_request_of_rfc_5769(void **state)
{
    struct bytes copy = exact_copy(rfc5769_message(RFC5769_LONG_TERM_REQUEST));
    struct stun_message message;

    (void)state;
    assert_int_equal(stun_message_read(copy, &message), STUN_MESSAGE_OK);
    assert_true(
        reading_has_text(&message, STUN_ATTR_USERNAME,
                         "\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82"
                         "\xb9"));
    assert_true(reading_has_text(&message, STUN_ATTR_REALM, "example.org"));
    assert_true(reading_has_text(&message, STUN_ATTR_NONCE, "f//499k954d6OL34oL9FSTvy64sA"));
    assert_false(stun_message_has(&message, STUN_ATTR_FINGERPRINT));
    assert_true(stun_message_is_intact(&message, rfc5769_key(RFC5769_LONG_TERM_REQUEST)));
    exact_free(copy);
}

static void refuses_every_wrong_key(void **state)
{
    (void)state;
    for (int sample = 0; sample < RFC5769_COUNT; sample++) {
        struct stun_message message;
        struct bytes right = rfc5769_key(sample);
        uint8_t wrong[64];

        assert_int_equal(stun_message_read(rfc5769_message(sample), &message), STUN_MESSAGE_OK);
        for (size_t bit = 0; bit < right.len * 8; bit++) {
            memcpy(wrong, right.ptr, right.len);
            wrong[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(stun_message_is_intact(&message, (struct bytes){wrong, right.len}));
        }
        for (size_t len = 0; len < right.len; len++) {
            assert_false(stun_message_is_intact(&message, bytes_first(right, len)));
        }
        assert_false(stun_message_is_intact(&message, (struct bytes){0}));
    }
}

static void refuses_every_single_flipped_bit(void **state)
{
    (void)state;
    for (int sample = 0; sample < RFC5769_COUNT; sample++) {
        struct bytes right = rfc5769_message(sample);

        for (size_t bit = 0; bit < right.len * 8; bit++) {
            struct bytes copy = exact_copy(right);
            struct stun_message message;
            ((uint8_t *)copy.ptr)[bit / 8] ^= (uint8_t)(1 << bit % 8);

            // A flip in the type of FINGERPRINT hides it, and the message stays intact without it.
            bool is_proved = stun_message_read(copy, &message) == STUN_MESSAGE_OK &&
                             (sample == RFC5769_LONG_TERM_REQUEST ||
                              stun_message_has(&message, STUN_ATTR_FINGERPRINT)) &&
                             stun_message_is_intact(&message, rfc5769_key(sample));
            assert_false(is_proved);
            exact_free(copy);
        }
    }
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    for (int sample = 0; sample < RFC5769_COUNT; sample++) {
        struct bytes right = rfc5769_message(sample);
        for (size_t len = 0; len < right.len; len++) {
            assert_int_equal(reading_outcome(bytes_first(right, len)), STUN_MESSAGE_NOT_STUN);
        }
    }
}

// Cut at every byte with the length field made to fit, so that the attributes are what is cut.
static void survives_every_truncation_with_a_length_that_fits(void **state)
{
    (void)state;
    for (int sample = 0; sample < RFC5769_COUNT; sample++) {
        struct bytes right = rfc5769_message(sample);
        uint8_t raw[256];

        memcpy(raw, right.ptr, right.len);
        for (size_t len = STUN_HEADER_LEN; len < right.len; len++) {
            raw[2] = (uint8_t)((len - STUN_HEADER_LEN) >> 8);
            raw[3] = (uint8_t)(len - STUN_HEADER_LEN);
            struct bytes copy = exact_copy((struct bytes){raw, len});
            struct stun_message message;
            enum stun_message_outcome outcome = stun_message_read(copy, &message);
            if (len % 4 != 0) {
                assert_int_equal(outcome, STUN_MESSAGE_NOT_STUN);
            } else if (outcome == STUN_MESSAGE_OK) { // cut between two attributes
                assert_false(stun_message_has(&message, STUN_ATTR_FINGERPRINT));
            } else {
                assert_int_equal(outcome, STUN_MESSAGE_MALFORMED);
            }
            exact_free(copy);
        }
    }
}

// --- RFC 8489 appendix B.1 ----------------------------------------------------------------------

static void reads_the_anonymous_request_of_rfc_8489(void **state)
{
    struct bytes copy = exact_copy(rfc8489_message());
    struct stun_message message;
    struct bytes value = {0};

    (void)state;
    assert_int_equal(stun_message_read(copy, &message), STUN_MESSAGE_OK);
    assert_int_equal(message.header.method, STUN_BINDING);
    assert_int_equal(message.header.class, STUN_REQUEST);
    assert_int_equal(message.unknown_count, 0);
    assert_false(stun_message_has(&message, STUN_ATTR_USERNAME));
    assert_true(stun_message_find(&message, STUN_ATTR_USERHASH, &value));
    assert_true(bytes_equal(value, rfc8489_userhash()));
    assert_true(reading_has_text(&message, STUN_ATTR_REALM, "example.org"));
    assert_true(stun_message_find(&message, STUN_ATTR_NONCE, &value));
    assert_true(bytes_equal(value, rfc8489_nonce()));
    assert_true(stun_message_find(&message, STUN_ATTR_PASSWORD_ALGORITHM, &value));
    assert_int_equal(value.len, 4);
    assert_true(stun_message_is_intact_sha256(&message, rfc8489_key()));
    assert_false(stun_message_is_intact(&message, rfc8489_key())); // it has no HMAC-SHA1
    exact_free(copy);
}

static void refuses_every_wrong_sha256_key(void **state)
{
    struct bytes right = rfc8489_key();
    struct stun_message message;
    uint8_t wrong[64] = {0};

    (void)state;
    assert_int_equal(stun_message_read(rfc8489_message(), &message), STUN_MESSAGE_OK);
    for (size_t bit = 0; bit < right.len * 8; bit++) {
        memcpy(wrong, right.ptr, right.len);
        wrong[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(stun_message_is_intact_sha256(&message, (struct bytes){wrong, right.len}));
    }
    for (size_t len = 0; len < right.len; len++) {
        assert_false(stun_message_is_intact_sha256(&message, bytes_first(right, len)));
    }
    // The key of PASSWORD-ALGORITHM MD5.
    assert_false(stun_message_is_intact_sha256(&message, rfc5769_key(RFC5769_LONG_TERM_REQUEST)));
}

static void refuses_every_single_flipped_bit_under_sha256(void **state)
{
    struct bytes right = rfc8489_message();

    (void)state;
    for (size_t bit = 0; bit < right.len * 8; bit++) {
        struct bytes copy = exact_copy(right);
        struct stun_message message;
        ((uint8_t *)copy.ptr)[bit / 8] ^= (uint8_t)(1 << bit % 8);

        bool is_proved = stun_message_read(copy, &message) == STUN_MESSAGE_OK &&
                         stun_message_is_intact_sha256(&message, rfc8489_key());
        assert_false(is_proved);
        exact_free(copy);
    }
}

static void refuses_every_truncation_of_the_anonymous_request(void **state)
{
    struct bytes right = rfc8489_message();
    uint8_t raw[256];

    (void)state;
    for (size_t len = 0; len < right.len; len++) {
        assert_int_equal(reading_outcome(bytes_first(right, len)), STUN_MESSAGE_NOT_STUN);
    }
    memcpy(raw, right.ptr, right.len);
    for (size_t len = STUN_HEADER_LEN; len < right.len; len++) { // with a length that fits
        raw[3] = (uint8_t)(len - STUN_HEADER_LEN);
        struct bytes copy = exact_copy((struct bytes){raw, len});
        struct stun_message message;
        enum stun_message_outcome outcome = stun_message_read(copy, &message);
        if (len % 4 != 0) {
            assert_int_equal(outcome, STUN_MESSAGE_NOT_STUN);
        } else if (outcome == STUN_MESSAGE_OK) { // cut between two attributes
            assert_false(stun_message_is_intact_sha256(&message, rfc8489_key()));
        } else {
            assert_int_equal(outcome, STUN_MESSAGE_MALFORMED);
        }
        exact_free(copy);
    }
}

// Section 14.6: the first 16 to 28 bytes are proof enough where a usage of STUN says so; TURN's
// does not, so a shorter forgery is not even compared.
static void refuses_a_truncated_sha256(void **state)
{
    struct bytes right = rfc8489_message();
    const size_t value_at = right.len - STUN_INTEGRITY_SHA256_LEN;
    uint8_t raw[256];

    (void)state;
    memcpy(raw, right.ptr, right.len);
    for (size_t value_len = 0; value_len <= STUN_INTEGRITY_SHA256_LEN; value_len++) {
        const size_t len = value_at + STUN_ATTR_PADDED(value_len);
        raw[3] = (uint8_t)(len - STUN_HEADER_LEN);
        raw[value_at - 1] = (uint8_t)value_len;
        assert_int_equal(reading_outcome((struct bytes){raw, len}),
                         value_len == STUN_INTEGRITY_SHA256_LEN ? STUN_MESSAGE_OK
                                                                : STUN_MESSAGE_BAD_VALUE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_request_of_rfc_5769),
        cmocka_unit_test(reads_the_responses_of_rfc_5769),
        cmocka_unit_test(reads_the_long_term_request_of_rfc_5769),
        cmocka_unit_test(refuses_every_wrong_key),
        cmocka_unit_test(refuses_every_single_flipped_bit),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(survives_every_truncation_with_a_length_that_fits),
        cmocka_unit_test(reads_the_anonymous_request_of_rfc_8489),
        cmocka_unit_test(refuses_every_wrong_sha256_key),
        cmocka_unit_test(refuses_every_single_flipped_bit_under_sha256),
        cmocka_unit_test(refuses_every_truncation_of_the_anonymous_request),
        cmocka_unit_test(refuses_a_truncated_sha256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
