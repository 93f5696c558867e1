// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "web/web_context.h"

#include <errno.h>
#include <libwebsockets.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "far_side.h"
#include "near_side.h"

static struct near_side near;
static struct far_side far;

static int teardown(void **state)
{
    (void)state;
    near_side_close(&near);
    far_side_close(&far);
    return 0;
}

static void agree_and_wait(struct far_side *to)
{
    far_side_agree(to);
    far_side_wait_for_end(to);
}

static void expect_opened(const char *ca_path, bool is_opened)
{
    near_side_open(&near, ca_path);
    far_side_play(&far, agree_and_wait);
    near_side_connect(&near, &far);
    near_side_turn_until(&near, is_opened ? &near.opened_count : &near.ended_count, 1);
    near_side_close(&near);
    far_side_end(&far);
}

static void takes_no_proxy_from_the_environment_and_leaves_that_alone(void **state)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "socks_proxy"};
    static const char nowhere[] = "127.0.0.1:9";

    (void)state;
    far_side_open(&far, "localhost", 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(setenv(names[i], nowhere, 1), 0);
    }
    char **before = environ;
    expect_opened(far.certificate, true);
    assert_ptr_equal(environ, before);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_string_equal(getenv(names[i]), nowhere);
        assert_int_equal(unsetenv(names[i]), 0);
    }
}

static void trusts_the_given_certificates_and_no_others(void **state)
{
    struct far_side other;

    (void)state;
    far_side_open(&far, "localhost", 0);
    far.is_tls = true;
    far_side_open(&other, "localhost", 0);
    expect_opened(far.certificate, true);
    expect_opened(other.certificate, false);
    expect_opened(NULL, false);
    far_side_close(&other);
}

static void a_certificate_is_for_its_name(void **state)
{
    (void)state;
    far_side_open(&far, "localhost.example", 0);
    far.is_tls = true;
    expect_opened(far.certificate, false);
}

static void certificates_that_cannot_be_read_are_an_error(void **state)
{
    static const char *const paths[] = {"/dev/null", "/nonexistent", "/tmp"};
    const struct lws_protocols protocols[] = {{.name = "none"}, {0}};
    struct lws_context *context = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        assert_int_equal(web_context_open(protocols, NULL, paths[i], &context), -EINVAL);
        assert_null(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(takes_no_proxy_from_the_environment_and_leaves_that_alone,
                                  teardown),
        cmocka_unit_test_teardown(trusts_the_given_certificates_and_no_others, teardown),
        cmocka_unit_test_teardown(a_certificate_is_for_its_name, teardown),
        cmocka_unit_test(certificates_that_cannot_be_read_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
