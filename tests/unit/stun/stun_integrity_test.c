// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_integrity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stun/rfc5769.h"
#include "stun/rfc8489.h"
#include "stun/stun_header.h"
#include "support/exact.h"

// Where MESSAGE-INTEGRITY stands in each sample, from the end.
static size_t tail_len(enum rfc5769_sample sample)
{
    return sample == RFC5769_LONG_TERM_REQUEST ? 24 : 24 + 8;
}

static void makes_the_values_of_rfc_5769(void **state)
{
    (void)state;
    for (int sample = 0; sample < RFC5769_COUNT; sample++) {
        struct bytes whole = rfc5769_message(sample);
        struct bytes head = exact_copy(bytes_first(whole, whole.len - tail_len(sample)));
        uint8_t value[STUN_INTEGRITY_LEN];

        stun_integrity(head, rfc5769_key(sample), value);
        assert_memory_equal(value, whole.ptr + head.len + 4, sizeof value);
        exact_free(head);
    }
}

static void counts_itself_in_the_length_whatever_stands_there(void **state)
{
    struct bytes whole = rfc5769_message(RFC5769_REQUEST);
    uint8_t head[256];
    uint8_t value[STUN_INTEGRITY_LEN];
    size_t head_len = whole.len - tail_len(RFC5769_REQUEST);

    (void)state;
    memcpy(head, whole.ptr, head_len);
    for (unsigned length = 0; length <= UINT16_MAX; length += 251) {
        head[2] = (uint8_t)(length >> 8);
        head[3] = (uint8_t)length;
        stun_integrity((struct bytes){head, head_len}, rfc5769_key(RFC5769_REQUEST), value);
        assert_memory_equal(value, whole.ptr + head_len + 4, sizeof value);
    }
}

static void covers_a_lone_header(void **state)
{
    // HMAC-SHA1, with the key "key", of 0001 0018 2112a442 and twelve zeros.
    static const uint8_t expected[STUN_INTEGRITY_LEN] = {
        0x2a, 0x27, 0x77, 0xe2, 0x24, 0xf9, 0x81, 0x91, 0x37, 0x42,
        0x31, 0x72, 0x4c, 0x29, 0x03, 0x67, 0x8a, 0xb7, 0x84, 0x82,
    };
    static const uint8_t head[STUN_HEADER_LEN] = {0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42};
    struct bytes copy = exact_copy((struct bytes){head, sizeof head});
    uint8_t value[STUN_INTEGRITY_LEN];

    (void)state;
    stun_integrity(copy, bytes_of_text("key"), value);
    assert_memory_equal(value, expected, sizeof expected);
    exact_free(copy);
}

// MESSAGE-INTEGRITY-SHA256 is the last attribute of the sample.
enum { SHA256_TAIL_LEN = 4 + STUN_INTEGRITY_SHA256_LEN };

static void makes_the_sha256_value_of_rfc_8489(void **state)
{
    struct bytes whole = rfc8489_message();
    struct bytes head = exact_copy(bytes_first(whole, whole.len - SHA256_TAIL_LEN));
    uint8_t value[STUN_INTEGRITY_SHA256_LEN];

    (void)state;
    stun_integrity_sha256(head, rfc8489_key(), value);
    assert_memory_equal(value, whole.ptr + head.len + 4, sizeof value);
    exact_free(head);
}

// What appendix B.1 prints was made with a length field of 0x9c, where 0x88 is right: a message
// without PASSWORD-ALGORITHM does not have the printed value, which erratum 6268 took back.
static void makes_another_value_than_the_appendix_prints(void **state)
{
    static const uint8_t printed[STUN_INTEGRITY_SHA256_LEN] = {
        0xe4, 0x68, 0x6c, 0x8f, 0x0e, 0xde, 0xb5, 0x90, 0x13, 0xe0, 0x70,
        0x90, 0x01, 0x0a, 0x93, 0xef, 0xcc, 0xbc, 0xcc, 0x54, 0x4c, 0x0a,
        0x45, 0xd9, 0xf8, 0x30, 0xaa, 0x6d, 0x6f, 0x73, 0x5a, 0x01,
    };
    static const uint8_t right[STUN_INTEGRITY_SHA256_LEN] = {
        // by Python's hmac
        0x23, 0x41, 0x12, 0xfb, 0xd4, 0xe2, 0x7f, 0x98, 0x3e, 0xb4, 0x03,
        0x28, 0x36, 0xf9, 0x98, 0x21, 0x6f, 0x5b, 0x23, 0xf8, 0xd9, 0x27,
        0x75, 0x3f, 0xbc, 0x4f, 0x88, 0x2b, 0xfb, 0xdf, 0x0d, 0xec,
    };
    struct bytes whole = rfc8489_message();
    struct bytes head = bytes_first(whole, whole.len - SHA256_TAIL_LEN - 8);
    uint8_t value[STUN_INTEGRITY_SHA256_LEN];

    (void)state;
    stun_integrity_sha256(head, rfc8489_key(), value);
    assert_memory_equal(value, right, sizeof value);
    assert_memory_not_equal(value, printed, sizeof value);
}

static void counts_its_sha256_in_the_length_whatever_stands_there(void **state)
{
    struct bytes whole = rfc8489_message();
    size_t head_len = whole.len - SHA256_TAIL_LEN;
    uint8_t head[256];
    uint8_t value[STUN_INTEGRITY_SHA256_LEN];

    (void)state;
    memcpy(head, whole.ptr, head_len);
    for (unsigned length = 0; length <= UINT16_MAX; length += 251) {
        head[2] = (uint8_t)(length >> 8);
        head[3] = (uint8_t)length;
        stun_integrity_sha256((struct bytes){head, head_len}, rfc8489_key(), value);
        assert_memory_equal(value, whole.ptr + head_len + 4, sizeof value);
    }
}

static void covers_a_lone_header_with_sha256(void **state)
{
    // HMAC-SHA256, with the key "key", of 0001 0024 2112a442 and twelve zeros.
    static const uint8_t expected[STUN_INTEGRITY_SHA256_LEN] = {
        0x8a, 0x80, 0x5d, 0xe5, 0xb3, 0x6f, 0x01, 0x06, 0x11, 0x1f, 0xf6,
        0xb4, 0x74, 0xe2, 0x64, 0xf2, 0xe2, 0x84, 0xb8, 0x5c, 0xd6, 0xfe,
        0x5b, 0xd9, 0xaf, 0x05, 0x82, 0x91, 0xb6, 0x39, 0x12, 0x88,
    };
    static const uint8_t head[STUN_HEADER_LEN] = {0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42};
    struct bytes copy = exact_copy((struct bytes){head, sizeof head});
    uint8_t value[STUN_INTEGRITY_SHA256_LEN];

    (void)state;
    stun_integrity_sha256(copy, bytes_of_text("key"), value);
    assert_memory_equal(value, expected, sizeof expected);
    exact_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_values_of_rfc_5769),
        cmocka_unit_test(counts_itself_in_the_length_whatever_stands_there),
        cmocka_unit_test(covers_a_lone_header),
        cmocka_unit_test(makes_the_sha256_value_of_rfc_8489),
        cmocka_unit_test(makes_another_value_than_the_appendix_prints),
        cmocka_unit_test(counts_its_sha256_in_the_length_whatever_stands_there),
        cmocka_unit_test(covers_a_lone_header_with_sha256),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
