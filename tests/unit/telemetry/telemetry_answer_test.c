// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SPAN(literal)                                                                              \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

// PartialSuccess{rejected: 3, error_message: "too old"} in an ExportMetricsServiceResponse.
#define PARTIAL "\x0a\x0b\x08\x03\x12\x07too old"

static struct telemetry_arena arena;
static struct telemetry_answer answer;

static int open_arena(void **state)
{
    (void)state;
    return telemetry_arena_open(&arena, 4096);
}

static int close_arena(void **state)
{
    (void)state;
    telemetry_arena_close(&arena);
    return 0;
}

struct judged {
    struct telemetry_reply reply;
    enum telemetry_answer_kind kind;
    const char *text;
};

static void expect_all(const struct judged *cases, size_t count, enum telemetry_protocol protocol)
{
    for (size_t i = 0; i < count; i++) {
        struct telemetry_reply reply = cases[i].reply;
        reply.protocol = protocol;
        memset(&answer, 0xff, sizeof answer);
        telemetry_answer_read(&reply, &arena, &answer);
        assert_string_equal(answer.text, cases[i].text);
        assert_int_equal(answer.kind, cases[i].kind);
    }
}

static void judges_grpc(void **state)
{
    static const struct bytes empty = SPAN("\0\0\0\0\0");
    const struct judged cases[] = {
        {{.http_status = 200, .grpc_status = SPAN("0"), .body = empty}, TELEMETRY_ANSWER_TAKEN, ""},
        {{.http_status = 200, .grpc_status = SPAN("0"), .body = SPAN("\0\0\0\0\x0d" PARTIAL)},
         TELEMETRY_ANSWER_TAKEN,
         "too old"},
        {{.http_status = 200, .grpc_status = SPAN("14"), .grpc_message = SPAN("going%20away")},
         TELEMETRY_ANSWER_LATER,
         "grpc-status 14: going away"},
        {{.http_status = 200, .grpc_status = SPAN("1")}, TELEMETRY_ANSWER_LATER, "grpc-status 1"},
        {{.http_status = 200, .grpc_status = SPAN("4")}, TELEMETRY_ANSWER_LATER, "grpc-status 4"},
        {{.http_status = 200, .grpc_status = SPAN("8")}, TELEMETRY_ANSWER_LATER, "grpc-status 8"},
        {{.http_status = 200, .grpc_status = SPAN("15")}, TELEMETRY_ANSWER_LATER, "grpc-status 15"},
        {{.http_status = 200, .grpc_status = SPAN("3"), .grpc_message = SPAN("bad %zz")},
         TELEMETRY_ANSWER_REFUSED,
         "grpc-status 3: bad "},
        {{.http_status = 200, .grpc_status = SPAN("16")},
         TELEMETRY_ANSWER_REFUSED,
         "grpc-status 16"},
        {{.http_status = 200, .grpc_status = SPAN("12")},
         TELEMETRY_ANSWER_UNSUPPORTED,
         "grpc-status 12"},
        {{.http_status = 200, .grpc_status = SPAN("17")},
         TELEMETRY_ANSWER_REFUSED,
         "grpc-status is not a number from 0 to 16"},
        {{.http_status = 200, .grpc_status = SPAN("-1")},
         TELEMETRY_ANSWER_REFUSED,
         "grpc-status is not a number from 0 to 16"},
        {{.http_status = 200, .body = empty},
         TELEMETRY_ANSWER_REFUSED,
         "the answer is not one of gRPC"},
        {{.http_status = 503, .grpc_status = SPAN("0")}, TELEMETRY_ANSWER_LATER, "HTTP status 503"},
        {{.http_status = 404}, TELEMETRY_ANSWER_REFUSED, "HTTP status 404"},
        {{.http_status = 0}, TELEMETRY_ANSWER_REFUSED, "HTTP status 0"},
    };

    (void)state;
    expect_all(cases, COUNT_OF(cases), TELEMETRY_GRPC);
}

static void believes_no_frame_that_is_not_one(void **state)
{
    static const struct bytes bodies[] = {
        SPAN(""),
        SPAN("\0\0\0\0"),
        SPAN("\0\0\0\0\x01"), // shorter than it says
        SPAN("\0\0\0\0\0\0"), // longer
        SPAN("\x01\0\0\0\0"), // compressed, which we do not take
        SPAN("\0\xff\xff\xff\xff"),
        SPAN("\0\0\0\0\x02\x0a\x05"), // a message cut short
        SPAN("\0\0\0\0\x03\x0a\x01\xff"),
        SPAN("<html>no</html>"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        const struct judged judged = {
            {.http_status = 200, .grpc_status = SPAN("0"), .body = bodies[i]},
            TELEMETRY_ANSWER_REFUSED,
            "the answer cannot be read",
        };
        expect_all(&judged, 1, TELEMETRY_GRPC);
    }
}

static void judges_http(void **state)
{
    static const struct bytes type = SPAN("application/x-protobuf");
    const struct judged cases[] = {
        {{.http_status = 200}, TELEMETRY_ANSWER_TAKEN, ""},
        {{.http_status = 202, .content_type = type}, TELEMETRY_ANSWER_TAKEN, ""},
        {{.http_status = 200, .content_type = type, .body = SPAN(PARTIAL)},
         TELEMETRY_ANSWER_TAKEN,
         "too old"},
        {{.http_status = 200, .content_type = type, .body = SPAN("\xff")},
         TELEMETRY_ANSWER_REFUSED,
         "the answer cannot be read"},
        {{.http_status = 200, .content_type = SPAN("text/html"), .body = SPAN("<html>")},
         TELEMETRY_ANSWER_REFUSED,
         "the answer is not one of OTLP"},
        {{.http_status = 429}, TELEMETRY_ANSWER_LATER, "HTTP status 429"},
        {{.http_status = 502}, TELEMETRY_ANSWER_LATER, "HTTP status 502"},
        {{.http_status = 503}, TELEMETRY_ANSWER_LATER, "HTTP status 503"},
        {{.http_status = 504}, TELEMETRY_ANSWER_LATER, "HTTP status 504"},
        {{.http_status = 500}, TELEMETRY_ANSWER_REFUSED, "HTTP status 500"},
        {{.http_status = 400}, TELEMETRY_ANSWER_REFUSED, "HTTP status 400"},
        {{.http_status = 301}, TELEMETRY_ANSWER_REFUSED, "HTTP status 301"},
        {{.http_status = 404}, TELEMETRY_ANSWER_UNSUPPORTED, "HTTP status 404"},
        {{.http_status = 405}, TELEMETRY_ANSWER_UNSUPPORTED, "HTTP status 405"},
        {{.http_status = 501}, TELEMETRY_ANSWER_UNSUPPORTED, "HTTP status 501"},
    };

    (void)state;
    expect_all(cases, COUNT_OF(cases), TELEMETRY_HTTP);
}

static void counts_what_was_thrown_away(void **state)
{
    struct telemetry_reply reply = {
        .protocol = TELEMETRY_HTTP,
        .http_status = 200,
        .content_type = SPAN("application/x-protobuf; v=1"),
        .body = SPAN(PARTIAL),
    };

    (void)state;
    telemetry_answer_read(&reply, &arena, &answer);
    assert_int_equal(answer.rejected_count, 3);
    // A negative number of ten bytes.
    reply.body = (struct bytes)SPAN("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    telemetry_answer_read(&reply, &arena, &answer);
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_TAKEN);
    assert_int_equal(answer.rejected_count, 0);
}

static void waits_as_long_as_is_asked_but_not_for_ever(void **state)
{
    static const struct {
        struct bytes text;
        uint32_t wait_s;
    } cases[] = {
        {SPAN("7"), 7},
        {SPAN(""), 0},
        {SPAN("0"), 0},
        {SPAN("99999999999999999999"), TELEMETRY_ANSWER_WAIT_MAX_S},
        {SPAN("18446744073709551615"), TELEMETRY_ANSWER_WAIT_MAX_S},
        {SPAN("Wed, 21 Oct 2026 07:28:00 GMT"), 0}, // it is over
        {SPAN("Wed, 21 Oct 2026 07:29:00 GMT"), 59},
        {SPAN("Wed, 21 Oct 2026 09:28:00 GMT"), TELEMETRY_ANSWER_WAIT_MAX_S},
        {SPAN("-1"), 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct telemetry_reply reply = {
            .protocol = TELEMETRY_HTTP,
            .wall_s = 1792567681, // Wed, 21 Oct 2026 07:28:01 GMT
            .http_status = 503,
            .retry_after = cases[i].text,
        };
        telemetry_answer_read(&reply, &arena, &answer);
        assert_int_equal(answer.wait_s, cases[i].wait_s);
    }
}

// Repeated unknown fields of two bytes each become many times as much memory.
static void a_message_of_many_fields_costs_no_more_than_the_arena(void **state)
{
    static uint8_t body[16384];
    const struct telemetry_reply reply = {
        .protocol = TELEMETRY_HTTP,
        .http_status = 200,
        .content_type = SPAN("application/x-protobuf"),
        .body = {body, sizeof body},
    };

    (void)state;
    for (size_t i = 0; i < sizeof body; i++) {
        body[i] = i % 2 == 0 ? 0x78 : 0x01; // field 15, varint 1
    }
    telemetry_answer_read(&reply, &arena, &answer);
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_REFUSED);
    assert_true(arena.used <= arena.size);
}

static void cuts_long_texts(void **state)
{
    static uint8_t message[4096];
    struct telemetry_reply reply = {
        .protocol = TELEMETRY_GRPC,
        .http_status = 200,
        .grpc_status = SPAN("13"),
        .grpc_message = {message, sizeof message},
    };

    (void)state;
    memset(message, 'x', sizeof message);
    telemetry_answer_read(&reply, &arena, &answer);
    assert_int_equal(strlen(answer.text), TELEMETRY_ANSWER_TEXT_MAX - 1);
    telemetry_answer_none(&answer, "nobody is there");
    assert_string_equal(answer.text, "nobody is there");
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_LATER);
    assert_int_equal(answer.rejected_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_grpc),
        cmocka_unit_test(believes_no_frame_that_is_not_one),
        cmocka_unit_test(judges_http),
        cmocka_unit_test(counts_what_was_thrown_away),
        cmocka_unit_test(waits_as_long_as_is_asked_but_not_for_ever),
        cmocka_unit_test(a_message_of_many_fields_costs_no_more_than_the_arena),
        cmocka_unit_test(cuts_long_texts),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
