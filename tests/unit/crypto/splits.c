// SPDX-License-Identifier: Apache-2.0
#include "crypto/splits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { RESULT_MAX = 32 }; // bytes, as the longest digest here

static void assert_hex(const uint8_t result[RESULT_MAX], const char *hex)
{
    char text[RESULT_MAX * 2 + 1] = {0};
    struct wr wr = wr_init((uint8_t *)text, sizeof text - 1);

    wr_hex(&wr, (struct bytes){result, strlen(hex) / 2});
    assert_true(wr_ok(&wr));
    assert_string_equal(text, hex);
}

void splits_assert_hex(splits_fn digest, const void *context, struct bytes text, const char *hex)
{
    uint8_t result[RESULT_MAX] = {0};

    digest(context, &text, 1, result);
    assert_hex(result, hex);
    for (size_t to = 0; to <= text.len; to++) {
        for (size_t from = 0; from <= to; from++) {
            const struct bytes head = bytes_first(text, to);
            const struct bytes spans[] = {
                bytes_first(head, from),
                bytes_from(head, from),
                bytes_from(text, to),
            };
            memset(result, 0, sizeof result);
            digest(context, spans, COUNT_OF(spans), result);
            assert_hex(result, hex);
        }
    }
}
