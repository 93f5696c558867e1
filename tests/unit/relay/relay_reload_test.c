// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "relay/relay_address.h"
#include "relay/relay_options.h"

enum { TEXTS_MAX = 8 };

// A relay as far as it is told what to be: its sources, and the policy that it follows.
static struct relay_load load;
static struct relay_config config;
static struct relay_reload reload;
static struct turn_policy *policy;
static char texts[2 * TEXTS_MAX][128];
static char *argv[TEXTS_MAX + 1];
static char *environment[TEXTS_MAX + 1];
static char path[] = "/tmp/relay_reload_test.XXXXXX";

static void write_file(const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void follow(const struct turn_config *turn)
{
    static const uint8_t seed[SIPHASH_KEY_LEN] = {5};
    void *memory = calloc(1, turn_policy_size(turn));

    assert_non_null(memory);
    policy = turn_policy_init(memory, turn, seed);
}

static void unfollow(void)
{
    if (policy != NULL) {
        turn_policy_deinit(policy);
        free(policy);
        policy = NULL;
    }
}

// Starts with what the file has, these further arguments and this variable.
static void start(const char *file, const char *const *arguments, const char *variable)
{
    int argc = 0;

    write_file(file);
    memset(argv, 0, sizeof argv);
    memset(environment, 0, sizeof environment);
    argv[argc++] = strcpy(texts[0], "fairlead-relay");
    snprintf(texts[1], sizeof texts[1], "--config=%s", path);
    argv[argc++] = texts[1];
    for (size_t i = 0; arguments != NULL && arguments[i] != NULL; i++, argc++) {
        argv[argc] = strcpy(texts[argc], arguments[i]);
    }
    if (variable != NULL) {
        environment[0] = strcpy(texts[TEXTS_MAX], variable);
    }
    const struct daemon_load_sources sources = {argc, argv, environment};
    assert_int_equal(relay_load_open(&load, &sources, &config), DAEMON_LOAD_RUN);
    config.public_ip4 = addr_ip4((const uint8_t[]){192, 0, 2, 7}, 0);
    const struct turn_config turn = relay_config_turn(&config);
    unfollow();
    follow(&turn);
    relay_reload_init(&reload, &load, &config);
    relay_load_close(&load);
}

static int setup(void **state)
{
    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    memcpy(strrchr(path, '.'), ".XXXXXX", sizeof ".XXXXXX");
    const int fd = mkstemp(path);
    return fd >= 0 ? close(fd) : -1;
}

static int teardown(void **state)
{
    (void)state;
    unfollow();
    host_log_close();
    return unlink(path);
}

static bool has_user(const char *name)
{
    for (size_t i = 0; i < reload.turn.user_count; i++) {
        if (bytes_equal_text(reload.turn.users[i].name, name)) {
            return true;
        }
    }
    return false;
}

static bool takes_restart(const char *name)
{
    const struct conf_option *option = conf_option_find(&relay_options_table, bytes_of_text(name));

    assert_non_null(option);
    return reload.daemon.takes_restart[option - relay_options_table.options];
}

static void what_the_file_has_now_counts(void **state)
{
    (void)state;
    start("user = alice:secret\nuser = bob:hidden\nuser-quota = 3\n", NULL, NULL);
    write_file("user = bob:hidden\nuser = carol:sesame\nuser-quota = 5\ndeny-peer = 192.0.2.0/24\n"
               "auth-secret = north\ndrain-timeout = 7\nlog-filter = warn\nmin-lifetime = 700\n"
               "unauthenticated-rate = 9\nsoftware = new\n");
    assert_true(relay_reload_read(&reload, policy));
    assert_int_equal(reload.turn.user_count, 2);
    assert_true(has_user("bob"));
    assert_true(has_user("carol"));
    assert_int_equal(reload.turn.allocations_per_user, 5);
    assert_int_equal(reload.turn.rule_count, 1);
    assert_int_equal(reload.turn.auth_secret_count, 1);
    assert_int_equal(reload.turn.min_lifetime_s, 700);
    assert_int_equal(reload.turn.unauthenticated_rate, 9);
    assert_true(bytes_equal_text(reload.turn.software, "new"));
    assert_int_equal(reload.config.daemon.drain_timeout_s, 7);
    assert_true(bytes_equal_text(reload.config.daemon.log_filter, "warn"));
    for (size_t i = 0; i < relay_options_table.count; i++) {
        assert_false(reload.daemon.takes_restart[i]);
    }
    assert_true(turn_policy_may_follow(policy, &reload.turn));
    relay_reload_log(&reload);
    assert_string_equal(host_log(), "");
    relay_reload_end(&reload);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    (void)state;
    start("user = alice:secret\n", NULL, NULL);
    write_file("user = alice:secret\n\nuser-quota = many\nlisten_prot = 3478\n");
    assert_false(relay_reload_read(&reload, policy));
    relay_reload_log(&reload);
    const char *log = host_log();
    assert_non_null(strstr(log, "user-quota: 'many' is not a number from 1 to 65536"));
    assert_non_null(strstr(log, "line 3)"));
    assert_non_null(strstr(log, "line 4)"));
    assert_non_null(strstr(log, path));
    assert_null(strstr(log, "secret"));
    relay_reload_end(&reload);
}

static void a_file_that_is_gone_is_told(void **state)
{
    char moved[sizeof path + 4];

    (void)state;
    start("user = alice:secret\n", NULL, NULL);
    snprintf(moved, sizeof moved, "%s.new", path);
    assert_int_equal(rename(path, moved), 0);
    assert_false(relay_reload_read(&reload, policy));
    relay_reload_log(&reload);
    assert_non_null(strstr(host_log(), "cannot be read: No such file or directory"));
    relay_reload_end(&reload);
    assert_int_equal(rename(moved, path), 0);
}

static void what_a_relay_has_for_life_takes_a_restart(void **state)
{
    (void)state;
    start("user = alice:secret\n", NULL, NULL);
    write_file("user = carol:sesame\nmax-channels = 7\nrealm = another\nlisten-port = 9\n");
    assert_true(relay_reload_read(&reload, policy));
    assert_true(takes_restart("max-channels"));
    assert_true(takes_restart("realm"));
    assert_true(takes_restart("listen-port"));
    assert_false(takes_restart("max-permissions"));
    assert_false(takes_restart("user"));
    assert_true(turn_policy_may_follow(policy, &reload.turn));
    assert_true(has_user("carol"));
    relay_reload_log(&reload);
    assert_non_null(strstr(host_log(), " WARN what has changed here counts from the next start on "
                                       "option=max-channels\n"));
    relay_reload_end(&reload);
}

static void secrets_outside_the_file_stay(void **state)
{
    static const char *const arguments[] = {"--user", "alice:secret", "--auth-secret=north", NULL};
    struct bytes lent[TURN_CONFIG_SECRET_COUNT];

    (void)state;
    start("user-quota = 3\n", arguments, "FAIRLEAD_STAMP_SECRET=west");
    assert_string_equal(argv[3], ""); // they are gone from where everybody sees them
    for (int i = 0; i < 2; i++) {
        write_file("user = carol:sesame\nauth-secret = south\nstamp-secret = east\n"
                   "user-quota = 4\n");
        assert_true(relay_reload_read(&reload, policy));
        assert_int_equal(reload.turn.user_count, 1);
        assert_true(has_user("alice"));
        assert_int_equal(reload.turn.allocations_per_user, 4);
        assert_int_equal(reload.turn.auth_secret_count, 1);
        assert_true(bytes_equal_text(reload.turn.auth_secrets[0], "north"));
        assert_true(bytes_equal_text(reload.turn.stamp_secret, "west"));
        struct turn_policy *former = policy;
        follow(&reload.turn); // and so for the next one
        relay_reload_end(&reload);
        turn_policy_deinit(former);
        free(former);
    }
    assert_int_equal(turn_policy_auth_secrets(policy, lent), 1);
    assert_true(bytes_equal_text(lent[0], "north"));
}

static void what_the_relay_has_made_up_stays_while_it_is_needed(void **state)
{
    uint8_t password[] = "made up";

    (void)state;
    start("user-quota = 3\n", NULL, NULL);
    config.users[0] = (struct turn_user){
        .name = BYTES_LITERAL("fairlead"),
        .password = bytes_of_text((const char *)password),
    };
    config.user_count = 1;
    config.realm = bytes_of_text("fairlead");
    const struct turn_config turn = relay_config_turn(&config);
    unfollow();
    follow(&turn);
    reload.has_made_user = true;
    assert_true(relay_reload_read(&reload, policy));
    assert_int_equal(reload.turn.user_count, 1);
    assert_true(has_user("fairlead"));
    relay_reload_end(&reload);
    write_file("auth-secret = north\n");
    assert_true(relay_reload_read(&reload, policy));
    assert_int_equal(reload.turn.user_count, 0);
    relay_reload_end(&reload);
}

static void no_credential_at_all_is_a_mistake(void **state)
{
    (void)state;
    start("user = alice:secret\n", NULL, NULL);
    write_file("user-quota = 3\n");
    assert_false(relay_reload_read(&reload, policy));
    relay_reload_log(&reload);
    assert_non_null(strstr(host_log(), "--user"));
    relay_reload_end(&reload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_file_has_now_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_told_with_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_gone_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_relay_has_for_life_takes_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_outside_the_file_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_relay_has_made_up_stays_while_it_is_needed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(no_credential_at_all_is_a_mistake, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
