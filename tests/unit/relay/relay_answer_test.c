// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_answer.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "fixture.h"
#include "relay/relay_sample.h"

static struct relay_status status;
static uint64_t ticket;

static uint64_t reload(void *argument)
{
    assert_ptr_equal(argument, &status);
    return ticket;
}

static struct relay_answer context = {
    .crew = &fixture.crew, .status = &status, .reload = reload, .context = &status};

// One question, asked in a thread of its own, as the control thread does it.
struct question {
    const char *text;
    struct daemon_ctl_reply reply;
    atomic_bool is_answered;
};

static void *ask(void *argument)
{
    struct question *question = argument;

    relay_answer_request(&context, bytes_of_text(question->text), &question->reply);
    atomic_store(&question->is_answered, true);
    return NULL;
}

// While the worker serves. Freed by the caller.
static struct bytes answer_to(const char *text)
{
    struct question question = {.text = text};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, ask, &question), 0);
    while (!atomic_load(&question.is_answered)) {
        fixture_serve();
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(wr_ok(&question.reply.wr));
    return wr_done(&question.reply.wr);
}

static bool has(struct bytes text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

static void expect_answer(const char *question, const char *part)
{
    const struct bytes text = answer_to(question);

    if (!has(text, part)) {
        print_message("%.*s", (int)text.len, (const char *)text.ptr);
        fail();
    }
    free((void *)text.ptr);
}

static void tells_how_the_relay_is(void **state)
{
    (void)state;
    (void)fixture_allocate();
    expect_answer("status", "\nallocations: 1\n");
    expect_answer("status", "\nstate: serving\n");
    expect_answer("status", "\nportal: none\nready: no\nkernel relaying: off\nworkers: 1\n");
}

static void lists_allocations_with_what_they_relayed(void **state)
{
    const struct daemon_sample_kinds kinds = {&relay_sample_kind, 1};
    struct daemon_sample sample;

    (void)state;
    const struct addr relayed = fixture_allocate();
    const struct addr peer = fixture.peer.local;
    assert_int_equal(fixture_permit(&peer), 0);
    fixture_send(&peer, "12345");
    fixture_send_from_peer(&relayed, "123");
    fixture_serve();
    const struct bytes text = answer_to("top 5");
    assert_true(daemon_sample_read(text, &kinds, &sample));
    assert_int_equal(sample.row_count, 1);
    const struct daemon_sample_row *row = &sample.rows[0];
    assert_int_equal(row->numbers[RELAY_SAMPLE_SOCKETS_TO_PEER_PACKETS], 1);
    assert_int_equal(row->numbers[RELAY_SAMPLE_SOCKETS_TO_PEER_BYTES], 5);
    assert_int_equal(row->numbers[RELAY_SAMPLE_SOCKETS_TO_CLIENT_PACKETS], 1);
    assert_int_equal(row->numbers[RELAY_SAMPLE_SOCKETS_TO_CLIENT_BYTES], 3);
    assert_int_equal(row->numbers[RELAY_SAMPLE_PERMISSIONS], 1);
    host_expect_text(row->texts[RELAY_SAMPLE_NAME], "alice");
    daemon_sample_free(&sample);
    free((void *)text.ptr);
}

static void says_why_a_client_was_refused(void **state)
{
    (void)state;
    (void)fixture_allocate();
    assert_int_equal(fixture_try_to_allocate(), 437);
    expect_answer("why 127.0.0.1", ": Allocate of alice refused with 437 (Allocation Mismatch), ");
    expect_answer("why 127.0.0.1", "\n  why: the client has another allocation already\n");
    expect_answer("why 127.0.0.1:1", "Nothing that was refused to 127.0.0.1:1 is remembered");
    expect_answer("why ::1", "Nothing that was refused to ::1 is remembered");
    expect_answer("why [::1]:5", "Nothing that was refused to [::1]:5 is remembered");
}

static void says_later_what_came_of_a_reload(void **state)
{
    struct daemon_ctl_reply reply = {.ticket = 0};

    (void)state;
    ticket = 7;
    relay_answer_request(&context, bytes_of_text("reload"), &reply);
    assert_int_equal(reply.ticket, 7);
    assert_null(reply.wr.ptr);
    ticket = 0;
    expect_answer("reload", "failed: nothing is reloaded, since the relay ends\n");
}

static void says_what_is_wrong_with_a_request(void **state)
{
    static const char *const requests[] = {
        "",          "x",       "why",     "why x",           "top",   "top -1",
        "top 65537", "status2", "top 1 2", "why 127.0.0.1 x", "reboot"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        const struct bytes text = answer_to(requests[i]);
        assert_memory_equal(text.ptr, "error: ", 7);
        free((void *)text.ptr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(tells_how_the_relay_is),
        FIXTURE_TEST(lists_allocations_with_what_they_relayed),
        FIXTURE_TEST(says_why_a_client_was_refused),
        FIXTURE_TEST(says_later_what_came_of_a_reload),
        FIXTURE_TEST(says_what_is_wrong_with_a_request),
    };
    return fixture_result(cmocka_run_group_tests(tests, NULL, NULL));
}
