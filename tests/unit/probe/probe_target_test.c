// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "conf/conf_args.h"
#include "probe/probe_conform.h"

enum { WORDS_MAX = 24 };

static struct conf conf;

// Reads words that are divided by single spaces; how many errors there are.
static size_t read_words(const char *line, struct probe_target *out)
{
    static char text[512];
    char *words[WORDS_MAX] = {0};
    int count = 0;

    assert_true(strlen(line) < sizeof text);
    strcpy(text, line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    conf_init(&conf, &probe_conform_table);
    conf_args_read(&conf, count, words);
    probe_target_read(&conf, out);
    return conf.errors.count;
}

static void takes_users_and_times(void **state)
{
    struct probe_target target;
    struct probe_target_user users[2];
    struct talk_target talk;

    (void)state;
    assert_int_equal(read_words("conform 192.0.2.1 --user alice --pass w --other-user bob "
                                "--other-pass b --timeout 1500 --quiet 50 --jobs 3 --rate 10 "
                                "--peer-address 192.0.2.9 --peer-address 2001:db8::9 --realm north",
                                &target),
                     0);
    assert_int_equal(target.jobs, 3);
    assert_int_equal(target.rate, 10);
    probe_target_of(&target, "some-check", 1700000000, users, &talk);
    assert_true(bytes_equal_text(talk.username, "alice"));
    assert_true(bytes_equal_text(talk.password, "w"));
    assert_true(bytes_equal_text(talk.other_username, "bob"));
    assert_true(bytes_equal_text(talk.other_password, "b"));
    assert_true(bytes_equal_text(talk.realm, "north"));
    assert_int_equal(talk.server.port, 3478);
    assert_int_equal(talk.peer_ip4.family, ADDR_IP4);
    assert_int_equal(talk.peer_ip6.family, ADDR_IP6);
    assert_int_equal(talk.patience_ns, 1500 * (SECOND_NS / 1000));
    assert_int_equal(talk.quiet_ns, 50 * (SECOND_NS / 1000));
}

static void makes_users_of_a_secret(void **state)
{
    struct probe_target target;
    struct probe_target_user users[2];
    struct talk_target talk;

    (void)state;
    assert_int_equal(read_words("conform 192.0.2.1 --auth-secret north", &target), 0);
    probe_target_of(&target, "some-check", 1700000000, users, &talk);
    assert_true(bytes_equal_text(talk.username, "1700086400:probe-some-check"));
    assert_true(bytes_equal_text(talk.other_username, "1700086400:other-some-check"));
    assert_int_equal(talk.password.len, PROBE_TARGET_PASSWORD_LEN);
    assert_false(bytes_equal(talk.password, talk.other_password));
}

static void says_what_does_not_go_together(void **state)
{
    static const char *const lines[] = {
        "conform",
        "conform nowhere:0",
        "conform ::1 -4",
        "conform 192.0.2.1 --user alice",
        "conform 192.0.2.1 --other-user bob",
        "conform 192.0.2.1 --user alice --pass w --auth-secret north",
        "conform 192.0.2.1 --peer-address 192.0.2.1 --peer-address 192.0.2.2",
        "conform 192.0.2.1 --jobs 0",
        "conform 192.0.2.1 --rate 0",
        "conform 192.0.2.1 --timeout 60001",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct probe_target target;
        assert_int_equal(read_words(lines[i], &target), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_users_and_times),
        cmocka_unit_test(makes_users_of_a_secret),
        cmocka_unit_test(says_what_does_not_go_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
