// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

// SipHash-2-4 of 0, 1 ... 63 bytes 00 01 02 ... under the key 00 01 ... 0f, as the authors'
// reference implementation lists them: the eight bytes in the order in which it writes them.
static const uint64_t vectors[64] = {
    UINT64_C(0x310e0edd47db6f72), UINT64_C(0xfd67dc93c539f874), UINT64_C(0x5a4fa9d909806c0d),
    UINT64_C(0x2d7efbd796666785), UINT64_C(0xb7877127e09427cf), UINT64_C(0x8da699cd64557618),
    UINT64_C(0xcee3fe586e46c9cb), UINT64_C(0x37d1018bf50002ab), UINT64_C(0x6224939a79f5f593),
    UINT64_C(0xb0e4a90bdf82009e), UINT64_C(0xf3b9dd94c5bb5d7a), UINT64_C(0xa7ad6b22462fb3f4),
    UINT64_C(0xfbe50e86bc8f1e75), UINT64_C(0x903d84c02756ea14), UINT64_C(0xeef27a8e90ca23f7),
    UINT64_C(0xe545be4961ca29a1), UINT64_C(0xdb9bc2577fcc2a3f), UINT64_C(0x9447be2cf5e99a69),
    UINT64_C(0x9cd38d96f0b3c14b), UINT64_C(0xbd6179a71dc96dbb), UINT64_C(0x98eea21af25cd6be),
    UINT64_C(0xc7673b2eb0cbf2d0), UINT64_C(0x883ea3e395675393), UINT64_C(0xc8ce5ccd8c030ca8),
    UINT64_C(0x94af49f6c650adb8), UINT64_C(0xeab8858ade92e1bc), UINT64_C(0xf315bb5bb835d817),
    UINT64_C(0xadcf6b0763612e2f), UINT64_C(0xa5c91da7acaa4dde), UINT64_C(0x716595876650a2a6),
    UINT64_C(0x28ef495c53a387ad), UINT64_C(0x42c341d8fa92d832), UINT64_C(0xce7cf2722f512771),
    UINT64_C(0xe37859f94623f3a7), UINT64_C(0x381205bb1ab0e012), UINT64_C(0xae97a10fd434e015),
    UINT64_C(0xb4a31508beff4d31), UINT64_C(0x81396229f0907902), UINT64_C(0x4d0cf49ee5d4dcca),
    UINT64_C(0x5c73336a76d8bf9a), UINT64_C(0xd0a704536ba93e0e), UINT64_C(0x925958fcd6420cad),
    UINT64_C(0xa915c29bc8067318), UINT64_C(0x952b79f3bc0aa6d4), UINT64_C(0xf21df2e41d4535f9),
    UINT64_C(0x87577519048f53a9), UINT64_C(0x10a56cf5dfcd9adb), UINT64_C(0xeb75095ccd986cd0),
    UINT64_C(0x51a9cb9ecba312e6), UINT64_C(0x96afadfc2ce666c7), UINT64_C(0x72fe52975a4364ee),
    UINT64_C(0x5a1645b276d592a1), UINT64_C(0xb274cb8ebf87870a), UINT64_C(0x6f9bb4203de7b381),
    UINT64_C(0xeaecb2a30b22a87f), UINT64_C(0x9924a43cc1315724), UINT64_C(0xbd838d3aafbf8db7),
    UINT64_C(0x0b1a2a3265d51aea), UINT64_C(0x135079a3231ce660), UINT64_C(0x932b2846e4d70666),
    UINT64_C(0xe1915f5cb1eca46c), UINT64_C(0xf325965ca16d629f), UINT64_C(0x575ff28e60381be5),
    UINT64_C(0x724506eb4c328a95),
};

static uint64_t reversed(uint64_t value)
{
    uint64_t result = 0;

    for (int i = 0; i < 8; i++) {
        result = result << 8 | (value >> (8 * i) & 0xff);
    }
    return result;
}

static struct siphash_key counting_key(void)
{
    uint8_t bytes[SIPHASH_KEY_LEN];

    for (uint8_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = i;
    }
    return siphash_key_read(bytes);
}

static void reads_the_key_as_two_little_endian_words(void **state)
{
    struct siphash_key key = counting_key();

    (void)state;
    assert_true(key.k0 == UINT64_C(0x0706050403020100));
    assert_true(key.k1 == UINT64_C(0x0f0e0d0c0b0a0908));
}

static void gives_the_reference_vectors_at_any_alignment(void **state)
{
    struct siphash_key key = counting_key();
    uint8_t memory[64 + 8];

    (void)state;
    for (size_t offset = 0; offset < 8; offset++) {
        for (uint8_t i = 0; i < 64; i++) {
            memory[offset + i] = i;
        }
        for (size_t len = 0; len < 64; len++) {
            assert_true(siphash(&key, (struct bytes){memory + offset, len}) ==
                        reversed(vectors[len]));
        }
    }
    assert_true(siphash(&key, (struct bytes){0}) == reversed(vectors[0]));
}

// The length goes in modulo 256, so that of 256 zero bytes is the one of none, at first sight.
static void tells_lengths_apart_that_are_equal_modulo_256(void **state)
{
    static const uint8_t zero[512];
    struct siphash_key key = counting_key();

    (void)state;
    assert_true(siphash(&key, (struct bytes){zero, 0}) != siphash(&key, (struct bytes){zero, 256}));
    assert_true(siphash(&key, (struct bytes){zero, 256}) !=
                siphash(&key, (struct bytes){zero, 512}));
}

static void depends_on_every_bit_of_key_and_input(void **state)
{
    uint8_t key_bytes[SIPHASH_KEY_LEN] = {0};
    uint8_t input[20] = {0};
    struct siphash_key key = siphash_key_read(key_bytes);
    uint64_t plain = siphash(&key, (struct bytes){input, sizeof input});

    (void)state;
    for (size_t bit = 0; bit < sizeof key_bytes * 8; bit++) {
        key_bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        key = siphash_key_read(key_bytes);
        assert_true(siphash(&key, (struct bytes){input, sizeof input}) != plain);
        key_bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    key = siphash_key_read(key_bytes);
    for (size_t bit = 0; bit < sizeof input * 8; bit++) {
        input[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_true(siphash(&key, (struct bytes){input, sizeof input}) != plain);
        input[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_key_as_two_little_endian_words),
        cmocka_unit_test(gives_the_reference_vectors_at_any_alignment),
        cmocka_unit_test(tells_lengths_apart_that_are_equal_modulo_256),
        cmocka_unit_test(depends_on_every_bit_of_key_and_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
