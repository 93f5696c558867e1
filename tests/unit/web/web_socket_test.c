// SPDX-License-Identifier: Apache-2.0
// The life of a connection: how it begins, what is sent on it, and every way in which it ends. Run
// by memcheck too (suite memory), which sees what libwebsockets does to its own memory.
#include "web/web_socket.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "far_side.h"
#include "io/io_clock.h"
#include "near_side.h"
#include "support/rng.h"

enum { GARBLED = 60, GARBAGE_MAX = 2048, HEAD_MAX = 20000 };

static struct near_side near;
static struct far_side far;

static int open_in_the_clear(void **state)
{
    (void)state;
    far_side_open(&far, "localhost", 0);
    near_side_open(&near, far.certificate);
    return 0;
}

static int open_by_tls(void **state)
{
    open_in_the_clear(state);
    far.is_tls = true;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    near_side_close(&near);
    near_side_close(&near);
    far_side_close(&far);
    return 0;
}

// --- a good one --------------------------------------------------------------------------------

static void take_what_is_queued(struct far_side *to)
{
    uint8_t longest[WEB_SOCKET_SEND_MAX];

    memset(longest, 'x', sizeof longest);
    far_side_agree(to);
    for (uint8_t i = 0; i < WEB_SOCKET_QUEUE_MAX; i++) {
        far_side_expect_frame(to, FAR_SIDE_FINAL | FAR_SIDE_TEXT,
                              (struct bytes){longest, sizeof longest - i});
    }
    far_side_expect_close(to, 1000);
    far_side_wait_for_end(to);
}

static void as_many_messages_as_may_wait_are_sent_in_order(void **state)
{
    uint8_t longest[WEB_SOCKET_SEND_MAX];

    (void)state;
    memset(longest, 'x', sizeof longest);
    far_side_play(&far, take_what_is_queued);
    near_side_connect(&near, &far);
    near_side_turn_until(&near, &near.opened_count, 1);
    for (uint8_t i = 0; i < WEB_SOCKET_QUEUE_MAX; i++) {
        assert_true(web_socket_send(&near.socket, (struct bytes){longest, sizeof longest - i}));
    }
    assert_false(web_socket_send(&near.socket, (struct bytes){longest, 1}));
    near_side_leave(&near);
    far_side_end(&far);
    for (size_t i = 0; i < WEB_SOCKET_QUEUE_MAX; i++) { // and nothing of them is left
        for (size_t k = 0; k < sizeof longest; k++) {
            assert_int_equal(near.socket.queue.messages[i].text[k], 0);
        }
    }
    assert_int_equal(near.ended_count, 0);
}

static void check_request(struct far_side *to)
{
    far_side_agree(to);
    far_side_wait_for_end(to);
}

static void the_request_asks_for_what_the_caller_says(void **state)
{
    (void)state;
    far_side_play(&far, check_request);
    near_side_connect(&near, &far);
    near_side_turn_until(&near, &near.opened_count, 1);
    near_side_leave(&near);
    far_side_end(&far);
    assert_memory_equal(far.head, "GET /path HTTP/1.1\r\n", 20);
    assert_non_null(strstr(far.head, "\r\nHost: localhost\r\n"));
    assert_non_null(strstr(far.head, "\r\nX-Test: header\r\n"));
    assert_null(strstr(far.head, "Origin"));
}

static void the_longest_request_is_sent_whole(void **state)
{
    static char path[WEB_SOCKET_PATH_MAX + 1];
    static char host[WEB_SOCKET_HOST_MAX + 1];
    static char headers[WEB_SOCKET_HEADERS_MAX + 1];
    char line[WEB_SOCKET_PATH_MAX + 32];

    (void)state;
    memset(path, 'p', sizeof path - 1);
    path[0] = '/';
    memset(host, 'h', sizeof host - 1);
    memset(headers, 'v', sizeof headers - 1);
    memcpy(headers, "X-Long: ", 8);
    memcpy(headers + sizeof headers - 3, "\r\n", 2);
    far_side_play(&far, check_request);
    web_socket_connect(&near.socket, &(struct web_socket_target){
                                         .address = "127.0.0.1",
                                         .host = host,
                                         .port = far.port,
                                         .path = path,
                                         .headers = {(uint8_t *)headers, sizeof headers - 1},
                                     });
    near_side_turn_until(&near, &near.opened_count, 1);
    near_side_leave(&near);
    far_side_end(&far);
    snprintf(line, sizeof line, "GET %s HTTP/1.1\r\n", path);
    assert_memory_equal(far.head, line, strlen(line));
    snprintf(line, sizeof line, "\r\nHost: %s\r\n", host);
    assert_non_null(strstr(far.head, line));
    assert_non_null(strstr(far.head, headers));
}

static void *wake_it(void *context)
{
    web_socket_wake(context);
    return NULL;
}

static void a_turn_ends_by_its_deadline_or_when_it_is_woken(void **state)
{
    const uint64_t began_ns = io_clock_now().mono_ns;
    struct io_thread thread = {0};

    (void)state;
    web_socket_turn(&near.socket, began_ns + SECOND_NS / 10);
    while (io_clock_now().mono_ns < began_ns + SECOND_NS / 10) { // it may end before, but not after
        web_socket_turn(&near.socket, began_ns + SECOND_NS / 10);
    }
    assert_true(io_clock_now().mono_ns < began_ns + 30 * SECOND_NS);
    assert_int_equal(io_thread_start(&thread, "waker", wake_it, &near.socket), 0);
    web_socket_turn(&near.socket, NEVER);
    io_thread_join(&thread);
}

// --- ends --------------------------------------------------------------------------------------

struct cut {
    size_t len;
    bool is_reset;
};

static void say_so_much_and_go(struct far_side *to)
{
    static const struct bytes frames = BYTES_LITERAL("\x81\x05hello\x89\x02hi\x88\x05\x03\xe8"
                                                     "bye");
    const struct cut *cut = to->context;
    uint8_t whole[FAR_SIDE_ANSWER_MAX + 32];

    far_side_take_request(to);
    const size_t answer_len = far_side_answer(to, whole);
    memcpy(whole + answer_len, frames.ptr, frames.len);
    far_side_write(to, bytes_first((struct bytes){whole, answer_len + frames.len}, cut->len));
    if (cut->is_reset) {
        far_side_reset(to);
    }
}

static void it_may_be_cut_at_each_byte(void **state)
{
    (void)state;
    // What libwebsockets does with the bytes is the same by TLS, where each connection takes long.
    for (size_t len = 0; len <= 150; len += far.is_tls ? 16 : 1) {
        for (int is_reset = 0; is_reset <= 1; is_reset++) {
            far.context = &(struct cut){.len = len, .is_reset = is_reset};
            near_side_meet(&near, &far, say_so_much_and_go);
            assert_in_range(near.opened_count, 0, 1);
            assert_in_range(near.received_count, 0, near.opened_count);
            assert_int_equal(near.end.kind,
                             near.opened_count ? WEB_SOCKET_CLOSED : WEB_SOCKET_FAILED);
        }
    }
}

static void close_with_a_reason(struct far_side *to)
{
    static const struct bytes close = BYTES_LITERAL("\x03\xe9"
                                                    "back\nsoon");
    far_side_agree(to);
    far_side_frame(to, FAR_SIDE_FINAL | FAR_SIDE_CLOSE, close);
    far_side_wait_for_end(to);
}

static void a_close_frame_tells_its_code_and_reason(void **state)
{
    (void)state;
    near_side_meet(&near, &far, close_with_a_reason);
    assert_int_equal(near.end.kind, WEB_SOCKET_CLOSED);
    assert_int_equal(near.end.status, 1001);
    assert_string_equal(near.end.reason, "backsoon");
}

static void wait_for_the_end(struct far_side *to)
{
    far_side_wait_for_end(to);
}

static void take_the_request_and_wait(struct far_side *to)
{
    far_side_take_request(to);
    far_side_wait_for_end(to);
}

static void say_hello(struct far_side *to)
{
    far_side_agree(to);
    far_side_frame(to, FAR_SIDE_FINAL | FAR_SIDE_TEXT, bytes_of_text("hello"));
    far_side_wait_for_end(to);
}

static void hang_up(struct near_side *one)
{
    web_socket_hang_up(&one->socket);
}

static void expect_it_is_hung_up(void (*script)(struct far_side *to), uint32_t turn_count)
{
    far_side_play(&far, script);
    near_side_connect(&near, &far);
    for (uint32_t i = 0; i < turn_count; i++) {
        web_socket_turn(&near.socket, io_clock_now().mono_ns + SECOND_NS / 500);
    }
    web_socket_hang_up(&near.socket);
    web_socket_hang_up(&near.socket);
    near_side_settle(&near);
    far_side_end(&far);
    assert_int_equal(near.ended_count, 0);
}

static void it_may_be_hung_up_in_every_state(void **state)
{
    (void)state;
    for (uint32_t turn_count = 0; turn_count < 20; turn_count++) {
        // A connection that was never there is nothing that the far side could accept by TLS.
        expect_it_is_hung_up(wait_for_the_end, turn_count);
        expect_it_is_hung_up(take_the_request_and_wait, turn_count);
        expect_it_is_hung_up(say_hello, turn_count);
    }
}

static void it_may_be_hung_up_by_who_is_just_being_told(void **state)
{
    (void)state;
    near.opened = hang_up;
    expect_it_is_hung_up(say_hello, 50);
    assert_int_equal(near.opened_count, 1);
    assert_int_equal(near.received_count, 0);
    near.opened = NULL;
    near.received = hang_up;
    expect_it_is_hung_up(say_hello, 50);
    assert_int_equal(near.received_count, 1);
}

// --- nonsense ----------------------------------------------------------------------------------

// Random bytes, or a good answer with frames of random content, with some bytes changed.
static void say_nonsense(struct far_side *to)
{
    const uint64_t *seed = to->context;
    struct rng rng = rng_init(*seed);
    uint8_t bytes[GARBAGE_MAX];
    size_t len = rng_below(&rng, GARBAGE_MAX) + 1;

    rng_fill(&rng, bytes, len);
    far_side_take_request(to);
    if (!rng_chance(&rng, 25)) {
        uint8_t answer[FAR_SIDE_ANSWER_MAX];
        const size_t answer_len = far_side_answer(to, answer);
        if (rng_chance(&rng, 25)) {
            answer[rng_below(&rng, answer_len)] = (uint8_t)rng_next(&rng);
        }
        far_side_write(to, (struct bytes){answer, answer_len});
    }
    for (size_t count = rng_below(&rng, 8); count > 0; count--) {
        const uint8_t first =
            (uint8_t)(rng_chance(&rng, 80) ? rng_below(&rng, 11) : rng_next(&rng));
        far_side_frame(to, first | (rng_chance(&rng, 50) ? FAR_SIDE_FINAL : 0),
                       bytes_first((struct bytes){bytes, len}, rng_below(&rng, 300)));
    }
    far_side_write(to, (struct bytes){bytes, len});
}

static void nonsense_does_no_harm(void **state)
{
    uint64_t seed = rng_seed("nonsense_does_no_harm");

    (void)state;
    for (int i = 0; i < GARBLED; i++, seed++) {
        far.context = &seed;
        near_side_meet(&near, &far, say_nonsense);
    }
}

// --- refusals ----------------------------------------------------------------------------------

static void respond(struct far_side *to)
{
    far_side_take_request(to);
    far_side_write(to, bytes_of_text(to->context));
    far_side_wait_for_end(to);
}

static void a_response_that_does_not_agree_is_told(void **state)
{
    static const struct {
        const char *response;
        uint16_t status;
        uint64_t retry_after_s;
        const char *content_type;
    } cases[] = {
        {"HTTP/1.1 401 No\r\nContent-Type: application/problem+json; charset=utf-8\r\n"
         "Content-Length: 2\r\n\r\n{}",
         401, NEVER, "application/problem+json"},
        {"HTTP/1.1 503 No\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n", 503, 17, ""},
        {"HTTP/1.1 429 No\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n", 429, 0, ""},
        {"HTTP/1.0 503 No\r\nRetry-After: soon\r\n\r\n", 503, NEVER, ""},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         200, NEVER, "text/html"},
        {"HTTP/1.1 204 OK\r\n\r\n", 204, NEVER, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        far.context = cases[i].response;
        near_side_meet(&near, &far, respond);
        assert_int_equal(near.end.kind, WEB_SOCKET_REFUSED);
        assert_int_equal(near.end.status, cases[i].status);
        assert_int_equal(near.end.retry_after_s, cases[i].retry_after_s);
        assert_string_equal(near.end.content_type, cases[i].content_type);
    }
}

static void respond_at_length(struct far_side *to)
{
    static char text[HEAD_MAX];
    const size_t *len = to->context;

    memset(text, 'v', *len);
    memcpy(text, "HTTP/1.1 503 No\r\nRetry-After: ", 31);
    memcpy(text + *len - 4, "\r\n\r\n", 4);
    far_side_take_request(to);
    far_side_write(to, (struct bytes){(uint8_t *)text, *len});
}

// Around the ends of what libwebsockets has for heads, of what it reads at a time, and of what we
// look at.
static void a_head_of_any_length_is_a_response_or_none(void **state)
{
    static const size_t ends[] = {160, 4096, 8192, 12288, 16384};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        for (size_t len = ends[i] - 40; len < ends[i] + 40; len += far.is_tls ? 13 : 1) {
            far.context = &len;
            near_side_meet(&near, &far, respond_at_length);
            if (ends[i] != 8192) { // about there its room ends
                assert_int_equal(near.end.kind,
                                 ends[i] < 8192 ? WEB_SOCKET_REFUSED : WEB_SOCKET_FAILED);
            }
            assert_int_equal(near.end.retry_after_s, NEVER);
            assert_int_equal(near.opened_count, 0);
        }
    }
}

static void a_redirection_is_not_followed(void **state)
{
    char here[64];
    const char *const targets[] = {here, "/elsewhere", "elsewhere"};
    struct pollfd others = {.fd = far.listener, .events = POLLIN};
    char response[256];

    (void)state;
    snprintf(here, sizeof here, "http://127.0.0.1:%u/x", far.port);
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        for (unsigned status = 301; status <= 308; status++) {
            snprintf(response, sizeof response,
                     "HTTP/1.1 %u Go\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", status,
                     targets[i]);
            far.context = response;
            near_side_meet(&near, &far, respond);
            assert_int_equal(near.end.kind, WEB_SOCKET_REFUSED);
            assert_int_equal(near.end.status, status);
            assert_int_equal(poll(&others, 1, 0), 0);
        }
    }
}

#define CLEAR(test) cmocka_unit_test_setup_teardown(test, open_in_the_clear, teardown)
#define BOTH(test) CLEAR(test), cmocka_unit_test_setup_teardown(test, open_by_tls, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(as_many_messages_as_may_wait_are_sent_in_order),
        BOTH(the_request_asks_for_what_the_caller_says),
        CLEAR(the_longest_request_is_sent_whole),
        CLEAR(a_turn_ends_by_its_deadline_or_when_it_is_woken),
        BOTH(it_may_be_cut_at_each_byte),
        BOTH(a_close_frame_tells_its_code_and_reason),
        CLEAR(it_may_be_hung_up_in_every_state),
        BOTH(it_may_be_hung_up_by_who_is_just_being_told),
        BOTH(nonsense_does_no_harm),
        BOTH(a_response_that_does_not_agree_is_told),
        BOTH(a_head_of_any_length_is_a_response_or_none),
        CLEAR(a_redirection_is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
