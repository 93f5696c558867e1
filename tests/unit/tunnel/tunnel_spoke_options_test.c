// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_spoke_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "conf/conf_args.h"
#include "tunnel/tunnel_service_options.h"

// Of docs/tunnel-protocol.md.
#define TOKEN "flt1.laptop.AAECAwQFBgcICQoLDA0ODxARZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1-f4CBgoOTRKzo"

#define WITH_TOKEN "--token " TOKEN

enum { WORDS_MAX = 24 };

static struct conf conf;
static struct tunnel_spoke_config config;

// Reads words that are divided by single spaces. True: nothing is wrong.
static bool read_words(const char *line)
{
    static char text[512];
    static char program[] = "fairlead-tunnel expose";
    char *words[WORDS_MAX] = {program};
    int count = 1;

    assert_true(strlen(line) < sizeof text);
    strcpy(text, line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    conf_init(&conf, &tunnel_service_options_expose);
    conf_args_read(&conf, count, words);
    config = (struct tunnel_spoke_config){.core = {.session_max = 7}};
    tunnel_spoke_options_read(&conf, &config);
    return conf.errors.count == 0;
}

static void reads_how_clients_bytes_are_to_go(void **state)
{
    static const struct {
        const char *words;
        enum revtun_message_data data;
    } table[] = {
        {"8080 --token " TOKEN, REVTUN_MESSAGE_DATA_ANY},
        {"8080 --token " TOKEN " --data any", REVTUN_MESSAGE_DATA_ANY},
        {"8080 --token " TOKEN " --data plain", REVTUN_MESSAGE_DATA_PLAIN},
        {"8080 --token " TOKEN " --data tls", REVTUN_MESSAGE_DATA_TLS},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_true(read_words(table[i].words));
        assert_int_equal(config.core.data, table[i].data);
    }
    assert_false(read_words("8080 --token " TOKEN " --data ssl"));
}

static void reads_a_token(void **state)
{
    (void)state;
    assert_true(read_words("8080 --token " TOKEN));
    assert_true(config.has_token);
    assert_true(bytes_equal_text(revtun_token_id(&config.token), "laptop"));
    assert_int_equal(config.core.pool, 2);
    assert_null(config.certificate);
    assert_null(config.ca);
    assert_false(read_words("8080 --token " TOKEN "x"));
    assert_false(read_words("8080 --token laptop"));
    assert_false(read_words("8080 --token-file /nowhere/at/all"));
    assert_false(read_words("8080 --pool 2"));
}

static void reads_a_certificate_in_its_place(void **state)
{
    (void)state;
    assert_true(read_words("8080 --cert c.pem --key k.pem --ca ca.pem"));
    assert_false(config.has_token);
    assert_string_equal(config.certificate, "c.pem");
    assert_string_equal(config.key, "k.pem");
    assert_string_equal(config.ca, "ca.pem");
    assert_false(read_words("8080 --cert c.pem"));
    assert_false(read_words("8080 --key k.pem"));
}

static void reads_how_many_stand_by(void **state)
{
    (void)state;
    assert_true(read_words("8080 --pool 64 --token " TOKEN));
    assert_int_equal(config.core.pool, 64);
    assert_false(read_words("8080 --pool 65 --token " TOKEN));
}

static void knows_what_is_of_version_2(void **state)
{
    static const char *const those[] = {WITH_TOKEN,     "--data tls", "--pool 1",     "--take",
                                        "--port 12101", "--name web", "--host a.test"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(those); i++) {
        char line[256];
        snprintf(line, sizeof line, "8080 %s", those[i]);
        (void)read_words(line);
        assert_true(tunnel_spoke_options_are_given(&conf));
    }
    (void)read_words("8080 --keys ./keys");
    assert_false(tunnel_spoke_options_are_given(&conf));
    assert_false(read_words("8080 --keys ./keys --token " TOKEN)); // what is of version 1
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_how_clients_bytes_are_to_go),
        cmocka_unit_test(reads_a_token),
        cmocka_unit_test(reads_a_certificate_in_its_place),
        cmocka_unit_test(reads_how_many_stand_by),
        cmocka_unit_test(knows_what_is_of_version_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
