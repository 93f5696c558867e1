// SPDX-License-Identifier: Apache-2.0
// What is added up for a snapshot, of counters that are each unlike the others. What the kernel's
// program has counted takes one: tests/e2e.
#include "relay/relay_snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static struct relay_snapshot take(const struct relay_counts *counts)
{
    struct relay_snapshot snapshot;

    relay_board_end(&fixture.crew.board, 0, counts, 0); // the worker's last ones
    relay_snapshot_take(&snapshot, &fixture.crew.share);
    return snapshot;
}

static void sums_have_all_that_belongs_to_them_and_no_more(void **state)
{
    struct relay_counts counts = {
        .turn =
            {
                .binding_requests = 1,
                .allocate_requests = 1000000,
                .challenges = 2000000,
                .errors = 3000000,
                .requests_limited = 2,
                .responses_withheld = 4,
                .packets_to_peer = 8,
                .bytes_to_peer = 800,
                .packets_turned = 16,
                .bytes_turned = 1600,
                .packets_to_client = 32,
                .bytes_to_client = 3200,
                .errors_to_client = 4000000,
            },
    };

    (void)state;
    counts.turn.responses[TURN_STATS_BINDING][TURN_STATS_SUCCESS] = 64;
    counts.turn.responses[TURN_STATS_BINDING][TURN_STATS_BAD_REQUEST] = 128;
    counts.turn.responses[TURN_STATS_BINDING][TURN_STATS_UNKNOWN_ATTRIBUTE] = 256;
    counts.turn.responses[TURN_STATS_ALLOCATE][TURN_STATS_UNAUTHENTICATED] = 512;
    counts.turn.responses[TURN_STATS_CHANNEL_BIND][TURN_STATS_UNAUTHENTICATED] = 1024;
    counts.turn.responses[TURN_STATS_REFRESH][TURN_STATS_SUCCESS] = 2048;
    counts.turn.refused[TURN_REFUSAL_STRANGER - 1] = 1;
    counts.turn.refused[TURN_REFUSAL_FIREZONE_OVER - 1] = 2;
    counts.turn.refused[TURN_REFUSAL_RULE - 1] = 5000000;
    counts.turn.refused[TURN_REFUSAL_BINDS - 1] = 6000000;
    const struct relay_sums sums = take(&counts).sums;
    assert_int_equal(sums.from_clients.packets, 8 + 16);
    assert_int_equal(sums.from_clients.bytes, 800 + 1600);
    assert_int_equal(sums.to_clients.packets, 32);
    assert_int_equal(sums.to_clients.bytes, 3200);
    assert_int_equal(sums.kernel_to_clients.packets, 0);
    assert_int_equal(sums.by_sockets.packets, 8 + 32); // what turned is among the latter
    assert_int_equal(sums.by_sockets.bytes, 800 + 3200);
    assert_int_equal(sums.by_kernel.packets, 0);
    assert_int_equal(sums.binding_requests, 1);
    assert_int_equal(sums.binding_responses, 64);
    assert_int_equal(sums.binding_errors, 128 + 256);
    assert_int_equal(sums.challenges, 512 + 1024);
    assert_int_equal(sums.withheld, 2 + 4);
    assert_int_equal(sums.strangers, 512 + 1024 + 2 + 4);
    assert_int_equal(sums.credentials_refused, 1 + 2);
    assert_int_equal(sums.processed, 8 + 16 + 32 + 64 + 128 + 256 + 512 + 1024 + 2048);
    assert_int_equal(sums.dropped, 0);
}

static void the_kernels_part_is_added_once(void **state)
{
    struct relay_snapshot snapshot = {
        .counts.turn = {.packets_to_peer = 1, .packets_turned = 2, .packets_to_client = 4},
        .kernel.packets = {[RELAY_ABI_VERDICT_to_peer] = 8,
                           [RELAY_ABI_VERDICT_to_client] = 16,
                           [RELAY_ABI_VERDICT_turned] = 32,
                           [RELAY_ABI_VERDICT_binding] = 64,
                           [RELAY_ABI_VERDICT_drop_max_pps] = 128,
                           [RELAY_ABI_VERDICT_pass_stun] = 1000000},
        .kernel.data = {[RELAY_ABI_VERDICT_to_peer] = 800, [RELAY_ABI_VERDICT_turned] = 3200},
    };

    (void)state;
    relay_snapshot_sum(&snapshot);
    assert_int_equal(snapshot.sums.from_clients.packets, 1 + 2 + 8 + 32);
    assert_int_equal(snapshot.sums.to_clients.packets, 4 + 16 + 32);
    assert_int_equal(snapshot.sums.kernel_to_clients.packets, 16 + 32);
    assert_int_equal(snapshot.sums.by_sockets.packets, 1 + 4);
    assert_int_equal(snapshot.sums.by_kernel.packets, 8 + 16 + 32);
    assert_int_equal(snapshot.sums.by_kernel.bytes, 800 + 3200);
    assert_int_equal(snapshot.sums.binding_requests, 64);
    assert_int_equal(snapshot.sums.dropped, 128);
}

static void every_drop_is_counted_as_one(void **state)
{
    const struct relay_counts counts = {
        .turn =
            {
                .dropped_malformed = 1,
                .dropped_unexpected = 2,
                .dropped_no_allocation = 4,
                .dropped_no_channel = 8,
                .dropped_no_permission = 16,
                .dropped_too_long = 32,
                .dropped_max_pps = 64,
                .dropped_max_bps = 128,
            },
    };

    (void)state;
    const struct relay_sums sums = take(&counts).sums;
    assert_int_equal(sums.dropped, 255);
    assert_int_equal(sums.processed, 0);
}

static void gauges_are_what_there_is_and_may_be(void **state)
{
    const struct relay_counts none = {0};

    (void)state;
    (void)fixture_allocate();
    assert_int_equal(fixture_permit(&fixture.peer.local), CLIENT_SUCCESS);
    assert_int_equal(fixture_bind(0x4000, &fixture.peer.local), CLIENT_SUCCESS);
    const struct relay_gauges gauges = take(&none).gauges;
    assert_int_equal(gauges.allocations, 1);
    assert_int_equal(gauges.permissions, 1);
    assert_int_equal(gauges.channels, 1);
    assert_int_equal(gauges.users, 1);
    assert_int_equal(gauges.ports_in_use, 1);
    assert_int_equal(gauges.max_allocations, 64);
    assert_int_equal(gauges.ports, 65535 - 49152 + 1);
    assert_int_equal(gauges.workers, 1);
    assert_int_equal(gauges.late_workers, 0); // one that has ended is not waited for
    assert_int_equal(gauges.is_draining, 0);
    assert_int_equal(gauges.one, 1);
    relay_crew_drain(&fixture.crew);
    assert_int_equal(take(&none).gauges.is_draining, 1);
}

static void a_worker_that_does_not_answer_is_late(void **state)
{
    struct relay_snapshot snapshot;
    const struct relay_counts counts = {.turn.binding_requests = 7};

    (void)state;
    relay_board_begin(&fixture.crew.board, 0);
    assert_true(relay_board_post(&fixture.crew.board, 0, 0, &counts));
    relay_snapshot_take(&snapshot, &fixture.crew.share);
    assert_int_equal(snapshot.gauges.late_workers, 1);
    assert_int_equal(snapshot.sums.binding_requests, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(sums_have_all_that_belongs_to_them_and_no_more),
        cmocka_unit_test(the_kernels_part_is_added_once),
        FIXTURE_TEST(every_drop_is_counted_as_one),
        FIXTURE_TEST(gauges_are_what_there_is_and_may_be),
        FIXTURE_TEST(a_worker_that_does_not_answer_is_late),
    };
    return fixture_result(cmocka_run_group_tests(tests, NULL, NULL));
}
