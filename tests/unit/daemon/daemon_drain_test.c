// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_drain.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "manager.h"

static const struct daemon_drain_words words = {
    .things = "sessions",
    .begun = "draining: no new sessions",
    .ended = "ending, since the last session has ended",
};
static struct daemon_notify notify;
static struct daemon_drain drain;

static struct now at(uint64_t ms)
{
    return (struct now){.mono_ns = SECOND_NS + ms * (SECOND_NS / 1000)};
}

static int setup(void **state)
{
    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    manager_open(&notify, NULL);
    daemon_drain_init(&drain, &words, &notify, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    manager_close(&notify);
    host_log_close();
    return 0;
}

static void goes_on_until_the_last_one_ends(void **state)
{
    (void)state;
    assert_int_equal(daemon_drain_tick(&drain, 3, at(0)), NEVER);
    assert_true(daemon_drain_signal(&drain, SIGTERM));
    assert_int_equal(drain.state, DAEMON_DRAIN_SERVING); // it is the caller's turn
    daemon_drain_begin(&drain, 3, at(0));
    assert_int_equal(drain.state, DAEMON_DRAIN_DRAINING);
    assert_string_equal(manager_told(),
                        "STOPPING=1\nEXTEND_TIMEOUT_USEC=12000000\nSTATUS=Ending\n");
    assert_int_equal(daemon_drain_tick(&drain, 3, at(0)), at(100).mono_ns);
    assert_string_equal(manager_told(), "STATUS=Draining, sessions left: 3\n");
    assert_int_equal(daemon_drain_tick(&drain, 3, at(100)), at(200).mono_ns);
    assert_string_equal(manager_told(), ""); // which it knows
    assert_int_equal(daemon_drain_tick(&drain, 1, at(200)), at(300).mono_ns);
    assert_string_equal(manager_told(), "STATUS=Draining, sessions left: 1\n");
    assert_int_equal(daemon_drain_tick(&drain, 0, at(300)), at(300).mono_ns);
    assert_int_equal(drain.state, DAEMON_DRAIN_OVER);
    assert_int_equal(daemon_drain_tick(&drain, 0, at(400)), NEVER);
    assert_string_equal(host_log(), " INFO ending signal=SIGTERM\n"
                                    " INFO draining: no new sessions sessions=3 timeout_s=2\n"
                                    " INFO ending, since the last session has ended\n");
}

static void goes_on_for_no_longer_than_it_may(void **state)
{
    (void)state;
    daemon_drain_begin(&drain, 3, at(0));
    assert_int_equal(daemon_drain_tick(&drain, 3, at(1999)), at(2099).mono_ns);
    assert_int_equal(drain.state, DAEMON_DRAIN_DRAINING);
    assert_int_equal(daemon_drain_tick(&drain, 2, at(2000)), at(2000).mono_ns);
    assert_int_equal(drain.state, DAEMON_DRAIN_OVER);
    assert_non_null(strstr(host_log(), " INFO ending, since --drain-timeout is over sessions=2\n"));
}

static void ends_at_once_when_it_is_told_again(void **state)
{
    (void)state;
    assert_true(daemon_drain_signal(&drain, SIGINT));
    daemon_drain_begin(&drain, 3, at(0));
    assert_false(daemon_drain_signal(&drain, SIGINT));
    assert_int_equal(drain.state, DAEMON_DRAIN_OVER);
    assert_false(daemon_drain_signal(&drain, SIGINT)); // while it ends
    assert_int_equal(drain.state, DAEMON_DRAIN_OVER);
}

static void ends_at_once_when_nothing_is_there(void **state)
{
    (void)state;
    daemon_drain_begin(&drain, 0, at(0));
    assert_int_equal(drain.state, DAEMON_DRAIN_OVER);
    assert_string_equal(host_log(), "");
}

static void ends_at_once_without_a_time(void **state)
{
    (void)state;
    drain.timeout_s = 0;
    daemon_drain_begin(&drain, 3, at(0));
    assert_string_equal(host_log(), "");
    assert_int_equal(daemon_drain_tick(&drain, 3, at(0)), at(0).mono_ns);
    assert_int_equal(drain.state, DAEMON_DRAIN_OVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(goes_on_until_the_last_one_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(goes_on_for_no_longer_than_it_may, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_at_once_when_it_is_told_again, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_at_once_when_nothing_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_at_once_without_a_time, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
