// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_integrity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stun/exact.h"
#include "stun/rfc5769.h"
#include "stun/stun_header.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_values_of_rfc_5769),
        cmocka_unit_test(counts_itself_in_the_length_whatever_stands_there),
        cmocka_unit_test(covers_a_lone_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
