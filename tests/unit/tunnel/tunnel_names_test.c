// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "io/io_clock.h"

enum { WAIT_S = 20 };

// Longer than a label may be, so that no name server has to be asked.
#define NOBODY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static struct io_loop loop;
static struct tunnel_names names;
static struct tunnel_host host;
static int told_count;

static void on_told(struct tunnel_asker *asker)
{
    assert_null(asker->link.list);
    told_count++;
}

static int open_all(void **state)
{
    (void)state;
    memset(&host, 0, sizeof host);
    told_count = 0;
    return io_loop_open(&loop) == 0 ? tunnel_names_open(&names, &loop) : -1;
}

static int close_all(void **state)
{
    (void)state;
    tunnel_names_close(&names);
    tunnel_names_close(&names); // which does nothing
    io_loop_close(&loop);
    return 0;
}

static void set(const char *name)
{
    assert_true(tunnel_names_set(&host, &names, bytes_of_text(name), 80));
}

static void ask(struct tunnel_asker *asker)
{
    *asker = (struct tunnel_asker){.fn = on_told};
    tunnel_names_ask(&host, asker, io_clock_mono_ns());
}

static void await_told(int count)
{
    const uint64_t end_ns = io_clock_mono_ns() + WAIT_S * SECOND_NS;

    while (told_count < count && io_clock_mono_ns() < end_ns) {
        assert_int_equal(io_loop_turn(&loop, end_ns), 0);
    }
    assert_int_equal(told_count, count);
}

static void an_address_is_known_at_once(void **state)
{
    struct tunnel_asker asker;

    (void)state;
    set("2001:db8::1");
    ask(&asker);
    assert_int_equal(told_count, 1);
    assert_int_equal(host.addr_count, 1);
    assert_int_equal(host.addrs[0].family, ADDR_IP6);
    assert_int_equal(host.addrs[0].port, 80);
    assert_false(names.thread.is_running);
}

static void a_name_is_looked_up_once_for_all(void **state)
{
    struct tunnel_asker askers[3];

    (void)state;
    set("localhost");
    for (int i = 0; i < 3; i++) {
        ask(&askers[i]);
    }
    assert_int_equal(told_count, 0);
    tunnel_names_leave(&askers[1]);
    tunnel_names_leave(&askers[1]); // it does not wait any more
    await_told(2);
    assert_true(host.addr_count >= 1);
    assert_true(addr_is_loopback(&host.addrs[0]));
    assert_int_equal(host.addrs[0].port, 80);
    ask(&askers[1]); // it is still fresh
    assert_int_equal(told_count, 3);
    tunnel_names_ask(&host, &askers[0], io_clock_mono_ns() + TUNNEL_NAMES_FRESH_S * SECOND_NS);
    assert_int_equal(told_count, 3);
    await_told(4);
}

static void a_name_that_nobody_has_is_an_error(void **state)
{
    struct tunnel_asker asker;

    (void)state;
    set(NOBODY);
    ask(&asker);
    await_told(1);
    assert_int_equal(host.addr_count, 0);
    assert_int_not_equal(host.error, 0);
}

static void a_host_that_becomes_another_is_looked_up_again(void **state)
{
    struct tunnel_asker asker;

    (void)state;
    set(NOBODY);
    ask(&asker);
    tunnel_names_leave(&asker);
    set("localhost");
    ask(&asker);
    await_told(1);
    assert_true(host.addr_count >= 1);
}

static void a_name_has_its_limits(void **state)
{
    uint8_t text[TUNNEL_NAMES_HOST_MAX + 1];

    (void)state;
    memset(text, 'h', sizeof text);
    assert_false(tunnel_names_set(&host, &names, (struct bytes){text, 0}, 80));
    assert_false(tunnel_names_set(&host, &names, (struct bytes){text, sizeof text}, 80));
    assert_true(tunnel_names_set(&host, &names, (struct bytes){text, sizeof text - 1}, 80));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_address_is_known_at_once, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_name_is_looked_up_once_for_all, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_name_that_nobody_has_is_an_error, open_all, close_all),
        cmocka_unit_test_setup_teardown(a_host_that_becomes_another_is_looked_up_again, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_name_has_its_limits, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
