// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_spoke_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static struct tunnel_spoke_config config;

static int setup(void **state)
{
    static const uint8_t secret[REVTUN_TOKEN_SECRET_LEN] = {1};
    static const uint8_t pin[REVTUN_TOKEN_PIN_LEN] = {2};

    (void)state;
    config = (struct tunnel_spoke_config){
        .relay = {.host = "relay.example", .port = 12000},
        .has_token = true,
        .services = {{.name = bytes_of_text("web")}},
    };
    revtun_token_init(&config.token, bytes_of_text("laptop"), secret, pin);
    return 0;
}

static const char *words_of_end(enum io_tls_end_kind kind, bool was_open)
{
    static char words[TUNNEL_WORDS_MAX];
    struct io_tls_end end = {.kind = kind, .was_open = was_open};

    snprintf(end.text, sizeof end.text, "because of %s", io_tls_end_name(kind));
    tunnel_spoke_words_of_end(&config, &end, words);
    return words;
}

static const char *words_of_why(struct revtun_spoke_news news)
{
    static char words[TUNNEL_WORDS_MAX];

    snprintf(words, sizeof words, "as it was");
    tunnel_spoke_words_of_why(&config, &news, words);
    return words;
}

static void assert_line(const char *words)
{
    assert_null(strchr(words, '\n'));
    assert_true(strlen(words) > 20);
}

static void each_end_says_where(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2 * IO_TLS_END_KIND_COUNT; kind++) {
        const char *words = words_of_end((enum io_tls_end_kind)(kind / 2), kind % 2);
        assert_line(words);
        assert_non_null(strstr(words, "relay.example:12000"));
    }
}

static void an_end_says_what_to_do(void **state)
{
    (void)state;
    assert_non_null(
        strstr(words_of_end(IO_TLS_END_WRONG_PIN, false), "another key than the token"));
    assert_non_null(strstr(words_of_end(IO_TLS_END_WRONG_HOST, false), "--relay-name"));
    assert_non_null(strstr(words_of_end(IO_TLS_END_ALERT, false), "the token of 'laptop'"));
    assert_non_null(strstr(words_of_end(IO_TLS_END_UNKNOWN_CA, false), "--ca names the relay's"));
    config.ca = "ca.pem";
    assert_non_null(strstr(words_of_end(IO_TLS_END_UNKNOWN_CA, false), "--ca must name"));
    config.has_token = false;
    config.certificate = "me.pem";
    assert_non_null(strstr(words_of_end(IO_TLS_END_ALERT, false), "the certificate me.pem"));
}

static void says_what_an_old_relay_lacks(void **state)
{
    char words[TUNNEL_WORDS_MAX];

    (void)state;
    tunnel_spoke_words_of_old(&config, words);
    assert_line(words);
    assert_non_null(strstr(words, "version 1 only, which knows no tokens"));
    config.has_token = false;
    tunnel_spoke_words_of_old(&config, words);
    assert_non_null(strstr(words, "certificates"));
}

static void each_reason_says_where(void **state)
{
    static const enum revtun_spoke_why whys[] = {
        REVTUN_SPOKE_BYE,      REVTUN_SPOKE_SILENT,  REVTUN_SPOKE_STRANGE,  REVTUN_SPOKE_SEALED,
        REVTUN_SPOKE_UNSEALED, REVTUN_SPOKE_REFUSED, REVTUN_SPOKE_REPLACED,
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(whys); i++) {
        const char *words = words_of_why((struct revtun_spoke_news){.why = whys[i]});
        assert_line(words);
        assert_non_null(strstr(words, "relay.example:12000"));
    }
    // Whoever has lost the connection knows why already.
    assert_string_equal(words_of_why((struct revtun_spoke_news){.why = REVTUN_SPOKE_LOST}),
                        "as it was");
}

static void names_the_option_that_does_not_go_with_the_relays(void **state)
{
    (void)state;
    assert_non_null(strstr(words_of_why((struct revtun_spoke_news){.why = REVTUN_SPOKE_SEALED}),
                           "--data plain"));
    assert_non_null(strstr(words_of_why((struct revtun_spoke_news){.why = REVTUN_SPOKE_UNSEALED}),
                           "--data tls"));
}

static void says_what_the_relay_says_at_its_end(void **state)
{
    const struct revtun_spoke_news busy = {.why = REVTUN_SPOKE_BYE,
                                           .code = REVTUN_MESSAGE_CODE_BUSY,
                                           .text = bytes_of_text("come back at noon")};

    (void)state;
    assert_non_null(strstr(words_of_why(busy), "it says: come back at noon"));
    assert_non_null(strstr(words_of_why((struct revtun_spoke_news){
                               .why = REVTUN_SPOKE_BYE, .code = REVTUN_MESSAGE_CODE_DENIED}),
                           "does not accept the token of 'laptop'"));
    assert_non_null(strstr(words_of_why((struct revtun_spoke_news){
                               .why = REVTUN_SPOKE_BYE, .code = REVTUN_MESSAGE_CODE_REVOKED}),
                           "off its access list"));
}

static void says_why_a_service_is_not_reachable(void **state)
{
    char words[TUNNEL_WORDS_MAX];

    (void)state;
    for (int code = 0; code <= REVTUN_MESSAGE_CODE_SHUTDOWN; code++) {
        const struct revtun_spoke_news news = {.code = (enum revtun_message_code)code};
        tunnel_spoke_words_of_denied(&config, &news, words);
        assert_line(words);
        assert_non_null(strstr(words, "'web'"));
    }
    const struct revtun_spoke_news bad = {.code = REVTUN_MESSAGE_CODE_BAD_VALUE,
                                          .key = bytes_of_text("port")};
    tunnel_spoke_words_of_denied(&config, &bad, words);
    assert_non_null(strstr(words, ": port"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_end_says_where, setup),
        cmocka_unit_test_setup(an_end_says_what_to_do, setup),
        cmocka_unit_test_setup(says_what_an_old_relay_lacks, setup),
        cmocka_unit_test_setup(each_reason_says_where, setup),
        cmocka_unit_test_setup(names_the_option_that_does_not_go_with_the_relays, setup),
        cmocka_unit_test_setup(says_what_the_relay_says_at_its_end, setup),
        cmocka_unit_test_setup(says_why_a_service_is_not_reachable, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
