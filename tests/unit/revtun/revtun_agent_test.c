// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "support/rng.h"

static struct revtun_agent agent;
static uint64_t now_ns;

static void begin(enum revtun_agent_retry retry, uint32_t connection_max)
{
    now_ns = 1000 * SECOND_NS;
    revtun_agent_init(&agent, &(struct revtun_agent_config){retry, connection_max});
}

static struct revtun_agent_command expect(enum revtun_agent_command_type type)
{
    struct revtun_agent_command command = {0};

    assert_true(revtun_agent_take(&agent, &command));
    assert_int_equal(command.type, type);
    return command;
}

static void expect_address(enum revtun_agent_command_type type, const char *host, uint16_t port)
{
    const struct revtun_agent_command command = expect(type);

    assert_true(bytes_equal_text(command.address.host, host));
    assert_int_equal(command.address.port, port);
}

static void expect_nothing(void)
{
    struct revtun_agent_command command = {0};

    assert_false(revtun_agent_take(&agent, &command));
}

static void hear(const char *text)
{
    revtun_agent_read(&agent, now_ns, bytes_of_text(text));
}

static void go_up(void)
{
    expect(REVTUN_AGENT_CONNECT);
    expect_nothing();
    revtun_agent_up(&agent, now_ns);
    expect_nothing();
}

static void serve(void)
{
    go_up();
    hear("public_listener p:5003\r\nreverse_listener r:5001\r\n");
    expect_address(REVTUN_AGENT_PUBLISH, "p", 5003);
    expect_nothing();
}

static void go_down(void)
{
    revtun_agent_down(&agent, now_ns, 0);
}

static void is_greeted_in_either_order_and_in_pieces_of_any_size(void **state)
{
    static const char *const greetings[] = {
        "public_listener p:5003\r\nreverse_listener r:5001\r\nnew_connection\r\n",
        "reverse_listener r:5001\r\nsomething new\r\npublic_listener p:5003\r\nnew_connection\r\n",
        "new_connection\r\nreverse_listener r:5001\r\n\r\npublic_listener p:5003\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(greetings); i++) {
        const struct bytes all = bytes_of_text(greetings[i]);
        for (size_t cut = 0; cut <= all.len; cut++) {
            begin(REVTUN_AGENT_RETRY_LOST, 10);
            go_up();
            revtun_agent_read(&agent, now_ns, bytes_first(all, cut));
            revtun_agent_read(&agent, now_ns, bytes_from(all, cut));
            expect_address(REVTUN_AGENT_PUBLISH, "p", 5003);
            expect_address(REVTUN_AGENT_DIAL, "r", 5001);
            expect_nothing();
        }
    }
}

static void what_is_said_again_changes_nothing(void **state)
{
    (void)state;
    begin(REVTUN_AGENT_RETRY_LOST, 10);
    serve();
    hear("public_listener other:1\r\nreverse_listener other:2\r\npublic_listener bad\r\n");
    expect_nothing();
    hear("new_connection\r\n");
    expect_address(REVTUN_AGENT_DIAL, "r", 5001);
}

static void dials_once_for_each_client_but_not_too_many_at_a_time(void **state)
{
    (void)state;
    begin(REVTUN_AGENT_RETRY_LOST, 2);
    serve();
    hear("new_connection\r\nnew_connection\r\n");
    expect(REVTUN_AGENT_DIAL);
    expect(REVTUN_AGENT_DIAL);
    expect_nothing();
    hear("new_connection\r\n");
    expect(REVTUN_AGENT_CROWDED);
    expect_nothing();
    hear("new_connection\r\n");
    expect_nothing();
    for (int i = 0; i < 2; i++) {
        revtun_agent_ended(&agent);
        expect(REVTUN_AGENT_DIAL);
        expect_nothing();
    }
    revtun_agent_ended(&agent);
    expect_nothing();
}

static void what_is_owed_has_a_bound(void **state)
{
    (void)state;
    begin(REVTUN_AGENT_RETRY_LOST, 1);
    serve();
    for (int i = 0; i < REVTUN_AGENT_OWED_MAX + 5; i++) {
        hear("new_connection\r\n");
    }
    expect(REVTUN_AGENT_CROWDED);
    expect(REVTUN_AGENT_DIAL);
    assert_int_equal(agent.owed_count, REVTUN_AGENT_OWED_MAX - 1);
}

static void says_why_it_hangs_up(void **state)
{
    static char long_line[REVTUN_STREAM_LINE_MAX + 1];
    static const struct {
        const char *text;
        enum revtun_agent_why why;
    } table[] = {
        {"no_available_listeners\r\n", REVTUN_AGENT_FULL},
        {"public_listener nowhere\r\n", REVTUN_AGENT_STRANGE},
        {"reverse_listener r:0\r\n", REVTUN_AGENT_STRANGE},
        {long_line, REVTUN_AGENT_STRANGE},
    };

    (void)state;
    memset(long_line, 'x', sizeof long_line - 1);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        begin(REVTUN_AGENT_RETRY_LOST, 1);
        go_up();
        hear(table[i].text);
        hear("x\r\npublic_listener p:5003\r\nreverse_listener r:5001\r\nnew_connection\r\n");
        expect(REVTUN_AGENT_CLOSE);
        expect_nothing();
        go_down();
        assert_int_equal(expect(REVTUN_AGENT_STOP).why, table[i].why);
        expect_nothing();
        assert_true(revtun_agent_deadline(&agent) == NEVER);
    }
}

static void nobody_is_sent_to_a_relay_that_takes_it_back_at_once(void **state)
{
    (void)state;
    begin(REVTUN_AGENT_RETRY_LOST, 1);
    go_up();
    hear("public_listener p:5003\r\nreverse_listener r:5001\r\nno_available_listeners\r\n");
    expect(REVTUN_AGENT_CLOSE);
    expect_nothing();
}

static void a_relay_that_does_not_greet_is_left(void **state)
{
    (void)state;
    begin(REVTUN_AGENT_RETRY_LOST, 1);
    go_up();
    hear("public_listener p:5003\r\n");
    assert_true(revtun_agent_deadline(&agent) == now_ns + REVTUN_AGENT_GREETING_NS);
    now_ns += REVTUN_AGENT_GREETING_NS - 1;
    revtun_agent_tick(&agent, now_ns);
    expect_nothing();
    revtun_agent_tick(&agent, ++now_ns);
    expect(REVTUN_AGENT_CLOSE);
    go_down();
    assert_int_equal(expect(REVTUN_AGENT_STOP).why, REVTUN_AGENT_SILENT);
}

static void comes_again_as_it_is_told_to(void **state)
{
    (void)state;
    // What never worked needs a person,
    begin(REVTUN_AGENT_RETRY_LOST, 1);
    expect(REVTUN_AGENT_CONNECT);
    go_down();
    assert_int_equal(expect(REVTUN_AGENT_STOP).why, REVTUN_AGENT_LOST);
    // what has worked will work again,
    begin(REVTUN_AGENT_RETRY_LOST, 1);
    serve();
    go_down();
    assert_int_equal(expect(REVTUN_AGENT_WAIT).why, REVTUN_AGENT_LOST);
    // even if it does not at first;
    now_ns = revtun_agent_deadline(&agent);
    revtun_agent_tick(&agent, now_ns);
    expect(REVTUN_AGENT_CONNECT);
    go_down();
    expect(REVTUN_AGENT_WAIT);
    // and one may want the one or the other in any case.
    begin(REVTUN_AGENT_RETRY_ALWAYS, 1);
    expect(REVTUN_AGENT_CONNECT);
    go_down();
    expect(REVTUN_AGENT_WAIT);
    begin(REVTUN_AGENT_RETRY_NEVER, 1);
    serve();
    go_down();
    expect(REVTUN_AGENT_STOP);
}

static void what_was_dialled_for_a_lost_connection_is_given_up(void **state)
{
    (void)state;
    begin(REVTUN_AGENT_RETRY_LOST, 2);
    serve();
    hear("new_connection\r\nnew_connection\r\nnew_connection\r\n");
    expect(REVTUN_AGENT_CROWDED);
    expect(REVTUN_AGENT_DIAL);
    expect(REVTUN_AGENT_DIAL);
    go_down();
    expect(REVTUN_AGENT_ABANDON);
    expect(REVTUN_AGENT_WAIT);
    expect_nothing();
    revtun_agent_ended(&agent); // one was still dialling, the other one goes on
    now_ns = revtun_agent_deadline(&agent);
    revtun_agent_tick(&agent, now_ns);
    serve();
    hear("new_connection\r\n");
    expect(REVTUN_AGENT_DIAL);
    hear("new_connection\r\n");
    expect(REVTUN_AGENT_CROWDED);
    expect_nothing();
}

static uint64_t wait_after_loss(uint32_t random)
{
    revtun_agent_down(&agent, now_ns, random);
    const uint64_t wait_ns = expect(REVTUN_AGENT_WAIT).wait_ns;
    assert_true(revtun_agent_deadline(&agent) == now_ns + wait_ns);
    now_ns += wait_ns;
    revtun_agent_tick(&agent, now_ns);
    return wait_ns;
}

static void waits_longer_each_time_and_by_chance(void **state)
{
    uint64_t least_ns = 0;
    uint64_t middle_ns = 0;

    (void)state;
    begin(REVTUN_AGENT_RETRY_ALWAYS, 1);
    for (int i = 0; i < 30; i++) {
        const struct revtun_agent before = agent;
        const uint64_t before_ns = now_ns;
        expect(REVTUN_AGENT_CONNECT);
        least_ns = wait_after_loss(0);
        agent = before;
        now_ns = before_ns;
        expect(REVTUN_AGENT_CONNECT);
        middle_ns = wait_after_loss(UINT32_C(1) << 31);
        assert_true(least_ns * 2 == middle_ns);
        assert_true(i > 0 || middle_ns == REVTUN_AGENT_WAIT_FIRST_NS);
        agent = before;
        now_ns = before_ns;
        expect(REVTUN_AGENT_CONNECT);
        const uint64_t most_ns = wait_after_loss(UINT32_MAX);
        assert_true(most_ns > middle_ns || most_ns == REVTUN_AGENT_WAIT_MAX_NS);
        assert_true(most_ns <= REVTUN_AGENT_WAIT_MAX_NS);
    }
    assert_true(middle_ns == REVTUN_AGENT_WAIT_MAX_NS);
    // One that serves for long begins anew; one that serves for a moment does not.
    serve();
    assert_true(wait_after_loss(UINT32_C(1) << 31) == REVTUN_AGENT_WAIT_MAX_NS);
    serve();
    now_ns += REVTUN_AGENT_STEADY_NS;
    assert_true(wait_after_loss(UINT32_C(1) << 31) == REVTUN_AGENT_WAIT_FIRST_NS);
}

// --- a world of chance ---------------------------------------------------------------------------

// What the machine has said so far, as whoever obeys it sees it.
struct naive {
    bool is_connecting;
    bool is_up;
    uint32_t dialled; // of all control connections, those that have not ended
};

static void obey(struct naive *naive)
{
    struct revtun_agent_command command = {0};

    while (revtun_agent_take(&agent, &command)) {
        switch (command.type) {
        case REVTUN_AGENT_CONNECT:
            assert_false(naive->is_connecting || naive->is_up);
            naive->is_connecting = true;
            break;
        case REVTUN_AGENT_CLOSE:
            assert_true(naive->is_up);
            break;
        case REVTUN_AGENT_DIAL:
            assert_true(naive->is_up);
            naive->dialled++;
            break;
        case REVTUN_AGENT_WAIT:
            assert_false(naive->is_connecting || naive->is_up);
            assert_true(command.wait_ns >= REVTUN_AGENT_WAIT_FIRST_NS / 2);
            break;
        case REVTUN_AGENT_PUBLISH:
            assert_true(naive->is_up);
            break;
        case REVTUN_AGENT_ABANDON:
            assert_true(naive->dialled > 0);
            break;
        case REVTUN_AGENT_CROWDED:
            break;
        case REVTUN_AGENT_STOP:
            fail();
        }
    }
    assert_true(naive->dialled <= 4);
    assert_int_equal(naive->dialled, agent.connection_count);
}

static void happen(struct naive *naive, uint64_t chance)
{
    static const char *const says[] = {
        "public_listener p:1\r\n",
        "reverse_listener r:2\r\n",
        "new_connection\r\n",
        "new_conn",
        "ection\r\n",
        "no_available_listeners\r\n",
    };

    if (naive->is_connecting && chance % 2 == 0) {
        naive->is_connecting = false;
        naive->is_up = true;
        revtun_agent_up(&agent, now_ns);
    } else if ((naive->is_connecting || naive->is_up) && chance % 16 == 1) {
        naive->is_connecting = naive->is_up = false;
        revtun_agent_down(&agent, now_ns, (uint32_t)(chance >> 32));
    } else if (naive->is_up && chance % 4 != 3) {
        // Seldom full: else nothing else would come to be.
        hear(says[(chance >> 8) % ((chance >> 16) % 64 == 0 ? 6 : 5)]);
    } else if (naive->dialled > 0) {
        naive->dialled--;
        revtun_agent_ended(&agent);
    }
}

static void stays_true_whatever_happens(void **state)
{
    struct naive naive = {0};
    uint64_t served_count = 0;

    (void)state;
    struct rng rng = rng_init(rng_seed("stays_true_whatever_happens"));
    begin(REVTUN_AGENT_RETRY_ALWAYS, 4);
    for (int i = 0; i < 100000; i++) {
        obey(&naive);
        happen(&naive, rng_next(&rng));
        served_count += agent.state == REVTUN_AGENT_SERVING;
        now_ns += rng_next(&rng) % (SECOND_NS / 4);
        if (now_ns >= revtun_agent_deadline(&agent)) {
            revtun_agent_tick(&agent, now_ns);
        }
    }
    assert_true(served_count > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_greeted_in_either_order_and_in_pieces_of_any_size),
        cmocka_unit_test(what_is_said_again_changes_nothing),
        cmocka_unit_test(dials_once_for_each_client_but_not_too_many_at_a_time),
        cmocka_unit_test(what_is_owed_has_a_bound),
        cmocka_unit_test(says_why_it_hangs_up),
        cmocka_unit_test(nobody_is_sent_to_a_relay_that_takes_it_back_at_once),
        cmocka_unit_test(a_relay_that_does_not_greet_is_left),
        cmocka_unit_test(comes_again_as_it_is_told_to),
        cmocka_unit_test(what_was_dialled_for_a_lost_connection_is_given_up),
        cmocka_unit_test(waits_longer_each_time_and_by_chance),
        cmocka_unit_test(stays_true_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
