// SPDX-License-Identifier: Apache-2.0
// What works through it, and where, is shown in tests/e2e.
#include "relay/relay_offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "log/log.h"

static struct io_loop loop;
static struct relay_offload offload;

static int open_loop(void **state)
{
    (void)state;
    log_open(STDOUT_FILENO, LOG_LEVEL_ERROR, LOG_LINE_HUMAN);
    return io_loop_open(&loop);
}

static int close_loop(void **state)
{
    (void)state;
    io_loop_close(&loop);
    return 0;
}

static struct relay_config config_for(const char *interface)
{
    struct relay_config config = {
        .public_ip4 = addr_ip4((const uint8_t[]){127, 0, 0, 1}, 0),
        .bind_ip4 = addr_ip4((const uint8_t[]){127, 0, 0, 1}, 0),
        .listen_port = 3478,
        .lowest_port = 50000,
        .highest_port = 50099,
        .max_channels = 16,
    };

    if (interface != NULL) {
        config.ebpf_links[config.ebpf_link_count++] = bytes_of_text(interface);
    }
    return config;
}

// All that may be done with it does nothing.
static void expect_closed(void)
{
    const struct turn_command_bind bind = {.relayed.family = ADDR_IP4, .peer.family = ADDR_IP4};
    const struct turn_command_unbind unbind = {0};

    assert_false(offload.is_open);
    relay_offload_bind(&offload, &bind);
    relay_offload_unbind(&offload, &unbind);
    relay_offload_switch(&offload);
    relay_offload_log(&offload);
    assert_true(relay_offload_tick(&offload, (struct now){0}) == NEVER);
    relay_offload_close(&offload);
    relay_offload_close(&offload);
    assert_int_equal(loop.watch_count, 0);
}

static void opens_nothing_unless_asked(void **state)
{
    const struct relay_config config = config_for(NULL);

    (void)state;
    relay_offload_open(&offload, &config, &loop);
    expect_closed();
}

static void goes_without_an_interface_that_is_not_there(void **state)
{
    const struct relay_config config = config_for("no-such-link");

    (void)state;
    relay_offload_open(&offload, &config, &loop);
    expect_closed();
}

// Of this host's addresses only the loopback one is known here, and `auto` leaves that alone.
static void auto_may_find_none(void **state)
{
    struct relay_config config = config_for(NULL);

    (void)state;
    config.is_ebpf_auto = true;
    relay_offload_open(&offload, &config, &loop);
    assert_int_equal(offload.name_count, 0);
    expect_closed();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_nothing_unless_asked),
        cmocka_unit_test(goes_without_an_interface_that_is_not_there),
        cmocka_unit_test(auto_may_find_none),
    };
    return cmocka_run_group_tests(tests, open_loop, close_loop);
}
