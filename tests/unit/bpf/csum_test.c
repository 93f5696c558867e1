// SPDX-License-Identifier: Apache-2.0
#include "bpf/csum.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/csum_model.h"
#include "support/rng.h"

static uint16_t word16(const uint8_t *at)
{
    uint16_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint32_t word32(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static void has_the_example_of_rfc1071(void **state)
{
    const uint8_t bytes[] = {0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7};

    (void)state;
    assert_int_equal(ntohs(csum_close(CSUM_BASE + word32(bytes) + word32(bytes + 4))),
                     (uint16_t)~0xDDF2);
    assert_int_equal(csum_model_close(csum_model_add(0, bytes, sizeof bytes)), (uint16_t)~0xDDF2);
}

// Section 4: where RFC 1141 would have had 0xFFFF.
static void has_the_example_of_rfc1624(void **state)
{
    uint64_t sum = csum_open(htons(0xDD2F)) - htons(0x5555) + htons(0x3285);

    (void)state;
    assert_int_equal(csum_close(sum), 0);
    assert_int_equal(csum_close_udp(sum), 0xFFFF);
}

static void leaves_what_has_not_changed(void **state)
{
    (void)state;
    for (uint32_t check = 0; check < 0xFFFF; check++) {
        assert_int_equal(csum_close(csum_open((uint16_t)check)), check);
    }
    // Both ways to write zero are one.
    assert_int_equal(csum_close(csum_open(0xFFFF)), 0);
    assert_int_equal(csum_close_udp(csum_open(0xFFFF)), 0xFFFF);
    assert_int_equal(csum_close_udp(csum_open(0)), 0xFFFF);
}

static void follows_every_change_of_a_header(void **state)
{
    struct rng rng = rng_init(rng_seed("csum"));

    (void)state;
    for (int n = 0; n < 20000; n++) {
        uint8_t from[40];
        uint8_t to[40];
        rng_fill(&rng, from, sizeof from);
        rng_fill(&rng, to, sizeof to);
        memset(to, rng_chance(&rng, 50) ? 0 : 0xFF, (size_t)rng_below(&rng, 20));
        to[39] |= 1; // not all zero
        uint64_t sum = csum_open(htons(csum_model_close(csum_model_add(0, from, sizeof from))));
        for (size_t at = 0; at < 20; at += 4) {
            sum -= word32(from + at);
            sum += word32(to + at);
        }
        for (size_t at = 20; at < 24; at += 2) {
            sum -= word16(from + at);
            sum += word16(to + at);
        }
        uint32_t ips[8];
        memcpy(ips, from + 24, 16);
        memcpy(ips + 4, to + 24, 16);
        sum = sum - csum_ip6(ips) + csum_ip6(ips + 4);
        uint16_t want = csum_model_close(csum_model_add(0, to, sizeof to));
        assert_int_equal(ntohs(csum_close(sum)), want);
        assert_int_equal(ntohs(csum_close_udp(sum)), want == 0 ? 0xFFFF : want);
    }
}

static void takes_single_bytes_by_their_place(void **state)
{
    const uint8_t bytes[] = {0x12, 0x34, 0xFF, 0x80, 0x01};
    uint64_t sum = CSUM_BASE;

    (void)state;
    for (uint32_t at = 0; at < sizeof bytes; at++) {
        sum += csum_byte(bytes[at], at);
    }
    assert_int_equal(ntohs(csum_close(sum)),
                     csum_model_close(csum_model_add(0, bytes, sizeof bytes)));
    assert_int_equal(csum_byte(0xAB, 6), htons(0xAB00));
    assert_int_equal(csum_byte(0xAB, 7), htons(0x00AB));
}

// As many words as its comment promises, of the largest.
static void has_room_for_many_words(void **state)
{
    uint64_t most = csum_open(0) + (UINT64_C(1) << 15) * UINT32_MAX;
    uint64_t least = csum_open(0xFFFF) - (UINT64_C(1) << 31) * UINT32_MAX;

    (void)state;
    assert_true(most > CSUM_BASE);
    assert_true(least < CSUM_BASE);
    assert_int_equal(csum_close(most), 0); // 0xFFFFFFFF is a multiple of 0xFFFF
    assert_int_equal(csum_close(least), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_example_of_rfc1071),
        cmocka_unit_test(has_the_example_of_rfc1624),
        cmocka_unit_test(leaves_what_has_not_changed),
        cmocka_unit_test(follows_every_change_of_a_header),
        cmocka_unit_test(takes_single_bytes_by_their_place),
        cmocka_unit_test(has_room_for_many_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
