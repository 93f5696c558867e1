// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/macro.h"

static void reads_what_it_has_written(void **state)
{
    uint8_t text[1024];
    struct wr wr = wr_init(text, sizeof text);
    const struct tunnel_sample_row row = {
        .numbers = {[TUNNEL_SAMPLE_PORT] = 5001, [TUNNEL_SAMPLE_TO_CLIENTS] = UINT64_MAX},
        .server = bytes_of_text("192.0.2.1:7"),
    };
    struct tunnel_sample sample;

    (void)state;
    wr_text(&wr, "version 1.2.3\ntime_ms 77\n");
    tunnel_sample_gauge_write(&wr, "servers", 12);
    tunnel_sample_row_write(&wr, &row);
    wr_text(&wr, "end\n");
    assert_true(tunnel_sample_read(wr_done(&wr), &sample));
    assert_true(bytes_equal_text(sample.version, "1.2.3"));
    assert_int_equal(sample.time_ms, 77);
    assert_int_equal(tunnel_sample_gauge(&sample, "servers"), 12);
    assert_int_equal(tunnel_sample_gauge(&sample, "server"), 0);
    assert_int_equal(sample.row_count, 1);
    assert_int_equal(sample.rows[0].numbers[TUNNEL_SAMPLE_PORT], 5001);
    assert_true(sample.rows[0].numbers[TUNNEL_SAMPLE_TO_CLIENTS] == UINT64_MAX);
    assert_true(bytes_equal_text(sample.rows[0].server, "192.0.2.1:7"));
    tunnel_sample_free(&sample);
}

static void refuses_what_is_no_whole_sample(void **state)
{
    static const char *const texts[] = {
        "",
        "end",
        "version 1\n",
        "end\nversion 1\n",
        "time_ms x\nend\n",
        "gauge servers\nend\n",
        "gauge servers -1\nend\n",
        "server 1 2 3 4 5 6 7 192.0.2.1:7\nend\n",
        "server 1 2 3 4 5 6 7 8\nend\n",
        "server 1 2 3 4 5 6 7 99999999999999999999 192.0.2.1:7\nend\n",
    };
    struct tunnel_sample sample;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (tunnel_sample_read(bytes_of_text(texts[i]), &sample)) {
            fail_msg("reads '%s'", texts[i]);
        }
    }
}

static void refuses_more_gauges_than_it_has_room_for(void **state)
{
    uint8_t text[1024];
    struct tunnel_sample sample;

    (void)state;
    for (size_t count = TUNNEL_SAMPLE_GAUGE_MAX; count <= TUNNEL_SAMPLE_GAUGE_MAX + 1; count++) {
        struct wr wr = wr_init(text, sizeof text);
        for (size_t i = 0; i < count; i++) {
            tunnel_sample_gauge_write(&wr, "x", i);
        }
        wr_text(&wr, "end\n");
        const bool is_read = tunnel_sample_read(wr_done(&wr), &sample);
        assert_int_equal(is_read, count == TUNNEL_SAMPLE_GAUGE_MAX);
        if (is_read) {
            tunnel_sample_free(&sample);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_has_written),
        cmocka_unit_test(refuses_what_is_no_whole_sample),
        cmocka_unit_test(refuses_more_gauges_than_it_has_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
