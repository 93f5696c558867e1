// SPDX-License-Identifier: Apache-2.0
// STUN Binding requests: what is answered, byte for byte as the server would, and what passes.
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
#include "stun/stun_attr.h"
#include "stun/stun_writer.h"
#include "support/rng.h"

enum { MESSAGE_MAX = 64 };

static struct kernel *kernel;
static struct rng rng;

// A request, and where it comes from.
struct request {
    uint8_t message[MESSAGE_MAX];
    struct packet packet;
};

static struct addr client(enum addr_family family)
{
    uint8_t ip[ADDR_IP6_LEN];

    rng_fill(&rng, ip, sizeof ip);
    ip[0] = 0x20;
    uint16_t port = (uint16_t)(1 + rng_below(&rng, 65535));
    return family == ADDR_IP4 ? addr_ip4(ip, port) : addr_ip6(ip, port);
}

// `own`: to which address.
static void make_request(uint32_t own, struct request *out)
{
    struct addr to = kernel_own(own, KERNEL_LISTEN_PORT);
    struct stun_header header = {.method = STUN_BINDING, .class = STUN_REQUEST};
    struct wr wr = wr_init(out->message, sizeof out->message);

    rng_fill(&rng, header.transaction.id, STUN_TRANSACTION_LEN);
    stun_header_write(&wr, &header);
    out->packet = (struct packet){
        .to_mac = {2, 1, 1, 1, 1, 1},
        .from_mac = {2, 2, 2, 2, 2, 2},
        .from = client(to.family),
        .to = to,
        .tos = 0xB9,
        .ttl = 1, // it ends here
        .id = 0xBEEF,
        .flow_label = 0xABCDE,
        .channel = PACKET_CHANNEL_NONE,
        .data = out->message,
        .data_len = wr.len,
    };
}

// What the server would answer.
static size_t response_write(const struct request *request, uint8_t *out)
{
    struct stun_header header = {.method = STUN_BINDING, .class = STUN_SUCCESS};
    struct stun_writer writer;
    struct bytes message = {0};
    struct packet packet = {
        .from = request->packet.to,
        .to = request->packet.from,
        .ttl = 64,
        .channel = PACKET_CHANNEL_NONE,
    };
    uint8_t memory[MESSAGE_MAX];

    memcpy(header.transaction.id, request->message + 8, STUN_TRANSACTION_LEN);
    memcpy(packet.to_mac, request->packet.from_mac, sizeof packet.to_mac);
    memcpy(packet.from_mac, request->packet.to_mac, sizeof packet.from_mac);
    stun_writer_init(&writer, memory, sizeof memory, &header);
    stun_attr_xor_addr_write(&writer.wr, STUN_ATTR_XOR_MAPPED_ADDRESS, &header.transaction,
                             &request->packet.from);
    assert_true(stun_writer_finish(&writer, &message));
    packet.data = message.ptr;
    packet.data_len = message.len;
    return packet_write(&packet, out);
}

static void must_answer(const struct request *request)
{
    uint8_t frame[PACKET_MAX];
    uint8_t want[PACKET_MAX];
    struct kernel_result got;
    size_t len = packet_write(&request->packet, frame);
    size_t want_len = response_write(request, want);

    kernel_run(kernel, frame, len, &got);
    assert_int_equal(got.verdict, RELAY_ABI_VERDICT_binding);
    assert_int_equal(got.action, XDP_TX);
    assert_int_equal(got.counted, len);
    assert_int_equal(got.frame_len, want_len);
    assert_memory_equal(got.frame, want, want_len);
}

static void must_pass(const struct request *request, enum relay_abi_verdict verdict)
{
    uint8_t frame[PACKET_MAX];
    struct kernel_result got;
    size_t len = packet_write(&request->packet, frame);

    kernel_run(kernel, frame, len, &got);
    assert_int_equal(got.verdict, verdict);
    assert_int_equal(got.action, XDP_PASS);
    assert_int_equal(got.frame_len, len);
    assert_memory_equal(got.frame, frame, len);
}

static void answers_at_every_own_address(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 400; n++) {
        struct request request;
        make_request(n % KERNEL_OWN_COUNT, &request);
        must_answer(&request);
    }
}

static void answers_without_what_lies_behind_the_packet(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < KERNEL_OWN_COUNT * 40; n++) {
        struct request request;
        make_request(n % KERNEL_OWN_COUNT, &request);
        request.packet.trailer_len = n / KERNEL_OWN_COUNT;
        must_answer(&request);
    }
}

// Requests are made until one would be answered with a checksum of zero: one in 65,536.
static void writes_a_checksum_of_zero_as_ones(void **state)
{
    (void)state;
    for (uint32_t own = KERNEL_OWN_IP4; own <= KERNEL_OWN_IP6; own++) {
        struct request request;
        uint32_t sum = 0;
        for (uint32_t n = 0; n < 3000000 && sum != 0xFFFF; n++) {
            uint8_t frame[PACKET_MAX];
            make_request(own, &request);
            (void)response_write(&request, frame);
            const uint8_t *check = frame + packet_udp_at(&request.packet) + 6;
            sum = (uint32_t)(check[0] << 8 | check[1]);
        }
        assert_int_equal(sum, 0xFFFF);
        must_answer(&request);
    }
}

// A request that was corrupted on its way must not get an answer that looks sound.
static void keeps_a_wrong_checksum_wrong(void **state)
{
    (void)state;
    for (uint32_t own = 0; own < KERNEL_OWN_COUNT; own++) {
        struct request request;
        uint8_t frame[PACKET_MAX];
        struct kernel_result got;
        uint8_t kept[2];
        make_request(own, &request);
        size_t len = packet_write(&request.packet, frame);
        frame[len - 1] ^= 1;
        kernel_run(kernel, frame, len, &got);
        assert_int_equal(got.verdict, RELAY_ABI_VERDICT_binding);
        uint8_t *check = got.frame + packet_udp_at(&request.packet) + 6;
        memcpy(kept, check, sizeof kept);
        packet_sum_udp(&request.packet, got.frame);
        assert_memory_not_equal(kept, check, sizeof kept);
    }
}

static void passes_without_a_checksum(void **state)
{
    (void)state;
    for (uint32_t own = 0; own < KERNEL_OWN_COUNT; own++) {
        struct request request;
        make_request(own, &request);
        request.packet.has_no_checksum = true;
        must_pass(&request, RELAY_ABI_VERDICT_pass_no_checksum);
    }
}

// One byte of the message, changed.
struct change {
    const char *name;
    size_t at;
    uint8_t value;
};

static void passes_all_other_stun(void **state)
{
    static const struct change changes[] = {
        {"an indication", 1, 0x11},    {"a response", 0, 0x01},     {"an Allocate request", 1, 3},
        {"a length, high byte", 2, 4}, {"a length", 3, 4},          {"cookie, byte 0", 4, 0x20},
        {"cookie, byte 1", 5, 0x13},   {"cookie, byte 2", 6, 0xA5}, {"cookie, byte 3", 7, 0x43},
    };

    (void)state;
    for (uint32_t own = 0; own < KERNEL_OWN_COUNT; own++) {
        for (size_t n = 0; n < COUNT_OF(changes); n++) {
            struct request request;
            make_request(own, &request);
            request.message[changes[n].at] = changes[n].value;
            must_pass(&request, RELAY_ABI_VERDICT_pass_stun);
        }
    }
}

static void passes_every_other_length(void **state)
{
    (void)state;
    for (uint32_t own = 0; own < KERNEL_OWN_COUNT; own++) {
        for (size_t len = 0; len < 48; len++) {
            struct request request;
            make_request(own, &request);
            if (len == request.packet.data_len) {
                continue;
            }
            memset(request.message + 20, 0, sizeof request.message - 20);
            request.packet.data_len = len;
            must_pass(&request,
                      len < 4 ? RELAY_ABI_VERDICT_pass_malformed : RELAY_ABI_VERDICT_pass_stun);
        }
    }
}

static void passes_requests_with_attributes(void **state)
{
    (void)state;
    for (uint32_t own = 0; own < KERNEL_OWN_COUNT; own++) {
        struct stun_header header = {.method = STUN_BINDING, .class = STUN_REQUEST};
        struct request request;
        struct stun_writer writer;
        struct bytes message = {0};
        make_request(own, &request);
        stun_writer_init(&writer, request.message, sizeof request.message, &header);
        stun_writer_fingerprint(&writer);
        assert_true(stun_writer_finish(&writer, &message));
        request.packet.data_len = message.len;
        must_pass(&request, RELAY_ABI_VERDICT_pass_stun);
    }
}

// At a relayed port it would be a peer's: no path, no answer.
static void passes_requests_to_other_ports(void **state)
{
    (void)state;
    for (uint32_t own = 0; own < KERNEL_OWN_COUNT; own++) {
        struct request request;
        make_request(own, &request);
        request.packet.to.port = KERNEL_LOWEST_PORT;
        must_pass(&request, RELAY_ABI_VERDICT_pass_unbound);
        request.packet.to.port = KERNEL_LISTEN_PORT + 1;
        must_pass(&request, RELAY_ABI_VERDICT_pass_foreign);
    }
}

static void passes_what_nobody_can_be_answered_at(void **state)
{
    static const char *const ips[] = {
        "0.0.0.0",         "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.255.255.255",
        "255.255.255.255", "::",      "::1",       "ff02::1",   "::c633:6401",
    };

    (void)state;
    for (size_t n = 0; n < COUNT_OF(ips); n++) {
        struct request request;
        struct addr from = {0};
        assert_true(addr_read(bytes_of_text(ips[n]), &from));
        make_request(from.family == ADDR_IP4 ? KERNEL_OWN_IP4 : KERNEL_OWN_IP6, &request);
        request.packet.from = addr_with_port(from, 40000);
        must_pass(&request, RELAY_ABI_VERDICT_pass_stun);
    }
    for (uint32_t own = 0; own < KERNEL_OWN_COUNT; own++) {
        struct request request;
        make_request(own, &request);
        request.packet.from.port = 0;
        must_pass(&request, RELAY_ABI_VERDICT_pass_stun);
    }
}

static void passes_all_when_it_is_not_to_answer(void **state)
{
    struct kernel *answering = kernel;

    (void)state;
    kernel = kernel_open_silent();
    for (uint32_t own = 0; own < KERNEL_OWN_COUNT; own++) {
        struct request request;
        make_request(own, &request);
        must_pass(&request, RELAY_ABI_VERDICT_pass_stun);
    }
    kernel_close(kernel);
    kernel = answering;
}

static int open_all(void **state)
{
    (void)state;
    rng = rng_init(rng_seed("bpf_binding"));
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
        cmocka_unit_test(answers_at_every_own_address),
        cmocka_unit_test(answers_without_what_lies_behind_the_packet),
        cmocka_unit_test(writes_a_checksum_of_zero_as_ones),
        cmocka_unit_test(keeps_a_wrong_checksum_wrong),
        cmocka_unit_test(passes_without_a_checksum),
        cmocka_unit_test(passes_all_other_stun),
        cmocka_unit_test(passes_every_other_length),
        cmocka_unit_test(passes_requests_with_attributes),
        cmocka_unit_test(passes_requests_to_other_ports),
        cmocka_unit_test(passes_what_nobody_can_be_answered_at),
        cmocka_unit_test(passes_all_when_it_is_not_to_answer),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
