// SPDX-License-Identifier: Apache-2.0
#include "turnc/turnc_transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

#define MILLI_NS UINT64_C(1000000)
#define BEGUN_NS (7 * SECOND_NS)

static struct now at_ms(uint64_t ms)
{
    return (struct now){.mono_ns = BEGUN_NS + ms * MILLI_NS};
}

static struct turnc_transaction begun(void)
{
    static const struct bytes message = BYTES_LITERAL("request");
    struct turnc_transaction transaction = {0};
    struct stun_header header = {
        .method = STUN_ALLOCATE, .class = STUN_REQUEST, .transaction = {{1, 2, 3}}};

    turnc_transaction_begin(&transaction, at_ms(0), &header, message);
    return transaction;
}

static void is_sent_at_the_times_of_the_rfc(void **state)
{
    static const uint64_t times_ms[] = {500, 1500, 3500, 7500, 15500, 31500};
    struct turnc_transaction transaction = begun();
    struct bytes sent = {0};

    (void)state;
    assert_true(turnc_transaction_take(&transaction, &sent));
    assert_true(bytes_equal_text(sent, "request"));
    assert_false(turnc_transaction_take(&transaction, &sent));
    for (size_t i = 0; i < COUNT_OF(times_ms); i++) {
        assert_int_equal(turnc_transaction_deadline(&transaction), at_ms(times_ms[i]).mono_ns);
        assert_true(turnc_transaction_tick(&transaction, at_ms(times_ms[i] - 1)));
        assert_false(turnc_transaction_take(&transaction, &sent));
        assert_true(turnc_transaction_tick(&transaction, at_ms(times_ms[i])));
        assert_true(turnc_transaction_take(&transaction, &sent));
        assert_false(turnc_transaction_take(&transaction, &sent));
    }
    assert_true(turnc_transaction_tick(&transaction, at_ms(39499)));
    assert_false(turnc_transaction_take(&transaction, &sent));
    assert_false(turnc_transaction_tick(&transaction, at_ms(39500)));
    assert_false(transaction.is_open);
    assert_int_equal(turnc_transaction_deadline(&transaction), NEVER);
}

static void knows_its_answer(void **state)
{
    static const struct {
        struct stun_header header;
        bool is_answer;
    } rows[] = {
        {{STUN_ALLOCATE, STUN_SUCCESS, 0, {{1, 2, 3}}}, true},
        {{STUN_ALLOCATE, STUN_ERROR, 0, {{1, 2, 3}}}, true},
        {{STUN_ALLOCATE, STUN_REQUEST, 0, {{1, 2, 3}}}, false},
        {{STUN_ALLOCATE, STUN_INDICATION, 0, {{1, 2, 3}}}, false},
        {{STUN_REFRESH, STUN_SUCCESS, 0, {{1, 2, 3}}}, false},
        {{STUN_ALLOCATE, STUN_SUCCESS, 0, {{1, 2, 3, [11] = 1}}}, false},
    };
    struct turnc_transaction transaction = begun();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(turnc_transaction_is_answer(&transaction, &rows[i].header),
                         rows[i].is_answer);
    }
    turnc_transaction_end(&transaction);
    assert_false(turnc_transaction_is_answer(&transaction, &rows[0].header));
}

static void that_has_ended_is_not_sent(void **state)
{
    struct turnc_transaction transaction = begun();
    struct bytes sent = {0};

    (void)state;
    turnc_transaction_end(&transaction);
    assert_false(turnc_transaction_take(&transaction, &sent));
    assert_true(turnc_transaction_tick(&transaction, at_ms(100000)));
    assert_false(turnc_transaction_take(&transaction, &sent));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_sent_at_the_times_of_the_rfc),
        cmocka_unit_test(knows_its_answer),
        cmocka_unit_test(that_has_ended_is_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
