// SPDX-License-Identifier: Apache-2.0
// A survey of one worker, which takes its steps when the test says so.
#include "relay/relay_survey.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fixture.h"
#include "io/io_clock.h"
#include "io/io_thread.h"

enum { CLIENTS = RELAY_SURVEY_STEP + 8 }; // more than a step lists

static struct relay_survey survey;
static struct client clients[CLIENTS];

// One that is asked for, in a thread of its own.
static struct asked {
    struct io_thread thread;
    uint32_t capacity;
    uint64_t timeout_ns;
    struct relay_survey_entry *entries;
    uint32_t count;
} asked;

static void *ask(void *context)
{
    struct asked *one = context;

    one->count = relay_survey_take(&survey, fixture.crew.mailboxes, one->capacity, one->timeout_ns,
                                   &one->entries);
    return NULL;
}

static uint64_t round_now(void)
{
    pthread_mutex_lock(&survey.lock);
    const uint64_t round = survey.round;
    pthread_mutex_unlock(&survey.lock);
    return round;
}

static void begin(uint32_t capacity, uint64_t timeout_ns)
{
    const uint64_t before = round_now();

    asked = (struct asked){.capacity = capacity, .timeout_ns = timeout_ns};
    assert_int_equal(io_thread_start(&asked.thread, "asks", ask, &asked), 0);
    while (round_now() == before) {
        sched_yield();
    }
}

static bool step(void)
{
    return relay_survey_step(&survey, 0, fixture.worker->server, &fixture.crew.offload);
}

static int setup(void **state)
{
    fixture_setup(state);
    for (int i = 0; i < CLIENTS; i++) {
        struct client_draft draft;
        client_open(&clients[i], &fixture.client.server);
        for (int k = 0; k < 2; k++) { // it is challenged first
            client_begin(&clients[i], &draft, STUN_REQUEST, STUN_ALLOCATE);
            stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_TRANSPORT,
                               STUN_ATTR_TRANSPORT_UDP);
            client_send_signed(&clients[i], &draft);
            fixture_serve();
            assert_int_equal(client_response(&clients[i]), k == 0 ? 401 : CLIENT_SUCCESS);
        }
    }
    return relay_survey_open(&survey, 1);
}

static int teardown(void **state)
{
    io_thread_join(&asked.thread);
    relay_survey_close(&survey);
    relay_survey_close(&survey);
    for (int i = 0; i < CLIENTS; i++) {
        client_close(&clients[i]);
    }
    return fixture_teardown(state);
}

// Each of the clients once, in any order.
static void expect_all(void)
{
    bool is_listed[CLIENTS] = {false};

    io_thread_join(&asked.thread);
    assert_int_equal(asked.count, CLIENTS);
    for (uint32_t i = 0; i < asked.count; i++) {
        const struct relay_survey_entry *entry = &asked.entries[i];
        assert_int_equal(entry->worker, 0);
        for (int k = 0; k < CLIENTS; k++) {
            if (addr_equal(&entry->life.tuple.client, &clients[k].udp.local)) {
                assert_false(is_listed[k]);
                is_listed[k] = true;
            }
        }
    }
    for (int k = 0; k < CLIENTS; k++) {
        assert_true(is_listed[k]);
    }
    relay_survey_end(&survey);
}

static void lists_each_allocation_once_in_several_steps(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        begin(CLIENTS, 60 * SECOND_NS);
        uint32_t steps = 1;
        while (step()) {
            steps++;
        }
        assert_in_range(steps, 2, CLIENTS);
        assert_false(step()); // it has nothing to add
        expect_all();
    }
}

static void lists_no_more_than_there_is_room_for(void **state)
{
    (void)state;
    begin(CLIENTS - 1, 60 * SECOND_NS);
    while (step()) {
    }
    io_thread_join(&asked.thread);
    assert_int_equal(asked.count, CLIENTS - 1);
    relay_survey_end(&survey);
}

static void whoever_asks_gets_what_there_is_when_time_is_up(void **state)
{
    (void)state;
    begin(CLIENTS, SECOND_NS / 2);
    assert_true(step());
    io_thread_join(&asked.thread);
    assert_int_equal(asked.count, RELAY_SURVEY_STEP);
    assert_false(step()); // it comes too late, and adds nothing
    relay_survey_end(&survey);
    begin(CLIENTS, 60 * SECOND_NS); // and begins anew with the next
    while (step()) {
    }
    expect_all();
}

static void a_worker_is_told_by_its_mailbox(void **state)
{
    (void)state;
    begin(1, 0);
    io_thread_join(&asked.thread);
    assert_int_equal(asked.count, 0);
    relay_survey_end(&survey);
    assert_int_equal(relay_mailbox_take(&fixture.crew.mailboxes[0]), RELAY_MAILBOX_SURVEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_each_allocation_once_in_several_steps, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(lists_no_more_than_there_is_room_for, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_asks_gets_what_there_is_when_time_is_up, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_worker_is_told_by_its_mailbox, setup, teardown),
    };
    return fixture_result(cmocka_run_group_tests(tests, NULL, NULL));
}
