// SPDX-License-Identifier: Apache-2.0
// The attacks against our own server in memory, which has to stand them.
#include "attack/attack.h"

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
    static uint8_t seed[CRYPTO_RANDOM_SEED_LEN] = {11};
    const struct talk_target target = turn_world_target(world);

    seed[1]++;
    talk_run(&talk, check, &target, &world->world, seed);
}

typedef void (*each_fn)(struct turn_world *world, const struct talk_check *check, void *arg);

static void for_each_check(struct turn_world *world, each_fn fn, void *arg)
{
    for (size_t i = 0; i < attack_subject_count; i++) {
        for (size_t j = 0; j < attack_subjects[i]->count; j++) {
            fn(world, &attack_subjects[i]->checks[j], arg);
        }
    }
}

// What our own server lays open, all of it info (docs/attacks.md).
static const char *const known[] = {
    "relay-azure",       "relay-low-port", "amplify-binding", "amplify-odd",
    "amplify-challenge", "amplify-stale",  "user-software",
};

static bool is_known(const struct talk_check *check)
{
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (strcmp(known[i], check->id) == 0) {
            return true;
        }
    }
    return false;
}

static void expect_stood(struct turn_world *world, const struct talk_check *check, void *arg)
{
    uint32_t *failed = arg;
    bool is_right;

    run(world, check);
    if (is_known(check)) {
        is_right = talk.verdict == TALK_FAIL && talk.severity == TALK_INFO;
    } else if (strcmp(check->id, "loop-listener-relayed") == 0) {
        is_right = talk.verdict == TALK_SKIP; // it relays from the address at which it listens
    } else {
        is_right = talk.verdict == TALK_PASS;
    }
    if (!is_right) {
        (*failed)++;
        printf("%s: %s (%s), expected %s; came %s\n", check->id, talk_verdict_names[talk.verdict],
               talk_severity_names[talk.severity], talk.expected, talk.came);
    }
}

static void our_own_server_stands_them(void **state)
{
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);
    uint32_t failed = 0;

    (void)state;
    for_each_check(world, expect_stood, &failed);
    assert_int_equal(failed, 0);
    // And nothing is left behind.
    assert_int_equal(turn_server_gauges(world->server, world->now).allocations, 0);
    turn_world_close(world);
}

static void ports_that_are_remembered_as_anothers_are_left(void **state)
{
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);
    uint32_t failed = 0;

    (void)state;
    world->taken_in_four = 1;
    for (size_t i = 0; i < attack_subject_count; i++) {
        for (size_t j = 0; j < attack_subjects[i]->count; j++) {
            const struct talk_check *check = &attack_subjects[i]->checks[j];
            if (strncmp(check->id, "state-", 6) != 0) { // which count what is refused
                expect_stood(world, check, &failed);
            }
        }
    }
    assert_int_equal(failed, 0);
    turn_world_close(world);
}

// Nothing is found, nor said to be refused, where the quota stood before it.
static void expect_quota_told(struct turn_world *world, const struct talk_check *check, void *arg)
{
    uint32_t *told = arg;

    world->refused_count = UINT32_MAX;
    run(world, check);
    assert_true(talk.verdict != TALK_FAIL || is_known(check));
    assert_null(strstr(talk.came, "relays no IPv6"));
    *told += talk.verdict == TALK_SKIP && strstr(talk.came, "486") != NULL;
}

static void a_quota_that_is_reached_is_no_all_clear(void **state)
{
    const struct turn_config config = turn_world_config();
    struct turn_world *world = turn_world_open(&config);
    uint32_t told = 0;

    (void)state;
    for_each_check(world, expect_quota_told, &told);
    assert_true(told > 40);
    world->refused_count = UINT32_MAX;
    run(world, attack_find("nonce-replayed"));
    assert_int_equal(talk.verdict, TALK_SKIP);
    world->refused_count = 3;
    run(world, attack_find("nonce-replayed"));
    assert_int_equal(talk.verdict, TALK_PASS);
    turn_world_close(world);
}

static void a_server_without_ip4_is_asked_for_ip6(void **state)
{
    static const char *const ids[] = {"nonce-replayed", "port-token-guessed",
                                      "port-token-of-other"};
    struct turn_config config = turn_world_config();

    (void)state;
    config.public_ip4 = (struct addr){0};
    struct turn_world *world = turn_world_open(&config);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        run(world, attack_find(ids[i]));
        if (talk.verdict != TALK_PASS) {
            fail_msg("%s: %s", ids[i], talk.came);
        }
    }
    turn_world_close(world);
}

static void expect_no_finding(struct turn_world *world, const struct talk_check *check, void *arg)
{
    uint32_t *failed = arg;

    run(world, check);
    // What is weighed needs no answer that can be read.
    if (talk.verdict == TALK_FAIL && strncmp(check->id, "amplify-", 8) != 0) {
        (*failed)++;
        printf("%s: fail, expected %s; came %s\n", check->id, talk.expected, talk.came);
    }
    assert_int_equal(turn_server_gauges(world->server, world->now).allocations, 0);
}

// One that cannot be spoken with is not thereby open.
static void no_fault_is_found_in_garbage(void **state)
{
    static const enum turn_world_twist twists[] = {TURN_WORLD_SILENT, TURN_WORLD_GARBAGE,
                                                   TURN_WORLD_OTHER_PORT};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(twists); i++) {
        const struct turn_config config = turn_world_config();
        struct turn_world *world = turn_world_open(&config);
        uint32_t failed = 0;
        world->twist = twists[i];
        for_each_check(world, expect_no_finding, &failed);
        assert_int_equal(failed, 0);
        turn_world_close(world);
    }
}

// --- the table -----------------------------------------------------------------------------------

static void expect_text(const char *text, bool is_sentence)
{
    assert_non_null(text);
    assert_true(strlen(text) > 5);
    if (is_sentence) {
        assert_int_equal(text[strlen(text) - 1], '.');
    }
}

static void expect_whole(struct turn_world *world, const struct talk_check *check, void *arg)
{
    (void)world;
    (void)arg;
    assert_true(strlen(check->id) > 0);
    assert_true(strlen(check->id) <= 36);
    for (const char *at = check->id; *at != '\0'; at++) {
        assert_non_null(strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *at));
    }
    assert_true(strlen(check->section) >= 4);
    expect_text(check->rule, true);
    expect_text(check->words, true);
    assert_true(check->severity != TALK_UNWEIGHED);
    assert_int_equal(check->level, TALK_MUST); // so that a finding is one whatever it weighs
    assert_non_null(check->cure);
    expect_text(check->cure->coturn, false);
    expect_text(check->cure->pion, false);
    expect_text(check->cure->fairlead, false);
    assert_non_null(check->run);
    assert_ptr_equal(attack_find(check->id), check); // so that no id is there twice
}

static void every_check_is_told_whole(void **state)
{
    (void)state;
    for_each_check(NULL, expect_whole, NULL);
    for (size_t i = 0; i < attack_subject_count; i++) {
        expect_text(attack_subjects[i]->about, true);
    }
    assert_null(attack_find("no-such-check"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_server_stands_them),
        cmocka_unit_test(ports_that_are_remembered_as_anothers_are_left),
        cmocka_unit_test(a_quota_that_is_reached_is_no_all_clear),
        cmocka_unit_test(a_server_without_ip4_is_asked_for_ip6),
        cmocka_unit_test(no_fault_is_found_in_garbage),
        cmocka_unit_test(every_check_is_told_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
