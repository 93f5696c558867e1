// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct bytes text = BYTES_LITERAL("one\r\n\r\ntwo\n\rthree\r\r\nfour");

// Takes all lines of `part` and appends them, each with a bar behind it.
static void take_all(struct revtun_stream *stream, struct bytes part, struct wr *wr)
{
    struct bytes line = {0};

    while (revtun_stream_take(stream, &part, &line) == REVTUN_STREAM_LINE) {
        wr_bytes(wr, line);
        wr_text(wr, "|");
    }
    assert_int_equal(part.len, 0);
}

static void takes_lines_apart_wherever_they_are_split(void **state)
{
    static struct revtun_stream stream;

    (void)state;
    for (size_t first = 0; first <= text.len; first++) {
        for (size_t second = first; second <= text.len; second++) {
            uint8_t raw[64];
            struct wr wr = wr_init(raw, sizeof raw);
            revtun_stream_init(&stream);
            take_all(&stream, bytes_first(text, first), &wr);
            take_all(&stream, bytes_from(bytes_first(text, second), first), &wr);
            take_all(&stream, bytes_from(text, second), &wr);
            assert_true(bytes_equal_text(wr_done(&wr), "one||two\n\rthree\r|"));
        }
    }
}

static void gives_a_line_so_many_bytes(void **state)
{
    static struct revtun_stream stream;
    static uint8_t raw[REVTUN_STREAM_LINE_MAX + 1];

    (void)state;
    for (size_t len = REVTUN_STREAM_LINE_MAX; len <= sizeof raw; len++) {
        struct bytes received = {raw, len};
        struct bytes line = {0};
        memset(raw, 'x', sizeof raw);
        raw[len - 2] = '\r';
        raw[len - 1] = '\n';
        revtun_stream_init(&stream);
        const enum revtun_stream_outcome outcome = revtun_stream_take(&stream, &received, &line);
        assert_int_equal(outcome,
                         len == REVTUN_STREAM_LINE_MAX ? REVTUN_STREAM_LINE : REVTUN_STREAM_LONG);
        assert_int_equal(line.len, len == REVTUN_STREAM_LINE_MAX ? len - 2 : 0);
    }
    // From then on there is no line.
    struct bytes received = bytes_of_text("ping n=1\r\n");
    struct bytes line = {0};
    assert_int_equal(revtun_stream_take(&stream, &received, &line), REVTUN_STREAM_LONG);
}

static void counts_what_comes_in_pieces(void **state)
{
    static struct revtun_stream stream;
    static const uint8_t byte = 'x';
    struct bytes line = {0};

    (void)state;
    revtun_stream_init(&stream);
    for (size_t i = 0; i <= REVTUN_STREAM_LINE_MAX; i++) {
        struct bytes received = {&byte, 1};
        assert_int_equal(revtun_stream_take(&stream, &received, &line),
                         i < REVTUN_STREAM_LINE_MAX ? REVTUN_STREAM_PART : REVTUN_STREAM_LONG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_lines_apart_wherever_they_are_split),
        cmocka_unit_test(gives_a_line_so_many_bytes),
        cmocka_unit_test(counts_what_comes_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
