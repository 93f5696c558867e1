// SPDX-License-Identifier: Apache-2.0
// A frame in front of which the driver has left no room: what does not grow is relayed, what does
// passes.
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/crowd.h"
#include "bpf/kernel.h"
#include "bpf/packet.h"
#include "bpf/way.h"

#include "crowd.skel.h"

static size_t head_len(const struct packet *packet)
{
    return packet_payload_at(packet) + (packet->channel == PACKET_CHANNEL_NONE ? 0 : 4);
}

static struct kernel *kernel;
static struct crowd_bpf *crowd;

static void passes_what_grows_beyond_its_room(void **state)
{
    static uint8_t data[CROWD_FRAME_LEN];
    uint32_t grown = 0;

    (void)state;
    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, 0);
        struct packet out = way_out(&way, &in);
        uint8_t frame[PACKET_MAX];
        uint8_t want[PACKET_MAX];
        struct kernel_result got;
        bool has_grown = head_len(&out) > head_len(&in);
        in.data_len = out.data_len = CROWD_FRAME_LEN - head_len(&in);
        size_t len = packet_write(&in, frame);
        size_t want_len = packet_write(has_grown ? &in : &out, want);
        way_bind(kernel, &way);
        kernel_run(kernel, frame, len, &got);
        assert_int_equal(len, CROWD_FRAME_LEN);
        assert_int_equal(got.verdict,
                         has_grown ? RELAY_ABI_VERDICT_pass_no_room : way_verdict(&way));
        assert_int_equal(got.action, has_grown ? XDP_PASS : XDP_TX);
        assert_int_equal(got.frame_len, want_len);
        assert_memory_equal(got.frame, want, want_len);
        grown += has_grown;
    }
    assert_int_equal(grown, 5);
}

// A response is longer than its request.
static void passes_binding_requests(void **state)
{
    const uint8_t request[20] = {0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xA4, 0x42};

    (void)state;
    for (uint32_t own = 0; own < KERNEL_OWN_COUNT; own++) {
        struct packet in = {
            .to = kernel_own(own, KERNEL_LISTEN_PORT),
            .ttl = 64,
            .channel = PACKET_CHANNEL_NONE,
            .data = request,
            .data_len = sizeof request,
        };
        uint8_t frame[PACKET_MAX];
        struct kernel_result got;
        in.from = in.to; // of the same family
        in.trailer_len = CROWD_FRAME_LEN - packet_payload_at(&in) - sizeof request;
        size_t len = packet_write(&in, frame);
        kernel_run(kernel, frame, len, &got);
        assert_int_equal(len, CROWD_FRAME_LEN);
        assert_int_equal(got.verdict, RELAY_ABI_VERDICT_pass_no_room);
        assert_int_equal(got.action, XDP_PASS);
        assert_int_equal(got.frame_len, len);
        assert_memory_equal(got.frame, frame, len);
    }
}

static int open_all(void **state)
{
    uint32_t key = 0;

    (void)state;
    kernel = kernel_open();
    crowd = crowd_bpf__open_and_load();
    assert_non_null(crowd);
    int program = kernel_program(kernel);
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(crowd->maps.next), &key, &program, BPF_ANY),
                     0);
    kernel_enter(kernel, bpf_program__fd(crowd->progs.crowd));
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    crowd_bpf__destroy(crowd);
    kernel_close(kernel);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_what_grows_beyond_its_room),
        cmocka_unit_test(passes_binding_requests),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
