// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "conf/conf_args.h"
#include "probe/probe_options.h"

enum { WORDS_MAX = 16 };

// Reads words that are divided by single spaces.
static bool read_words(const char *line, struct probe_config *out)
{
    static struct conf conf;
    static char text[512];
    char *words[WORDS_MAX] = {0};
    int count = 0;

    assert_true(strlen(line) < sizeof text);
    strcpy(text, line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    conf_init(&conf, &probe_options_table);
    conf_args_read(&conf, count, words);
    return probe_config_read(&conf, out);
}

static void takes_a_server_in_each_form(void **state)
{
    static const struct {
        const char *text;
        const char *ip;
        uint16_t port;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", 3478},          {"192.0.2.1:5349", "192.0.2.1", 5349},
        {"2001:db8::1", "2001:db8::1", 3478},      {"[2001:db8::1]", "2001:db8::1", 3478},
        {"[2001:db8::1]:443", "2001:db8::1", 443},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct probe_config config;
        struct addr wanted = {0};
        char line[128] = "bench --auth-secret s ";
        strcat(line, rows[i].text);
        assert_true(read_words(line, &config));
        assert_true(addr_read(bytes_of_text(rows[i].ip), &wanted));
        wanted = addr_with_port(wanted, rows[i].port);
        assert_true(addr_equal(&config.server.addr, &wanted));
    }
}

static void measures_all_but_floods_unless_told(void **state)
{
    struct probe_config config;

    (void)state;
    assert_true(read_words("bench 192.0.2.1 --user a --password b", &config));
    assert_true(config.parts[PROBE_OVERLOAD]);
    assert_true(config.parts[PROBE_RATE]);
    assert_true(config.parts[PROBE_LATENCY]);
    assert_true(config.parts[PROBE_ALLOCATE]);
    assert_false(config.parts[PROBE_FLOOD]);
    assert_int_equal(config.train_count, 2);
    assert_int_equal(config.size_count, 1);
    assert_int_equal(config.sizes[0], 1000);
    assert_true(config.ways[PROBE_TO_PEERS] && config.ways[PROBE_BOTH_WAYS]);

    assert_true(read_words("bench 192.0.2.1 --secret s --part flood --direction both --train 8 "
                           "--size 64 --size 172 --flood-rate 7",
                           &config));
    assert_true(config.parts[PROBE_FLOOD]);
    assert_false(config.parts[PROBE_RATE]);
    assert_false(config.ways[PROBE_TO_PEERS]);
    assert_int_equal(config.size_count, 2);
    assert_int_equal(config.trains[0], 8);
    assert_int_equal(config.flood_rates[0], 7);
    assert_int_equal(config.flood_rate_count, 1);
}

static void knows_options_by_their_old_names(void **state)
{
    struct probe_config config;

    (void)state;
    assert_true(read_words("bench turn.example.org --user a --pass b -4", &config));
    assert_true(bytes_equal_text(config.password, "b"));
    assert_true(bytes_equal_text(config.server.name, "turn.example.org"));
    assert_int_equal(config.server.family, ADDR_IP4);
    assert_true(read_words("bench 192.0.2.1 --user a --password c", &config));
    assert_true(bytes_equal_text(config.password, "c"));
    assert_true(read_words("bench 192.0.2.1 --secret s", &config));
    assert_true(bytes_equal_text(config.secret, "s"));
    assert_true(read_words("bench 192.0.2.1 --auth-secret t", &config));
    assert_true(bytes_equal_text(config.secret, "t"));
}

static void refuses_what_it_cannot_do(void **state)
{
    static const char *const lines[] = {
        "bench --user a --password b",                      // no server
        "bench 192.0.2.1",                                  // no credential
        "bench 192.0.2.1 --user a",                         // half of one
        "bench 192.0.2.1 --user a --password b --secret s", // two
        "bench 192.0.2.1:0 --secret s",
        "bench 192.0.2.1:65536 --secret s",
        "bench 192.0.2.1: --secret s",
        "bench [2001:db8::1 --secret s",
        "bench [2001:db8::1]x --secret s",
        "bench turn.example.org:x --secret s",
        "bench 192.0.2.1 --pass b --password b --user a", // one by two names
        "bench 192.0.2.1 --auth-secret s --secret s",
        "bench 192.0.2.1 -6 --secret s",
        "bench turn.example.org -4 -6 --secret s",
        "bench 192.0.2.1 --secret s --size 23",
        "bench 192.0.2.1 --secret s --size 1401",
        "bench 192.0.2.1 --secret s --train 65",
        "bench 192.0.2.1 --secret s --train 64 --size 1400", // no datagram holds so much
        "bench 192.0.2.1 --secret s --size 24 --size 25 --size 26 --size 27 --size 28",
        "bench 192.0.2.1 --secret s --part all",
        "bench 192.0.2.1 --secret s --num-clients 0",
    };
    struct probe_config config;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_false(read_words(lines[i], &config));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_server_in_each_form),
        cmocka_unit_test(measures_all_but_floods_unless_told),
        cmocka_unit_test(knows_options_by_their_old_names),
        cmocka_unit_test(refuses_what_it_cannot_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
