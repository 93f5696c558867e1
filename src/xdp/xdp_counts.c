// SPDX-License-Identifier: Apache-2.0
#include "xdp/xdp_counts.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

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

static const uint64_t size_bounds[] = {
    100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100, 1200, 1300, 1400, 1500,
};
_Static_assert(COUNT_OF(size_bounds) == RELAY_ABI_SIZE_COUNT, "all of them");
const struct histogram_bounds xdp_counts_size_bounds = {size_bounds, COUNT_OF(size_bounds)};

static const uint64_t duration_bounds[] = {
#define BOUND(ns) (ns),
    RELAY_ABI_DURATIONS(BOUND)
#undef BOUND
};
const struct histogram_bounds xdp_counts_duration_bounds = {
    duration_bounds,
    COUNT_OF(duration_bounds),
};

_Static_assert(sizeof(struct relay_abi_sizes) / sizeof(uint64_t) ==
                   HISTOGRAM_LEN(RELAY_ABI_SIZE_COUNT),
               "it is a histogram");
_Static_assert(sizeof(struct relay_abi_durations) / sizeof(uint64_t) ==
                   HISTOGRAM_LEN(RELAY_ABI_DURATION_COUNT),
               "it is a histogram");

// Reads one element of a per-CPU map, and adds up what all CPUs have: `len` words of it. `of_cpus`
// is room for them.
static int read_sum(int map_fd, uint32_t index, uint64_t *of_cpus, size_t len, uint64_t *sum)
{
    const int cpu_count = libbpf_num_possible_cpus();
    const int error = bpf_map_lookup_elem(map_fd, &index, of_cpus);

    memset(sum, 0, len * sizeof *sum);
    for (size_t i = 0; error == 0 && i < (size_t)cpu_count * len; i++) {
        sum[i % len] += of_cpus[i];
    }
    return error;
}

// The longest element of both maps.
union element {
    struct relay_abi_count count;
    struct relay_abi_durations durations;
};
enum { ELEMENT_WORDS = sizeof(union element) / sizeof(uint64_t) };

static void add_count(struct xdp_counts *counts, uint32_t verdict,
                      const struct relay_abi_count *count)
{
    counts->packets[verdict] = count->packets;
    counts->bytes[verdict] = count->bytes;
    counts->data[verdict] = count->sizes.sum;
    for (size_t i = 0; i <= RELAY_ABI_SIZE_COUNT; i++) {
        counts->packet_sizes[i] += count->sizes.counts[i];
    }
    counts->packet_sizes[RELAY_ABI_SIZE_COUNT + 1] += count->sizes.sum;
}

static int read_all(const struct xdp_program *program, uint64_t *of_cpus, struct xdp_counts *counts)
{
    uint64_t words[ELEMENT_WORDS];
    struct relay_abi_count count;
    int error = 0;

    for (uint32_t verdict = 0; error == 0 && verdict < RELAY_ABI_VERDICT_COUNT; verdict++) {
        error = read_sum(program->counts_fd, verdict, of_cpus, sizeof count / sizeof *words, words);
        memcpy(&count, words, sizeof count);
        add_count(counts, verdict, &count);
    }
    if (error == 0) {
        error = read_sum(program->durations_fd, 0, of_cpus, COUNT_OF(counts->durations),
                         counts->durations);
    }
    return error;
}

int xdp_counts_read(const struct xdp_program *program, struct xdp_counts *out)
{
    struct xdp_counts counts = {0};

    assert(program->skeleton != NULL);
    const int cpu_count = libbpf_num_possible_cpus();
    if (cpu_count < 0) {
        return cpu_count;
    }
    uint64_t *of_cpus = calloc((size_t)cpu_count * ELEMENT_WORDS, sizeof *of_cpus);
    if (of_cpus == NULL) {
        return -ENOMEM;
    }
    const int error = read_all(program, of_cpus, &counts);
    free(of_cpus);
    if (error == 0) {
        *out = counts;
    }
    return error;
}
