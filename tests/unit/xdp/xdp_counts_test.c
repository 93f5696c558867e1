// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_counts.h"

#include <bpf/bpf.h>
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
        cmocka_unit_test(sums_over_all_cpus),
        cmocka_unit_test(names_each_counter_once),
        cmocka_unit_test(leaves_out_alone_on_failure),
    };
    return xdp_world_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : XDP_WORLD_SKIPPED;
}
