// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "log/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { TIME_LEN = 25 }; // bytes of "2026-01-31T12:00:00.042Z "

struct output {
    int read_fd, write_fd;
    char text[1 << 20];
};

static struct output output;

static int open_output(void **state)
{
    int fds[2];

    (void)state;
    if (pipe2(fds, O_CLOEXEC) != 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0) {
        return -1;
    }
    output.read_fd = fds[0];
    output.write_fd = fds[1];
    log_open(fds[1], LOG_LEVEL_INFO, LOG_LINE_HUMAN);
    return 0;
}

static int close_output(void **state)
{
    (void)state;
    close(output.write_fd);
    return output.read_fd >= 0 ? close(output.read_fd) : 0;
}

// All that was written since the last call.
static const char *written(void)
{
    size_t len = 0;

    for (;;) {
        const ssize_t got = read(output.read_fd, output.text + len, sizeof(output.text) - 1 - len);
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    output.text[len] = '\0';
    return output.text;
}

static void writes_a_line_with_its_fields(void **state)
{
    (void)state;
    LOG_INFO("started", LOG_TEXT("realm", "fairlead"), LOG_NUMBER("port", 3478));
    const char *const line = written();
    assert_true(strlen(line) > TIME_LEN);
    assert_string_equal(line + TIME_LEN, " INFO started realm=fairlead port=3478\n");
    LOG_WARN("alone");
    assert_string_equal(written() + TIME_LEN, " WARN alone\n");
}

static uint64_t evaluated_count;

static uint64_t evaluate(void)
{
    return ++evaluated_count;
}

static void writes_and_evaluates_nothing_below_its_level(void **state)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;

    (void)state;
    evaluated_count = 0;
    LOG_DEBUG("quiet", LOG_NUMBER("n", evaluate()));
    LOG_TRACE("quiet", LOG_NUMBER("n", evaluate()));
    LOG_LIMITED(&limit, LOG_LEVEL_DEBUG, "quiet", LOG_NUMBER("n", evaluate()));
    assert_string_equal(written(), "");
    assert_int_equal(evaluated_count, 0);
    log_open(output.write_fd, LOG_LEVEL_TRACE, LOG_LINE_HUMAN);
    LOG_TRACE("loud", LOG_NUMBER("n", evaluate()));
    assert_string_equal(written() + TIME_LEN, "TRACE loud n=1\n");
    log_open(output.write_fd, LOG_LEVEL_ERROR, LOG_LINE_HUMAN);
    LOG_WARN("quiet");
    assert_string_equal(written(), "");
}

static void filters_by_the_file_that_a_line_stands_in(void **state)
{
    uint8_t text[LOG_FILTER_ERROR_MAX];
    struct wr error = wr_init(text, sizeof text);

    (void)state;
    assert_true(log_filter_set(bytes_of_text("trace,log_test=warn"), &error));
    LOG_INFO("quiet");
    assert_string_equal(written(), "");
    assert_true(log_filter_set(bytes_of_text("error,log_te=debug"), &error));
    LOG_DEBUG("loud");
    assert_string_equal(written() + TIME_LEN, "DEBUG loud\n");
    LOG_TRACE("quiet");
    assert_string_equal(written(), "");
}

static void writes_json_when_it_is_told_so(void **state)
{
    (void)state;
    log_open(output.write_fd, LOG_LEVEL_INFO, LOG_LINE_JSON);
    LOG_ERROR("over", LOG_ERROR_NUMBER("error", 11));
    assert_non_null(strstr(written(),
                           "\"level\":\"error\",\"message\":\"over\",\"target\":\"log_test\","
                           "\"error\":\"EAGAIN: Resource temporarily unavailable\"}\n"));
}

static void holds_back_what_exceeds_the_limit(void **state)
{
    // No token comes back while this test runs.
    static struct log_limit limit = {.interval_ns = 1000000 * SECOND_NS, .burst = 2};

    (void)state;
    for (int i = 0; i < 5; i++) {
        LOG_LIMITED(&limit, LOG_LEVEL_WARN, "knock");
    }
    const char *const lines = written();
    assert_int_equal(strlen(lines), 2 * (TIME_LEN + strlen(" WARN knock\n")));
    limit.full_at_ns = 0;
    LOG_LIMITED(&limit, LOG_LEVEL_WARN, "knock");
    assert_string_equal(written() + TIME_LEN, " WARN knock suppressed=3\n");
}

static void drops_lines_when_the_pipe_is_full_and_says_how_many(void **state)
{
    const uint64_t before_count = log_dropped_count();
    int line_count = 0;

    (void)state;
    while (log_dropped_count() == before_count) { // would hang here if it waited
        LOG_INFO("flood");
        line_count++;
        assert_true(line_count < 1000000);
    }
    LOG_INFO("flood");
    assert_int_equal(log_dropped_count(), before_count + 2);
    const char *text = written();
    for (; line_count > 1; line_count--) { // each of the others is there, whole
        text += TIME_LEN + strlen(" INFO flood\n");
    }
    assert_string_equal(text, "");
    LOG_INFO("after");
    assert_string_equal(written() + TIME_LEN, " INFO after dropped=2\n");
    LOG_INFO("after");
    assert_string_equal(written() + TIME_LEN, " INFO after\n");
}

static void outlives_a_reader_that_has_gone(void **state)
{
    const uint64_t before_count = log_dropped_count();

    (void)state;
    close(output.read_fd);
    output.read_fd = -1;
    LOG_INFO("to nobody"); // SIGPIPE is not ignored here: writing would end the test
    assert_int_equal(log_dropped_count(), before_count + 1);
}

enum { THREAD_COUNT = 4, LINES_PER_THREAD = 100 };

static void *log_much(void *context)
{
    for (int i = 0; i < LINES_PER_THREAD; i++) {
        LOG_INFO("from a thread", LOG_TEXT("name", "worker"));
    }
    return context;
}

static void keeps_the_lines_of_threads_apart(void **state)
{
    pthread_t threads[THREAD_COUNT];
    int line_count = 0;

    (void)state;
    LOG_INFO("first"); // takes the count of lines dropped by the test before this one
    assert_non_null(written());
    for (int i = 0; i < THREAD_COUNT; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, log_much, NULL), 0);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    const char *text = written();
    for (; *text != '\0'; line_count++) {
        static const char expected[] = " INFO from a thread name=worker\n";
        assert_memory_equal(text + TIME_LEN, expected, sizeof(expected) - 1);
        text += TIME_LEN + sizeof(expected) - 1;
    }
    assert_int_equal(line_count, THREAD_COUNT * LINES_PER_THREAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_a_line_with_its_fields, open_output, close_output),
        cmocka_unit_test_setup_teardown(writes_and_evaluates_nothing_below_its_level, open_output,
                                        close_output),
        cmocka_unit_test_setup_teardown(filters_by_the_file_that_a_line_stands_in, open_output,
                                        close_output),
        cmocka_unit_test_setup_teardown(writes_json_when_it_is_told_so, open_output, close_output),
        cmocka_unit_test_setup_teardown(holds_back_what_exceeds_the_limit, open_output,
                                        close_output),
        cmocka_unit_test_setup_teardown(drops_lines_when_the_pipe_is_full_and_says_how_many,
                                        open_output, close_output),
        cmocka_unit_test_setup_teardown(outlives_a_reader_that_has_gone, open_output, close_output),
        cmocka_unit_test_setup_teardown(keeps_the_lines_of_threads_apart, open_output,
                                        close_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
