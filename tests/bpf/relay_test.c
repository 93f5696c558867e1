// SPDX-License-Identifier: Apache-2.0
// Every way that a channel's packet can take: in and out over either family, from a client to a
// peer, from a peer to a client, and from a client to another one. What leaves is compared whole
// with what packet.c makes, whose checksums are summed from scratch.
#define _GNU_SOURCE
#include <linux/bpf.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "bpf/kernel.h"
#include "bpf/packet.h"
#include "bpf/way.h"
#include "support/rng.h"

static struct kernel *kernel;
static struct rng rng;
static uint8_t data[PACKET_MAX];

static void fill(void)
{
    rng_fill(&rng, data, sizeof data);
}

// One packet of 65,536 has by chance the checksum that senders write who leave it to hardware, and
// goes by the sockets (pass_test.c).
static bool is_like_unsummed(const struct packet *packet, const uint8_t *frame, size_t len)
{
    uint8_t unsummed[PACKET_MAX];

    memcpy(unsummed, frame, len);
    packet_sum_pseudo(packet, unsummed);
    return !packet->has_no_checksum && memcmp(unsummed, frame, len) == 0;
}

// What must have been counted, of the clients that send and get the packet, beside what was.
struct expected_usage {
    uint16_t port;
    enum relay_abi_from from;
    struct relay_abi_usage before;
};

static size_t usages_of(const struct way *way, struct expected_usage out[2])
{
    size_t count = 0;

    if (way->kind != WAY_TO_CLIENT) {
        out[count++] = (struct expected_usage){WAY_RELAYED_PORT, RELAY_ABI_FROM_CLIENT, {0}};
    }
    if (way->kind != WAY_TO_PEER) {
        uint16_t port = way->kind == WAY_TURNED ? WAY_OTHER_PORT : WAY_RELAYED_PORT;
        out[count++] = (struct expected_usage){port, RELAY_ABI_FROM_PEER, {0}};
    }
    for (size_t i = 0; i < count; i++) {
        out[i].before = kernel_usage(kernel, out[i].port, out[i].from);
    }
    return count;
}

static void check_usages(const struct expected_usage *usages, size_t count, size_t data_len)
{
    for (size_t i = 0; i < count; i++) {
        const struct relay_abi_usage now = kernel_usage(kernel, usages[i].port, usages[i].from);
        assert_int_equal(now.packets, usages[i].before.packets + 1);
        assert_int_equal(now.bytes, usages[i].before.bytes + data_len);
    }
}

// Runs a packet over its way, and compares what has become of it.
static void check(const struct way *way, const struct packet *in, uint32_t action)
{
    uint8_t frame[PACKET_MAX];
    uint8_t want[PACKET_MAX];
    struct kernel_result got;
    struct expected_usage usages[2];
    struct packet out = way_out(way, in);
    size_t len = packet_write(in, frame);
    size_t want_len = packet_write(&out, want);

    if (is_like_unsummed(in, frame, len)) {
        return;
    }
    const size_t usage_count = usages_of(way, usages);
    kernel_run(kernel, frame, len, &got);
    check_usages(usages, usage_count, in->data_len);
    if (got.verdict != way_verdict(way) || got.frame_len != want_len ||
        memcmp(got.frame, want, want_len) != 0) {
        print_message("%s, %zu bytes of data, %zu of padding, %zu behind\n", way_name(way),
                      in->data_len, in->padding_len, in->trailer_len);
    }
    assert_int_equal(got.verdict, way_verdict(way));
    assert_int_equal(got.action, action);
    assert_int_equal(got.counted, len);
    assert_int_equal(got.frame_len, want_len);
    assert_memory_equal(got.frame, want, want_len);
}

static void relays_every_length(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        way_bind(kernel, &way);
        for (size_t len = 0; len <= way_longest(&way); len += len < 70 ? 1 : 13) {
            fill();
            struct packet in = way_in(&way, data, len);
            check(&way, &in, XDP_TX);
        }
        struct packet in = way_in(&way, data, way_longest(&way));
        check(&way, &in, XDP_TX);
    }
}

// The padding may be of any value, and goes.
static void cuts_padding(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        way_bind(kernel, &way);
        for (size_t n = 0; way.kind != WAY_TO_CLIENT && n < 64; n++) {
            fill();
            struct packet in =
                way_in(&way, data, n % 2 == 0 ? n / 4 : way_longest(&way) - 3 - n / 4);
            in.padding_len = n % 4;
            rng_fill(&rng, in.padding, sizeof in.padding);
            check(&way, &in, XDP_TX);
        }
    }
}

// Ethernet fills short frames up.
static void cuts_what_lies_behind_the_packet(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        way_bind(kernel, &way);
        for (size_t n = 0; n < 40; n++) {
            fill();
            struct packet in = way_in(&way, data, n % 8);
            in.padding_len = way.kind == WAY_TO_CLIENT ? 0 : n % 4;
            in.trailer_len = n;
            check(&way, &in, XDP_TX);
        }
    }
}

static void keeps_what_routers_keep(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        way_bind(kernel, &way);
        for (uint32_t n = 0; n < 256; n++) {
            fill();
            struct packet in = way_in(&way, data, rng_below(&rng, 200));
            in.tos = (uint8_t)n;
            in.ttl = (uint8_t)(n < 2 ? 2 : n);
            in.id = (uint16_t)rng_next(&rng);
            in.may_fragment = rng_chance(&rng, 50);
            in.flow_label = (uint32_t)rng_below(&rng, 1 << 20);
            check(&way, &in, XDP_TX);
        }
    }
}

static void leaves_by_another_interface(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        way.hop = KERNEL_HOP_ACROSS;
        way_bind(kernel, &way);
        fill();
        struct packet in = way_in(&way, data, 160);
        check(&way, &in, XDP_REDIRECT);
    }
}

// UDP over IPv4 may have no checksum, and then has none on the other side.
static void keeps_a_missing_checksum(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        if (way.in == ADDR_IP6 || way.out == ADDR_IP6) {
            continue;
        }
        way_bind(kernel, &way);
        for (size_t len = 0; len < 8; len++) {
            struct packet in = way_in(&way, data, len);
            in.has_no_checksum = true;
            check(&way, &in, XDP_TX);
        }
    }
}

// Sets the first word of the data so that the packet's checksum comes to zero.
static void make_zero(const struct packet *packet)
{
    uint8_t frame[PACKET_MAX];
    const uint8_t *check = frame + packet_udp_at(packet) + 6;

    data[0] = data[1] = 0;
    (void)packet_write(packet, frame);
    data[0] = check[0];
    data[1] = check[1];
    (void)packet_write(packet, frame);
    assert_int_equal(check[0] << 8 | check[1], 0xFFFF); // as zero is written
}

static void writes_a_checksum_of_zero_as_ones(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        way_bind(kernel, &way);
        for (size_t len = 2; len < 40; len++) {
            fill();
            struct packet in = way_in(&way, data, len);
            struct packet out = way_out(&way, &in);
            make_zero(&out);
            check(&way, &in, XDP_TX);
            make_zero(&in);
            check(&way, &in, XDP_TX);
        }
    }
}

// A packet that is corrupt must not become one that looks sound.
static void keeps_a_wrong_checksum_wrong(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, 33);
        struct packet out = way_out(&way, &in);
        uint8_t frame[PACKET_MAX];
        uint8_t want[PACKET_MAX];
        struct kernel_result got;
        way_bind(kernel, &way);
        fill();
        size_t len = packet_write(&in, frame);
        size_t want_len = packet_write(&out, want);
        frame[len - 1] ^= 0x10;
        want[want_len - 1] ^= 0x10;
        kernel_run(kernel, frame, len, &got);
        assert_int_equal(got.verdict, way_verdict(&way));
        assert_int_equal(got.frame_len, want_len);
        assert_memory_equal(got.frame, want, want_len);
    }
}

// How many packets are relayed, on this CPU, until one more was measured.
static uint64_t relayed_until_measured(const struct way *way, const uint8_t *frame, size_t len)
{
    const uint64_t before = kernel_sampled(kernel);
    struct kernel_result got;
    uint64_t count = 0;

    while (kernel_sampled(kernel) == before) {
        kernel_run_once(kernel, frame, len, &got);
        count += got.verdict == way_verdict(way); // one may be passed now and then
        assert_true(count <= RELAY_ABI_SAMPLE_INTERVAL);
    }
    return count;
}

static void measures_one_packet_among_many(void **state)
{
    struct way way = way_of(0);
    struct packet in = way_in(&way, data, 100);
    uint8_t frame[PACKET_MAX];
    size_t len = packet_write(&in, frame);
    cpu_set_t all;
    cpu_set_t one;

    (void)state;
    way_bind(kernel, &way);
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    relayed_until_measured(&way, frame, len);
    assert_int_equal(relayed_until_measured(&way, frame, len), RELAY_ABI_SAMPLE_INTERVAL);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
}

static int open_all(void **state)
{
    (void)state;
    rng = rng_init(rng_seed("bpf_relay"));
    kernel = kernel_open();
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
        cmocka_unit_test(relays_every_length),
        cmocka_unit_test(cuts_padding),
        cmocka_unit_test(cuts_what_lies_behind_the_packet),
        cmocka_unit_test(keeps_what_routers_keep),
        cmocka_unit_test(leaves_by_another_interface),
        cmocka_unit_test(keeps_a_missing_checksum),
        cmocka_unit_test(writes_a_checksum_of_zero_as_ones),
        cmocka_unit_test(keeps_a_wrong_checksum_wrong),
        cmocka_unit_test(measures_one_packet_among_many),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
