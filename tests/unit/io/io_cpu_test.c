// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_cpu.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static void counts_the_cpus_of_this_machine(void **state)
{
    (void)state;
    assert_in_range(io_cpu_count(), 1, sysconf(_SC_NPROCESSORS_CONF));
}

static void counts_those_alone_that_it_may_run_on(void **state)
{
    cpu_set_t all;
    cpu_set_t one;
    int cpu = 0;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    while (!CPU_ISSET(cpu, &all)) {
        cpu++;
    }
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(io_cpu_count(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    assert_int_equal(io_cpu_count(), CPU_COUNT(&all));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_the_cpus_of_this_machine),
        cmocka_unit_test(counts_those_alone_that_it_may_run_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
