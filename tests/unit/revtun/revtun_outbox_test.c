// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/dies.h"

static struct revtun_outbox outbox;

static int setup(void **state)
{
    (void)state;
    memset(&outbox, 0, sizeof outbox);
    return 0;
}

static void send(uint64_t control, const char *text)
{
    struct wr wr = revtun_outbox_text(&outbox);

    wr_text(&wr, text);
    revtun_outbox_send(&outbox, control, &wr);
}

static void hands_out_what_came_first(void **state)
{
    struct revtun_command first;
    struct revtun_command second;
    struct revtun_command none = {.type = REVTUN_COMMAND_END};

    (void)state;
    assert_true(revtun_outbox_is_empty(&outbox));
    send(1, "one");
    revtun_outbox_report(&outbox, &(struct revtun_command_report){.pair = 7});
    send(2, "two");
    assert_false(revtun_outbox_is_empty(&outbox));
    assert_true(revtun_outbox_take(&outbox, &first));
    assert_true(revtun_outbox_take(&outbox, &second));
    assert_int_equal(second.type, REVTUN_COMMAND_REPORT);
    assert_int_equal(second.report.pair, 7);
    assert_true(revtun_outbox_take(&outbox, &second));
    assert_int_equal(first.type, REVTUN_COMMAND_SEND);
    assert_int_equal(first.send.control, 1);
    assert_true(bytes_equal_text(first.send.text, "one")); // texts do not overlap
    assert_true(bytes_equal_text(second.send.text, "two"));
    assert_false(revtun_outbox_take(&outbox, &none));
    assert_int_equal(none.type, REVTUN_COMMAND_END);
    assert_true(revtun_outbox_is_empty(&outbox));
}

static void has_room_for_whole_calls_only(void **state)
{
    (void)state;
    for (int i = 0; i < REVTUN_OUTBOX_MAX; i++) {
        assert_int_equal(revtun_outbox_has_room(&outbox),
                         i + REVTUN_OUTBOX_PER_CALL <= REVTUN_OUTBOX_MAX);
        send(1, "line");
    }
    assert_false(revtun_outbox_has_room(&outbox));
}

static void reset(void *context)
{
    revtun_outbox_reset(context);
}

static void begins_anew_when_all_is_taken(void **state)
{
    struct revtun_command command;

    (void)state;
    send(1, "line");
    assert_true(dies(reset, &outbox));
    assert_true(revtun_outbox_take(&outbox, &command));
    revtun_outbox_reset(&outbox);
    assert_int_equal(outbox.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(hands_out_what_came_first, setup),
        cmocka_unit_test_setup(has_room_for_whole_calls_only, setup),
        cmocka_unit_test_setup(begins_anew_when_all_is_taken, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
