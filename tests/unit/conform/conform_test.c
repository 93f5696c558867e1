// SPDX-License-Identifier: Apache-2.0
// The checks against our own server in memory, which has to pass them, and against servers that
// misbehave, which have to be found out.
#include "conform/conform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../talk/turn_world.h"
#include "base/macro.h"

static struct talk talk;

static void run(struct turn_world *world, const struct talk_check *check)
{
    static uint8_t seed[CRYPTO_RANDOM_SEED_LEN] = {9};
    const struct talk_target target = turn_world_target(world);

    seed[1]++;
    talk_run(&talk, check, &target, &world->world, seed);
}

typedef void (*each_fn)(struct turn_world *world, const struct talk_check *check, void *arg);

static void for_each_check(struct turn_world *world, each_fn fn, void *arg)
{
    for (size_t i = 0; i < conform_subject_count; i++) {
        for (size_t j = 0; j < conform_subjects[i]->count; j++) {
            fn(world, &conform_subjects[i]->checks[j], arg);
        }
    }
}

// What our own server does otherwise on purpose (docs/conformance.md).
static const struct {
    const char *id;
    enum talk_verdict verdict;
} on_purpose[] = {
    {"channel-reserved-400", TALK_FAIL}, // RFC 5766 has clients that use them
};

static enum talk_verdict wanted_of(const struct talk_check *check)
{
    for (size_t i = 0; i < COUNT_OF(on_purpose); i++) {
        if (strcmp(on_purpose[i].id, check->id) == 0) {
            return on_purpose[i].verdict;
        }
    }
    return TALK_PASS;
}

static void expect_wanted(struct turn_world *world, const struct talk_check *check, void *arg)
{
    uint32_t *failed = arg;

    run(world, check);
    if (talk.verdict != wanted_of(check)) {
        (*failed)++;
        printf("%s: %s, expected %s; came %s\n", check->id, talk_verdict_names[talk.verdict],
               talk.expected, talk.came);
    }
}

static void our_own_server_passes(void **state)
{
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);
    uint32_t failed = 0;

    (void)state;
    for_each_check(world, expect_wanted, &failed);
    assert_int_equal(failed, 0);
    // And nothing is left behind.
    assert_int_equal(turn_server_gauges(world->server, world->now).allocations, 0);
    turn_world_close(world);
}

static void passes_although_datagrams_are_lost(void **state)
{
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);
    uint32_t failed = 0;

    (void)state;
    world->lost_one_in = 7;
    for_each_check(world, expect_wanted, &failed);
    assert_int_equal(failed, 0);
    turn_world_close(world);
}

static void expect_no_pass(struct turn_world *world, const struct talk_check *check, void *arg)
{
    uint32_t *passed = arg;

    run(world, check);
    *passed += talk.verdict == TALK_PASS;
    if (talk.verdict != TALK_PASS) {
        assert_true(strlen(talk.expected) > 0);
        assert_true(strlen(talk.came) > 0);
    }
}

// Runs to its end with each of them; those that wait for an answer find that there is none.
static void servers_that_misbehave_are_found_out(void **state)
{
    static const enum turn_world_twist twists[] = {TURN_WORLD_SILENT, TURN_WORLD_OTHER_PORT,
                                                   TURN_WORLD_GARBAGE, TURN_WORLD_CUT};
    static const char *const words[] = {
        "no answer within 3000 ms",
        "no answer within 3000 ms; there came from 203.0.113.7:3479: Binding success",
        "no answer within 3000 ms; there came from 203.0.113.7:3478: 10 bytes that are neither",
        "an answer of another length than its header says: Binding success",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(twists); i++) {
        const struct turn_config config = turn_world_config();
        struct turn_world *world = turn_world_open(&config);
        uint32_t passed = 0;
        world->twist = twists[i];
        for_each_check(world, expect_no_pass, &passed);
        assert_int_equal(passed, 0); // not even of those that want silence
        run(world, conform_find("binding-success"));
        assert_int_equal(talk.verdict, TALK_FAIL);
        assert_non_null(strstr(talk.came, words[i]));
        assert_int_equal(talk.has_heard, twists[i] != TURN_WORLD_SILENT);
        turn_world_close(world);
    }
}

static void expect_no_pass_of(struct turn_world *world, const struct talk_check *check, void *arg)
{
    const char *part = arg;

    if (strstr(check->id, part) == NULL) {
        return;
    }
    run(world, check);
    if (talk.verdict == TALK_PASS) {
        fail_msg("%s passes", check->id);
    }
}

// Whatever a check says in its name that it expects, it does expect.
static void wrong_codes_are_found(void **state)
{
    static const char *const codes[] = {"-400", "-420", "-437", "-440",
                                        "-441", "-442", "-443", "-508"};
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);

    (void)state;
    world->twist = TURN_WORLD_OTHER_CODE;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        char part[8];
        strcpy(part, codes[i]);
        for_each_check(world, expect_no_pass_of, part);
    }
    turn_world_close(world);
}

static void spoilt_data_are_found(void **state)
{
    static const char *const ids[] = {
        "permission-lets-in",      "channel-to-peer", "channel-to-client",     "channel-padded",
        "channel-large-to-client", "data-to-peer",    "data-every-length",     "data-like-stun",
        "data-two-clients",        "channel-permits", "data-unknown-optional", "data-large-to-peer",
    };
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);

    (void)state;
    world->twist = TURN_WORLD_SPOILT;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        run(world, conform_find(ids[i]));
        if (talk.verdict != TALK_FAIL) {
            fail_msg("%s: %s", ids[i], talk_verdict_names[talk.verdict]);
        }
    }
    turn_world_close(world);
}

static void a_second_answer_is_seen(void **state)
{
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);

    (void)state;
    world->twist = TURN_WORLD_TWICE;
    run(world, conform_find("binding-one-answer"));
    assert_int_equal(talk.verdict, TALK_FAIL);
    turn_world_close(world);
}

static void garbage_without_end_ends(void **state)
{
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);
    uint32_t passed = 0;

    (void)state;
    world->twist = TURN_WORLD_ENDLESS;
    for_each_check(world, expect_no_pass, &passed);
    assert_true(passed > 0);
    turn_world_close(world);
}

// --- what hinders, and is no fault of the server's -----------------------------------------------

static void ports_that_are_remembered_as_anothers_are_left(void **state)
{
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);
    uint32_t failed = 0;

    (void)state;
    world->taken_in_four = 1;
    for_each_check(world, expect_wanted, &failed);
    assert_int_equal(failed, 0);
    world->taken_in_four = 4; // there is no other
    run(world, conform_find("allocate-success"));
    assert_int_equal(talk.verdict, TALK_FAIL);
    assert_non_null(strstr(talk.came, "437"));
    turn_world_close(world);
}

static void expect_wanted_later(struct turn_world *world, const struct talk_check *check, void *arg)
{
    world->refused_count = 3;
    expect_wanted(world, check, arg);
}

static void a_quota_that_is_reached_is_waited_for(void **state)
{
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);
    uint32_t failed = 0;

    (void)state;
    for_each_check(world, expect_wanted_later, &failed);
    assert_int_equal(failed, 0);
    turn_world_close(world);
}

static void expect_no_fault(struct turn_world *world, const struct talk_check *check, void *arg)
{
    uint32_t *skipped = arg;

    run(world, check);
    if (talk.verdict != TALK_PASS && talk.verdict != TALK_SKIP &&
        talk.verdict != wanted_of(check)) {
        fail_msg("%s: %s", check->id, talk.came);
    }
    *skipped += talk.verdict == TALK_SKIP;
}

static void expect_no_fault_of_a_quota(struct turn_world *world, const struct talk_check *check,
                                       void *arg)
{
    world->refused_count = UINT32_MAX;
    expect_no_fault(world, check, arg);
}

static void a_quota_that_stays_reached_is_no_fault(void **state)
{
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);
    uint32_t skipped = 0;

    (void)state;
    for_each_check(world, expect_no_fault_of_a_quota, &skipped);
    assert_true(skipped > 100);
    world->refused_count = UINT32_MAX;
    run(world, conform_find("allocate-success"));
    assert_int_equal(talk.verdict, TALK_SKIP);
    assert_non_null(strstr(talk.came, "the quota of the user is reached (486)"));
    turn_world_close(world);
}

static void a_server_without_ip4_is_asked_for_ip6(void **state)
{
    struct turn_config config = turn_world_config();

    (void)state;
    config.public_ip4 = (struct addr){0};
    struct turn_world *world = turn_world_open(&config);
    uint32_t skipped = 0;
    for_each_check(world, expect_no_fault, &skipped);
    assert_int_equal(skipped, 4); // of what is about IPv4
    run(world, conform_find("channel-to-peer"));
    assert_int_equal(talk.verdict, TALK_PASS);
    run(world, conform_find("allocate-success"));
    assert_int_equal(talk.verdict, TALK_PASS);
    turn_world_close(world);
}

static void slow_servers_are_waited_for(void **state)
{
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);

    (void)state;
    world->twist = TURN_WORLD_SLOW;
    run(world, conform_find("binding-mapped-address"));
    assert_int_equal(talk.verdict, TALK_PASS);
    turn_world_close(world);
}

// --- the table -----------------------------------------------------------------------------------

static void expect_whole(struct turn_world *world, const struct talk_check *check, void *arg)
{
    (void)world;
    (void)arg;
    assert_true(strlen(check->id) > 0);
    assert_true(strlen(check->id) <= 40);
    for (const char *at = check->id; *at != '\0'; at++) {
        assert_non_null(strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *at));
    }
    assert_true(strncmp(check->section, "RFC 8489, ", 10) == 0 ||
                strncmp(check->section, "RFC 8656, ", 10) == 0);
    assert_true(strlen(check->rule) > 10);
    assert_int_equal(check->rule[strlen(check->rule) - 1], '.');
    assert_true(strlen(check->words) > 10);
    assert_non_null(check->run);
    assert_ptr_equal(conform_find(check->id), check); // so that no id is there twice
}

static void every_check_is_told_whole(void **state)
{
    (void)state;
    for_each_check(NULL, expect_whole, NULL);
    for (size_t i = 0; i < conform_subject_count; i++) {
        assert_true(strlen(conform_subjects[i]->name) > 0);
        assert_true(strlen(conform_subjects[i]->about) > 10);
    }
    assert_true(conform_count() >= 190);
    assert_null(conform_find("no-such-check"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_server_passes),
        cmocka_unit_test(passes_although_datagrams_are_lost),
        cmocka_unit_test(servers_that_misbehave_are_found_out),
        cmocka_unit_test(wrong_codes_are_found),
        cmocka_unit_test(spoilt_data_are_found),
        cmocka_unit_test(a_second_answer_is_seen),
        cmocka_unit_test(garbage_without_end_ends),
        cmocka_unit_test(ports_that_are_remembered_as_anothers_are_left),
        cmocka_unit_test(a_quota_that_is_reached_is_waited_for),
        cmocka_unit_test(a_quota_that_stays_reached_is_no_fault),
        cmocka_unit_test(a_server_without_ip4_is_asked_for_ip6),
        cmocka_unit_test(slow_servers_are_waited_for),
        cmocka_unit_test(every_check_is_told_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
