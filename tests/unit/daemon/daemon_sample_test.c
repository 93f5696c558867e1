// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/now.h"
#include "daemon/host.h"

static const struct daemon_sample_kind list[] = {{"one", 2, 1}, {"many", 3, 4}};
static const struct daemon_sample_kinds kinds = {list, COUNT_OF(list)};
static uint8_t memory[8192];

static struct bytes whole_text(void)
{
    struct wr wr = wr_init(memory, sizeof memory);
    const struct daemon_sample_row one = {.numbers = {5001, UINT64_MAX},
                                          .texts = {bytes_of_text("192.0.2.1:7")}};
    const struct daemon_sample_row many = {.numbers = {1, 2, 3},
                                           .texts = {bytes_of_text("a"), bytes_of_text("b"),
                                                     bytes_of_text("c"), bytes_of_text("d e")}};

    daemon_sample_head_write(&wr, 77 * SECOND_NS);
    daemon_sample_named_write(&wr, DAEMON_SAMPLE_GAUGE, "servers", 12);
    daemon_sample_named_write(&wr, DAEMON_SAMPLE_TOTAL, "bytes", 13);
    daemon_sample_drop_write(&wr, "late", 14, "It came late.");
    daemon_sample_row_write(&wr, &list[0], &one);
    daemon_sample_row_write(&wr, &list[1], &many);
    wr_text(&wr, "left_out 9\nnews of a later version\nend\n");
    assert_true(wr_ok(&wr));
    return wr_done(&wr);
}

static void reads_what_it_has_written(void **state)
{
    struct daemon_sample sample;

    (void)state;
    assert_true(daemon_sample_read(whole_text(), &kinds, &sample));
    host_expect_text(sample.version, FAIRLEAD_VERSION);
    assert_int_equal(sample.time_ms, 77000);
    assert_int_equal(sample.left_out, 9);
    assert_int_equal(daemon_sample_value(&sample, bytes_of_text("servers")), 12);
    assert_int_equal(daemon_sample_value(&sample, bytes_of_text("server")), 0);
    assert_int_equal(sample.named[1].sort, DAEMON_SAMPLE_TOTAL);
    assert_int_equal(sample.named[2].sort, DAEMON_SAMPLE_DROP);
    host_expect_text(sample.named[2].words, "It came late.");
    assert_int_equal(sample.row_count, 2);
    assert_int_equal(sample.rows[0].kind, 0);
    assert_int_equal(sample.rows[0].numbers[0], 5001);
    assert_true(sample.rows[0].numbers[1] == UINT64_MAX);
    host_expect_text(sample.rows[0].texts[0], "192.0.2.1:7");
    assert_int_equal(sample.rows[1].kind, 1);
    assert_int_equal(sample.rows[1].numbers[2], 3);
    host_expect_text(sample.rows[1].texts[2], "c");
    host_expect_text(sample.rows[1].texts[3], "d e");
    daemon_sample_free(&sample);
    daemon_sample_free(&sample);
}

static void refuses_every_start_of_it(void **state)
{
    const struct bytes whole = whole_text();
    struct daemon_sample sample;

    (void)state;
    for (size_t len = 0; len < whole.len; len++) {
        assert_false(daemon_sample_read(bytes_first(whole, len), &kinds, &sample));
    }
}

static void refuses_what_is_no_whole_sample(void **state)
{
    static const char *const texts[] = {
        "",
        "end",
        "version 1\n",
        "end\nversion 1\n",
        "time_ms x\nend\n",
        "time_ms\nend\n",
        "left_out 18446744073709551616\nend\n",
        "gauge servers\nend\n",
        "gauge servers -1\nend\n",
        "drop x -1 y\nend\n",
        "one 1 a\nend\n",
        "one 1 2\nend\n",
        "one 1 99999999999999999999 a\nend\n",
        "many 1 2 3 a b c\nend\n",
        "many 1 2 x a b c d\nend\n",
    };
    struct daemon_sample sample;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (daemon_sample_read(bytes_of_text(texts[i]), &kinds, &sample)) {
            fail_msg("reads '%s'", texts[i]);
        }
    }
}

static void reads_a_last_text_that_is_empty(void **state)
{
    struct daemon_sample sample;

    (void)state;
    assert_true(daemon_sample_read(bytes_of_text("many 1 2 3 a b c \nend\n"), &kinds, &sample));
    assert_int_equal(sample.rows[0].texts[3].len, 0);
    daemon_sample_free(&sample);
}

static void refuses_more_gauges_than_it_has_room_for(void **state)
{
    struct daemon_sample sample;

    (void)state;
    for (size_t count = DAEMON_SAMPLE_NAMED_MAX; count <= DAEMON_SAMPLE_NAMED_MAX + 1; count++) {
        struct wr wr = wr_init(memory, sizeof memory);
        for (size_t i = 0; i < count; i++) {
            daemon_sample_named_write(&wr, DAEMON_SAMPLE_GAUGE, "x", i);
        }
        wr_text(&wr, "end\n");
        const bool is_read = daemon_sample_read(wr_done(&wr), &kinds, &sample);
        assert_int_equal(is_read, count == DAEMON_SAMPLE_NAMED_MAX);
        if (is_read) {
            daemon_sample_free(&sample);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_has_written),
        cmocka_unit_test(refuses_every_start_of_it),
        cmocka_unit_test(refuses_what_is_no_whole_sample),
        cmocka_unit_test(reads_a_last_text_that_is_empty),
        cmocka_unit_test(refuses_more_gauges_than_it_has_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
