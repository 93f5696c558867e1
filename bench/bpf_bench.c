// SPDX-License-Identifier: Apache-2.0
// What one packet costs in the kernel's program, by its way (BPF_PROG_TEST_RUN).
//
// Before each run a program puts the frame right again and calls the measured one; what that costs
// by itself has been subtracted. So these are times without driver, and with warm caches.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/kernel.h"
#include "bpf/way.h"
#include "bpf_bench.h"
#include "bpf_bench.skel.h"

enum {
    DATA_LEN = 160, // bytes: a voice packet
    REPEAT = 200 * 1000,
    ROUNDS = 9, // the fastest counts
};

static struct bpf_bench_bpf *bench;

static void must(bool is_true, const char *what)
{
    if (!is_true) {
        perror(what);
        exit(1);
    }
}

// Nanoseconds for one run of `program` on the frame, with all that is around it.
static uint32_t time_ns(int program, const uint8_t *frame, size_t len, uint32_t action)
{
    uint32_t key = 0;
    uint32_t best = UINT32_MAX;

    must(bpf_map_update_elem(bpf_map__fd(bench->maps.measured), &key, &program, BPF_ANY) == 0,
         "tail call");
    memcpy(bench->bss->head, frame, BPF_BENCH_HEAD_LEN);
    bench->bss->frame_len = (uint32_t)len;
    for (int round = 0; round < ROUNDS; round++) {
        LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len,
                    .repeat = REPEAT);
        must(bpf_prog_test_run_opts(bpf_program__fd(bench->progs.restore), &opts) == 0, "run");
        must(opts.retval == action, "action");
        best = opts.duration < best ? opts.duration : best;
    }
    return best;
}

static void print_ways(struct kernel *kernel, uint32_t around_ns)
{
    static uint8_t data[DATA_LEN];

    for (uint32_t i = 0; i < WAY_COUNT; i++) {
        struct way way = way_of(i);
        struct packet in = way_in(&way, data, sizeof data);
        uint8_t frame[PACKET_MAX];
        size_t len = packet_write(&in, frame);
        way_bind(kernel, &way);
        uint32_t ns = time_ns(kernel_program(kernel), frame, len, XDP_TX);
        printf("%-40s %6u\n", way_name(&way), ns - around_ns);
    }
}

int main(void)
{
    struct kernel *kernel = kernel_open();
    uint8_t frame[PACKET_MAX] = {0};

    bench = bpf_bench_bpf__open_and_load();
    must(bench != NULL, "load");
    uint32_t around_ns = time_ns(bpf_program__fd(bench->progs.nothing), frame, DATA_LEN, XDP_TX);
    uint32_t swap_ns = time_ns(bpf_program__fd(bench->progs.swap), frame, DATA_LEN, XDP_TX);
    printf("%-40s %6s\n", "way", "ns per packet");
    printf("%-40s %6u\n", "(putting the frame right: subtracted)", around_ns);
    printf("%-40s %6u\n", "(swapping the addresses over IPv4)", swap_ns - around_ns);
    print_ways(kernel, around_ns);
    bpf_bench_bpf__destroy(bench);
    kernel_close(kernel);
    return 0;
}
