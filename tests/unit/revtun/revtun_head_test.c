// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/wire.h"
#include "support/exact.h"

static struct revtun_secrets secrets;
static uint8_t preface[REVTUN_PREFACE_LEN];
static uint8_t sample[256];
static size_t sample_len;

static int make_sample(void **state)
{
    (void)state;
    secrets = wire_secrets();
    sample_len = strlen(wire_head) / 2;
    wire_unhex(wire_standby, preface, sizeof preface);
    wire_unhex(wire_head, sample, sample_len);
    return 0;
}

// Reads an exact copy; only the length of the line is kept of it.
static enum revtun_head_outcome read_exact(struct bytes received, size_t *line_len, size_t *len)
{
    const struct bytes copy = exact_copy(received);
    struct bytes line = {0};
    const enum revtun_head_outcome outcome =
        revtun_head_read(copy, preface, secrets.head, &line, len);

    *line_len = line.len;
    exact_free(copy);
    return outcome;
}

static void writes_and_reads_the_sample(void **state)
{
    uint8_t raw[sizeof sample + 10];
    struct wr wr = wr_init(raw, sizeof raw);
    struct bytes line = {0};
    size_t len = 0;

    (void)state;
    revtun_head_write(&wr, bytes_of_text(wire_head_line), preface, secrets.head);
    assert_true(wr_ok(&wr));
    assert_int_equal(wr.len, sample_len);
    assert_memory_equal(raw, sample, sample_len);
    wr_text(&wr, "payload");
    assert_int_equal(revtun_head_read(wr_done(&wr), preface, secrets.head, &line, &len),
                     REVTUN_HEAD_WHOLE);
    assert_true(bytes_equal_text(line, wire_head_line));
    assert_int_equal(len, sample_len);
}

static void waits_for_each_byte(void **state)
{
    size_t line_len = 0;
    size_t len = 99;

    (void)state;
    for (size_t part = 0; part < sample_len; part++) {
        assert_int_equal(read_exact((struct bytes){sample, part}, &line_len, &len),
                         REVTUN_HEAD_PART);
    }
    assert_int_equal(len, 99);
    assert_int_equal(read_exact((struct bytes){sample, sample_len}, &line_len, &len),
                     REVTUN_HEAD_WHOLE);
}

static void believes_no_other_bit(void **state)
{
    size_t line_len = 0;
    size_t len = 99;

    (void)state;
    for (size_t bit = 0; bit < 8 * sample_len; bit++) {
        sample[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(read_exact((struct bytes){sample, sample_len}, &line_len, &len),
                             REVTUN_HEAD_WHOLE);
        sample[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    // Nor on another standing connection, nor under the key of prefaces.
    preface[31] ^= 1;
    assert_int_equal(read_exact((struct bytes){sample, sample_len}, &line_len, &len),
                     REVTUN_HEAD_BAD);
    preface[31] ^= 1;
    memcpy(secrets.head, secrets.preface, sizeof secrets.head);
    assert_int_equal(read_exact((struct bytes){sample, sample_len}, &line_len, &len),
                     REVTUN_HEAD_BAD);
    assert_int_equal(len, 99);
}

static void refuses_what_is_none_at_once(void **state)
{
    static const struct bytes bad[] = {
        BYTES_LITERAL("H"),
        BYTES_LITERAL("TRS1"),
        BYTES_LITERAL("TRS2\x10\0"),
        BYTES_LITERAL("TRS2\xff\xff"),
    };
    static const struct bytes longest = BYTES_LITERAL("TRS2\x0f\xfe");
    size_t line_len = 0;
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(read_exact(bad[i], &line_len, &len), REVTUN_HEAD_BAD);
    }
    assert_int_equal(read_exact(longest, &line_len, &len), REVTUN_HEAD_PART);
}

static void fails_cleanly_in_every_room_that_is_too_small(void **state)
{
    (void)state;
    for (size_t room = 0; room < sample_len; room++) {
        uint8_t *exact = exact_room(room);
        struct wr wr = wr_init(exact, room);
        revtun_head_write(&wr, bytes_of_text(wire_head_line), preface, secrets.head);
        assert_false(wr_ok(&wr));
        exact_free((struct bytes){exact, room});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(writes_and_reads_the_sample, make_sample),
        cmocka_unit_test_setup(waits_for_each_byte, make_sample),
        cmocka_unit_test_setup(believes_no_other_bit, make_sample),
        cmocka_unit_test_setup(refuses_what_is_none_at_once, make_sample),
        cmocka_unit_test_setup(fails_cleanly_in_every_room_that_is_too_small, make_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
