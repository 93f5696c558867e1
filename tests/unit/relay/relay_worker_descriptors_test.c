// SPDX-License-Identifier: Apache-2.0
// What the worker opens and closes, and what it does when the system refuses it.
#include "relay/relay_worker.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "fixture.h"
#include "io/io_clock.h"

static void closes_the_socket_with_its_allocation(void **state)
{
    (void)state;
    const size_t before = host_descriptor_count();
    const struct addr relayed = fixture_allocate();
    assert_int_equal(host_descriptor_count(), before + 1);
    assert_int_equal(fixture_refresh(0), CLIENT_SUCCESS);
    assert_int_equal(host_descriptor_count(), before);
    const struct io_udp_options options = {.local = relayed};
    struct io_udp again = {.fd = -1};
    assert_int_equal(io_udp_open(&options, &again), 0);
    io_udp_close(&again);
}

static void refuses_allocations_while_there_are_no_descriptors(void **state)
{
    (void)state;
    assert_int_equal(fixture_try_to_allocate(), 401);
    host_descriptor_limit(0);
    const int refused = fixture_try_to_allocate();
    host_descriptor_limit(-1);
    assert_int_equal(refused, 508);
    const char *log = host_log();
    assert_non_null(strstr(log, "ERROR a relayed socket could not be opened relayed=127.0.0.1:"));
    assert_non_null(strstr(log, "EMFILE"));
    assert_int_equal(turn_server_gauges(fixture.worker->server, io_clock_now()).allocations, 0);
    assert_int_equal(fixture_try_to_allocate(), CLIENT_SUCCESS);
}

// Opens a socket at a port whose successor is free.
static struct io_udp take_port(void)
{
    uint16_t port = host_free_port(ADDR_IP4);
    struct io_udp taken = {.fd = -1};

    for (uint16_t next = host_free_port(ADDR_IP4); next != port + 1;) {
        port = next;
        next = host_free_port(ADDR_IP4);
    }
    const struct io_udp_options options = {.local = host_loopback(ADDR_IP4, port)};
    assert_int_equal(io_udp_open(&options, &taken), 0);
    return taken;
}

static void tries_another_port_when_one_is_taken(void **state)
{
    struct io_udp taken = take_port();

    (void)state;
    fixture_close();
    fixture.config = fixture_config(ADDR_IP4);
    fixture.config.lowest_port = taken.local.port;
    fixture.config.highest_port = (uint16_t)(taken.local.port + 1);
    fixture_open_with_config(ADDR_IP4);
    // At one chance in two it meets the free one first: that it never does otherwise is as likely
    // as 2 to the power of -64.
    for (int tries = 0; turn_server_stats(fixture.worker->server)->ports_refused == 0 && tries < 64;
         tries++) {
        const struct addr relayed = fixture_allocate();
        assert_int_equal(relayed.port, fixture.config.highest_port);
        assert_int_equal(fixture_refresh(0), CLIENT_SUCCESS);
        client_close(&fixture.client);
        client_open(&fixture.client, &fixture.client.server);
    }
    assert_true(turn_server_stats(fixture.worker->server)->ports_refused > 0);
    io_udp_close(&taken);
}

static void refuses_allocations_when_no_port_is_to_be_had(void **state)
{
    struct io_udp taken = take_port();

    (void)state;
    fixture_close();
    fixture.config = fixture_config(ADDR_IP4);
    fixture.config.lowest_port = taken.local.port;
    fixture.config.highest_port = taken.local.port;
    fixture_open_with_config(ADDR_IP4);
    const size_t before = host_descriptor_count();
    assert_int_equal(fixture_try_to_allocate(), 401);
    assert_int_equal(fixture_try_to_allocate(), 508);
    assert_int_equal(host_descriptor_count(), before);
    io_udp_close(&taken);
}

static void closes_what_is_open_and_does_so_once(void **state)
{
    (void)state;
    (void)fixture_allocate(); // its socket is open
    fixture_close();
    relay_crew_close(&fixture.crew);
    relay_crew_close(&fixture.crew);
    assert_int_equal(host_descriptor_count(), fixture.descriptors);
    fixture_open(ADDR_IP4); // and it can be opened again
    fixture_relay_both_ways();
}

static void leaves_nothing_open_when_its_port_is_taken(void **state)
{
    const uint16_t taken_port = fixture.config.listen_port; // by the worker of this test

    (void)state;
    static struct relay_crew second;
    struct relay_config second_config = fixture_config(ADDR_IP4);
    second_config.listen_port = taken_port;
    const size_t before = host_descriptor_count();
    (void)host_log();
    assert_int_equal(relay_crew_open(&second, &second_config, &fixture.loop), -EADDRINUSE);
    assert_int_equal(host_descriptor_count(), before);
    char line[96];
    snprintf(line, sizeof line,
             "ERROR cannot listen; does another STUN server run here? address=0.0.0.0:%u",
             taken_port);
    assert_non_null(strstr(host_log(), line));
    relay_crew_close(&second);
}

static void leaves_nothing_open_when_there_are_few_descriptors(void **state)
{
    static struct relay_crew second;
    int more = 0;

    (void)state;
    for (int error = -EMFILE; error != 0; more++) {
        struct relay_config second_config = fixture_config(ADDR_IP4);
        const size_t before = host_descriptor_count();

        host_descriptor_limit(more);
        error = relay_crew_open(&second, &second_config, &fixture.loop);
        host_descriptor_limit(-1);
        assert_true(error == 0 || error == -EMFILE);
        relay_crew_close(&second);
        assert_int_equal(host_descriptor_count(), before);
    }
    assert_int_equal(more - 1, RELAY_LANE_COUNT + 3); // lanes, loop, mailbox, board
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(closes_the_socket_with_its_allocation),
        FIXTURE_TEST(refuses_allocations_while_there_are_no_descriptors),
        FIXTURE_TEST(tries_another_port_when_one_is_taken),
        FIXTURE_TEST(refuses_allocations_when_no_port_is_to_be_had),
        FIXTURE_TEST(closes_what_is_open_and_does_so_once),
        FIXTURE_TEST(leaves_nothing_open_when_its_port_is_taken),
        FIXTURE_TEST(leaves_nothing_open_when_there_are_few_descriptors),
    };
    return fixture_result(cmocka_run_group_tests(tests, NULL, NULL));
}
