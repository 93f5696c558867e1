// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_preface.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/wire.h"

static struct revtun_preface sample(enum revtun_preface_type type, uint64_t id)
{
    struct revtun_preface preface = {.type = type, .id = id};

    for (size_t i = 0; i < sizeof preface.sid; i++) {
        preface.sid[i] = (uint8_t)(0xa0 + i);
    }
    return preface;
}

static void writes_and_reads_the_samples(void **state)
{
    static const struct {
        const char *hex;
        enum revtun_preface_type type;
        uint64_t id;
    } rows[] = {
        {wire_accept, REVTUN_PREFACE_ACCEPT, 42},
        {wire_standby, REVTUN_PREFACE_STANDBY, 43},
    };
    const struct revtun_secrets secrets = wire_secrets();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct revtun_preface preface = sample(rows[i].type, rows[i].id);
        struct revtun_preface again = {0};
        uint8_t expected[REVTUN_PREFACE_LEN];
        uint8_t raw[REVTUN_PREFACE_LEN];
        wire_unhex(rows[i].hex, expected, sizeof expected);
        revtun_preface_write(&preface, secrets.preface, raw);
        assert_memory_equal(raw, expected, sizeof expected);
        assert_true(revtun_preface_read(raw, &again));
        assert_int_equal(again.type, preface.type);
        assert_int_equal(again.id, preface.id);
        assert_memory_equal(again.sid, preface.sid, sizeof preface.sid);
        assert_true(revtun_preface_is_authentic(raw, secrets.preface));
        assert_false(revtun_preface_is_authentic(raw, secrets.head));
    }
}

static void believes_no_other_bit(void **state)
{
    const struct revtun_secrets secrets = wire_secrets();
    uint8_t raw[REVTUN_PREFACE_LEN];

    (void)state;
    wire_unhex(wire_accept, raw, sizeof raw);
    for (size_t bit = 0; bit < 8 * sizeof raw; bit++) {
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(revtun_preface_is_authentic(raw, secrets.preface));
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void refuses_other_forms(void **state)
{
    uint8_t raw[REVTUN_PREFACE_LEN];
    struct revtun_preface preface = {.id = 7};

    (void)state;
    for (size_t at = 0; at < 8; at++) {
        for (unsigned value = 0; value < 256; value++) {
            wire_unhex(wire_accept, raw, sizeof raw);
            const bool is_same = raw[at] == value;
            raw[at] = (uint8_t)value;
            const bool is_good = is_same || (at == 4 && value == REVTUN_PREFACE_STANDBY);
            preface.id = 7;
            assert_int_equal(revtun_preface_read(raw, &preface), is_good);
            assert_int_equal(preface.id, is_good ? 42 : 7);
        }
    }
}

static void knows_what_may_become_one(void **state)
{
    static const char *const good[] = {"", "T", "TR", "TRD", "TRD2", "TRD2 and more"};
    static const char *const bad[] = {"t", "TRACE / HTTP/1.1", "TRD1", "\x16\3\1", "X"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(revtun_preface_is_likely(bytes_of_text(good[i])));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(revtun_preface_is_likely(bytes_of_text(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_the_samples),
        cmocka_unit_test(believes_no_other_bit),
        cmocka_unit_test(refuses_other_forms),
        cmocka_unit_test(knows_what_may_become_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
