// SPDX-License-Identifier: Apache-2.0
// What the system would not have taken from the wire: it must not leave as if it were sound.
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "bpf/kernel.h"
#include "bpf/packet.h"
#include "bpf/way.h"

enum {
    DATA_LEN = 33, // bytes
    IP_AT = PACKET_ETH_LEN,
};

static struct kernel *kernel;
static uint8_t data[DATA_LEN];

static void must_pass(const uint8_t *frame, size_t len, enum relay_abi_verdict verdict)
{
    struct kernel_result got;

    kernel_run(kernel, frame, len, &got);
    assert_int_equal(got.verdict, verdict);
    assert_int_equal(got.action, XDP_PASS);
    assert_int_equal(got.frame_len, len);
    assert_memory_equal(got.frame, frame, len);
}

// Over IPv4 it is as wrong afterwards.
static void must_stay_wrong(const struct way *way, const uint8_t *frame, size_t len, size_t at)
{
    struct packet in = way_in(way, data, DATA_LEN);
    struct packet out = way_out(way, &in);
    uint8_t want[PACKET_MAX];
    struct kernel_result got;
    size_t want_len = packet_write(&out, want);

    want[at] ^= 4;
    kernel_run(kernel, frame, len, &got);
    assert_int_equal(got.verdict, way_verdict(way));
    assert_int_equal(got.frame_len, want_len);
    assert_memory_equal(got.frame, want, want_len);
}

// One bit of an IPv4 header is wrong, of a field that UDP's checksum does not cover.
static void a_wrong_header_is_not_mended(void **state)
{
    static const uint8_t fields[] = {1, 4, 5}; // TOS, both bytes of the ID

    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, DATA_LEN);
        way_bind(kernel, &way);
        for (size_t n = 0; way.in == ADDR_IP4 && n < COUNT_OF(fields); n++) {
            uint8_t frame[PACKET_MAX];
            size_t len = packet_write(&in, frame);
            frame[IP_AT + fields[n]] ^= 4;
            if (way.out == ADDR_IP4) {
                must_stay_wrong(&way, frame, len, IP_AT + fields[n]);
            } else {
                must_pass(frame, len, RELAY_ABI_VERDICT_pass_malformed);
            }
        }
    }
}

static void a_request_with_a_wrong_header_is_not_answered(void **state)
{
    static const uint8_t request[20] = {0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42};
    struct way way = way_of(0);
    struct packet in = way_in(&way, request, sizeof request);
    uint8_t frame[PACKET_MAX];
    struct kernel_result got;

    (void)state;
    in.channel = PACKET_CHANNEL_NONE;
    size_t len = packet_write(&in, frame);
    kernel_run(kernel, frame, len, &got);
    assert_int_equal(got.verdict, RELAY_ABI_VERDICT_binding);
    frame[IP_AT + 5] ^= 4;
    must_pass(frame, len, RELAY_ABI_VERDICT_pass_malformed);
}

// Ethernet says IPv6, and the header does not.
static void another_version_is_not_taken_for_ip6(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, DATA_LEN);
        way_bind(kernel, &way);
        for (uint32_t version = 0; way.in == ADDR_IP6 && version < 16; version++) {
            uint8_t frame[PACKET_MAX];
            size_t len = packet_write(&in, frame);
            frame[IP_AT] = (uint8_t)(version << 4 | (frame[IP_AT] & 15));
            if (version != 6) {
                must_pass(frame, len, RELAY_ABI_VERDICT_pass_malformed);
            }
        }
    }
}

static void put_port(uint8_t out[2], uint32_t port)
{
    out[0] = (uint8_t)(port >> 8);
    out[1] = (uint8_t)port;
}

// A path that is found by turning around what was turned around: from the second client's address,
// at the listening port, to a relayed port that is the number of the second client's.
static void bind_round(const struct way *way)
{
    struct packet in = way_in(way, data, DATA_LEN);
    struct addr second = way_out(way, &in).to;
    struct relay_abi_key key = {
        .own = way->out == ADDR_IP4 ? KERNEL_OWN_IP4 : KERNEL_OWN_IP6,
        .from = RELAY_ABI_FROM_PEER,
        .is_key = 1,
    };
    struct relay_abi_path path = {.own = key.own, .hop = KERNEL_HOP_BACK};

    memcpy(key.remote_ip, second.ip, sizeof key.remote_ip);
    put_port(key.remote_port, KERNEL_LISTEN_PORT);
    put_port(key.local, second.port);
    memcpy(path.remote_ip, second.ip, sizeof path.remote_ip);
    put_port(path.remote_port, second.port);
    put_port(path.local_port, KERNEL_LISTEN_PORT);
    put_port(path.channel, WAY_CHANNEL);
    kernel_bind(kernel, &key, &path);
}

// The path between two clients of the relay is for those alone.
static void our_own_address_comes_from_nobody_else(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        uint32_t own = way.in == ADDR_IP4 ? KERNEL_OWN_OTHER_IP4 : KERNEL_OWN_OTHER_IP6;
        struct packet in = way_in(&way, data, DATA_LEN);
        uint8_t frame[PACKET_MAX];
        if (way.kind == WAY_TURNED) {
            in.channel = PACKET_CHANNEL_NONE;
            in.from = kernel_own(own, WAY_RELAYED_PORT);
            in.to = kernel_own(own, WAY_OTHER_PORT);
            way_bind(kernel, &way);
            bind_round(&way);
            must_pass(frame, packet_write(&in, frame), RELAY_ABI_VERDICT_pass_unbound);
        }
    }
}

static int open_all(void **state)
{
    (void)state;
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
        cmocka_unit_test(a_wrong_header_is_not_mended),
        cmocka_unit_test(a_request_with_a_wrong_header_is_not_answered),
        cmocka_unit_test(another_version_is_not_taken_for_ip6),
        cmocka_unit_test(our_own_address_comes_from_nobody_else),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
