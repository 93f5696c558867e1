// SPDX-License-Identifier: Apache-2.0
#include "xdp/xdp_counts.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

const struct metric xdp_counts_metrics[XDP_COUNTS_COUNT] = {
#define PACKETS(name, help)                                                                        \
    {#name, "packets", help, offsetof(struct xdp_counts, packets[RELAY_ABI_VERDICT_##name])},
    RELAY_ABI_VERDICTS(PACKETS)
#undef PACKETS
#define BYTES(name, help)                                                                          \
    {#name "_bytes", "bytes", help, offsetof(struct xdp_counts, bytes[RELAY_ABI_VERDICT_##name])},
        RELAY_ABI_VERDICTS(BYTES)
#undef BYTES
};

int xdp_counts_read(const struct xdp_program *program, struct xdp_counts *out)
{
    struct xdp_counts counts = {0};
    int error = 0;

    assert(program->skeleton != NULL);
    const int cpu_count = libbpf_num_possible_cpus();
    if (cpu_count < 0) {
        return cpu_count;
    }
    struct relay_abi_count *of_cpus = calloc((size_t)cpu_count, sizeof(*of_cpus));
    if (of_cpus == NULL) {
        return -ENOMEM;
    }
    for (uint32_t verdict = 0; error == 0 && verdict < RELAY_ABI_VERDICT_COUNT; verdict++) {
        error = bpf_map_lookup_elem(program->counts_fd, &verdict, of_cpus);
        for (int cpu = 0; error == 0 && cpu < cpu_count; cpu++) {
            counts.packets[verdict] += of_cpus[cpu].packets;
            counts.bytes[verdict] += of_cpus[cpu].bytes;
        }
    }
    free(of_cpus);
    if (error == 0) {
        *out = counts;
    }
    return error;
}
