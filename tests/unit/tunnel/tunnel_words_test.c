// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static const struct tunnel_words_whom relay = {
    .who = "relay",
    .where = "relay.example:12000",
    .folder = "./keys",
    .by_option = "--relay-name says what it must be for",
};

static const char *words_of(struct io_tls_end end)
{
    static char words[TUNNEL_WORDS_MAX];

    tunnel_words_of_end(&relay, &end, words);
    return words;
}

static void each_end_has_words_of_its_own(void **state)
{
    char all[IO_TLS_END_KIND_COUNT][TUNNEL_WORDS_MAX];

    (void)state;
    for (int kind = 0; kind < IO_TLS_END_KIND_COUNT; kind++) {
        struct io_tls_end end = {.kind = (enum io_tls_end_kind)kind, .was_open = false};
        snprintf(end.text, sizeof end.text, "because of %s", io_tls_end_name(end.kind));
        snprintf(all[kind], sizeof all[kind], "%s", words_of(end));
        assert_non_null(strstr(all[kind], "relay.example:12000"));
        assert_null(strchr(all[kind], '\n'));
        for (int other = 0; other < kind; other++) {
            assert_string_not_equal(all[kind], all[other]);
        }
    }
}

static void says_what_to_do(void **state)
{
    static const struct {
        struct io_tls_end end;
        const char *words;
    } table[] = {
        {{.kind = IO_TLS_END_UNKNOWN_CA}, "./keys/ca.crt.pem"},
        {{.kind = IO_TLS_END_WRONG_HOST}, "--relay-name"},
        {{.kind = IO_TLS_END_CERTIFICATE_TIME}, "renewed"},
        {{.kind = IO_TLS_END_ALERT, .alert = 48}, "./keys/client.crt.pem"},
        {{.kind = IO_TLS_END_ALERT, .alert = 116}, "./keys/client.crt.pem"},
        {{.kind = IO_TLS_END_ALERT, .alert = 45}, "be valid now"},
        {{.kind = IO_TLS_END_ALERT, .alert = 80, .text = "internal error"}, "internal error"},
        {{.kind = IO_TLS_END_EXPIRED}, "does not answer"},
        {{.kind = IO_TLS_END_CUT}, "before TLS"},
        {{.kind = IO_TLS_END_CUT, .was_open = true}, "was cut"},
        {{.kind = IO_TLS_END_NOT_TLS, .text = "it begins with \"SSH-2.0\""}, "SSH-2.0"},
        {{.kind = IO_TLS_END_NOT_TLS, .text = "it begins with \"no controller li\""},
         "no controller linked"},
        {{.kind = IO_TLS_END_SYSTEM, .text = "reset"}, "reset"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_non_null(strstr(words_of(table[i].end), table[i].words));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_end_has_words_of_its_own),
        cmocka_unit_test(says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
