// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_scrape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "fixture.h"

static struct relay_crew crew;
static struct io_loop loop;
static struct relay_scrape scrape;
static const struct now start = {.mono_ns = 1000 * SECOND_NS};

static int setup(void **state)
{
    struct relay_config config = fixture_config(ADDR_IP4);

    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    config.daemon.worker_count = 1;
    config.fitting_allocations = 7;
    return io_loop_open(&loop) != 0 || relay_crew_open(&crew, &config, &loop) != 0;
}

static int teardown(void **state)
{
    (void)state;
    relay_crew_close(&crew);
    io_loop_close(&loop);
    host_log_close();
    return 0;
}

// How often the workers are asked when somebody scrapes so often from `at_ns` after the start on.
static uint64_t rounds_of(uint32_t count, uint64_t at_ns, uint64_t step_ns)
{
    const uint64_t before = relay_board_round(crew.share.board);

    for (uint32_t i = 0; i < count; i++) {
        const struct now now = {.mono_ns = start.mono_ns + at_ns + i * step_ns};
        const struct relay_snapshot *snapshot = relay_scrape_take(&scrape, now);
        assert_int_equal(snapshot->gauges.workers, 1);
        assert_int_equal(snapshot->gauges.max_allocations, 7); // not what there is memory for
    }
    return relay_board_round(crew.share.board) - before;
}

static void who_scrapes_now_and_then_gets_what_is_counted_now(void **state)
{
    (void)state;
    relay_scrape_init(&scrape, &crew.share);
    assert_int_equal(rounds_of(3, 0, 0), 3);
    assert_int_equal(rounds_of(100, 2 * SECOND_NS, SECOND_NS / 10), 100);
}

static void a_flood_of_scrapes_asks_the_workers_ten_times_a_second(void **state)
{
    (void)state;
    relay_scrape_init(&scrape, &crew.share);
    assert_int_equal(rounds_of(1000, 0, 0), RELAY_SCRAPE_RATE);
    assert_in_range(rounds_of(20000, 0, SECOND_NS / 1000), 199, 20 * RELAY_SCRAPE_RATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_scrapes_now_and_then_gets_what_is_counted_now, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_flood_of_scrapes_asks_the_workers_ten_times_a_second,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
