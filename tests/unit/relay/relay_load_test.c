// SPDX-License-Identifier: Apache-2.0
// What is the relay's own; daemon_load_test.c has the rest.
#define _GNU_SOURCE
#include "relay/relay_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"

static struct relay_load load;
static struct relay_config config;
static char texts[4][64];
static char *argv[] = {texts[0], texts[1], NULL};
static char *environment[] = {texts[2], texts[3], NULL};

static enum daemon_load_outcome open_with(const char *argument, const char *token)
{
    const struct daemon_load_sources sources = {2, argv, environment};

    strcpy(texts[0], "fairlead-relay");
    strcpy(texts[1], argument);
    strcpy(texts[2], token);
    strcpy(texts[3], "FIREZONE_API_URL=wss://api.example.org");
    return relay_load_open(&load, &sources, &config);
}

static void reads_its_options_and_the_token(void **state)
{
    (void)state;
    assert_int_equal(open_with("--listen-port=1", "FIREZONE_TOKEN=hid den"), DAEMON_LOAD_RUN);
    assert_int_equal(config.listen_port, 1);
    host_expect_text(config.token, "hidden"); // without what copying brings about
    relay_load_close(&load);
    assert_int_equal(open_with("--check-config", "FIREZONE_TOKEN=hidden"), DAEMON_LOAD_CHECKED);
    relay_load_close(&load);
    assert_int_equal(open_with("--listen-port=0", "FIREZONE_TOKEN=hidden"), DAEMON_LOAD_WRONG);
    relay_load_close(&load);
    assert_int_equal(open_with("--listen-port=1", "FIREZONE_TOKEN=/no/such/file"),
                     DAEMON_LOAD_WRONG);
    relay_load_close(&load);
}

static void wipes_the_token(void **state)
{
    (void)state;
    assert_int_equal(open_with("--listen-port=1", "FIREZONE_TOKEN=hid den"), DAEMON_LOAD_RUN);
    assert_non_null(memmem(texts, sizeof texts, "hid den", 7));
    assert_non_null(memmem(&load, sizeof load, "hidden", 6));
    relay_load_close(&load);
    assert_null(memmem(texts, sizeof texts, "hid", 3));
    assert_null(memmem(&load, sizeof load, "hid", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_its_options_and_the_token),
        cmocka_unit_test(wipes_the_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
