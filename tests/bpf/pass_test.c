// SPDX-License-Identifier: Apache-2.0
// What must go on to the sockets, as it came: each case changes one thing of a packet that would
// otherwise be relayed, and says under which verdict it is counted.
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "bpf/kernel.h"
#include "bpf/packet.h"
#include "bpf/spoil.h"
#include "bpf/way.h"

static struct kernel *kernel;
static uint8_t data[PACKET_MAX];

static bool applies(const struct spoil_case *at, const struct way *way)
{
    unsigned family = way->in == ADDR_IP4 ? SPOIL_IP4 : SPOIL_IP6;
    unsigned sender = way->kind == WAY_TO_CLIENT ? SPOIL_PEER : SPOIL_CLIENT;

    return (at->applies & family) != 0 && (at->applies & sender) != 0;
}

static void must_have_passed(const struct spoil_frame *frame, const struct kernel_result *got,
                             enum relay_abi_verdict verdict)
{
    assert_int_equal(got->verdict, verdict);
    assert_int_equal(got->action, XDP_PASS);
    assert_int_equal(got->counted, frame->len);
    assert_int_equal(got->frame_len, frame->len);
    assert_memory_equal(got->frame, frame->bytes, frame->len);
}

// The frame passes as it is, under this verdict.
static void must_pass(const struct spoil_frame *frame, enum relay_abi_verdict verdict,
                      const char *name, const struct way *way)
{
    struct kernel_result got;

    kernel_run(kernel, frame->bytes, frame->len, &got);
    if (got.verdict != verdict) {
        print_message("%s of %s\n", name, way_name(way));
    }
    must_have_passed(frame, &got, verdict);
}

static struct spoil_frame frame_of(const struct packet *packet)
{
    struct spoil_frame frame = {.packet = packet};

    frame.len = packet_write(packet, frame.bytes);
    return frame;
}

static void must_relay(const struct packet *packet, const struct way *way)
{
    struct spoil_frame frame = frame_of(packet);
    struct kernel_result got;

    kernel_run(kernel, frame.bytes, frame.len, &got);
    assert_int_equal(got.verdict, way_verdict(way));
}

static void passes_what_it_does_not_relay(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, SPOIL_DATA_LEN);
        way_bind(kernel, &way);
        must_relay(&in, &way);
        for (size_t n = 0; n < spoil_case_count; n++) {
            struct spoil_frame frame = frame_of(&in);
            if (applies(&spoil_cases[n], &way)) {
                spoil_cases[n].change(&frame);
                must_pass(&frame, spoil_cases[n].verdict, spoil_cases[n].name, &way);
            }
        }
    }
}

static void passes_what_is_too_long_for_the_link(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        way_bind(kernel, &way);
        struct packet in = way_in(&way, data, way_longest(&way));
        must_relay(&in, &way);
        in.data_len++;
        struct spoil_frame frame = frame_of(&in);
        must_pass(&frame, RELAY_ABI_VERDICT_pass_too_long, "one more byte", &way);
    }
}

static void passes_what_needs_a_checksum(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, SPOIL_DATA_LEN);
        in.has_no_checksum = true;
        way_bind(kernel, &way);
        struct spoil_frame frame = frame_of(&in);
        if (way.in == ADDR_IP6 || way.out == ADDR_IP6) {
            must_pass(&frame, RELAY_ABI_VERDICT_pass_no_checksum, "no checksum", &way);
        } else {
            must_relay(&in, &way);
        }
    }
}

static void passes_when_no_hop_is_known(void **state)
{
    static const uint32_t hops[] = {RELAY_ABI_HOP_NONE, KERNEL_HOP_UNKNOWN, KERNEL_HOP_UNLINKED,
                                    KERNEL_HOP_COUNT};

    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        for (size_t n = 0; n < COUNT_OF(hops); n++) {
            struct way way = way_of(i);
            struct packet in = way_in(&way, data, SPOIL_DATA_LEN);
            way.hop = hops[n];
            way_bind(kernel, &way);
            struct spoil_frame frame = frame_of(&in);
            must_pass(&frame, RELAY_ABI_VERDICT_pass_no_hop, "no hop", &way);
        }
    }
}

static void passes_when_nothing_is_bound(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, SPOIL_DATA_LEN);
        struct spoil_frame frame = frame_of(&in);
        kernel_clear(kernel);
        must_pass(&frame, RELAY_ABI_VERDICT_pass_unbound, "nothing bound", &way);
    }
}

static void passes_while_the_path_is_written(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, SPOIL_DATA_LEN);
        struct spoil_frame frame = frame_of(&in);
        way.is_torn = true;
        way_bind(kernel, &way);
        must_pass(&frame, RELAY_ABI_VERDICT_pass_unbound, "a path that is being written", &way);
    }
}

// Only one side of the two that meet on the relay is bound.
static void passes_when_the_other_client_has_no_channel(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        if (way.kind == WAY_TURNED) {
            struct packet in = way_in(&way, data, SPOIL_DATA_LEN);
            struct spoil_frame frame = frame_of(&in);
            way_bind(kernel, &way);
            way_unbind_other(kernel, &way);
            must_pass(&frame, RELAY_ABI_VERDICT_pass_unbound, "one side bound", &way);
        }
    }
}

// The first one passes for the sake of the neighbour; then they are relayed, for a while.
static void passes_one_so_that_the_system_speaks_to_the_neighbour(void **state)
{
    struct way way = way_of(0);
    struct packet in = way_in(&way, data, SPOIL_DATA_LEN);
    struct spoil_frame frame = frame_of(&in);
    struct kernel_result got;

    (void)state;
    way.hop = KERNEL_HOP_SILENT;
    way_bind(kernel, &way);
    assert_int_equal(kernel_spoken_at(kernel, way.hop), 0);
    kernel_run_once(kernel, frame.bytes, frame.len, &got);
    must_have_passed(&frame, &got, RELAY_ABI_VERDICT_pass_spoken);
    uint64_t spoken_at = kernel_spoken_at(kernel, way.hop);
    assert_int_not_equal(spoken_at, 0);
    kernel_run_once(kernel, frame.bytes, frame.len, &got);
    assert_int_equal(got.verdict, way_verdict(&way));
    assert_int_equal(kernel_spoken_at(kernel, way.hop), spoken_at);
    kernel_set_spoken_at(kernel, way.hop, spoken_at - 5000);
    kernel_run_once(kernel, frame.bytes, frame.len, &got);
    must_have_passed(&frame, &got, RELAY_ABI_VERDICT_pass_spoken);
    assert_true(kernel_spoken_at(kernel, way.hop) >= spoken_at);
    kernel_run_once(kernel, frame.bytes, frame.len, &got);
    assert_int_equal(got.verdict, way_verdict(&way));
}

static int open_all(void **state)
{
    (void)state;
    kernel = kernel_open();
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    kernel_close(kernel);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_what_it_does_not_relay),
        cmocka_unit_test(passes_what_is_too_long_for_the_link),
        cmocka_unit_test(passes_what_needs_a_checksum),
        cmocka_unit_test(passes_when_no_hop_is_known),
        cmocka_unit_test(passes_when_nothing_is_bound),
        cmocka_unit_test(passes_while_the_path_is_written),
        cmocka_unit_test(passes_when_the_other_client_has_no_channel),
        cmocka_unit_test(passes_one_so_that_the_system_speaks_to_the_neighbour),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
