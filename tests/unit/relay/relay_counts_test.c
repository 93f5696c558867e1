// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"

static void adds_every_counter(void **state)
{
    struct relay_counts sum;
    struct relay_counts part;
    uint64_t numbers[sizeof sum / sizeof(uint64_t)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        numbers[i] = i + 1;
    }
    memcpy(&sum, numbers, sizeof sum);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        numbers[i] = 1000 * i;
    }
    memcpy(&part, numbers, sizeof part);
    relay_counts_add(&sum, &part);
    memcpy(numbers, &sum, sizeof numbers);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        assert_int_equal(numbers[i], 1001 * i + 1);
    }
}

static void logs_what_was_counted(void **state)
{
    const struct relay_counts counts = {
        .turn.binding_requests = 5,
        .sockets.hand_overs_lost = 6,
    };

    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    relay_counts_log(&counts);
    assert_string_equal(host_log(),
                        " INFO traffic binding_requests=5\n INFO sockets hand_overs_lost=6\n");
    host_log_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_every_counter),
        cmocka_unit_test(logs_what_was_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
