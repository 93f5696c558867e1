// SPDX-License-Identifier: Apache-2.0
// What routers say of links that take less: packets that are too long for the way go by the
// sockets, which send them in fragments.
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "bpf/kernel.h"
#include "bpf/packet.h"
#include "bpf/way.h"

enum {
    MTU = 1000,
    IP4_LEN = 20,
    IP6_LEN = 40,
    UDP = 17,
    ICMP = 1,
    ICMP6 = 58,
    OTHER_PROTOCOL = 6,
};

static uint8_t data[PACKET_MAX];

// What a router says; each field may be made wrong.
struct complaint {
    enum addr_family family;
    uint32_t mtu;
    uint8_t type;
    uint8_t code;
    uint8_t protocol; // of the packet that was sent
    struct addr from; // who sent it
    struct addr to;
};

static struct complaint complaint_of(const struct packet *sent)
{
    bool is_ip4 = sent->from.family == ADDR_IP4;

    return (struct complaint){
        .family = (enum addr_family)sent->from.family,
        .mtu = MTU,
        .type = is_ip4 ? 3 : 2,
        .code = is_ip4 ? 4 : 0,
        .protocol = UDP,
        .from = sent->from,
        .to = sent->to,
    };
}

static void write_ip(struct wr *wr, const struct addr *from, const struct addr *to,
                     uint8_t protocol, size_t len)
{
    if (from->family == ADDR_IP4) {
        wr_u32(wr, 0x45000000 | (uint32_t)(IP4_LEN + len));
        wr_u32(wr, 0);
        wr_u32(wr, 0x40000000 | (uint32_t)protocol << 16);
    } else {
        wr_u32(wr, 0x60000000);
        wr_u32(wr, (uint32_t)len << 16 | (uint32_t)protocol << 8 | 64);
    }
    wr_bytes(wr, addr_ip(from));
    wr_bytes(wr, addr_ip(to));
}

// Sends the relay what a router says; it must pass as it is.
static void complain(struct kernel *kernel, const struct complaint *complaint)
{
    bool is_ip4 = complaint->family == ADDR_IP4;
    uint8_t frame[256] = {0};
    struct wr wr = wr_init(frame, sizeof frame);
    struct kernel_result got;
    size_t inner_len = (is_ip4 ? IP4_LEN : IP6_LEN) + 8;

    wr_zero(&wr, 12);
    wr_u16(&wr, is_ip4 ? 0x0800 : 0x86DD);
    write_ip(&wr, &complaint->to, &complaint->from, is_ip4 ? ICMP : ICMP6, 8 + inner_len);
    wr_u8(&wr, complaint->type);
    wr_u8(&wr, complaint->code);
    wr_u16(&wr, 0);
    wr_u32(&wr, complaint->mtu);
    write_ip(&wr, &complaint->from, &complaint->to, complaint->protocol, 8);
    wr_zero(&wr, 8);
    assert_true(wr_ok(&wr));
    kernel_run(kernel, frame, wr.len, &got);
    assert_int_equal(got.verdict, RELAY_ABI_VERDICT_pass_foreign);
    assert_int_equal(got.action, XDP_PASS);
    assert_int_equal(got.frame_len, wr.len);
    assert_memory_equal(got.frame, frame, wr.len);
}

// What becomes of a packet that would leave with so many bytes of IP.
static enum relay_abi_verdict verdict_of(struct kernel *kernel, const struct way *way,
                                         size_t ip_len)
{
    size_t head_len = (way->out == ADDR_IP4 ? IP4_LEN : IP6_LEN) + 8;
    uint8_t frame[PACKET_MAX];
    struct kernel_result got;
    struct packet in = way_in(way, data, ip_len - head_len - (way->kind == WAY_TO_PEER ? 0 : 4));
    size_t len = packet_write(&in, frame);

    kernel_run(kernel, frame, len, &got);
    if (got.action == XDP_PASS) {
        assert_int_equal(got.frame_len, len);
        assert_memory_equal(got.frame, frame, len);
    }
    return got.verdict;
}

static struct packet sent_by(const struct way *way)
{
    struct packet in = way_in(way, data, 8);
    return way_out(way, &in);
}

static int open_kernel(void **state)
{
    *state = kernel_open();
    return 0;
}

static int close_kernel(void **state)
{
    kernel_close(*state);
    return 0;
}

static void what_is_too_long_for_the_way_passes(void **state)
{
    struct kernel *kernel = *state;

    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet sent = sent_by(&way);
        struct complaint complaint = complaint_of(&sent);
        way_bind(kernel, &way);
        complain(kernel, &complaint);
        assert_int_equal(verdict_of(kernel, &way, MTU), way_verdict(&way));
        assert_int_equal(verdict_of(kernel, &way, MTU + 1), RELAY_ABI_VERDICT_pass_too_long);
        complaint.mtu = 1400; // another way, which takes more
        complain(kernel, &complaint);
        assert_int_equal(verdict_of(kernel, &way, 1400), way_verdict(&way));
        assert_int_equal(verdict_of(kernel, &way, 1401), RELAY_ABI_VERDICT_pass_too_long);
    }
}

// It is about one remote address.
static void others_are_not_concerned(void **state)
{
    struct kernel *kernel = *state;

    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet sent = sent_by(&way);
        struct complaint complaint = complaint_of(&sent);
        complaint.to.ip[addr_ip(&complaint.to).len - 1] ^= 0x40;
        way_bind(kernel, &way);
        complain(kernel, &complaint);
        assert_int_equal(verdict_of(kernel, &way, 1400), way_verdict(&way));
    }
}

static void spoil_type(struct complaint *complaint)
{
    complaint->type = complaint->family == ADDR_IP4 ? 11 : 1;
}

static void spoil_code(struct complaint *complaint)
{
    if (complaint->family == ADDR_IP4) {
        complaint->code = 3;
    } else {
        complaint->type = 3; // its code is not looked at
    }
}

static void spoil_protocol(struct complaint *complaint)
{
    complaint->protocol = OTHER_PROTOCOL;
}

static void spoil_sender(struct complaint *complaint)
{
    complaint->from.ip[0] ^= 0x10;
}

static void nothing_else_is_believed(void **state)
{
    static void (*const spoil[])(struct complaint *) = {spoil_type, spoil_code, spoil_protocol,
                                                        spoil_sender};
    struct kernel *kernel = *state;

    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet sent = sent_by(&way);
        way_bind(kernel, &way);
        for (size_t k = 0; k < sizeof spoil / sizeof spoil[0]; k++) {
            struct complaint complaint = complaint_of(&sent);
            spoil[k](&complaint);
            complain(kernel, &complaint);
            assert_int_equal(verdict_of(kernel, &way, 1400), way_verdict(&way));
        }
    }
}

// Routers before RFC 1191 do not say how much it may be; and nonsense is taken for that.
static void a_router_that_names_no_mtu_means_a_small_one(void **state)
{
    struct kernel *kernel = *state;
    struct way way = way_of(0); // IPv4 to IPv4
    struct packet sent = sent_by(&way);
    struct complaint complaint = complaint_of(&sent);

    way_bind(kernel, &way);
    complaint.mtu = 0;
    complain(kernel, &complaint);
    assert_int_equal(verdict_of(kernel, &way, 576), way_verdict(&way));
    assert_int_equal(verdict_of(kernel, &way, 577), RELAY_ABI_VERDICT_pass_too_long);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_too_long_for_the_way_passes, open_kernel,
                                        close_kernel),
        cmocka_unit_test_setup_teardown(others_are_not_concerned, open_kernel, close_kernel),
        cmocka_unit_test_setup_teardown(nothing_else_is_believed, open_kernel, close_kernel),
        cmocka_unit_test_setup_teardown(a_router_that_names_no_mtu_means_a_small_one, open_kernel,
                                        close_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
