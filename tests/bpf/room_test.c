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

static void passes_what_grows_beyond_its_room(void **state)
{
    static uint8_t data[CROWD_FRAME_LEN];
    struct kernel *kernel = kernel_open();
    struct crowd_bpf *crowd = crowd_bpf__open_and_load();
    uint32_t key = 0;
    int program = kernel_program(kernel);
    uint32_t grown = 0;

    (void)state;
    assert_non_null(crowd);
    assert_int_equal(bpf_map_update_elem(bpf_map__fd(crowd->maps.next), &key, &program, BPF_ANY),
                     0);
    kernel_enter(kernel, bpf_program__fd(crowd->progs.crowd));
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
    crowd_bpf__destroy(crowd);
    kernel_close(kernel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_what_grows_beyond_its_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
