// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "support/rng.h"

enum { PLAIN_MAX = 512 * 1024 };

static uint8_t plain[PLAIN_MAX];
static uint8_t packed[PLAIN_MAX + TELEMETRY_GZIP_MORE];
static uint8_t again[PLAIN_MAX];

static void expect_same(struct bytes text)
{
    struct wr wr = wr_init(packed, sizeof packed);
    z_stream stream = {.next_out = again, .avail_out = sizeof again};

    assert_true(telemetry_gzip_write(text, &wr));
    stream.next_in = packed;
    stream.avail_in = (uInt)wr.len;
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(stream.total_out, text.len);
    assert_memory_equal(again, text.ptr, text.len);
    assert_int_equal(inflateEnd(&stream), Z_OK);
}

static void comes_out_as_it_went_in(void **state)
{
    struct rng rng = rng_init(rng_seed("telemetry_gzip"));

    (void)state;
    expect_same(bytes_of_text("relay.active_allocations"));
    expect_same((struct bytes){plain, 0});
    expect_same((struct bytes){plain, sizeof plain}); // zeros
    rng_fill(&rng, plain, sizeof plain);
    expect_same((struct bytes){plain, sizeof plain}); // what cannot be made smaller
}

static void refuses_what_does_not_fit(void **state)
{
    struct wr wr = wr_init(packed, 20);

    (void)state;
    assert_false(telemetry_gzip_write(bytes_of_text("relay.active_allocations"), &wr));
    assert_int_equal(wr.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_out_as_it_went_in),
        cmocka_unit_test(refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
