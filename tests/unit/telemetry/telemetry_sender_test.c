// SPDX-License-Identifier: Apache-2.0
// The sender beside a collector of HTTP that does one thing to each connection. gRPC, which needs
// HTTP/2, is tested from outside: tests/conform/otlp_test.py.
#include "telemetry/telemetry_sender.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/now.h"

enum { TIMEOUT_MS = 300, MILLI_NS = 1000000 };

static struct collector {
    int listener;
    pthread_t thread;
    const char *answer; // NULL: none at all
    bool is_endless;    // the end of the answer is repeated
    char request[4096];
    size_t request_len;
} collector;

static struct telemetry_sender sender;
static struct telemetry_target target;
static struct telemetry_answer answer;

static uint64_t mono_ns(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * SECOND_NS + (uint64_t)at.tv_nsec;
}

static bool is_whole(void)
{
    return strstr(collector.request, "\r\n\r\n") != NULL &&
           strstr(collector.request, "MESSAGE") != NULL;
}

static void *serve(void *context)
{
    const int fd = accept(collector.listener, NULL, NULL);

    (void)context;
    if (fd < 0) {
        return NULL;
    }
    while (!is_whole() && collector.request_len < sizeof collector.request - 1) {
        const ssize_t len = recv(fd, collector.request + collector.request_len,
                                 sizeof collector.request - 1 - collector.request_len, 0);
        if (len <= 0) {
            break;
        }
        collector.request_len += (size_t)len;
    }
    if (collector.answer == NULL) {
        char byte = 0;
        while (recv(fd, &byte, 1, 0) > 0) {
            // until the other side has had enough
        }
    } else if (send(fd, collector.answer, strlen(collector.answer), MSG_NOSIGNAL) > 0) {
        const char *tail = "X-More: and more and more and more and more and more\r\n";
        while (collector.is_endless && send(fd, tail, strlen(tail), MSG_NOSIGNAL) > 0) {
            // likewise
        }
    }
    close(fd);
    return NULL;
}

static int open_all(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    const struct telemetry_sender_config config = {
        .headers = bytes_of_text("x-key=two%20words,x-empty="),
        .timeout_ms = TIMEOUT_MS,
    };

    (void)state;
    collector = (struct collector){.listener = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(collector.listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(collector.listener, 1), 0);
    assert_int_equal(getsockname(collector.listener, (struct sockaddr *)&at, &len), 0);
    target.protocol = TELEMETRY_HTTP;
    snprintf(target.url, sizeof target.url, "http://127.0.0.1:%u/v1/metrics", ntohs(at.sin_port));
    return telemetry_sender_open(&sender, &config);
}

static int close_all(void **state)
{
    (void)state;
    telemetry_sender_close(&sender);
    telemetry_sender_close(&sender);
    return close(collector.listener);
}

static void post(void)
{
    uint8_t request[] = "12345MESSAGE";

    telemetry_sender_post(&sender, &target, request, strlen("MESSAGE"), &answer);
}

static void post_to(const char *text)
{
    collector.answer = text;
    assert_int_equal(pthread_create(&collector.thread, NULL, serve, NULL), 0);
    post();
    assert_int_equal(pthread_join(collector.thread, NULL), 0);
}

static void sends_the_message_with_its_headers(void **state)
{
    (void)state;
    post_to("HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_TAKEN);
    assert_non_null(strstr(collector.request, "POST /v1/metrics HTTP/1.1\r\n"));
    assert_non_null(strstr(collector.request, "\r\nContent-Type: application/x-protobuf\r\n"));
    assert_non_null(strstr(collector.request, "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(collector.request, "\r\nx-key: two words\r\n"));
    assert_non_null(strstr(collector.request, "\r\nx-empty:\r\n"));
    assert_null(strstr(collector.request, "Expect:"));
    assert_non_null(strstr(collector.request, "\r\n\r\nMESSAGE"));
    assert_null(strstr(collector.request, "5MESSAGE"));
}

static void brings_the_answer(void **state)
{
    (void)state;
    post_to("HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno");
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_LATER);
    assert_int_equal(answer.wait_s, 7);
    assert_string_equal(answer.text, "HTTP status 503");
}

static void knows_what_is_not_http(void **state)
{
    (void)state;
    post_to("SSH-2.0-OpenSSH_9.2\r\n");
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_LATER);
    assert_true(strlen(answer.text) > 0);
}

static void follows_nobody_elsewhere(void **state)
{
    (void)state;
    post_to("HTTP/1.1 307 There\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_REFUSED);
    assert_string_equal(answer.text, "HTTP status 307");
}

static void waits_no_longer_than_its_timeout(void **state)
{
    const uint64_t start_ns = mono_ns();

    (void)state;
    post_to(NULL);
    const uint64_t took_ms = (mono_ns() - start_ns) / MILLI_NS;
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_LATER);
    assert_in_range(took_ms, TIMEOUT_MS - 5, TIMEOUT_MS + 5000);
}

static void takes_no_endless_body(void **state)
{
    (void)state;
    collector.is_endless = true;
    post_to("HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n\r\n");
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_LATER);
    assert_string_equal(answer.text, "the answer is too long");
}

static void takes_no_endless_headers(void **state)
{
    (void)state;
    collector.is_endless = true;
    post_to("HTTP/1.1 200 OK\r\n");
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_LATER);
    assert_string_equal(answer.text, "the answer is too long");
}

static void says_that_nobody_is_there(void **state)
{
    (void)state;
    shutdown(collector.listener, SHUT_RDWR);
    post();
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_LATER);
    assert_non_null(strstr(answer.text, "connect"));
}

// After which the next request is served, by the same sender.
static void recovers(void **state)
{
    (void)state;
    post_to(NULL);
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_LATER);
    collector.request_len = 0;
    memset(collector.request, 0, sizeof collector.request);
    post_to("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_TAKEN);
}

static void *end_soon(void *context)
{
    (void)context;
    usleep(20000);
    telemetry_sender_end_by(&sender, mono_ns() + 10 * MILLI_NS);
    return NULL;
}

static void ends_when_somebody_wants_it(void **state)
{
    pthread_t thread;

    (void)state;
    sender.timeout_ms = 60000;
    const uint64_t start_ns = mono_ns();
    assert_int_equal(pthread_create(&thread, NULL, end_soon, NULL), 0);
    post_to(NULL);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(answer.kind, TELEMETRY_ANSWER_LATER);
    assert_string_equal(answer.text, "no answer in time");
    assert_in_range((mono_ns() - start_ns) / MILLI_NS, 20, 30000);
}

static void waits_until_it_is_woken(void **state)
{
    (void)state;
    const uint64_t start_ns = mono_ns();
    telemetry_sender_wait(&sender, start_ns + 30 * MILLI_NS);
    assert_in_range((mono_ns() - start_ns) / MILLI_NS, 29, 30000);
    bool is_prompt = false;
    for (int i = 0; i < 10 && !is_prompt; i++) { // a busy machine holds it up, but not each time
        telemetry_sender_wake(&sender);
        const uint64_t woken_ns = mono_ns();
        telemetry_sender_wait(&sender, NEVER);
        is_prompt = mono_ns() - woken_ns < 900 * MILLI_NS;
    }
    assert_true(is_prompt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sends_the_message_with_its_headers, open_all, close_all),
        cmocka_unit_test_setup_teardown(brings_the_answer, open_all, close_all),
        cmocka_unit_test_setup_teardown(knows_what_is_not_http, open_all, close_all),
        cmocka_unit_test_setup_teardown(follows_nobody_elsewhere, open_all, close_all),
        cmocka_unit_test_setup_teardown(waits_no_longer_than_its_timeout, open_all, close_all),
        cmocka_unit_test_setup_teardown(takes_no_endless_body, open_all, close_all),
        cmocka_unit_test_setup_teardown(takes_no_endless_headers, open_all, close_all),
        cmocka_unit_test_setup_teardown(says_that_nobody_is_there, open_all, close_all),
        cmocka_unit_test_setup_teardown(recovers, open_all, close_all),
        cmocka_unit_test_setup_teardown(ends_when_somebody_wants_it, open_all, close_all),
        cmocka_unit_test_setup_teardown(waits_until_it_is_woken, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
