// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"

static void every_reason_has_words_of_its_own(void **state)
{
    (void)state;
    assert_null(turn_refusal_words(TURN_REFUSAL_NONE));
    for (enum turn_refusal i = TURN_REFUSAL_NONE + 1; i < TURN_REFUSAL_END; i++) {
        assert_true(strlen(turn_refusal_words(i)) > 0);
        for (enum turn_refusal j = TURN_REFUSAL_NONE + 1; j < i; j++) {
            assert_string_not_equal(turn_refusal_words(i), turn_refusal_words(j));
        }
    }
}

// --allow-peer lifts what a kind of address is denied for, and nothing else.
static void only_kinds_of_peers_can_be_lifted(void **state)
{
    (void)state;
    for (enum turn_refusal i = TURN_REFUSAL_NONE; i < TURN_REFUSAL_END; i++) {
        bool is_peer = i >= TURN_REFUSAL_RULE && i <= TURN_REFUSAL_DOCUMENTATION;
        assert_int_equal(turn_refusal_is_peer(i), is_peer);
        assert_int_equal(turn_refusal_is_liftable(i), is_peer && i >= TURN_REFUSAL_OWN);
    }
}

// --- each limit is told apart from its neighbours, and named with its option ---------------------

static void expect_words(const struct turn_fixture *f, const char *option)
{
    const struct turn_command_report *report = turn_fixture_report(f, TURN_EVENT_EXHAUSTED);

    assert_non_null(report);
    assert_non_null(strstr(report->reason, option));
}

static void names_the_option_of_the_limit_that_was_met(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct addr peer = turn_fixture_addr("192.0.2.1", 9);

    config.max_permissions = 3;
    config.permissions_per_allocation = 2;
    config.max_channels = 2;
    config.channels_per_allocation = 1;
    turn_fixture_restart(f, &config);
    for (uint16_t client = 1; client <= 3; client++) {
        f->tuple.client.port = (uint16_t)(4000 + client);
        turn_fixture_allocate(f);
        peer.ip[3] = 1;
        peer.port = 9;
        int code = turn_fixture_bind(f, 0x4000, &peer);
        assert_int_equal(code, client <= 2 ? TURN_FIXTURE_SUCCESS : 508);
        if (client == 1) {
            peer.port = 10;
            assert_int_equal(turn_fixture_bind(f, 0x4001, &peer), 508);
            expect_words(f, "--channels-per-allocation");
            peer.ip[3] = 2;
            assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
            peer.ip[3] = 3;
            assert_int_equal(turn_fixture_permit(f, &peer), 508);
            expect_words(f, "--permissions-per-allocation");
        }
    }
    expect_words(f, "--max-channels");
    assert_int_equal(turn_fixture_permit(f, &peer), 508);
    expect_words(f, "--max-permissions");
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_ALLOCATIONS_CHANNELS), 1);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_ALLOCATIONS_PERMISSIONS), 1);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_CHANNELS), 1);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_PERMISSIONS), 1);
}

static void counts_what_the_system_has_not(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    f->refusals = 1;
    f->refusal = TURN_SYSTEM_REFUSED;
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_SOCKETS), 1);
    f->refusals = UINT32_MAX;
    f->refusal = TURN_PORT_REFUSED;
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_BINDS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_words_of_its_own),
        cmocka_unit_test(only_kinds_of_peers_can_be_lifted),
        TURN_FIXTURE_TEST(names_the_option_of_the_limit_that_was_met),
        TURN_FIXTURE_TEST(counts_what_the_system_has_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
