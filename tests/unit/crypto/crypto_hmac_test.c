// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_hmac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/splits.h"

enum { FILLED_MAX = 160 }; // bytes, more than any key or text of the vectors

// A key or a text: words, or `len` times `fill`, or (fill 0) the numbers from 1 to `len`.
struct source {
    const char *words;
    size_t len; // bytes
    uint8_t fill;
};

struct vector {
    struct source key;
    struct source text;
    const char *hex; // a shorter one names the first bytes only
};

static struct bytes bytes_of(const struct source *source, uint8_t room[FILLED_MAX])
{
    if (source->words != NULL) {
        return bytes_of_text(source->words);
    }
    assert_true(source->len <= FILLED_MAX);
    for (size_t i = 0; i < source->len; i++) {
        room[i] = source->fill != 0 ? source->fill : (uint8_t)(i + 1);
    }
    return (struct bytes){room, source->len};
}

static void sha1(const void *context, const struct bytes *spans, size_t count, uint8_t *out)
{
    crypto_hmac_sha1(*(const struct bytes *)context, spans, count, out);
}

static void sha256(const void *context, const struct bytes *spans, size_t count, uint8_t *out)
{
    crypto_hmac_sha256(*(const struct bytes *)context, spans, count, out);
}

static void assert_vectors(splits_fn hmac, const struct vector *vectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t key_room[FILLED_MAX];
        uint8_t text_room[FILLED_MAX];
        const struct bytes key = bytes_of(&vectors[i].key, key_room);
        const struct bytes text = bytes_of(&vectors[i].text, text_room);
        splits_assert_hex(hmac, &key, text, vectors[i].hex);
    }
}

// RFC 2202 section 3.
static void makes_the_hmac_sha1_of_rfc_2202_however_it_is_cut(void **state)
{
    static const struct vector vectors[] = {
        {{.len = 20, .fill = 0x0b},
         {.words = "Hi There"},
         "b617318655057264e28bc0b6fb378c8ef146be00"},
        {{.words = "Jefe"},
         {.words = "what do ya want for nothing?"},
         "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
        {{.len = 20, .fill = 0xaa},
         {.len = 50, .fill = 0xdd},
         "125d7342b9ac11cd91a39af48aa17b4f63f175d3"},
        {{.len = 25}, {.len = 50, .fill = 0xcd}, "4c9007f4026250c6bc8414f9bf50c86c2d7235da"},
        {{.len = 20, .fill = 0x0c},
         {.words = "Test With Truncation"},
         "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"},
        {{.len = 80, .fill = 0xaa},
         {.words = "Test Using Larger Than Block-Size Key - Hash Key First"},
         "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
        {{.len = 80, .fill = 0xaa},
         {.words = "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data"},
         "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"},
    };

    (void)state;
    assert_vectors(sha1, vectors, COUNT_OF(vectors));
}

// RFC 4231 section 4.
static void makes_the_hmac_sha256_of_rfc_4231_however_it_is_cut(void **state)
{
    static const struct vector vectors[] = {
        {{.len = 20, .fill = 0x0b},
         {.words = "Hi There"},
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {{.words = "Jefe"},
         {.words = "what do ya want for nothing?"},
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {{.len = 20, .fill = 0xaa},
         {.len = 50, .fill = 0xdd},
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {{.len = 25},
         {.len = 50, .fill = 0xcd},
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {{.len = 20, .fill = 0x0c},
         {.words = "Test With Truncation"},
         "a3b6167473100ee06e0c796c2955552b"},
        {{.len = 131, .fill = 0xaa},
         {.words = "Test Using Larger Than Block-Size Key - Hash Key First"},
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {{.len = 131, .fill = 0xaa},
         {.words = "This is a test using a larger than block-size key and a larger than block-size "
                   "data. The key needs to be hashed before being used by the HMAC algorithm."},
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };

    (void)state;
    assert_vectors(sha256, vectors, COUNT_OF(vectors));
}

static void takes_an_empty_key_and_no_spans(void **state)
{
    const struct bytes empty = {0};

    (void)state;
    splits_assert_hex(sha1, &empty, empty, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
    splits_assert_hex(sha256, &empty, empty,
                      "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_hmac_sha1_of_rfc_2202_however_it_is_cut),
        cmocka_unit_test(makes_the_hmac_sha256_of_rfc_4231_however_it_is_cut),
        cmocka_unit_test(takes_an_empty_key_and_no_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
