// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/rfc5769.h"
#include "stun/rfc8489.h"
#include "stun/stun_attr.h"
#include "stun/stun_message.h"
#include "stun/stun_password.h"
#include "stun/stun_userhash.h"
#include "support/exact.h"

// Writes the message of RFC 5769 section 2.4, the only sample whose padding is zero.
static bool write_long_term_request(uint8_t *ptr, size_t room, struct bytes *out)
{
    const struct bytes username =
        BYTES_LITERAL("\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9");
    const struct bytes nonce = BYTES_LITERAL("f//499k954d6OL34oL9FSTvy64sA");
    const struct bytes realm = BYTES_LITERAL("example.org");
    const struct stun_header header = {
        .method = STUN_BINDING,
        .class = STUN_REQUEST,
        .transaction = {{0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda, 0x41, 0x2e}},
    };
    struct stun_writer writer;

    stun_writer_init(&writer, ptr, room, &header);
    stun_attr_write(&writer.wr, STUN_ATTR_USERNAME, username);
    stun_attr_write(&writer.wr, STUN_ATTR_NONCE, nonce);
    stun_attr_write(&writer.wr, STUN_ATTR_REALM, realm);
    stun_writer_integrity(&writer, rfc5769_key(RFC5769_LONG_TERM_REQUEST));
    return stun_writer_finish(&writer, out);
}

static void writes_the_request_of_rfc_5769_section_2_4(void **state)
{
    struct bytes expected = rfc5769_message(RFC5769_LONG_TERM_REQUEST);
    uint8_t *exact = exact_room(expected.len);
    struct bytes message = {0};

    (void)state;
    assert_true(write_long_term_request(exact, expected.len, &message));
    assert_ptr_equal(message.ptr, exact);
    assert_true(bytes_equal(message, expected));
    free(exact);
}

// Writes the message of RFC 8489 appendix B.1 from its username, realm and password.
static bool write_anonymous_request(uint8_t *ptr, size_t room, struct bytes *out)
{
    const struct stun_header header = {
        .method = STUN_BINDING,
        .class = STUN_REQUEST,
        .transaction = {{0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda, 0x41, 0x2e}},
    };
    uint8_t userhash[STUN_USERHASH_LEN];
    struct stun_writer writer;

    stun_userhash(rfc8489_username(), rfc8489_realm(), userhash);
    stun_writer_init(&writer, ptr, room, &header);
    stun_attr_write(&writer.wr, STUN_ATTR_USERHASH, (struct bytes){userhash, sizeof userhash});
    stun_attr_write(&writer.wr, STUN_ATTR_NONCE, rfc8489_nonce());
    stun_attr_write(&writer.wr, STUN_ATTR_REALM, rfc8489_realm());
    stun_password_write(&writer.wr, STUN_PASSWORD_SHA256);
    stun_writer_integrity_sha256(&writer, rfc8489_key());
    return stun_writer_finish(&writer, out);
}

static void writes_the_request_of_rfc_8489_appendix_b_1(void **state)
{
    struct bytes expected = rfc8489_message();
    uint8_t *exact = exact_room(expected.len);
    struct bytes message = {0};

    (void)state;
    assert_true(write_anonymous_request(exact, expected.len, &message));
    assert_ptr_equal(message.ptr, exact);
    assert_true(bytes_equal(message, expected));
    free(exact);
}

// Attributes, integrity and fingerprint copied from the samples with spaces for padding: the writer
// takes the first part as it is and must make the same proofs behind it.
static void makes_the_proofs_of_the_other_samples(void **state)
{
    (void)state;
    for (int sample = RFC5769_REQUEST; sample <= RFC5769_IP6_RESPONSE; sample++) {
        struct bytes expected = rfc5769_message(sample);
        struct rd rd = rd_init(expected);
        struct stun_header header;
        struct stun_writer writer;
        uint8_t raw[256];
        struct bytes message = {0};

        assert_true(stun_header_read(&rd, &header));
        stun_writer_init(&writer, raw, sizeof raw, &header);
        wr_bytes(&writer.wr, rd_bytes(&rd, rd.left - 24 - 8));
        stun_writer_integrity(&writer, rfc5769_key(sample));
        stun_writer_fingerprint(&writer);
        assert_true(stun_writer_finish(&writer, &message));
        assert_true(bytes_equal(message, expected));
    }
}

static void reads_back_with_all_proofs_and_without(void **state)
{
    enum { SHA1 = 1, SHA256 = 2, FINGERPRINT = 4, ALL = 7 };
    const struct stun_header header = {.method = STUN_ALLOCATE, .class = STUN_SUCCESS};
    const struct bytes key = BYTES_LITERAL("key");
    const struct bytes key_sha256 = BYTES_LITERAL("another key");

    (void)state;
    for (unsigned proofs = 0; proofs <= ALL; proofs++) {
        struct stun_writer writer;
        uint8_t raw[128];
        struct bytes written = {0};
        struct stun_message message;

        stun_writer_init(&writer, raw, sizeof raw, &header);
        stun_attr_u32_write(&writer.wr, STUN_ATTR_LIFETIME, 600);
        if ((proofs & SHA1) != 0) {
            stun_writer_integrity(&writer, key);
        }
        if ((proofs & SHA256) != 0) {
            stun_writer_integrity_sha256(&writer, key_sha256);
        }
        if ((proofs & FINGERPRINT) != 0) {
            stun_writer_fingerprint(&writer);
        }
        assert_true(stun_writer_finish(&writer, &written));

        struct bytes copy = exact_copy(written);
        assert_int_equal(stun_message_read(copy, &message), STUN_MESSAGE_OK);
        assert_int_equal(message.header.body_len, written.len - STUN_HEADER_LEN);
        assert_int_equal(stun_message_is_intact(&message, key), (proofs & SHA1) != 0);
        assert_int_equal(stun_message_is_intact_sha256(&message, key_sha256),
                         (proofs & SHA256) != 0);
        assert_false(stun_message_is_intact(&message, key_sha256));
        assert_false(stun_message_is_intact_sha256(&message, key));
        assert_int_equal(stun_message_has(&message, STUN_ATTR_FINGERPRINT),
                         (proofs & FINGERPRINT) != 0);
        exact_free(copy);
    }
}

static void ignores_the_length_that_its_header_names(void **state)
{
    const struct stun_header header = {.method = STUN_BINDING, .body_len = 400};
    struct stun_writer writer;
    uint8_t raw[64];
    struct bytes written = {0};

    (void)state;
    stun_writer_init(&writer, raw, sizeof raw, &header);
    assert_true(stun_writer_finish(&writer, &written));
    assert_int_equal(written.len, STUN_HEADER_LEN);
    assert_int_equal(raw[2] * 256 + raw[3], 0);
}

static void fails_cleanly_in_every_room_that_is_too_small(void **state)
{
    size_t whole = rfc5769_message(RFC5769_LONG_TERM_REQUEST).len;

    (void)state;
    for (size_t room = 0; room < whole; room++) {
        uint8_t *exact = exact_room(room);
        struct bytes message = {exact, 4242};
        assert_false(write_long_term_request(exact, room, &message));
        assert_int_equal(message.len, 4242);
        free(exact);
    }
    whole = rfc8489_message().len;
    for (size_t room = 0; room < whole; room++) {
        uint8_t *exact = exact_room(room);
        struct bytes message = {exact, 4242};
        assert_false(write_anonymous_request(exact, room, &message));
        assert_int_equal(message.len, 4242);
        free(exact);
    }
}

static void fails_cleanly_when_only_the_fingerprint_does_not_fit(void **state)
{
    const struct stun_header header = {.method = STUN_BINDING, .class = STUN_SUCCESS};

    (void)state;
    for (size_t room = 0; room <= STUN_HEADER_LEN + 8; room++) {
        uint8_t *exact = exact_room(room);
        struct stun_writer writer;
        struct bytes message = {0};

        stun_writer_init(&writer, exact, room, &header);
        stun_writer_fingerprint(&writer);
        assert_int_equal(stun_writer_finish(&writer, &message), room == STUN_HEADER_LEN + 8);
        free(exact);
    }
}

// The length field and the offsets of a view have 16 bits.
static void never_writes_more_than_the_reader_takes(void **state)
{
    static uint8_t raw[2 * 65536];
    static uint8_t data[UINT16_MAX];
    const struct stun_header header = {.method = STUN_DATA, .class = STUN_INDICATION};

    (void)state;
    for (size_t len = 65400; len <= sizeof data; len++) {
        struct stun_writer writer;
        struct stun_message message;
        struct bytes written = {0};

        stun_writer_init(&writer, raw, sizeof raw, &header);
        stun_attr_write(&writer.wr, STUN_ATTR_DATA, (struct bytes){data, len});
        stun_writer_fingerprint(&writer);
        size_t expected = STUN_HEADER_LEN + 4 + (len + 3) / 4 * 4 + 8;
        assert_int_equal(stun_writer_finish(&writer, &written), expected <= UINT16_MAX);
        if (expected <= UINT16_MAX) {
            assert_int_equal(stun_message_read(written, &message), STUN_MESSAGE_OK);
            assert_true(stun_message_has(&message, STUN_ATTR_FINGERPRINT));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_request_of_rfc_5769_section_2_4),
        cmocka_unit_test(makes_the_proofs_of_the_other_samples),
        cmocka_unit_test(writes_the_request_of_rfc_8489_appendix_b_1),
        cmocka_unit_test(reads_back_with_all_proofs_and_without),
        cmocka_unit_test(ignores_the_length_that_its_header_names),
        cmocka_unit_test(fails_cleanly_in_every_room_that_is_too_small),
        cmocka_unit_test(fails_cleanly_when_only_the_fingerprint_does_not_fit),
        cmocka_unit_test(never_writes_more_than_the_reader_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
