// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_search.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/macro.h"

static void one_packet_of_a_thousand_may_be_lost(void **state)
{
    static const struct {
        uint64_t sent;
        uint64_t delivered;
        bool is_clean;
    } rows[] =
        {
            {0, 0, false}, // nothing was sent, so nothing is shown
            {1000, 1000, true}, {1000, 999, true},       {1000, 998, false},
            {999, 998, false},  {1000000, 999000, true}, {1000000, 998999, false},
            {1000, 1001, true}, // something was delivered twice: not lost
        };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct probe_trial trial = {.sent = rows[i].sent, .delivered = rows[i].delivered};
        assert_int_equal(probe_search_is_clean(&trial), rows[i].is_clean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_packet_of_a_thousand_may_be_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
