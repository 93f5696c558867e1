// SPDX-License-Identifier: Apache-2.0
#include "log/log_directives.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// The most talkative level that passes: 0 none, 1 error ... 5 trace.
static int allowed(const char *text, const char *target)
{
    struct log_directives directives;
    int count = 0;

    const struct log_directives_error wrong = log_directives_read(bytes_of_text(text), &directives);
    assert_null(wrong.predicate);
    while (count <= LOG_LEVEL_TRACE &&
           log_directives_allow(&directives, bytes_of_text(target), (enum log_level)count)) {
        count++;
    }
    for (int level = count; level <= LOG_LEVEL_TRACE; level++) {
        assert_false(
            log_directives_allow(&directives, bytes_of_text(target), (enum log_level)level));
    }
    return count;
}

static void lets_pass_what_rust_log_would(void **state)
{
    static const struct {
        const char *text, *target;
        int allowed;
    } rows[] = {
        {"", "relay_crew", 3},
        {" , ,", "relay_crew", 3},
        {"info", "relay_crew", 3},
        {"OFF", "relay_crew", 0},
        {"0", "relay_crew", 0},
        {"5", "relay_crew", 5},
        {"Debug", "relay_crew", 4},
        {"error,warn", "relay_crew", 2}, // the later
        // Firezone's own values.
        {"debug,wire=trace", "relay_crew", 4},
        {"relay=debug", "relay_crew", 4},
        {"relay=debug", "xdp_table", 3},
        {"firezone_relay=debug,eBPF=trace,info", "relay_crew", 3},
        {"warn,relay::server=trace,rustls=warn,h2=info,hyper_util=info", "relay_crew", 2},
        // Targets are prefixes, and the longest decides in whatever order they stand.
        {"relay=error,relay_report=trace", "relay_report", 5},
        {"relay_report=trace,relay=error", "relay_report", 5},
        {"relay_report=trace,relay=error", "relay_crew", 1},
        {"relay=off", "relay_crew", 0},
        {"relay=off", "rela", 3},
        {"relay_crew_x=trace", "relay_crew", 3},
        {"xdp=warn,xdp=debug", "xdp_table", 4},
        {"xdp", "xdp_table", 5},
        {"xdp=", "xdp_table", 5},
        {" warn , xdp=debug ", "xdp_table", 4},
        // Nothing here has a span.
        {"warn,relay[request{method=allocate,code=4}]=trace", "relay_crew", 2},
        {"[request]=trace,error", "relay_crew", 1},
        {"[request]", "relay_crew", 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (allowed(rows[i].text, rows[i].target) != rows[i].allowed) {
            fail_msg("'%s' of %s", rows[i].text, rows[i].target);
        }
    }
}

static void says_which_part_is_wrong_and_why(void **state)
{
    static const struct {
        const char *text, *part, *predicate;
    } rows[] = {
        {"relay=loud", "relay=loud", "has no level out of off, error, warn, info, debug and trace"},
        {"info,relay=6 ,x", "relay=6",
         "has no level out of off, error, warn, info, debug and trace"},
        {"relay=debug=info", "relay=debug=info",
         "has no level out of off, error, warn, info, debug and trace"},
        {"=debug", "=debug", "is no directive; one is LEVEL, TARGET or TARGET=LEVEL"},
        {"a b", "a b", "is no directive; one is LEVEL, TARGET or TARGET=LEVEL"},
        {"relay;debug", "relay;debug", "is no directive; one is LEVEL, TARGET or TARGET=LEVEL"},
        {"relay]=debug", "relay]=debug", "is no directive; one is LEVEL, TARGET or TARGET=LEVEL"},
        {"relay[a,b=debug", "relay[a,b=debug", "has a [ without its ]"},
        {"relay[a]debug", "relay[a]debug", "has something else than = behind its ]"},
        {"\x1b[31m", "\x1b[31m", "has a [ without its ]"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct log_directives directives = {.otherwise = 77};
        const struct log_directives_error wrong =
            log_directives_read(bytes_of_text(rows[i].text), &directives);
        assert_non_null(wrong.predicate);
        assert_string_equal(wrong.predicate, rows[i].predicate);
        assert_true(bytes_equal_text(wrong.part, rows[i].part));
        assert_int_equal(directives.otherwise, 77);
    }
}

// `count` times "tNN=trace,", NN being the count from 10 on.
static struct bytes many(char *text, size_t size, int count)
{
    size_t len = 0;

    for (int i = 0; i < count; i++) {
        len += (size_t)snprintf(text + len, size - len, "t%d=trace,", 10 + i);
    }
    return (struct bytes){(const uint8_t *)text, len};
}

static void has_room_for_so_many_and_no_more(void **state)
{
    static char text[LOG_DIRECTIVES_TEXT_MAX + 1];
    struct log_directives directives;

    (void)state;
    const struct bytes full = many(text, sizeof text, LOG_DIRECTIVES_MAX);
    assert_null(log_directives_read(full, &directives).predicate);
    assert_true(log_directives_allow(&directives, bytes_of_text("t41"), LOG_LEVEL_TRACE));
    assert_string_equal(
        log_directives_read(many(text, sizeof text, LOG_DIRECTIVES_MAX + 1), &directives).predicate,
        "is one target more than the 32 there may be");

    memset(text, 'a', sizeof text);
    const struct bytes target = {(const uint8_t *)text, LOG_DIRECTIVES_TARGET_MAX};
    assert_null(log_directives_read(target, &directives).predicate);
    assert_true(log_directives_allow(&directives, target, LOG_LEVEL_TRACE));
    assert_string_equal(
        log_directives_read((struct bytes){target.ptr, target.len + 1}, &directives).predicate,
        "has a target of more than 64 bytes");

    memset(text, ',', sizeof text);
    const struct bytes longest = {(const uint8_t *)text, LOG_DIRECTIVES_TEXT_MAX};
    assert_null(log_directives_read(longest, &directives).predicate);
    assert_string_equal(
        log_directives_read((struct bytes){longest.ptr, longest.len + 1}, &directives).predicate,
        "is longer than 1024 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_pass_what_rust_log_would),
        cmocka_unit_test(says_which_part_is_wrong_and_why),
        cmocka_unit_test(has_room_for_so_many_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
