// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/splits.h"

struct vector {
    const char *text;
    const char *hex;
};

static void md5(const void *context, const struct bytes *spans, size_t count, uint8_t *out)
{
    (void)context;
    crypto_digest_md5(spans, count, out);
}

static void sha256(const void *context, const struct bytes *spans, size_t count, uint8_t *out)
{
    (void)context;
    crypto_digest_sha256(spans, count, out);
}

// RFC 1321 section A.5.
static void makes_the_md5_of_rfc_1321_however_it_is_cut(void **state)
{
    static const struct vector vectors[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        splits_assert_hex(md5, NULL, bytes_of_text(vectors[i].text), vectors[i].hex);
    }
}

// FIPS 180-2 appendix B and RFC 6234 section 8.5.
static void makes_the_sha256_of_fips_180_however_it_is_cut(void **state)
{
    static const struct vector vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmno"
         "pqrlmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        splits_assert_hex(sha256, NULL, bytes_of_text(vectors[i].text), vectors[i].hex);
    }
}

// The third vector of FIPS 180-2: a million times "a", here as a thousand spans.
static void makes_the_sha256_of_a_million_bytes(void **state)
{
    static const uint8_t expected[CRYPTO_SHA256_LEN] = {
        0xcd, 0xc7, 0x6e, 0x5c, 0x99, 0x14, 0xfb, 0x92, 0x81, 0xa1, 0xc7,
        0xe2, 0x84, 0xd7, 0x3e, 0x67, 0xf1, 0x80, 0x9a, 0x48, 0xa4, 0x97,
        0x20, 0x0e, 0x04, 0x6d, 0x39, 0xcc, 0xc7, 0x11, 0x2c, 0xd0,
    };
    uint8_t thousand[1000];
    struct bytes spans[1000];
    uint8_t result[CRYPTO_SHA256_LEN];

    (void)state;
    memset(thousand, 'a', sizeof thousand);
    for (size_t i = 0; i < COUNT_OF(spans); i++) {
        spans[i] = (struct bytes){thousand, sizeof thousand};
    }
    crypto_digest_sha256(spans, COUNT_OF(spans), result);
    assert_memory_equal(result, expected, sizeof expected);
}

static void takes_no_spans_as_an_empty_text(void **state)
{
    const struct bytes empty = {0};
    uint8_t of_none[CRYPTO_SHA256_LEN];
    uint8_t of_empty[CRYPTO_SHA256_LEN];

    (void)state;
    crypto_digest_md5(NULL, 0, of_none);
    crypto_digest_md5(&empty, 1, of_empty);
    assert_memory_equal(of_none, of_empty, CRYPTO_MD5_LEN);
    crypto_digest_sha256(NULL, 0, of_none);
    crypto_digest_sha256(&empty, 1, of_empty);
    assert_memory_equal(of_none, of_empty, CRYPTO_SHA256_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_md5_of_rfc_1321_however_it_is_cut),
        cmocka_unit_test(makes_the_sha256_of_fips_180_however_it_is_cut),
        cmocka_unit_test(makes_the_sha256_of_a_million_bytes),
        cmocka_unit_test(takes_no_spans_as_an_empty_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
