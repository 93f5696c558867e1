// SPDX-License-Identifier: Apache-2.0
// What works through it, and where, is shown in tests/e2e.
#include "relay/relay_offload.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "log/log.h"
#include "xdp/xdp_world.h"

enum { WORKERS = 2 };

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
    relay_offload_bind(&offload, 0, &bind);
    relay_offload_unbind(&offload, 0, &unbind);
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
    relay_offload_open(&offload, &config, WORKERS, &loop);
    expect_closed();
}

static void goes_without_an_interface_that_is_not_there(void **state)
{
    const struct relay_config config = config_for("no-such-link");

    (void)state;
    relay_offload_open(&offload, &config, WORKERS, &loop);
    expect_closed();
}

// Of this host's addresses only the loopback one is known here, and `auto` leaves that alone.
static void auto_may_find_none(void **state)
{
    struct relay_config config = config_for(NULL);

    (void)state;
    config.is_ebpf_auto = true;
    relay_offload_open(&offload, &config, WORKERS, &loop);
    assert_int_equal(offload.name_count, 0);
    expect_closed();
}

// More slots than 32 bits can number.
static void goes_without_a_table_that_would_be_too_large(void **state)
{
    struct relay_config config = config_for("near0");

    (void)state;
    if (!xdp_world_enter()) {
        skip();
    }
    config.max_channels = 1 << 16;
    relay_offload_open(&offload, &config, 1 << 16, &loop);
    expect_closed();
}

// In a network of its own, which the tests after it have too.
static void open_in_world(void)
{
    struct relay_config config = config_for("near0");

    if (!xdp_world_enter()) {
        skip();
    }
    config.public_ip4 = config.own_addrs[config.own_addr_count++] = xdp_world_addr("192.0.2.1", 0);
    config.public_ip6 = config.own_addrs[config.own_addr_count++] =
        xdp_world_addr("2001:db8::1", 0);
    config.own_addrs[config.own_addr_count++] = xdp_world_addr("fe80::10", 0);
    config.own_addrs[config.own_addr_count++] = xdp_world_addr("169.254.1.1", 0);
    config.bind_ip4 = xdp_world_addr("0.0.0.0", 0);
    config.bind_ip6 = xdp_world_addr("::", 0);
    relay_offload_open(&offload, &config, WORKERS, &loop);
    assert_true(offload.is_open);
}

static bool is_own(const char *text)
{
    const struct addr addr = xdp_world_addr(text, 0);

    return xdp_program_own(&offload.program, &addr) != XDP_PROGRAM_OWN_NONE;
}

static void leaves_ambiguous_addresses_to_the_sockets(void **state)
{
    (void)state;
    open_in_world();
    assert_true(is_own("192.0.2.1"));
    assert_true(is_own("2001:db8::1"));
    assert_true(is_own("169.254.1.1"));
    assert_false(is_own("fe80::10"));
    relay_offload_close(&offload);
    const struct relay_config config = config_for("near0"); // bound to the loopback address
    relay_offload_open(&offload, &config, WORKERS, &loop);
    assert_true(offload.is_open);
    assert_false(is_own("127.0.0.1"));
    relay_offload_close(&offload);
}

// Behind a one-to-one NAT, with another network at another interface.
static void leaves_other_source_addresses_to_the_sockets(void **state)
{
    struct relay_config config = config_for("near0");
    struct turn_command_bind bind = {
        .tuple = {xdp_world_addr("192.0.2.7", 5000), xdp_world_addr("192.0.2.1", 3478)},
        .number = 0x4000,
        .relayed = xdp_world_addr("203.0.113.1", 50000),
        .peer = xdp_world_addr("192.0.2.8", 6000),
    };

    (void)state;
    if (!xdp_world_enter()) {
        skip();
    }
    config.public_ip4 = xdp_world_addr("203.0.113.1", 0);
    config.bind_ip4 = xdp_world_addr("0.0.0.0", 0);
    config.ebpf_int4 = xdp_world_addr("192.0.2.1", 0);
    relay_offload_open(&offload, &config, WORKERS, &loop);
    assert_true(offload.is_open);
    relay_offload_bind(&offload, 0, &bind);
    assert_true(xdp_table_is_bound(&offload.table, 0));
    bind.channel = 1;
    bind.number = 0x4001;
    bind.peer = xdp_world_addr("198.51.100.8", 6000); // sockets send from 198.51.100.1
    relay_offload_bind(&offload, 0, &bind);
    assert_false(xdp_table_is_bound(&offload.table, 1 * WORKERS));
    bind.is_turned = true;
    bind.peer = xdp_world_addr("203.0.113.1", 50001);
    relay_offload_bind(&offload, 0, &bind);
    assert_true(xdp_table_is_bound(&offload.table, 1 * WORKERS));
    relay_offload_close(&offload);
}

// Each worker numbers its channels from 0.
static void keeps_channels_of_workers_apart(void **state)
{
    struct turn_command_bind bind = {
        .channel = 3,
        .number = 0x4000,
        .tuple = {xdp_world_addr("192.0.2.7", 5000), xdp_world_addr("192.0.2.1", 3478)},
        .relayed = xdp_world_addr("192.0.2.1", 50000),
        .peer = xdp_world_addr("192.0.2.8", 6000),
    };
    const struct turn_command_unbind unbind = {.channel = 3};

    (void)state;
    open_in_world();
    relay_offload_bind(&offload, 0, &bind);
    bind.tuple.client.port++;
    bind.relayed.port++;
    relay_offload_bind(&offload, 1, &bind);
    assert_true(xdp_table_is_bound(&offload.table, 3 * WORKERS));
    assert_true(xdp_table_is_bound(&offload.table, 3 * WORKERS + 1));
    relay_offload_unbind(&offload, 0, &unbind);
    assert_false(xdp_table_is_bound(&offload.table, 3 * WORKERS));
    assert_true(xdp_table_is_bound(&offload.table, 3 * WORKERS + 1));
    relay_offload_close(&offload);
}

// It waits for ever as long as no channel is bound.
static void calls_the_control_thread_when_it_has_work(void **state)
{
    struct turn_command_bind bind = {
        .number = 0x4000,
        .tuple = {xdp_world_addr("192.0.2.7", 5000), xdp_world_addr("192.0.2.1", 3478)},
        .relayed = xdp_world_addr("192.0.2.1", 50000),
        .peer = xdp_world_addr("192.0.2.8", 6000),
    };
    eventfd_t count = 0;

    (void)state;
    open_in_world();
    while (relay_offload_tick(&offload, io_clock_now()) != NEVER) {
        usleep(1000);
    }
    assert_int_equal(eventfd_read(offload.hurry.fd, &count), -1);
    relay_offload_bind(&offload, 1, &bind);
    assert_int_equal(io_loop_turn(&loop, NEVER), 0);
    assert_true(relay_offload_tick(&offload, io_clock_now()) != NEVER);

    bind.channel = 1; // it is awake as it is
    bind.tuple.client.port++;
    bind.relayed.port++;
    relay_offload_bind(&offload, 1, &bind);
    assert_int_equal(eventfd_read(offload.hurry.fd, &count), -1);
    relay_offload_close(&offload);
}

struct binder {
    pthread_t thread;
    uint32_t worker;
};

static void *bind_and_unbind(void *context)
{
    const struct binder *binder = context;

    for (uint32_t i = 0; i < 500; i++) {
        const struct turn_command_bind bind = {
            .channel = i % 4,
            .number = (uint16_t)(0x4000 + i % 4),
            .tuple = {xdp_world_addr("192.0.2.7", (uint16_t)(5000 + binder->worker)),
                      xdp_world_addr("192.0.2.1", 3478)},
            .relayed = xdp_world_addr("192.0.2.1", (uint16_t)(50000 + binder->worker)),
            .peer = xdp_world_addr("192.0.2.8", (uint16_t)(6000 + i % 4)),
        };
        const struct turn_command_unbind unbind = {.channel = i % 4};
        relay_offload_bind(&offload, binder->worker, &bind);
        if (i % 3 != 0) {
            relay_offload_unbind(&offload, binder->worker, &unbind);
        }
    }
    return NULL;
}

// The workers bind while the control thread ticks, reads news, switches and counts.
static void serves_several_threads_at_once(void **state)
{
    struct binder binders[WORKERS];

    (void)state;
    open_in_world();
    for (uint32_t i = 0; i < WORKERS; i++) {
        binders[i].worker = i;
        assert_int_equal(pthread_create(&binders[i].thread, NULL, bind_and_unbind, &binders[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        IGNORE(relay_offload_tick(&offload, io_clock_now()));
        assert_int_equal(io_loop_turn(&loop, 0), 0);
        relay_offload_switch(&offload);
        relay_offload_log(&offload);
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(binders[i].thread, NULL), 0);
        // Of the last four of each only number 498 stayed.
        assert_true(xdp_table_is_bound(&offload.table, 498 % 4 * WORKERS + i));
    }
    assert_int_equal(offload.table.bound_count, WORKERS);
    relay_offload_close(&offload);
}

static atomic_bool is_switched;

// The longest that it has waited (ns).
static void *wait_for_lock(void *context)
{
    const struct turn_command_unbind unbind = {.channel = 3};
    uint64_t *longest_ns = context;

    while (!atomic_load(&is_switched)) {
        const uint64_t before_ns = io_clock_now().mono_ns;
        relay_offload_unbind(&offload, 0, &unbind);
        const uint64_t waited_ns = io_clock_now().mono_ns - before_ns;
        *longest_ns = waited_ns > *longest_ns ? waited_ns : *longest_ns;
    }
    return NULL;
}

// Attaching takes a while; a worker waits for a small part of it at most. The scheduler may hold it
// up too, but not each time.
static void holds_up_no_worker_while_it_attaches(void **state)
{
    bool is_prompt = false;

    (void)state;
    open_in_world();
    for (int i = 0; i < 40 && !is_prompt; i++) {
        uint64_t longest_ns = 0;
        pthread_t thread;

        relay_offload_switch(&offload); // off
        atomic_store(&is_switched, false);
        assert_int_equal(pthread_create(&thread, NULL, wait_for_lock, &longest_ns), 0);
        usleep(1000);
        const uint64_t before_ns = io_clock_now().mono_ns;
        relay_offload_switch(&offload); // on
        const uint64_t took_ns = io_clock_now().mono_ns - before_ns;
        atomic_store(&is_switched, true);
        assert_int_equal(pthread_join(thread, NULL), 0);
        is_prompt = longest_ns < took_ns / 4;
    }
    assert_true(is_prompt);
    relay_offload_close(&offload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_nothing_unless_asked),
        cmocka_unit_test(goes_without_an_interface_that_is_not_there),
        cmocka_unit_test(auto_may_find_none),
        cmocka_unit_test(goes_without_a_table_that_would_be_too_large),
        cmocka_unit_test(leaves_ambiguous_addresses_to_the_sockets),
        cmocka_unit_test(leaves_other_source_addresses_to_the_sockets),
        cmocka_unit_test(keeps_channels_of_workers_apart),
        cmocka_unit_test(calls_the_control_thread_when_it_has_work),
        cmocka_unit_test(serves_several_threads_at_once),
        cmocka_unit_test(holds_up_no_worker_while_it_attaches),
    };
    return cmocka_run_group_tests(tests, open_loop, close_loop);
}
