// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_baggage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint8_t memory[256];

// Reads a whole list; writes its pairs as "key:value|" and returns how it ended.
static enum telemetry_baggage_outcome read_all(const char *list, size_t room, struct wr *out)
{
    struct bytes left = bytes_of_text(list);
    struct wr wr = wr_init(memory, room);
    struct bytes key = {0};
    struct bytes value = {0};

    for (;;) {
        const enum telemetry_baggage_outcome outcome =
            telemetry_baggage_next(&left, &wr, &key, &value);
        if (outcome != TELEMETRY_BAGGAGE_PAIR) {
            return outcome;
        }
        wr_bytes(out, key);
        wr_text(out, ":");
        wr_bytes(out, value);
        wr_text(out, "|");
    }
}

static void reads_pairs(void **state)
{
    static const struct {
        const char *list;
        const char *pairs;
    } cases[] = {
        {"", ""},
        {",, ,", ""},
        {"a=b", "a:b|"},
        {"service.name=relay,service.namespace=firezone",
         "service.name:relay|service.namespace:firezone|"},
        {" a = b , c\t=\td ", "a:b|c:d|"},
        {"a=", "a:|"},
        {"a=b=c", "a:b=c|"},
        {"a=%2C%3d%25 %e2%82%AC", "a:,=% \xe2\x82\xac|"},
        {"a=one two;three \"four\"", "a:one two;three \"four\"|"},
        {"a=1,a=2", "a:1|a:2|"},
        {"!#$%&'*+-.^_`|~09azAZ=x", "!#$%&'*+-.^_`|~09azAZ:x|"},
        {"a=\xf4\x8f\xbf\xbf", "a:\xf4\x8f\xbf\xbf|"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t text[256];
        struct wr out = wr_init(text, sizeof text);
        assert_int_equal(read_all(cases[i].list, sizeof memory, &out), TELEMETRY_BAGGAGE_END);
        assert_true(bytes_equal_text(wr_done(&out), cases[i].pairs));
    }
}

static void says_what_is_wrong_and_has_what_stands_before_it(void **state)
{
    static const struct {
        const char *list;
        enum telemetry_baggage_outcome outcome;
    } cases[] = {
        {"x=y,a", TELEMETRY_BAGGAGE_WRONG_PAIR},
        {"x=y,=b", TELEMETRY_BAGGAGE_WRONG_PAIR},
        {"x=y,a b=c", TELEMETRY_BAGGAGE_WRONG_PAIR},
        {"x=y,a\"=c", TELEMETRY_BAGGAGE_WRONG_PAIR},
        {"x=y,\xc3\xa4=c", TELEMETRY_BAGGAGE_WRONG_PAIR},
        {"x=y,a=%", TELEMETRY_BAGGAGE_WRONG_PERCENT},
        {"x=y,a=%2", TELEMETRY_BAGGAGE_WRONG_PERCENT},
        {"x=y,a=%2g", TELEMETRY_BAGGAGE_WRONG_PERCENT},
        {"x=y,a=%%20", TELEMETRY_BAGGAGE_WRONG_PERCENT},
        {"x=y,a=%0A", TELEMETRY_BAGGAGE_WRONG_TEXT},
        {"x=y,a=%00", TELEMETRY_BAGGAGE_WRONG_TEXT},
        {"x=y,a=%7f", TELEMETRY_BAGGAGE_WRONG_TEXT},
        {"x=y,a=%80", TELEMETRY_BAGGAGE_WRONG_TEXT},
        {"x=y,a=%c3", TELEMETRY_BAGGAGE_WRONG_TEXT},
        {"x=y,a=%c0%80", TELEMETRY_BAGGAGE_WRONG_TEXT},
        {"x=y,a=%c2%80", TELEMETRY_BAGGAGE_WRONG_TEXT}, // a control character too
        {"x=y,a=%e0%80%80", TELEMETRY_BAGGAGE_WRONG_TEXT},
        {"x=y,a=%ed%a0%80", TELEMETRY_BAGGAGE_WRONG_TEXT},
        {"x=y,a=%f4%90%80%80", TELEMETRY_BAGGAGE_WRONG_TEXT},
        {"x=y,a=%f0%80%80%80", TELEMETRY_BAGGAGE_WRONG_TEXT},
        {"x=y,a=%e2%82", TELEMETRY_BAGGAGE_WRONG_TEXT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t text[256];
        struct wr out = wr_init(text, sizeof text);
        assert_int_equal(read_all(cases[i].list, sizeof memory, &out), cases[i].outcome);
        assert_true(bytes_equal_text(wr_done(&out), "x:y|"));
        assert_true(strlen(telemetry_baggage_wrong(cases[i].outcome)) > 0);
    }
}

static void writes_no_more_than_there_is_room(void **state)
{
    uint8_t text[256];
    struct wr out = wr_init(text, sizeof text);

    (void)state;
    assert_int_equal(read_all("a=12345678", 8, &out), TELEMETRY_BAGGAGE_END);
    assert_int_equal(read_all("a=1234,b=56789", 8, &out), TELEMETRY_BAGGAGE_WRONG_ROOM);
    assert_int_equal(read_all("a=%41%42", 1, &out), TELEMETRY_BAGGAGE_WRONG_ROOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pairs),
        cmocka_unit_test(says_what_is_wrong_and_has_what_stands_before_it),
        cmocka_unit_test(writes_no_more_than_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
