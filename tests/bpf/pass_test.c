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
#include "bpf/way.h"

enum {
    IP_AT = PACKET_ETH_LEN,
    DATA_LEN = 40,
};

static struct kernel *kernel;
static uint8_t data[PACKET_MAX];

// A frame, before the change and after it.
struct frame {
    uint8_t bytes[PACKET_MAX];
    size_t len;
    const struct packet *packet;
};

static void put_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static unsigned get_u16(const uint8_t *at)
{
    return (unsigned)(at[0] << 8 | at[1]);
}

// Where the IP header has its length.
static uint8_t *ip_len_at(struct frame *frame)
{
    return frame->bytes + IP_AT + (frame->packet->from.family == ADDR_IP4 ? 2 : 4);
}

static uint8_t *udp_at(struct frame *frame)
{
    return frame->bytes + packet_udp_at(frame->packet);
}

static uint8_t *payload_at(struct frame *frame)
{
    return frame->bytes + packet_payload_at(frame->packet);
}

static uint8_t *to_ip_at(struct frame *frame)
{
    return frame->bytes + IP_AT + (frame->packet->from.family == ADDR_IP4 ? 16 : 24);
}

// Puts `len` zero bytes where the UDP header was, and lets the IP header's length know.
static void insert(struct frame *frame, size_t len)
{
    uint8_t *at = udp_at(frame);

    memmove(at + len, at, (size_t)(frame->bytes + frame->len - at));
    memset(at, 0, len);
    frame->len += len;
    put_u16(ip_len_at(frame), get_u16(ip_len_at(frame)) + (unsigned)len);
}

static void arp(struct frame *frame)
{
    put_u16(frame->bytes + 12, 0x0806);
}

static void vlan(struct frame *frame)
{
    memmove(frame->bytes + 16, frame->bytes + 12, frame->len - 12);
    put_u16(frame->bytes + 12, 0x8100);
    put_u16(frame->bytes + 14, 7);
    frame->len += 4;
}

static void tcp(struct frame *frame)
{
    frame->bytes[IP_AT + (frame->packet->from.family == ADDR_IP4 ? 9 : 6)] = 6;
}

static void other_destination(struct frame *frame)
{
    to_ip_at(frame)[3] ^= 1;
}

static void last_byte_of_destination(struct frame *frame)
{
    to_ip_at(frame)[frame->packet->from.family == ADDR_IP4 ? 3 : 15] ^= 0x80;
}

static void to_port(struct frame *frame, unsigned port)
{
    put_u16(udp_at(frame) + 2, port);
}

static void port_before_listening(struct frame *frame)
{
    to_port(frame, KERNEL_LISTEN_PORT - 1);
}

static void port_below_range(struct frame *frame)
{
    to_port(frame, KERNEL_LOWEST_PORT - 1);
}

static void port_above_range(struct frame *frame)
{
    to_port(frame, KERNEL_HIGHEST_PORT + 1);
}

static void first_port_of_range(struct frame *frame)
{
    to_port(frame, KERNEL_LOWEST_PORT);
}

static void last_port_of_range(struct frame *frame)
{
    to_port(frame, KERNEL_HIGHEST_PORT);
}

static void cut_within_ip(struct frame *frame)
{
    frame->len = IP_AT + 12;
}

static void cut_within_udp(struct frame *frame)
{
    frame->len = packet_udp_at(frame->packet) + 7;
}

static void cut_by_one(struct frame *frame)
{
    frame->len--;
}

static void longer_ip(struct frame *frame)
{
    put_u16(ip_len_at(frame), get_u16(ip_len_at(frame)) + 1);
}

static void shorter_ip(struct frame *frame)
{
    put_u16(ip_len_at(frame), get_u16(ip_len_at(frame)) - 1);
}

static void no_ip_len(struct frame *frame)
{
    put_u16(ip_len_at(frame), 0);
}

static void ip_without_udp(struct frame *frame)
{
    put_u16(ip_len_at(frame), frame->packet->from.family == ADDR_IP4 ? 27 : 7);
    put_u16(udp_at(frame) + 4, 7);
}

static void longer_udp(struct frame *frame)
{
    put_u16(udp_at(frame) + 4, get_u16(udp_at(frame) + 4) + 1);
}

static void shorter_udp(struct frame *frame)
{
    put_u16(udp_at(frame) + 4, get_u16(udp_at(frame) + 4) - 1);
}

static void no_udp_len(struct frame *frame)
{
    put_u16(udp_at(frame) + 4, 0);
}

static void longer_chandata(struct frame *frame)
{
    put_u16(payload_at(frame) + 2, DATA_LEN + 1);
}

static void longest_chandata(struct frame *frame)
{
    put_u16(payload_at(frame) + 2, 0xFFFF);
}

static void four_bytes_behind_chandata(struct frame *frame)
{
    put_u16(payload_at(frame) + 2, DATA_LEN - 4);
}

static void payload_of_three(struct frame *frame)
{
    frame->len = packet_payload_at(frame->packet) + 3;
    put_u16(ip_len_at(frame), get_u16(ip_len_at(frame)) - DATA_LEN - 1);
    put_u16(udp_at(frame) + 4, 8 + 3);
}

static void other_channel(struct frame *frame)
{
    payload_at(frame)[1] ^= 4;
}

static void first_byte_of_stun(struct frame *frame)
{
    payload_at(frame)[0] = 0x3F;
}

static void first_byte_of_nothing(struct frame *frame)
{
    payload_at(frame)[0] = 0x80;
}

static void other_source_port(struct frame *frame)
{
    udp_at(frame)[1] ^= 0x40;
}

static void other_source(struct frame *frame)
{
    frame->bytes[IP_AT + (frame->packet->from.family == ADDR_IP4 ? 15 : 23)] ^= 0x20;
}

static void ip4_options(struct frame *frame)
{
    insert(frame, 4);
    frame->bytes[IP_AT] = 0x46;
    memset(frame->bytes + IP_AT + 20, 1, 4); // no operation
}

static void ip4_short_header(struct frame *frame)
{
    frame->bytes[IP_AT] = 0x44;
}

static void ip4_first_fragment(struct frame *frame)
{
    put_u16(frame->bytes + IP_AT + 6, 0x2000);
}

static void ip4_later_fragment(struct frame *frame)
{
    put_u16(frame->bytes + IP_AT + 6, 0x0001);
}

static void ip6_extension(struct frame *frame, uint8_t type)
{
    insert(frame, 8);
    frame->bytes[IP_AT + 6] = type;
    frame->bytes[IP_AT + 40] = 17;
}

static void ip6_hop_by_hop(struct frame *frame)
{
    ip6_extension(frame, 0);
}

static void ip6_routing(struct frame *frame)
{
    ip6_extension(frame, 43);
}

static void ip6_fragment(struct frame *frame)
{
    ip6_extension(frame, 44);
}

static void ip6_authentication(struct frame *frame)
{
    ip6_extension(frame, 51);
}

static void ip6_destination(struct frame *frame)
{
    ip6_extension(frame, 60);
}

static void ttl(struct frame *frame, uint8_t value)
{
    frame->bytes[IP_AT + (frame->packet->from.family == ADDR_IP4 ? 8 : 7)] = value;
}

static void last_ttl(struct frame *frame)
{
    ttl(frame, 1);
}

static void no_ttl(struct frame *frame)
{
    ttl(frame, 0);
}

// To which packets a case applies.
enum {
    IP4 = 1,
    IP6 = 2,
    CLIENT = 4, // who sends
    PEER = 8,
    ALL = IP4 | IP6 | CLIENT | PEER,
};

struct pass_case {
    const char *name;
    void (*change)(struct frame *frame);
    unsigned applies;
    enum relay_abi_verdict verdict;
};

#define CASE(change, applies, verdict)                                                             \
    {                                                                                              \
#        change, change, applies, RELAY_ABI_VERDICT_##verdict                                      \
    }
static const struct pass_case cases[] = {
    CASE(arp, ALL, pass_foreign),
    CASE(vlan, ALL, pass_foreign),
    CASE(tcp, ALL, pass_foreign),
    CASE(other_destination, ALL, pass_foreign),
    CASE(last_byte_of_destination, ALL, pass_foreign),
    CASE(port_before_listening, ALL, pass_foreign),
    CASE(port_below_range, ALL, pass_foreign),
    CASE(port_above_range, ALL, pass_foreign),
    CASE(first_port_of_range, ALL, pass_unbound),
    CASE(last_port_of_range, ALL, pass_unbound),
    CASE(cut_within_ip, ALL, pass_foreign),
    CASE(cut_within_udp, ALL, pass_foreign),
    CASE(cut_by_one, ALL, pass_malformed),
    CASE(longer_ip, ALL, pass_malformed),
    CASE(shorter_ip, ALL, pass_malformed),
    CASE(no_ip_len, ALL, pass_malformed),
    CASE(ip_without_udp, ALL, pass_malformed),
    CASE(longer_udp, ALL, pass_malformed),
    CASE(shorter_udp, ALL, pass_malformed),
    CASE(no_udp_len, ALL, pass_malformed),
    CASE(longer_chandata, IP4 | IP6 | CLIENT, pass_malformed),
    CASE(longest_chandata, IP4 | IP6 | CLIENT, pass_malformed),
    CASE(four_bytes_behind_chandata, IP4 | IP6 | CLIENT, pass_malformed),
    CASE(payload_of_three, IP4 | IP6 | CLIENT, pass_malformed),
    CASE(other_channel, IP4 | IP6 | CLIENT, pass_unbound),
    CASE(first_byte_of_stun, IP4 | IP6 | CLIENT, pass_stun),
    CASE(first_byte_of_nothing, IP4 | IP6 | CLIENT, pass_foreign),
    CASE(other_source_port, ALL, pass_unbound),
    CASE(other_source, ALL, pass_unbound),
    CASE(ip4_options, IP4 | CLIENT | PEER, pass_options),
    CASE(ip4_short_header, IP4 | CLIENT | PEER, pass_options),
    CASE(ip4_first_fragment, IP4 | CLIENT | PEER, pass_fragment),
    CASE(ip4_later_fragment, IP4 | CLIENT | PEER, pass_fragment),
    CASE(ip6_hop_by_hop, IP6 | CLIENT | PEER, pass_options),
    CASE(ip6_routing, IP6 | CLIENT | PEER, pass_options),
    CASE(ip6_fragment, IP6 | CLIENT | PEER, pass_fragment),
    CASE(ip6_authentication, IP6 | CLIENT | PEER, pass_options),
    CASE(ip6_destination, IP6 | CLIENT | PEER, pass_options),
    CASE(last_ttl, ALL, pass_ttl),
    CASE(no_ttl, ALL, pass_ttl),
};

static bool applies(const struct pass_case *at, const struct way *way)
{
    unsigned family = way->in == ADDR_IP4 ? IP4 : IP6;
    unsigned sender = way->kind == WAY_TO_CLIENT ? PEER : CLIENT;

    return (at->applies & family) != 0 && (at->applies & sender) != 0;
}

static void must_have_passed(const struct frame *frame, const struct kernel_result *got,
                             enum relay_abi_verdict verdict)
{
    assert_int_equal(got->verdict, verdict);
    assert_int_equal(got->action, XDP_PASS);
    assert_int_equal(got->counted, frame->len);
    assert_int_equal(got->frame_len, frame->len);
    assert_memory_equal(got->frame, frame->bytes, frame->len);
}

// The frame passes as it is, under this verdict.
static void must_pass(const struct frame *frame, enum relay_abi_verdict verdict, const char *name,
                      const struct way *way)
{
    struct kernel_result got;

    kernel_run(kernel, frame->bytes, frame->len, &got);
    if (got.verdict != verdict) {
        print_message("%s of %s\n", name, way_name(way));
    }
    must_have_passed(frame, &got, verdict);
}

static struct frame frame_of(const struct packet *packet)
{
    struct frame frame = {.packet = packet};

    frame.len = packet_write(packet, frame.bytes);
    return frame;
}

static void must_relay(const struct packet *packet, const struct way *way)
{
    struct frame frame = frame_of(packet);
    struct kernel_result got;

    kernel_run(kernel, frame.bytes, frame.len, &got);
    assert_int_equal(got.verdict, way_verdict(way));
}

static void passes_what_it_does_not_relay(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, DATA_LEN);
        way_bind(kernel, &way);
        must_relay(&in, &way);
        for (size_t n = 0; n < COUNT_OF(cases); n++) {
            struct frame frame = frame_of(&in);
            if (applies(&cases[n], &way)) {
                cases[n].change(&frame);
                must_pass(&frame, cases[n].verdict, cases[n].name, &way);
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
        struct frame frame = frame_of(&in);
        must_pass(&frame, RELAY_ABI_VERDICT_pass_too_long, "one more byte", &way);
    }
}

static void passes_what_needs_a_checksum(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, DATA_LEN);
        in.has_no_checksum = true;
        way_bind(kernel, &way);
        struct frame frame = frame_of(&in);
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
            struct packet in = way_in(&way, data, DATA_LEN);
            way.hop = hops[n];
            way_bind(kernel, &way);
            struct frame frame = frame_of(&in);
            must_pass(&frame, RELAY_ABI_VERDICT_pass_no_hop, "no hop", &way);
        }
    }
}

static void passes_when_nothing_is_bound(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, DATA_LEN);
        struct frame frame = frame_of(&in);
        kernel_clear(kernel);
        must_pass(&frame, RELAY_ABI_VERDICT_pass_unbound, "nothing bound", &way);
    }
}

static void passes_when_the_path_has_been_replaced(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, DATA_LEN);
        struct frame frame = frame_of(&in);
        way.is_replaced = true;
        way_bind(kernel, &way);
        must_pass(&frame, RELAY_ABI_VERDICT_pass_unbound, "another path", &way);
    }
}

// Only one side of the two that meet on the relay is bound.
static void passes_when_the_other_client_has_no_channel(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        if (way.kind == WAY_TURNED) {
            struct packet in = way_in(&way, data, DATA_LEN);
            struct frame frame = frame_of(&in);
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
    struct packet in = way_in(&way, data, DATA_LEN);
    struct frame frame = frame_of(&in);
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
        cmocka_unit_test(passes_when_the_path_has_been_replaced),
        cmocka_unit_test(passes_when_the_other_client_has_no_channel),
        cmocka_unit_test(passes_one_so_that_the_system_speaks_to_the_neighbour),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
