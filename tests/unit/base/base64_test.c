// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "support/rng.h"

// RFC 4648 section 10: the encodings of the first 0 to 6 bytes of "foobar".
static const char foobar[] = "foobar";
static const struct {
    const char *padded;
    size_t unpadded_len;
} vectors[] = {
    {"", 0},         {"Zg==", 2},     {"Zm8=", 3},     {"Zm9v", 4},
    {"Zm9vYg==", 6}, {"Zm9vYmE=", 7}, {"Zm9vYmFy", 8},
};

static void writes_the_vectors_of_rfc_4648(void **state)
{
    (void)state;
    for (size_t len = 0; len < COUNT_OF(vectors); len++) {
        for (int is_padded = 0; is_padded <= 1; is_padded++) {
            uint8_t to[16];
            struct wr wr = wr_init(to, sizeof to);

            base64_write(&wr, bytes_first(bytes_of_text(foobar), len), is_padded);
            assert_true(wr_ok(&wr));
            assert_int_equal(wr.len,
                             is_padded ? strlen(vectors[len].padded) : vectors[len].unpadded_len);
            assert_memory_equal(to, vectors[len].padded, wr.len);
        }
        assert_int_equal(BASE64_LEN(len), vectors[len].unpadded_len);
    }
}

static void reads_the_vectors_of_rfc_4648(void **state)
{
    (void)state;
    for (size_t len = 0; len < COUNT_OF(vectors); len++) {
        struct bytes text = {(const uint8_t *)vectors[len].padded, vectors[len].unpadded_len};

        for (size_t want = 0; want < 8; want++) {
            uint8_t to[8];
            memset(to, 0xee, sizeof to);
            assert_int_equal(base64_read(text, to, want), want == len);
            if (want == len) {
                assert_memory_equal(to, foobar, len);
                assert_int_equal(to[len], 0xee);
            }
        }
    }
}

static void refuses_what_is_not_the_one_spelling(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } table[] = {
        {"Zh", 1},       // bits left over
        {"Zv", 1},       //
        {"Zm9", 2},      //
        {"Zg==", 1},     // padding
        {"Zg==", 3},     //
        {"Zm8=", 2},     //
        {"Zm8=", 3},     //
        {"Z", 0},        // no length has one character
        {"Z", 1},        //
        {"Zm9vZ", 3},    //
        {"Zm-v", 3},     // the alphabet of URLs
        {"Zm_v", 3},     //
        {"Zm v", 3},     //
        {"Zm\nv", 3},    //
        {" Zm9", 3},     //
        {"Zm9v", 2},     // another length
        {"Zm9v", 4},     //
        {"\xff\xff", 1}, //
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        uint8_t to[8];
        assert_false(base64_read(bytes_of_text(table[i].text), to, table[i].len));
    }
}

static void accepts_exactly_the_alphabet(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        const uint8_t text[4] = {'A', 'A', 'A', (uint8_t)c};
        const char *at = c != 0 ? strchr(alphabet, (int)c) : NULL;
        uint8_t to[3];

        assert_int_equal(base64_read((struct bytes){text, 4}, to, 3), at != NULL);
        if (at != NULL) {
            assert_int_equal(to[2], at - alphabet);
        }
    }
}

static void reads_what_it_wrote(void **state)
{
    struct rng rng = rng_init(rng_seed("base64_test"));

    (void)state;
    for (size_t i = 0; i < 5000; i++) {
        uint8_t from[64];
        uint8_t text[BASE64_LEN(sizeof from)];
        uint8_t to[sizeof from];
        size_t len = i % sizeof from;
        struct wr wr = wr_init(text, BASE64_LEN(len));

        rng_fill(&rng, from, len);
        base64_write(&wr, (struct bytes){from, len}, false);
        assert_true(wr_ok(&wr));
        assert_int_equal(wr.room, 0);
        assert_true(base64_read(wr_done(&wr), to, len));
        assert_true(bytes_equal((struct bytes){from, len}, (struct bytes){to, len}));
    }
}

static void fails_when_there_is_no_room(void **state)
{
    (void)state;
    for (size_t room = 0; room < 8; room++) {
        uint8_t to[9];
        struct wr wr = wr_init(to, room);

        memset(to, 0xee, sizeof to);
        base64_write(&wr, bytes_of_text("foobar"), true);
        assert_false(wr_ok(&wr));
        assert_int_equal(to[room], 0xee);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_vectors_of_rfc_4648),
        cmocka_unit_test(reads_the_vectors_of_rfc_4648),
        cmocka_unit_test(refuses_what_is_not_the_one_spelling),
        cmocka_unit_test(accepts_exactly_the_alphabet),
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(fails_when_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
