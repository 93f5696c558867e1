// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_status.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct relay_status status;

static int open_status(void **state)
{
    (void)state;
    return relay_status_open(&status);
}

static int close_status(void **state)
{
    (void)state;
    relay_status_close(&status);
    relay_status_close(&status);
    return status.fd == -1 ? 0 : -1;
}

static bool has_rung(void)
{
    struct pollfd poller = {.fd = status.fd, .events = POLLIN};

    return poll(&poller, 1, 0) == 1;
}

static void is_ready_while_it_serves_and_does_not_drain(void **state)
{
    (void)state;
    assert_false(relay_status_is_ready(&status));
    relay_status_serving(&status, true);
    assert_true(relay_status_is_ready(&status));
    assert_false(relay_status_is_draining(&status));
    relay_status_draining(&status);
    assert_false(relay_status_is_ready(&status));
    assert_true(relay_status_is_draining(&status));
}

static void is_not_ready_when_it_serves_no_more(void **state)
{
    (void)state;
    relay_status_serving(&status, true);
    relay_status_serving(&status, false);
    assert_false(relay_status_is_ready(&status));
}

static void with_a_portal_is_ready_while_it_is_joined(void **state)
{
    (void)state;
    relay_status_serving(&status, true);
    relay_status_connecting(&status);
    assert_int_equal(relay_status_portal(&status), RELAY_STATUS_PORTAL_CONNECTING);
    assert_false(relay_status_is_ready(&status));
    relay_status_joined(&status);
    assert_int_equal(relay_status_portal(&status), RELAY_STATUS_PORTAL_JOINED);
    assert_true(relay_status_is_ready(&status));
    relay_status_connecting(&status);
    assert_false(relay_status_is_ready(&status));
    assert_false(has_rung());
}

static void a_refusal_wakes_the_control_thread(void **state)
{
    (void)state;
    relay_status_serving(&status, true);
    relay_status_refused(&status);
    assert_true(has_rung());
    relay_status_hush(&status);
    assert_false(has_rung());
    relay_status_hush(&status);
    assert_int_equal(relay_status_portal(&status), RELAY_STATUS_PORTAL_REFUSED);
    assert_false(relay_status_is_ready(&status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_ready_while_it_serves_and_does_not_drain, open_status,
                                        close_status),
        cmocka_unit_test_setup_teardown(is_not_ready_when_it_serves_no_more, open_status,
                                        close_status),
        cmocka_unit_test_setup_teardown(with_a_portal_is_ready_while_it_is_joined, open_status,
                                        close_status),
        cmocka_unit_test_setup_teardown(a_refusal_wakes_the_control_thread, open_status,
                                        close_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
