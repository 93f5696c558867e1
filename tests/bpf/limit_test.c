// SPDX-License-Identifier: Apache-2.0
// What is over the limits of an allocation is dropped, and nothing else is.
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/macro.h"
#include "bpf/kernel.h"
#include "bpf/packet.h"
#include "bpf/way.h"

enum {
    RATE = 5, // packets a second: so few that hardly any comes back while a test runs
    MANY = 20,
    LEN = 100,
    WAY_KIND_STEP = WAY_COUNT / WAY_KINDS,
};

static const uint8_t data[PACKET_MAX];

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static enum relay_abi_verdict send_one(struct kernel *kernel, const struct way *way, size_t len)
{
    uint8_t frame[PACKET_MAX];
    struct kernel_result got;
    struct packet in = way_in(way, data, len);
    size_t frame_len = packet_write(&in, frame);

    kernel_run(kernel, frame, frame_len, &got);
    if (got.verdict == way_verdict(way)) {
        assert_int_equal(got.action, XDP_TX);
        return got.verdict;
    }
    if (got.verdict == RELAY_ABI_VERDICT_drop_max_pps ||
        got.verdict == RELAY_ABI_VERDICT_drop_max_bps) {
        assert_int_equal(got.action, XDP_DROP);
        assert_int_equal(got.counted, frame_len);
    }
    assert_int_equal(got.frame_len, frame_len); // untouched
    assert_memory_equal(got.frame, frame, frame_len);
    return got.verdict;
}

// Sends many; so many are relayed, and those for which there is time; the others have the verdict.
static void expect_relayed(struct kernel *kernel, const struct way *way, uint32_t relayed,
                           enum relay_abi_verdict dropped)
{
    uint64_t began_ns = now_ns();
    uint32_t count = 0;

    for (uint32_t i = 0; i < MANY; i++) {
        enum relay_abi_verdict verdict = send_one(kernel, way, LEN);
        count += verdict == way_verdict(way);
        assert_true(verdict == way_verdict(way) || verdict == dropped);
    }
    uint64_t more = 1 + (now_ns() - began_ns) * RATE / 1000000000;
    assert_in_range(count, relayed, relayed + more);
}

static void drops_what_is_over_the_limit_of_packets(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct kernel *kernel = kernel_open_limited(RATE, 0);
        struct way way = way_of(i);
        way_bind(kernel, &way);
        expect_relayed(kernel, &way, RATE, RELAY_ABI_VERDICT_drop_max_pps);
        kernel_close(kernel);
    }
}

static void drops_what_is_over_the_limit_of_bytes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct kernel *kernel = kernel_open_limited(0, (uint64_t)RATE * LEN);
        struct way way = way_of(i);
        way_bind(kernel, &way);
        expect_relayed(kernel, &way, RATE, RELAY_ABI_VERDICT_drop_max_bps);
        kernel_close(kernel);
    }
}

static void holds_the_lower_of_both(void **state)
{
    struct way way = way_of(0);

    (void)state;
    struct kernel *kernel = kernel_open_limited(RATE, 1000000);
    way_bind(kernel, &way);
    expect_relayed(kernel, &way, RATE, RELAY_ABI_VERDICT_drop_max_pps);
    kernel_close(kernel);
    kernel = kernel_open_limited(1000000, (uint64_t)RATE * LEN);
    way_bind(kernel, &way);
    expect_relayed(kernel, &way, RATE, RELAY_ABI_VERDICT_drop_max_bps);
    kernel_close(kernel);
}

static void is_full_again_after_a_second(void **state)
{
    const struct timespec second = {.tv_sec = 1, .tv_nsec = 20000000};
    struct kernel *kernel = kernel_open_limited(RATE, 0);
    struct way way = way_of(0);

    (void)state;
    way_bind(kernel, &way);
    for (int i = 0; i < 2; i++) {
        expect_relayed(kernel, &way, RATE, RELAY_ABI_VERDICT_drop_max_pps);
        nanosleep(&second, NULL);
    }
    expect_relayed(kernel, &way, RATE, RELAY_ABI_VERDICT_drop_max_pps);
    kernel_close(kernel);
}

static void counts_each_direction_by_itself(void **state)
{
    struct kernel *kernel = kernel_open_limited(RATE, 0);

    (void)state;
    for (uint32_t kind = WAY_TO_PEER; kind <= WAY_TO_CLIENT; kind++) {
        struct way way = way_of(kind * WAY_KIND_STEP); // of the same relayed port
        way_bind(kernel, &way);
        expect_relayed(kernel, &way, RATE, RELAY_ABI_VERDICT_drop_max_pps);
    }
    kernel_close(kernel);
}

// By whichever of its families a client's peers are: it has one port.
static void counts_both_families_together(void **state)
{
    struct kernel *kernel = kernel_open_limited(RATE, 0);
    struct way way = way_of(0);

    (void)state;
    way_bind(kernel, &way);
    expect_relayed(kernel, &way, RATE, RELAY_ABI_VERDICT_drop_max_pps);
    way.out = ADDR_IP6;
    way_bind(kernel, &way);
    expect_relayed(kernel, &way, 0, RELAY_ABI_VERDICT_drop_max_pps);
    kernel_close(kernel);
}

// What turns round is the sender's, and the receiver's, whose other direction is untouched.
static void counts_what_turns_round_on_both_sides(void **state)
{
    struct kernel *kernel = kernel_open_limited(RATE, 0);
    struct way turned = way_of(WAY_TURNED * WAY_KIND_STEP);
    struct way to_peer = way_of(0);

    (void)state;
    way_bind(kernel, &turned);
    assert_false(kernel_has_taken(kernel, WAY_OTHER_PORT, RELAY_ABI_FROM_PEER));
    expect_relayed(kernel, &turned, RATE, RELAY_ABI_VERDICT_drop_max_pps);
    assert_true(kernel_has_taken(kernel, WAY_OTHER_PORT, RELAY_ABI_FROM_PEER));
    assert_false(kernel_has_taken(kernel, WAY_OTHER_PORT, RELAY_ABI_FROM_CLIENT));
    assert_false(kernel_has_taken(kernel, WAY_RELAYED_PORT, RELAY_ABI_FROM_PEER));
    way_bind(kernel, &to_peer);
    expect_relayed(kernel, &to_peer, 0, RELAY_ABI_VERDICT_drop_max_pps);
    kernel_close(kernel);
}

// The sockets have limits of their own.
static void takes_nothing_for_what_passes(void **state)
{
    struct kernel *kernel = kernel_open_limited(RATE, 0);

    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        way.hop = KERNEL_HOP_UNKNOWN;
        way_bind(kernel, &way);
        for (uint32_t n = 0; n < MANY; n++) {
            assert_int_equal(send_one(kernel, &way, LEN), RELAY_ABI_VERDICT_pass_no_hop);
        }
    }
    struct way way = way_of(0);
    way_bind(kernel, &way);
    expect_relayed(kernel, &way, RATE, RELAY_ABI_VERDICT_drop_max_pps);
    kernel_close(kernel);
}

static void relays_what_is_longer_than_a_second_when_the_bucket_is_full(void **state)
{
    struct kernel *kernel = kernel_open_limited(0, LEN);
    struct way way = way_of(0);

    (void)state;
    way_bind(kernel, &way);
    assert_int_equal(send_one(kernel, &way, 0), way_verdict(&way));
    assert_int_equal(send_one(kernel, &way, 10 * LEN), way_verdict(&way));
    assert_int_equal(send_one(kernel, &way, 1), RELAY_ABI_VERDICT_drop_max_bps);
    kernel_close(kernel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops_what_is_over_the_limit_of_packets),
        cmocka_unit_test(drops_what_is_over_the_limit_of_bytes),
        cmocka_unit_test(holds_the_lower_of_both),
        cmocka_unit_test(is_full_again_after_a_second),
        cmocka_unit_test(counts_each_direction_by_itself),
        cmocka_unit_test(counts_both_families_together),
        cmocka_unit_test(counts_what_turns_round_on_both_sides),
        cmocka_unit_test(takes_nothing_for_what_passes),
        cmocka_unit_test(relays_what_is_longer_than_a_second_when_the_bucket_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
