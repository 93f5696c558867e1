// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/io_process.h"
#include "telemetry/telemetry_prometheus.h"

// By the names that all dashboards of processes ask for.
static void is_told_by_the_names_that_everybody_uses(void **state)
{
    static const struct io_process process = {
        .cpu_ns = 1500000000,
        .resident_len = 2,
        .virtual_len = 3,
        .descriptors = 4,
        .descriptors_max = 5,
        .threads = 6,
        .start_s = 7,
    };
    static const char *const lines[] = {
        "\nprocess_cpu_seconds_total 1.5\n",
        "\nprocess_resident_memory_bytes 2\n",
        "\nprocess_virtual_memory_bytes 3\n",
        "\nprocess_open_fds 4\n",
        "\nprocess_max_fds 5\n",
        "\nprocess_threads 6\n",
        "\nprocess_start_time_seconds 7\n",
    };
    uint8_t text[4096];
    struct wr wr = wr_init(text, sizeof text - 1);

    (void)state;
    telemetry_prometheus_write(&wr, daemon_process_families, daemon_process_family_count, &process);
    assert_true(wr_ok(&wr));
    text[wr.len] = '\0';
    assert_int_equal(daemon_process_family_count, COUNT_OF(lines));
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        if (strstr((char *)text, lines[i]) == NULL) {
            fail_msg("no %s in %s", lines[i], (char *)text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_told_by_the_names_that_everybody_uses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
