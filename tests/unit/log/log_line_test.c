// SPDX-License-Identifier: Apache-2.0
#include "log/log_line.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "log/log.h"

#define WALL_MS INT64_C(1769860800042) // 2026-01-31T12:00:00.042Z

// The line as a C string, with its newline. Valid until the next call.
static const char *line_of(enum log_level level, const char *message,
                           const struct log_field *fields, enum log_line_format format)
{
    static char text[LOG_LINE_MAX + 1];
    const struct log_line line = {
        .wall_ms = WALL_MS, .level = level, .message = message, .fields = fields};

    const size_t len = log_line_write((uint8_t *)text, &line, format, false);
    assert_true(len <= LOG_LINE_MAX);
    text[len] = '\0';
    assert_int_equal(strlen(text), len);
    assert_ptr_equal(strchr(text, '\n'), text + len - 1); // the newline is the only one
    return text;
}

static const char *human(const char *message, const struct log_field *fields)
{
    return line_of(LOG_LEVEL_INFO, message, fields, LOG_LINE_HUMAN);
}

static const char *json(const char *message, const struct log_field *fields)
{
    return line_of(LOG_LEVEL_INFO, message, fields, LOG_LINE_JSON);
}

static void writes_each_level_to_the_byte(void **state)
{
    static const struct {
        enum log_level level;
        const char *human, *json, *google;
    } rows[] = {
        {LOG_LEVEL_ERROR, "2026-01-31T12:00:00.042Z ERROR hello\n",
         "{\"time\":\"2026-01-31T12:00:00.042Z\",\"level\":\"error\",\"message\":\"hello\"}\n",
         "{\"severity\":\"ERROR\",\"time\":\"2026-01-31T12:00:00.042Z\",\"message\":\"hello\"}\n"},
        {LOG_LEVEL_WARN, "2026-01-31T12:00:00.042Z  WARN hello\n",
         "{\"time\":\"2026-01-31T12:00:00.042Z\",\"level\":\"warn\",\"message\":\"hello\"}\n",
         "{\"severity\":\"WARNING\",\"time\":\"2026-01-31T12:00:00.042Z\",\"message\":\"hello\"}"
         "\n"},
        {LOG_LEVEL_INFO, "2026-01-31T12:00:00.042Z  INFO hello\n",
         "{\"time\":\"2026-01-31T12:00:00.042Z\",\"level\":\"info\",\"message\":\"hello\"}\n",
         "{\"severity\":\"INFO\",\"time\":\"2026-01-31T12:00:00.042Z\",\"message\":\"hello\"}\n"},
        {LOG_LEVEL_DEBUG, "2026-01-31T12:00:00.042Z DEBUG hello\n",
         "{\"time\":\"2026-01-31T12:00:00.042Z\",\"level\":\"debug\",\"message\":\"hello\"}\n",
         "{\"severity\":\"DEBUG\",\"time\":\"2026-01-31T12:00:00.042Z\",\"message\":\"hello\"}\n"},
        {LOG_LEVEL_TRACE, "2026-01-31T12:00:00.042Z TRACE hello\n",
         "{\"time\":\"2026-01-31T12:00:00.042Z\",\"level\":\"trace\",\"message\":\"hello\"}\n",
         "{\"severity\":\"DEBUG\",\"time\":\"2026-01-31T12:00:00.042Z\",\"message\":\"hello\"}\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(line_of(rows[i].level, "hello", LOG_FIELDS(), LOG_LINE_HUMAN),
                            rows[i].human);
        assert_string_equal(line_of(rows[i].level, "hello", LOG_FIELDS(), LOG_LINE_JSON),
                            rows[i].json);
        assert_string_equal(line_of(rows[i].level, "hello", LOG_FIELDS(), LOG_LINE_GOOGLE_CLOUD),
                            rows[i].google);
    }
}

static void tells_machines_the_target(void **state)
{
    static const struct {
        enum log_line_format format;
        const char *text;
    } rows[] = {
        {LOG_LINE_HUMAN, "2026-01-31T12:00:00.042Z  INFO hello port=1\n"},
        {LOG_LINE_JSON, "{\"time\":\"2026-01-31T12:00:00.042Z\",\"level\":\"info\",\"message\":"
                        "\"hello\",\"target\":\"relay_crew\",\"port\":1}\n"},
        {LOG_LINE_GOOGLE_CLOUD,
         "{\"severity\":\"INFO\",\"time\":\"2026-01-31T12:00:00.042Z\",\"message\":\"hello\","
         "\"logging.googleapis.com/labels\":{\"target\":\"relay_crew\"},\"port\":1}\n"},
    };
    const struct log_line line = {.wall_ms = WALL_MS,
                                  .level = LOG_LEVEL_INFO,
                                  .target = BYTES_LITERAL("relay_crew"),
                                  .message = "hello",
                                  .fields = LOG_FIELDS(LOG_NUMBER("port", 1))};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t text[LOG_LINE_MAX + 1];
        text[log_line_write(text, &line, rows[i].format, false)] = '\0';
        assert_string_equal((const char *)text, rows[i].text);
    }
}

static void writes_each_kind_of_field(void **state)
{
    const struct addr ip4 = addr_ip4((const uint8_t[]){192, 0, 2, 1}, 5000);
    const struct addr ip6 = addr_ip6((const uint8_t[16]){0x20, 1, 0xd, 0xb8, [15] = 1}, 3478);
    const struct log_field fields[] = {
        LOG_ADDR("client", &ip4),
        LOG_ADDR("server", &ip6),
        LOG_NUMBER("bytes", UINT64_MAX),
        LOG_TEXT("realm", "fairlead"),
        LOG_BYTES("none", (struct bytes){0}),
        LOG_ERROR_NUMBER("error", -ECONNREFUSED),
        LOG_ERROR_NUMBER("unknown", 4711),
        {.kind = LOG_FIELD_END},
    };

    (void)state;
    assert_string_equal(
        human("all", fields),
        "2026-01-31T12:00:00.042Z  INFO all client=192.0.2.1:5000 server=[2001:db8::1]:3478 "
        "bytes=18446744073709551615 realm=fairlead none=\"\" "
        "error=\"ECONNREFUSED: Connection refused\" unknown=\"error 4711\"\n");
    assert_string_equal(
        json("all", fields),
        "{\"time\":\"2026-01-31T12:00:00.042Z\",\"level\":\"info\",\"message\":\"all\","
        "\"client\":\"192.0.2.1:5000\",\"server\":\"[2001:db8::1]:3478\","
        "\"bytes\":18446744073709551615,\"realm\":\"fairlead\",\"none\":\"\","
        "\"error\":\"ECONNREFUSED: Connection refused\",\"unknown\":\"error 4711\"}\n");
}

// What a value becomes, in both formats.
static const struct {
    const char *text, *human, *json;
} values[] = {
    {"plain", "plain", "\"plain\""},
    {"two words", "\"two words\"", "\"two words\""},
    {"a=b", "\"a=b\"", "\"a=b\""},
    {"say \"hi\"", "\"say \\\"hi\\\"\"", "\"say \\\"hi\\\"\""},
    {"back\\slash", "\"back\\\\slash\"", "\"back\\\\slash\""},
    {"a\nb\rc\td", "\"a\\nb\\rc\\td\"", "\"a\\nb\\rc\\td\""},
    {"\x1b[31m\x7f", "\"\\u001b[31m\\u007f\"", "\"\\u001b[31m\\u007f\""},
    {"\xc2\x9b", "\"\\u009b\"", "\"\\u009b\""},                                   // C1: CSI
    {"\xc2\xa0\xc3\xa4", "\"\xc2\xa0\xc3\xa4\"", "\"\xc2\xa0\xc3\xa4\""},         // as they are
    {"\xe2\x82\xac", "\"\xe2\x82\xac\"", "\"\xe2\x82\xac\""},                     // euro
    {"\xf0\x9f\x9a\xa2", "\"\xf0\x9f\x9a\xa2\"", "\"\xf0\x9f\x9a\xa2\""},         // ship
    {"\xff", "\"\xef\xbf\xbd\"", "\"\xef\xbf\xbd\""},                             // no first byte
    {"\x80", "\"\xef\xbf\xbd\"", "\"\xef\xbf\xbd\""},                             // a tail alone
    {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\"\xef\xbf\xbd\xef\xbf\xbd\""}, // overlong
    {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\"\xef\xbf\xbd\xef\xbf\xbd\""}, // cut off
    {"\xe0\x9f\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
     "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, // overlong
    {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
     "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, // a surrogate
    {"\xc3(", "\"\xef\xbf\xbd(\"", "\"\xef\xbf\xbd(\""},
};

static void escapes_what_strangers_send(void **state)
{
    char expected[256];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        const struct log_field fields[] = {LOG_TEXT("k", values[i].text), {.kind = LOG_FIELD_END}};

        snprintf(expected, sizeof(expected), "2026-01-31T12:00:00.042Z  INFO m k=%s\n",
                 values[i].human);
        assert_string_equal(human("m", fields), expected);
        snprintf(expected, sizeof(expected),
                 "{\"time\":\"2026-01-31T12:00:00.042Z\",\"level\":\"info\",\"message\":\"m\","
                 "\"k\":%s}\n",
                 values[i].json);
        assert_string_equal(json("m", fields), expected);
    }
}

static void escapes_a_zero_byte(void **state)
{
    const struct log_field fields[] = {LOG_BYTES("k", ((struct bytes){(const uint8_t *)"a\0b", 3})),
                                       {.kind = LOG_FIELD_END}};

    (void)state;
    assert_string_equal(human("m", fields), "2026-01-31T12:00:00.042Z  INFO m k=\"a\\u0000b\"\n");
}

static void counts_suppressed_and_dropped_lines_before_the_fields(void **state)
{
    uint8_t text[LOG_LINE_MAX];
    const struct log_line line = {.wall_ms = WALL_MS,
                                  .level = LOG_LEVEL_WARN,
                                  .message = "m",
                                  .fields = LOG_FIELDS(LOG_NUMBER("n", 1)),
                                  .suppressed_count = 12,
                                  .dropped_count = 3};
    static const char expected[] = "2026-01-31T12:00:00.042Z  WARN m suppressed=12 dropped=3 n=1\n";

    (void)state;
    assert_int_equal(log_line_write(text, &line, LOG_LINE_HUMAN, false), sizeof(expected) - 1);
    assert_memory_equal(text, expected, sizeof(expected) - 1);
}

static void colours_human_lines_only(void **state)
{
    uint8_t text[LOG_LINE_MAX];
    const struct log_line line = {
        .wall_ms = WALL_MS, .level = LOG_LEVEL_ERROR, .message = "m", .fields = LOG_FIELDS()};
    static const char expected[] =
        "\x1b[2m2026-01-31T12:00:00.042Z\x1b[0m \x1b[31mERROR\x1b[0m m\n";

    (void)state;
    assert_int_equal(log_line_write(text, &line, LOG_LINE_HUMAN, true), sizeof(expected) - 1);
    assert_memory_equal(text, expected, sizeof(expected) - 1);
    const size_t len = log_line_write(text, &line, LOG_LINE_JSON, true);
    assert_null(memchr(text, '\x1b', len));
}

static bool ends_with(const char *text, const char *end)
{
    const size_t text_len = strlen(text);
    const size_t end_len = strlen(end);

    return text_len >= end_len && strcmp(text + text_len - end_len, end) == 0;
}

static void cuts_a_long_text_and_says_so(void **state)
{
    static char stranger[5000];
    static const char fillers[] = {'a', '\x01', '"', '\xff'};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fillers); i++) {
        memset(stranger, fillers[i], sizeof(stranger) - 1);
        const struct log_field fields[] = {
            LOG_TEXT("k", stranger), LOG_NUMBER("n", 7), {.kind = LOG_FIELD_END}};
        const char *const line = json("m", fields);
        assert_true(ends_with(line, "\xe2\x80\xa6\",\"n\":7,\"truncated\":true}\n"));
        assert_true(strlen(line) < LOG_LINE_TEXT_MAX + 120);
        assert_true(ends_with(human("m", fields), "\xe2\x80\xa6\" n=7 truncated=true\n") ||
                    fillers[i] == 'a');
    }
    assert_true(ends_with(human(stranger, LOG_FIELDS()), "\xe2\x80\xa6 truncated=true\n"));
}

static void leaves_out_fields_that_do_not_fit_as_a_whole(void **state)
{
    static char stranger[5000];
    struct log_field fields[8] = {0};

    (void)state;
    memset(stranger, 'a', sizeof(stranger) - 1);
    for (size_t i = 0; i < COUNT_OF(fields) - 2; i++) {
        fields[i] = (struct log_field)LOG_TEXT("k", stranger);
    }
    fields[COUNT_OF(fields) - 2] = (struct log_field)LOG_NUMBER("n", 7); // fits again
    assert_true(ends_with(json("m", fields), "\xe2\x80\xa6\",\"n\":7,\"truncated\":true}\n"));
    assert_true(ends_with(human("m", fields), "\xe2\x80\xa6 n=7 truncated=true\n"));
}

static void writes_the_epoch_and_the_far_future(void **state)
{
    static const struct {
        int64_t wall_ms;
        const char *time;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-5, "1970-01-01T00:00:00.000Z"},
        {INT64_C(951782400999), "2000-02-29T00:00:00.999Z"},
        {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, NULL}, // any time, but no crash
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t text[LOG_LINE_MAX];
        const struct log_line line = {
            .wall_ms = rows[i].wall_ms, .message = "m", .fields = LOG_FIELDS()};
        assert_int_equal(log_line_write(text, &line, LOG_LINE_HUMAN, false), 33);
        if (rows[i].time != NULL) {
            assert_memory_equal(text, rows[i].time, strlen(rows[i].time));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_each_level_to_the_byte),
        cmocka_unit_test(tells_machines_the_target),
        cmocka_unit_test(writes_each_kind_of_field),
        cmocka_unit_test(escapes_what_strangers_send),
        cmocka_unit_test(escapes_a_zero_byte),
        cmocka_unit_test(counts_suppressed_and_dropped_lines_before_the_fields),
        cmocka_unit_test(colours_human_lines_only),
        cmocka_unit_test(cuts_a_long_text_and_says_so),
        cmocka_unit_test(leaves_out_fields_that_do_not_fit_as_a_whole),
        cmocka_unit_test(writes_the_epoch_and_the_far_future),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
