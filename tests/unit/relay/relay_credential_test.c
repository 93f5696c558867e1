// SPDX-License-Identifier: Apache-2.0
// The passwords were computed apart: base64 of HMAC-SHA1 by Python's hmac.
#define _GNU_SOURCE
#include "relay/relay_credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"

enum { TEXTS_MAX = 8, TEXT_LEN = 1024 };

static const struct now now = {.mono_ns = 1, .wall_s = 1700000000};

static uint8_t memory[RELAY_CREDENTIAL_TEXT_MAX];
static struct wr wr;
static char texts[2][TEXTS_MAX][TEXT_LEN]; // arguments and environment, as a process has them

#define TEXTS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static size_t copy(const char *const *from, char (*to)[TEXT_LEN], char **list)
{
    size_t count = 0;

    for (; from[count] != NULL; count++) {
        assert_true(count + 1 < TEXTS_MAX);
        assert_true(strlen(from[count]) < TEXT_LEN);
        list[count] = strcpy(to[count], from[count]);
    }
    list[count] = NULL;
    return count;
}

static enum relay_credential_outcome run(const char *const *arguments, const char *const *variables)
{
    char *argv[TEXTS_MAX + 1] = {(char *)"credential"};
    char *environment[TEXTS_MAX];
    const size_t count = copy(arguments, texts[0], argv + 1);

    (void)copy(variables, texts[1], environment);
    wr = wr_init(memory, sizeof memory);
    return relay_credential_run((int)count + 1, argv, environment, now, &wr);
}

static void expect_errors(const char *const *arguments, const char *expected)
{
    assert_int_equal(run(arguments, TEXTS()), RELAY_CREDENTIAL_WRONG);
    host_expect_text(wr_done(&wr), expected);
}

static void writes_both_forms(void **state)
{
    (void)state;
    assert_int_equal(
        run(TEXTS("--auth-secret", "north", "--user=alice",
                  "--url=turn:turn.example.org:3478?transport=udp", "--url=stun:[2001:db8::1]"),
            TEXTS()),
        RELAY_CREDENTIAL_MADE);
    host_expect_text(
        wr_done(&wr),
        "{\"username\":\"1700086400:alice\",\"password\":\"SXua5ne/"
        "+mDhiHTp0pQJzRO4ESg=\",\"ttl\":86400,"
        "\"uris\":[\"turn:turn.example.org:3478?transport=udp\",\"stun:[2001:db8::1]\"]}\n"
        "{\"iceServers\":[{\"urls\":[\"turn:turn.example.org:3478?transport=udp\","
        "\"stun:[2001:db8::1]\"],\"username\":\"1700086400:alice\","
        "\"credential\":\"SXua5ne/+mDhiHTp0pQJzRO4ESg=\"}]}\n");
}

static void takes_the_first_secret_of_a_relays_environment(void **state)
{
    (void)state;
    assert_int_equal(run(TEXTS("--user", "a\"b", "--ttl=1h 30m"),
                         TEXTS("FAIRLEAD_AUTH_SECRET=no\\,rth,south", "LISTEN_PORT=x")),
                     RELAY_CREDENTIAL_MADE);
    host_expect_text(wr_done(&wr),
                     "{\"username\":\"1700005400:a\\\"b\",\"password\":"
                     "\"EK7dtN4Rm1FDWu2oG1apZgaWvts=\",\"ttl\":5400,"
                     "\"uris\":[]}\n"
                     "{\"iceServers\":[{\"urls\":[],\"username\":\"1700005400:a\\\"b\","
                     "\"credential\":\"EK7dtN4Rm1FDWu2oG1apZgaWvts=\"}]}\n");
}

static void says_all_that_is_wrong(void **state)
{
    (void)state;
    expect_errors(TEXTS(),
                  "fairlead-relay credential: --auth-secret: must be given: --auth-secret=SECRET, "
                  "or FAIRLEAD_AUTH_SECRET in the environment\n"
                  "fairlead-relay credential: --user: must be given: --user=NAME\n");
    expect_errors(
        TEXTS("--auth-secret=", "--user=", "--ttl=0s", "--url=http://a", "more"),
        "fairlead-relay credential: this argument belongs to no option; a value with blanks needs "
        "quotes (command line, argument 5)\n"
        "fairlead-relay credential: --auth-secret: the value is not a text from 1 to 128 bytes "
        "(command line, argument 1)\n"
        "fairlead-relay credential: --user: '' is not a text from 1 to 487 bytes (command line, "
        "argument 2)\n"
        "fairlead-relay credential: --ttl: '0s' is not a duration from 1 to 315360000 seconds "
        "(command line, argument 3)\n"
        "fairlead-relay credential: --url: 'http://a' is not a URL such as "
        "turn:turn.example.org:3478?transport=udp (command line, argument 4)\n");
}

static void takes_urls_that_lead_to_a_relay(void **state)
{
    static const char *const good[] = {"turn:a", "turns:a:443?transport=tcp", "stun:1.2.3.4:5",
                                       "stuns:[::1]"};
    static const char *const bad[] = {"",         "turn",     "turn:",         "http:a",  "TURN:a",
                                      "turn:a b", "turn:a\"", "turn:\xc3\xa9", "turn:\\", ":a"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(run(TEXTS("--auth-secret=s", "--user=u", "--url", good[i]), TEXTS()),
                         RELAY_CREDENTIAL_MADE);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(run(TEXTS("--auth-secret=s", "--user=u", "--url", bad[i]), TEXTS()),
                         RELAY_CREDENTIAL_WRONG);
    }
}

static void makes_no_username_that_a_relay_would_not_read(void **state)
{
    char user[600] = "--user=";
    const size_t at = strlen(user);

    (void)state;
    memset(user + at, 'u', 487);
    assert_int_equal(run(TEXTS("--auth-secret=s", user), TEXTS()), RELAY_CREDENTIAL_MADE);
    user[at + 487] = 'u';
    assert_int_equal(run(TEXTS("--auth-secret=s", user), TEXTS()), RELAY_CREDENTIAL_WRONG);
}

static void gives_ten_years_at_most(void **state)
{
    (void)state;
    assert_int_equal(run(TEXTS("--auth-secret=s", "--user=u", "--ttl=3650d"), TEXTS()),
                     RELAY_CREDENTIAL_MADE);
    assert_int_equal(run(TEXTS("--auth-secret=s", "--user=u", "--ttl=3651d"), TEXTS()),
                     RELAY_CREDENTIAL_WRONG);
}

static void helps_whatever_else_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(run(TEXTS("--nonsense", "-h"), TEXTS()), RELAY_CREDENTIAL_HELP);
    memory[wr.len] = '\0';
    for (size_t i = 0; i < relay_credential_table.count; i++) {
        assert_non_null(strstr((char *)memory, relay_credential_table.options[i].name));
    }
    for (const char *line = (char *)memory; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") <= 80);
    }
}

static void shows_no_secret_and_wipes_it(void **state)
{
    (void)state;
    for (int has_user = 0; has_user < 2; has_user++) {
        const char *const user = has_user ? "--user=u" : "--ttl=1d";
        assert_int_equal(run(TEXTS("--auth-secret", "hidden", "--auth-secret=hidden", user),
                             TEXTS("FAIRLEAD_AUTH_SECRET=hidden\\,")),
                         has_user ? RELAY_CREDENTIAL_MADE : RELAY_CREDENTIAL_WRONG);
        assert_null(memmem(texts, sizeof texts, "hid", 3));
        assert_null(memmem(memory, wr.len, "hid", 3));
        assert_string_equal(texts[0][0], "--auth-secret");
    }
}

static void fits_its_room_with_as_many_urls_as_there_can_be(void **state)
{
    static char url[256] = "--url=turn:";
    static char *argv[259] = {(char *)"credential", (char *)"--auth-secret=s", (char *)"--user=u"};
    char *environment[] = {NULL};
    char secret[] = "--auth-secret=s";

    (void)state;
    memset(url + strlen(url), 'a', 255 - strlen("turn:") - 6);
    argv[1] = secret;
    for (size_t i = 3; i < 257; i++) {
        argv[i] = url;
    }
    wr = wr_init(memory, sizeof memory);
    assert_int_equal(relay_credential_run(257, argv, environment, now, &wr), RELAY_CREDENTIAL_MADE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_both_forms),
        cmocka_unit_test(takes_the_first_secret_of_a_relays_environment),
        cmocka_unit_test(says_all_that_is_wrong),
        cmocka_unit_test(takes_urls_that_lead_to_a_relay),
        cmocka_unit_test(makes_no_username_that_a_relay_would_not_read),
        cmocka_unit_test(gives_ten_years_at_most),
        cmocka_unit_test(helps_whatever_else_is_wrong),
        cmocka_unit_test(shows_no_secret_and_wipes_it),
        cmocka_unit_test(fits_its_room_with_as_many_urls_as_there_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
