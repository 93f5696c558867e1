// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "manager.h"

static struct daemon_notify notify;
static struct daemon_watchdog watchdog;

// The manager wants a sign every 16 seconds at least, and gets one every 8.
static int setup(void **state)
{
    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    manager_open(&notify, "WATCHDOG_USEC=16000000");
    daemon_watchdog_init(&watchdog, &notify, "workers hang");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    manager_close(&notify);
    host_log_close();
    return 0;
}

static struct now at(uint64_t seconds)
{
    return (struct now){.mono_ns = seconds * SECOND_NS};
}

static void tells_that_all_are_alive(void **state)
{
    (void)state;
    assert_false(daemon_watchdog_tick(&watchdog, 0, at(1)));
    assert_string_equal(manager_told(), ""); // it does not serve yet
    daemon_watchdog_start(&watchdog);
    assert_true(daemon_watchdog_tick(&watchdog, 0, at(1)));
    assert_string_equal(manager_told(), "WATCHDOG=1\n");
    assert_int_equal(watchdog.due_ns, at(9).mono_ns);
    assert_false(daemon_watchdog_tick(&watchdog, 0, at(8)));
    assert_string_equal(manager_told(), "");
    assert_true(daemon_watchdog_tick(&watchdog, 0, at(9)));
    assert_string_equal(manager_told(), "WATCHDOG=1\n");
    assert_string_equal(host_log(), "");
}

static void is_starved_by_a_worker_that_hangs(void **state)
{
    (void)state;
    daemon_watchdog_start(&watchdog);
    for (uint64_t second = 1; second < 5; second++) {
        assert_false(daemon_watchdog_tick(&watchdog, 2, at(second)));
        assert_int_equal(watchdog.due_ns, at(second + 1).mono_ns); // sooner than otherwise
    }
    assert_string_equal(manager_told(), "");
    assert_string_equal(host_log(), "ERROR workers hang workers=2\n"); // once
    assert_true(daemon_watchdog_tick(&watchdog, 0, at(5)));
    assert_string_equal(manager_told(), "WATCHDOG=1\n");
    assert_false(daemon_watchdog_tick(&watchdog, 1, at(13)));
    assert_string_equal(host_log(), "ERROR workers hang workers=1\n"); // anew
}

static void does_nothing_for_a_manager_that_does_not_watch(void **state)
{
    (void)state;
    notify.watchdog_ns = 0;
    daemon_watchdog_start(&watchdog);
    assert_int_equal(watchdog.due_ns, NEVER);
    assert_false(daemon_watchdog_tick(&watchdog, 1, at(1)));
    assert_string_equal(manager_told(), "");
    assert_string_equal(host_log(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_that_all_are_alive, setup, teardown),
        cmocka_unit_test_setup_teardown(is_starved_by_a_worker_that_hangs, setup, teardown),
        cmocka_unit_test_setup_teardown(does_nothing_for_a_manager_that_does_not_watch, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
