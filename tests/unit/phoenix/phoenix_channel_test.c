// SPDX-License-Identifier: Apache-2.0
// The channel step by step, each time with a clock that the test sets.
#include "phoenix/phoenix_channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/macro.h"

enum { MIDDLE = 1U << 31 };

#define START_NS (100 * SECOND_NS)
#define MILLI_NS (SECOND_NS / 1000)

struct trial {
    struct phoenix_channel channel;
    struct phoenix_turn turn;
};

static struct trial trial_begin(void)
{
    struct trial trial = {.turn = {.now_ns = START_NS, .random = MIDDLE}};

    phoenix_channel_init(&trial.channel, bytes_of_text("relay"), trial.turn.now_ns);
    return trial;
}

static void expect_nothing(struct trial *trial)
{
    struct phoenix_order order;

    assert_false(phoenix_channel_take(&trial->channel, &order));
}

static void expect_order(struct trial *trial, enum phoenix_order_kind kind)
{
    struct phoenix_order order;

    assert_true(phoenix_channel_take(&trial->channel, &order));
    assert_int_equal(order.kind, kind);
}

static void expect_push(struct trial *trial, enum phoenix_event event, uint64_t ref)
{
    struct phoenix_order order;

    assert_true(phoenix_channel_take(&trial->channel, &order));
    assert_int_equal(order.kind, PHOENIX_PUSH);
    assert_int_equal(order.push.event, event);
    assert_int_equal(order.push.ref, ref);
    expect_nothing(trial);
}

// Lets time pass until the channel has something to do, and has it done.
static void tick(struct trial *trial)
{
    assert_true(phoenix_channel_deadline(&trial->channel) != NEVER);
    trial->turn.now_ns = phoenix_channel_deadline(&trial->channel);
    phoenix_channel_tick(&trial->channel, &trial->turn);
}

static enum phoenix_outcome read_text(struct trial *trial, const char *topic, const char *event,
                                      const char *status, const char *reason)
{
    return phoenix_channel_read(&trial->channel, &trial->turn,
                                &(struct phoenix_message){
                                    .topic = bytes_of_text(topic),
                                    .event = bytes_of_text(event),
                                    .status = bytes_of_text(status),
                                    .reason = bytes_of_text(reason),
                                });
}

static enum phoenix_outcome reply(struct trial *trial, const char *topic, uint64_t ref,
                                  const char *status, const char *reason)
{
    return phoenix_channel_read(&trial->channel, &trial->turn,
                                &(struct phoenix_message){
                                    .topic = bytes_of_text(topic),
                                    .event = bytes_of_text("phx_reply"),
                                    .status = bytes_of_text(status),
                                    .reason = bytes_of_text(reason),
                                    .has_ref = true,
                                    .ref = ref,
                                });
}

static void connect_now(struct trial *trial)
{
    tick(trial);
    expect_order(trial, PHOENIX_CONNECT);
    expect_nothing(trial);
    assert_int_equal(trial->channel.state, PHOENIX_CONNECTING);
    assert_true(phoenix_channel_deadline(&trial->channel) == NEVER);
}

static struct trial trial_joining(void)
{
    struct trial trial = trial_begin();

    connect_now(&trial);
    phoenix_channel_opened(&trial.channel, &trial.turn);
    expect_push(&trial, PHOENIX_JOIN, 0);
    return trial;
}

static struct trial trial_joined(void)
{
    struct trial trial = trial_joining();

    assert_int_equal(reply(&trial, "relay", 0, "ok", NULL), PHOENIX_TAKEN);
    assert_int_equal(trial.channel.state, PHOENIX_JOINED);
    expect_nothing(&trial);
    return trial;
}

static uint64_t wait_of(const struct trial *trial)
{
    assert_int_equal(trial->channel.state, PHOENIX_WAITING);
    return phoenix_channel_deadline(&trial->channel) - trial->turn.now_ns;
}

static void expect_end(struct trial *trial, enum phoenix_cause cause)
{
    assert_int_equal(trial->channel.state, PHOENIX_ENDED);
    assert_int_equal(trial->channel.cause, cause);
    assert_true(phoenix_channel_deadline(&trial->channel) == NEVER);
    assert_int_equal(phoenix_channel_is_refused(&trial->channel), cause != PHOENIX_LEFT);
    expect_nothing(trial);
}

static void connects_at_once_and_joins_with_ref_0(void **state)
{
    (void)state;
    struct trial trial = trial_begin();
    assert_int_equal(wait_of(&trial), 0);
    trial = trial_joined();
    assert_int_equal(trial.channel.cause, PHOENIX_NO_CAUSE);
}

static void tries_on_while_there_was_never_a_portal(void **state)
{
    static const uint64_t wanted_ms[] = {500, 750, 1125};
    struct trial trial = trial_begin();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wanted_ms); i++) {
        connect_now(&trial);
        phoenix_channel_lost(&trial.channel, &trial.turn);
        assert_int_equal(wait_of(&trial) / MILLI_NS, wanted_ms[i]);
        assert_int_equal(trial.channel.cause, PHOENIX_LOST);
    }
    for (uint64_t i = 0; i < 10000; i++) {
        connect_now(&trial);
        phoenix_channel_lost(&trial.channel, &trial.turn);
        assert_true(wait_of(&trial) <= 60 * SECOND_NS);
    }
}

static void sends_a_heartbeat_every_ten_seconds(void **state)
{
    struct trial trial = trial_joined();

    (void)state;
    for (uint64_t ref = 1; ref < 100; ref++) {
        const uint64_t before_ns = trial.turn.now_ns;
        tick(&trial);
        assert_int_equal(trial.turn.now_ns - before_ns, 10 * SECOND_NS);
        expect_push(&trial, PHOENIX_HEARTBEAT, ref);
        assert_int_equal(reply(&trial, "phoenix", ref, "ok", NULL), PHOENIX_TAKEN);
    }
    assert_int_equal(trial.channel.state, PHOENIX_JOINED);
}

static void gives_up_when_more_than_three_heartbeats_have_no_answer(void **state)
{
    struct trial trial = trial_joined();

    (void)state;
    for (uint64_t ref = 1; ref <= 4; ref++) {
        tick(&trial);
        expect_push(&trial, PHOENIX_HEARTBEAT, ref);
    }
    tick(&trial);
    assert_int_equal(trial.channel.cause, PHOENIX_SILENT);
    assert_int_equal(wait_of(&trial), 0); // it was joined: at once
    expect_order(&trial, PHOENIX_HANG_UP);
    expect_nothing(&trial);
    connect_now(&trial);
}

static void takes_an_answer_for_all_heartbeats_before_it(void **state)
{
    struct trial trial = trial_joined();

    (void)state;
    for (uint64_t ref = 1; ref <= 4; ref++) {
        tick(&trial);
        expect_push(&trial, PHOENIX_HEARTBEAT, ref);
    }
    assert_int_equal(reply(&trial, "phoenix", 3, "ok", NULL), PHOENIX_TAKEN);
    assert_int_equal(reply(&trial, "phoenix", 2, "ok", NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(reply(&trial, "phoenix", 0, "ok", NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(trial.channel.heartbeat_count, 1);
    assert_int_equal(reply(&trial, "phoenix", 4, "ok", NULL), PHOENIX_TAKEN);
    assert_int_equal(trial.channel.heartbeat_count, 0);
}

static void waits_five_seconds_for_the_reply_to_its_join(void **state)
{
    struct trial trial = trial_joining();
    const uint64_t before_ns = trial.turn.now_ns;

    (void)state;
    trial.turn.now_ns += 5 * SECOND_NS - 1;
    phoenix_channel_tick(&trial.channel, &trial.turn);
    assert_int_equal(trial.channel.state, PHOENIX_JOINING);
    tick(&trial);
    assert_int_equal(trial.turn.now_ns - before_ns, 5 * SECOND_NS);
    assert_int_equal(trial.channel.cause, PHOENIX_UNJOINED);
    assert_int_equal(wait_of(&trial) / MILLI_NS, 500);
    expect_order(&trial, PHOENIX_HANG_UP);
    expect_nothing(&trial);
}

static void takes_no_reply_but_that_to_its_join(void **state)
{
    struct trial trial = trial_joining();

    (void)state;
    assert_int_equal(reply(&trial, "client", 0, "ok", NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(reply(&trial, "relay", 1, "ok", NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(reply(&trial, "phoenix", 0, "ok", NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(reply(&trial, "relay", 0, "perhaps", NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(reply(&trial, "", 0, "ok", NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(read_text(&trial, "relay", "phx_reply", "ok", NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(trial.channel.state, PHOENIX_JOINING);
    assert_int_equal(reply(&trial, "relay", 0, "ok", NULL), PHOENIX_TAKEN);
    const uint64_t deadline_ns = phoenix_channel_deadline(&trial.channel);
    trial.turn.now_ns += SECOND_NS;
    assert_int_equal(reply(&trial, "relay", 0, "ok", NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(reply(&trial, "relay", 0, "error", "denied"), PHOENIX_UNEXPECTED);
    assert_int_equal(trial.channel.state, PHOENIX_JOINED);
    assert_int_equal(phoenix_channel_deadline(&trial.channel), deadline_ns);
}

static void leaves_alone_what_asks_for_nothing(void **state)
{
    struct trial trial = trial_joined();

    (void)state;
    assert_int_equal(read_text(&trial, "relay", "init", NULL, NULL), PHOENIX_TAKEN);
    assert_int_equal(read_text(&trial, "relay", "phx_error", NULL, NULL), PHOENIX_TAKEN);
    assert_int_equal(read_text(&trial, "other", "phx_error", NULL, NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(read_text(&trial, "other", "phx_close", NULL, NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(read_text(&trial, "relay", "invented", NULL, NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(read_text(&trial, NULL, NULL, NULL, NULL), PHOENIX_UNEXPECTED);
    assert_int_equal(trial.channel.state, PHOENIX_JOINED);
    expect_nothing(&trial);
}

static void connects_again_when_the_portal_closes_the_channel(void **state)
{
    static const char *const events[] = {"phx_close", "disconnect"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        struct trial trial = trial_joined();
        assert_int_equal(read_text(&trial, "relay", events[i], NULL, "restart"), PHOENIX_TAKEN);
        assert_int_equal(trial.channel.cause, PHOENIX_CLOSED);
        assert_int_equal(wait_of(&trial), 0);
        expect_order(&trial, PHOENIX_HANG_UP);
        expect_nothing(&trial);
    }
}

static void joins_again_when_the_topic_is_unmatched(void **state)
{
    struct trial trial = trial_joining();

    (void)state;
    for (uint64_t ref = 1; ref <= 3; ref++) {
        assert_int_equal(reply(&trial, "relay", ref - 1, "error", "unmatched topic"),
                         PHOENIX_TAKEN);
        expect_push(&trial, PHOENIX_JOIN, ref);
    }
    struct trial other = trial;
    assert_int_equal(reply(&other, "relay", 3, "ok", NULL), PHOENIX_TAKEN);
    assert_int_equal(other.channel.state, PHOENIX_JOINED);
    // Not for ever: the next try has a connection of its own.
    assert_int_equal(reply(&trial, "relay", 3, "error", "unmatched topic"), PHOENIX_TAKEN);
    assert_int_equal(trial.channel.cause, PHOENIX_STRAY);
    assert_int_equal(wait_of(&trial) / MILLI_NS, 500);
    expect_order(&trial, PHOENIX_HANG_UP);
}

static void joins_again_when_the_topic_is_lost_later(void **state)
{
    struct trial trial = trial_joined();

    (void)state;
    tick(&trial);
    expect_push(&trial, PHOENIX_HEARTBEAT, 1);
    assert_int_equal(reply(&trial, "relay", 0, "error", "unmatched topic"), PHOENIX_TAKEN);
    expect_push(&trial, PHOENIX_JOIN, 2);
    assert_int_equal(reply(&trial, "relay", 2, "ok", NULL), PHOENIX_TAKEN);
    tick(&trial);
    expect_push(&trial, PHOENIX_HEARTBEAT, 3);
}

static void ends_when_its_token_is_rejected(void **state)
{
    struct trial trial = trial_begin();

    (void)state;
    connect_now(&trial);
    phoenix_channel_refused(&trial.channel, &trial.turn, 401, NEVER);
    expect_end(&trial, PHOENIX_REJECTED);
}

static void ends_when_its_token_has_expired(void **state)
{
    struct trial joining = trial_joining();
    struct trial joined = trial_joined();

    (void)state;
    read_text(&joining, "relay", "disconnect", NULL, "token_expired");
    expect_order(&joining, PHOENIX_HANG_UP);
    expect_end(&joining, PHOENIX_EXPIRED);
    read_text(&joined, "relay", "disconnect", NULL, "token_expired");
    expect_order(&joined, PHOENIX_HANG_UP);
    expect_end(&joined, PHOENIX_EXPIRED);
}

static void ends_when_its_join_is_refused(void **state)
{
    struct trial trial = trial_joining();

    (void)state;
    assert_int_equal(reply(&trial, "relay", 0, "error", "unauthorized"), PHOENIX_TAKEN);
    expect_order(&trial, PHOENIX_HANG_UP);
    expect_end(&trial, PHOENIX_DENIED);
}

static void tries_again_after_any_other_refusal(void **state)
{
    static const uint16_t statuses[] = {200, 301, 400, 403, 404, 408, 429, 500, 503};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        struct trial trial = trial_begin();
        connect_now(&trial);
        phoenix_channel_refused(&trial.channel, &trial.turn, statuses[i], NEVER);
        assert_int_equal(trial.channel.cause, PHOENIX_REFUSED);
        assert_int_equal(wait_of(&trial) / MILLI_NS, 500);
    }
}

static void waits_as_long_as_the_portal_asks(void **state)
{
    static const struct {
        uint64_t asked_s;
        uint64_t wanted_ms;
    } trials[] = {
        {0, 500}, {1, 1000}, {90, 90000}, {3600, 3600000}, {86400, 3600000}, {NEVER - 1, 3600000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(trials); i++) {
        struct trial trial = trial_begin();
        connect_now(&trial);
        phoenix_channel_refused(&trial.channel, &trial.turn, 503, trials[i].asked_s);
        assert_int_equal(wait_of(&trial) / MILLI_NS, trials[i].wanted_ms);
        assert_int_equal(trial.channel.backoff.interval_ns, 0); // it costs no step of the back-off
    }
}

static void connects_again_at_once_but_not_in_a_circle(void **state)
{
    struct trial trial = trial_joined();

    (void)state;
    phoenix_channel_lost(&trial.channel, &trial.turn);
    assert_int_equal(wait_of(&trial), 0);
    uint64_t last_ns = 0;
    for (int i = 0; i < 8; i++) {
        connect_now(&trial);
        phoenix_channel_opened(&trial.channel, &trial.turn);
        expect_push(&trial, PHOENIX_JOIN, 0); // each connection counts by itself
        assert_int_equal(reply(&trial, "relay", 0, "ok", NULL), PHOENIX_TAKEN);
        phoenix_channel_lost(&trial.channel, &trial.turn);
        assert_true(wait_of(&trial) > last_ns || trial.turn.now_ns >= START_NS + 10 * SECOND_NS);
        last_ns = wait_of(&trial);
    }
}

static void leaves_a_channel_and_then_hangs_up(void **state)
{
    struct trial answered = trial_joined();
    struct trial closed = trial_joined();
    struct trial silent = trial_joined();
    struct trial lost = trial_joined();
    struct trial *all[] = {&answered, &closed, &silent, &lost};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        phoenix_channel_leave(&all[i]->channel, all[i]->turn.now_ns);
        expect_push(all[i], PHOENIX_LEAVE, 1);
        assert_int_equal(all[i]->channel.state, PHOENIX_LEAVING);
        phoenix_channel_leave(&all[i]->channel, all[i]->turn.now_ns); // twice is once
        expect_nothing(all[i]);
    }
    assert_int_equal(reply(&answered, "relay", 1, "ok", NULL), PHOENIX_TAKEN);
    expect_order(&answered, PHOENIX_HANG_UP);
    expect_end(&answered, PHOENIX_LEFT);
    assert_int_equal(read_text(&closed, "relay", "phx_close", NULL, NULL), PHOENIX_TAKEN);
    expect_order(&closed, PHOENIX_HANG_UP);
    expect_end(&closed, PHOENIX_LEFT);
    tick(&silent);
    assert_int_equal(silent.turn.now_ns, START_NS + SECOND_NS);
    expect_order(&silent, PHOENIX_HANG_UP);
    expect_end(&silent, PHOENIX_LEFT);
    phoenix_channel_lost(&lost.channel, &lost.turn);
    expect_end(&lost, PHOENIX_LEFT);
}

static void ends_at_once_when_it_leaves_without_being_joined(void **state)
{
    struct trial waiting = trial_begin();
    struct trial connecting = trial_begin();
    struct trial joining = trial_joining();

    (void)state;
    phoenix_channel_leave(&waiting.channel, START_NS);
    expect_end(&waiting, PHOENIX_LEFT);
    connect_now(&connecting);
    phoenix_channel_leave(&connecting.channel, START_NS);
    expect_order(&connecting, PHOENIX_HANG_UP);
    expect_end(&connecting, PHOENIX_LEFT);
    phoenix_channel_leave(&joining.channel, START_NS);
    expect_order(&joining, PHOENIX_HANG_UP);
    expect_end(&joining, PHOENIX_LEFT);
    phoenix_channel_leave(&joining.channel, START_NS);
    expect_end(&joining, PHOENIX_LEFT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_at_once_and_joins_with_ref_0),
        cmocka_unit_test(tries_on_while_there_was_never_a_portal),
        cmocka_unit_test(sends_a_heartbeat_every_ten_seconds),
        cmocka_unit_test(gives_up_when_more_than_three_heartbeats_have_no_answer),
        cmocka_unit_test(takes_an_answer_for_all_heartbeats_before_it),
        cmocka_unit_test(waits_five_seconds_for_the_reply_to_its_join),
        cmocka_unit_test(takes_no_reply_but_that_to_its_join),
        cmocka_unit_test(leaves_alone_what_asks_for_nothing),
        cmocka_unit_test(connects_again_when_the_portal_closes_the_channel),
        cmocka_unit_test(joins_again_when_the_topic_is_unmatched),
        cmocka_unit_test(joins_again_when_the_topic_is_lost_later),
        cmocka_unit_test(ends_when_its_token_is_rejected),
        cmocka_unit_test(ends_when_its_token_has_expired),
        cmocka_unit_test(ends_when_its_join_is_refused),
        cmocka_unit_test(tries_again_after_any_other_refusal),
        cmocka_unit_test(waits_as_long_as_the_portal_asks),
        cmocka_unit_test(connects_again_at_once_but_not_in_a_circle),
        cmocka_unit_test(leaves_a_channel_and_then_hangs_up),
        cmocka_unit_test(ends_at_once_when_it_leaves_without_being_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
