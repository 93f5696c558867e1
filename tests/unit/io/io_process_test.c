// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void tells_descriptors_and_their_limit(void **state)
{
    struct rlimit limit;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct io_process before = io_process_read();
    assert_int_equal(before.descriptors_max, limit.rlim_cur);
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(fds[i] >= 0);
    }
    assert_int_equal(io_process_read().descriptors, before.descriptors + 3);
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
    assert_int_equal(io_process_read().descriptors, before.descriptors);
}

static void tells_memory(void **state)
{
    enum { LEN = 32 << 20 };

    (void)state;
    const struct io_process before = io_process_read();
    assert_true(before.resident_len > 0);
    assert_true(before.virtual_len >= before.resident_len);
    char *memory = malloc(LEN);
    assert_non_null(memory);
    memset(memory, 1, LEN);
    assert_true(io_process_read().resident_len >= before.resident_len + LEN / 2);
    free(memory);
}

static void tells_when_it_started(void **state)
{
    (void)state;
    // A second or two are lost in rounding.
    assert_in_range(io_process_read().start_s, time(NULL) - 60, time(NULL) + 2);
}

static void tells_the_time_it_took(void **state)
{
    clock_t now = 0;

    (void)state;
    const uint64_t before_ns = io_process_read().cpu_ns;
    while (now < CLOCKS_PER_SEC / 5) {
        now = clock();
    }
    assert_true(io_process_read().cpu_ns > before_ns);
    assert_in_range(io_process_read().cpu_ns, 100000000, 60000000000);
    assert_true(io_process_read().threads >= 1); // sanitizers may have some
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_descriptors_and_their_limit),
        cmocka_unit_test(tells_memory),
        cmocka_unit_test(tells_when_it_started),
        cmocka_unit_test(tells_the_time_it_took),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
