// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_value.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "sample.h"

// A value of an option, as line 7 of a file gives it.
static struct conf_value value_of(const char *name, const char *text)
{
    return (struct conf_value){
        .option = conf_option_find(&sample_table, bytes_of_text(name)),
        .place = {CONF_FILE, 7},
        .text = bytes_of_text(text),
    };
}

static void reads_numbers_within_their_range(void **state)
{
    static const struct {
        const char *text;
        uint64_t number;
    } good[] = {{"60", 60}, {"3600", 3600}, {"0061", 61}};
    static const char *const bad[] = {
        "59", "3601", "", "-60", "60s", " 60", "0x3c", "1e3", "99999999999999999999999"};
    uint64_t number = 7;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct conf_errors errors = {0};
        struct conf_value value = value_of("realm", good[i].text);
        assert_true(conf_value_number(&errors, &value, 60, 3600, &number));
        assert_int_equal(number, good[i].number);
        assert_int_equal(errors.count, 0);
    }
    number = 7;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct conf_errors errors = {0};
        struct conf_value value = value_of("realm", bad[i]);
        assert_false(conf_value_number(&errors, &value, 60, 3600, &number));
        assert_int_equal(number, 7);
        assert_int_equal(errors.count, 1);
    }
}

static void reads_ports(void **state)
{
    struct conf_errors errors = {0};
    struct conf_value good = value_of("listen-port", "65535");
    struct conf_value zero = value_of("listen-port", "0");
    struct conf_value bad = value_of("listen-port", "70000");
    uint16_t port = 0;

    (void)state;
    assert_true(conf_value_port(&errors, &good, &port));
    assert_false(conf_value_port(&errors, &bad, &port));
    assert_false(conf_value_port(&errors, &zero, &port));
    assert_int_equal(port, 65535);
    SAMPLE_ERRORS(&errors, "--listen-port: '70000' is not a port from 1 to 65535 (file, line 7)",
                  "--listen-port: '0' is not a port from 1 to 65535 (file, line 7)", NULL);
}

static void reads_addresses_of_the_family_that_is_asked_for(void **state)
{
    struct conf_errors errors = {0};
    struct conf_value ip4 = value_of("realm", "192.0.2.1");
    struct conf_value ip6 = value_of("realm", "2001:db8::1");
    struct conf_value name = value_of("realm", "example.net");
    struct addr addr = {0};

    (void)state;
    assert_true(conf_value_addr(&errors, &ip4, ADDR_IP4, &addr));
    assert_int_equal(addr.family, ADDR_IP4);
    assert_true(conf_value_addr(&errors, &ip6, ADDR_IP6, &addr));
    assert_true(conf_value_addr(&errors, &ip4, ADDR_NONE, &addr));
    assert_true(conf_value_addr(&errors, &ip6, ADDR_NONE, &addr));
    assert_int_equal(addr.family, ADDR_IP6);
    assert_false(conf_value_addr(&errors, &ip6, ADDR_IP4, &addr));
    assert_false(conf_value_addr(&errors, &ip4, ADDR_IP6, &addr));
    assert_false(conf_value_addr(&errors, &name, ADDR_NONE, &addr));
    assert_int_equal(addr.family, ADDR_IP6);
    SAMPLE_ERRORS(&errors,
                  "--realm: '2001:db8::1' is not an IPv4 address such as 192.0.2.1 (file, line 7)",
                  "--realm: '192.0.2.1' is not an IPv6 address such as 2001:db8::1 (file, line 7)",
                  "--realm: 'example.net' is not an IP address such as 192.0.2.1 or 2001:db8::1 "
                  "(file, line 7)",
                  NULL);
}

static void reads_an_address_with_its_port(void **state)
{
    struct conf_errors errors = {0};
    struct conf_value good = value_of("realm", "[::1]:8080");
    struct conf_value bare = value_of("realm", "127.0.0.1");
    struct conf_value zero = value_of("realm", "127.0.0.1:0");
    struct addr addr = {0};

    (void)state;
    assert_false(conf_value_socket(&errors, NULL, &addr));
    assert_false(conf_value_socket(&errors, &bare, &addr));
    assert_false(conf_value_socket(&errors, &zero, &addr));
    assert_int_equal(addr.family, ADDR_NONE);
    assert_true(conf_value_socket(&errors, &good, &addr));
    assert_int_equal(addr.port, 8080);
    SAMPLE_ERRORS(&errors,
                  "--realm: '127.0.0.1' is not an address and port such as 127.0.0.1:8080 or "
                  "[::1]:8080 (file, line 7)",
                  "--realm: '127.0.0.1:0' is not an address and port such as 127.0.0.1:8080 or "
                  "[::1]:8080 (file, line 7)",
                  NULL);
}

static void reads_prefixes_and_says_what_is_wrong_with_one(void **state)
{
    struct conf_errors errors = {0};
    struct conf_value good = value_of("allow-peer", "10.0.0.0/8");
    struct conf_value host = value_of("allow-peer", "10.0.0.1/8");
    struct conf_value length = value_of("allow-peer", "10.0.0.0/33");
    struct conf_value name = value_of("allow-peer", "lan");
    struct cidr cidr = {0};

    (void)state;
    assert_true(conf_value_cidr(&errors, &good, &cidr));
    assert_false(conf_value_cidr(&errors, &host, &cidr));
    assert_false(conf_value_cidr(&errors, &length, &cidr));
    assert_false(conf_value_cidr(&errors, &name, &cidr));
    assert_int_equal(cidr.prefix_len, 8);
    SAMPLE_ERRORS(&errors,
                  "--allow-peer: '10.0.0.1/8' has bits set behind its prefix length; 10.0.0.0/8 "
                  "has none (file, line 7)",
                  "--allow-peer: '10.0.0.0/33' has no prefix length from 0 to 32 (IPv6: 128) "
                  "behind the slash (file, line 7)",
                  "--allow-peer: 'lan' is not an address prefix such as 10.0.0.0/8 or "
                  "2001:db8::/32 (file, line 7)",
                  NULL);
}

static void reads_booleans_in_their_spellings(void **state)
{
    static const struct {
        const char *text;
        bool is_good;
        bool value;
    } cases[] = {
        {"true", true, true},   {"yes", true, true}, {"on", true, true},   {"1", true, true},
        {"false", true, false}, {"no", true, false}, {"off", true, false}, {"0", true, false},
        {"True", false, false}, {"", false, false},  {"2", false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct conf_errors errors = {0};
        struct conf_value value = value_of("is-quiet", cases[i].text);
        bool is_set = !cases[i].value;
        assert_int_equal(conf_value_bool(&errors, &value, &is_set), cases[i].is_good);
        assert_int_equal(is_set, cases[i].is_good == cases[i].value);
        assert_int_equal(errors.count, cases[i].is_good ? 0 : 1);
    }
}

static void reads_one_of_some_words(void **state)
{
    static const char *const words[] = {"human", "json"};
    struct conf_errors errors = {0};
    struct conf_value good = value_of("realm", "json");
    struct conf_value bad = value_of("realm", "xml");
    size_t word = 7;

    (void)state;
    assert_true(conf_value_word(&errors, &good, words, COUNT_OF(words), &word));
    assert_int_equal(word, 1);
    assert_false(conf_value_word(&errors, &bad, words, COUNT_OF(words), &word));
    assert_int_equal(word, 1);
    SAMPLE_ERRORS(&errors, "--realm: 'xml' is none of: human, json (file, line 7)", NULL);
}

static void reads_durations_within_their_range(void **state)
{
    struct conf_errors errors = {0};
    struct conf_value good = value_of("realm", "1h 30m");
    struct conf_value bare = value_of("realm", "90");
    struct conf_value less = value_of("realm", "59s");
    uint64_t seconds = 0;

    (void)state;
    assert_true(conf_value_duration(&errors, &good, 60, 86400, &seconds));
    assert_false(conf_value_duration(&errors, &bare, 60, 86400, &seconds));
    assert_false(conf_value_duration(&errors, &less, 60, 86400, &seconds));
    assert_int_equal(seconds, 5400);
    SAMPLE_ERRORS(&errors, "--realm: '90' is not a duration such as 1d 2h 30m 45s (file, line 7)",
                  "--realm: '59s' is not a duration from 60 to 86400 seconds (file, line 7)", NULL);
}

static void reads_texts_of_some_length(void **state)
{
    struct conf_errors errors = {0};
    struct conf_value good = value_of("realm", "abc");
    struct conf_value empty = value_of("realm", "");
    struct conf_value long_one = value_of("realm", "abcd");
    struct bytes text = {0};

    (void)state;
    assert_true(conf_value_text(&errors, &good, 1, 3, &text));
    assert_false(conf_value_text(&errors, &empty, 1, 3, &text));
    assert_false(conf_value_text(&errors, &long_one, 1, 3, &text));
    assert_true(bytes_equal_text(text, "abc"));
    SAMPLE_ERRORS(&errors, "--realm: '' is not a text from 1 to 3 bytes (file, line 7)",
                  "--realm: 'abcd' is not a text from 1 to 3 bytes (file, line 7)", NULL);
}

static void finds_nothing_wrong_with_what_was_not_given(void **state)
{
    static const char *const words[] = {"human", "json"};
    struct conf_errors errors = {0};
    uint64_t number = 7;
    uint16_t port = 7;
    struct addr addr = {0};
    struct cidr cidr = {0};
    bool is_set = true;
    size_t word = 7;
    struct bytes text = {0};

    (void)state;
    assert_false(conf_value_number(&errors, NULL, 0, 9, &number));
    assert_false(conf_value_duration(&errors, NULL, 0, 9, &number));
    assert_false(conf_value_port(&errors, NULL, &port));
    assert_false(conf_value_addr(&errors, NULL, ADDR_IP4, &addr));
    assert_false(conf_value_cidr(&errors, NULL, &cidr));
    assert_false(conf_value_bool(&errors, NULL, &is_set));
    assert_false(conf_value_word(&errors, NULL, words, COUNT_OF(words), &word));
    assert_false(conf_value_text(&errors, NULL, 0, 9, &text));
    assert_int_equal(errors.count, 0);
    assert_int_equal(number, 7);
    assert_int_equal(port, 7);
    assert_int_equal(word, 7);
    assert_true(is_set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers_within_their_range),
        cmocka_unit_test(reads_ports),
        cmocka_unit_test(reads_addresses_of_the_family_that_is_asked_for),
        cmocka_unit_test(reads_an_address_with_its_port),
        cmocka_unit_test(reads_prefixes_and_says_what_is_wrong_with_one),
        cmocka_unit_test(reads_booleans_in_their_spellings),
        cmocka_unit_test(reads_one_of_some_words),
        cmocka_unit_test(reads_durations_within_their_range),
        cmocka_unit_test(reads_texts_of_some_length),
        cmocka_unit_test(finds_nothing_wrong_with_what_was_not_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
