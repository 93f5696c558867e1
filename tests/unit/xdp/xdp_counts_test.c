// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_counts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "xdp_world.h"

enum { FRAME_LEN = 60 };

// Runs the program on a frame that is not for the relay, `count` times.
static void run_foreign(const struct xdp_program *program, int count)
{
    uint8_t frame[FRAME_LEN] = {[12] = 0x88, [13] = 0xb5}; // an EtherType for experiments
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof frame,
                .repeat = count);

    assert_int_equal(bpf_prog_test_run_opts(program->fd, &options), 0);
    assert_int_equal(options.retval, XDP_PASS);
}

static uint64_t named(const struct xdp_counts *counts, const char *name, const char *unit)
{
    for (size_t i = 0; i < XDP_COUNTS_COUNT; i++) {
        const struct metric *metric = &xdp_counts_metrics[i];
        if (strcmp(metric->name, name) == 0) {
            assert_string_equal(metric->unit, unit);
            return metric_value(metric, counts);
        }
    }
    fail_msg("no metric %s", name);
    return 0;
}

static void sums_over_all_cpus(void **state)
{
    struct xdp_program program;
    struct xdp_counts counts;
    cpu_set_t all;
    int expected = 0;

    (void)state;
    xdp_world_open(&program, 1, 1);
    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        cpu_set_t one;
        if (!CPU_ISSET(cpu, &all)) {
            continue;
        }
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
        run_foreign(&program, cpu + 1);
        expected += cpu + 1;
    }
    assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
    assert_int_equal(xdp_counts_read(&program, &counts), 0);
    assert_int_equal(named(&counts, "pass_foreign", "packets"), expected);
    assert_int_equal(named(&counts, "pass_foreign_bytes", "bytes"), expected * FRAME_LEN);
    assert_int_equal(counts.packets[RELAY_ABI_VERDICT_to_peer], 0);
    xdp_program_close(&program);
}

enum { CPU_MAX = 1024 };

// Each CPU has, in word `i` of an element, `first + i` and its own number times a thousand.
static void fill(int map_fd, uint32_t index, size_t len, uint64_t first)
{
    static uint64_t of_cpus[CPU_MAX * sizeof(struct relay_abi_count) / sizeof(uint64_t)];
    const int cpu_count = libbpf_num_possible_cpus();

    assert_in_range(cpu_count, 1, CPU_MAX);
    for (size_t i = 0; i < (size_t)cpu_count * len; i++) {
        of_cpus[i] = first + i % len + i / len * 1000;
    }
    assert_int_equal(bpf_map_update_elem(map_fd, &index, of_cpus, BPF_ANY), 0);
}

static uint64_t filled(uint64_t value)
{
    const uint64_t cpu_count = (uint64_t)libbpf_num_possible_cpus();

    return cpu_count * value + 1000 * (cpu_count * (cpu_count - 1) / 2);
}

static void reads_sizes_and_durations(void **state)
{
    enum {
        COUNT_LEN = sizeof(struct relay_abi_count) / sizeof(uint64_t),
        DURATIONS_LEN = sizeof(struct relay_abi_durations) / sizeof(uint64_t),
    };
    struct xdp_program program;
    struct xdp_counts counts;

    (void)state;
    xdp_world_open(&program, 1, 1);
    fill(program.counts_fd, RELAY_ABI_VERDICT_to_peer, COUNT_LEN, 10);
    fill(program.counts_fd, RELAY_ABI_VERDICT_turned, COUNT_LEN, 100);
    fill(program.durations_fd, 0, DURATIONS_LEN, 500);
    assert_int_equal(xdp_counts_read(&program, &counts), 0);
    assert_int_equal(counts.packets[RELAY_ABI_VERDICT_to_peer], filled(10));
    assert_int_equal(counts.bytes[RELAY_ABI_VERDICT_to_peer], filled(11));
    assert_int_equal(counts.data[RELAY_ABI_VERDICT_to_peer], filled(10 + COUNT_LEN - 1));
    assert_int_equal(counts.data[RELAY_ABI_VERDICT_turned], filled(100 + COUNT_LEN - 1));
    assert_int_equal(counts.data[RELAY_ABI_VERDICT_to_client], 0);
    for (size_t i = 0; i < COUNT_OF(counts.packet_sizes); i++) {
        assert_int_equal(counts.packet_sizes[i], filled(12 + i) + filled(102 + i));
    }
    for (size_t i = 0; i < COUNT_OF(counts.durations); i++) {
        assert_int_equal(counts.durations[i], filled(500 + i));
    }
    xdp_program_close(&program);
}

static void bounds_are_firezones(void **state)
{
    (void)state;
    for (size_t i = 0; i < xdp_counts_size_bounds.count; i++) {
        assert_int_equal(xdp_counts_size_bounds.upper[i], (i + 1) * RELAY_ABI_SIZE_STEP);
    }
    assert_int_equal(xdp_counts_duration_bounds.count, 11);
    assert_int_equal(xdp_counts_duration_bounds.upper[0], 50);
    assert_int_equal(xdp_counts_duration_bounds.upper[10], 100000);
}

static void names_each_counter_once(void **state)
{
    (void)state;
    assert_int_equal(XDP_COUNTS_COUNT, 2 * RELAY_ABI_VERDICT_COUNT);
    for (size_t i = 0; i < XDP_COUNTS_COUNT; i++) {
        assert_int_equal(xdp_counts_metrics[i].offset, i * sizeof(uint64_t));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(xdp_counts_metrics[i].name, xdp_counts_metrics[j].name);
        }
    }
}

static void leaves_out_alone_on_failure(void **state)
{
    struct xdp_program program;
    struct xdp_counts counts = {.packets = {77}};

    (void)state;
    xdp_world_open(&program, 1, 1);
    struct xdp_program broken = program;
    broken.counts_fd = -1;
    assert_int_equal(xdp_counts_read(&broken, &counts), -EBADF);
    assert_int_equal(counts.packets[0], 77);
    xdp_program_close(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_over_all_cpus),          cmocka_unit_test(reads_sizes_and_durations),
        cmocka_unit_test(bounds_are_firezones),        cmocka_unit_test(names_each_counter_once),
        cmocka_unit_test(leaves_out_alone_on_failure),
    };
    return xdp_world_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : XDP_WORLD_SKIPPED;
}
