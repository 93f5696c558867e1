// SPDX-License-Identifier: Apache-2.0
// What no configuration may say, and how far its values go.
#include "relay/relay_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "sources.h"

static void allows_names_of_508_bytes_and_no_more(void **state)
{
    char line[600] = "user = ";
    const size_t at = strlen(line);

    (void)state;
    memset(line + at, 'n', 509);
    strcpy(line + at + 508, ":hidden\n");
    assert_true(sources_read(&(struct sources){.file = line}));
    assert_int_equal(sources_config.users[0].name.len, 508);
    host_expect_text(sources_config.users[0].password, "hidden");
    line[at + 508] = 'n';
    strcpy(line + at + 509, ":hidden\n");
    assert_false(sources_read(&(struct sources){.file = line}));
    static const char *const lines[] = {
        "--user: the value has a name of more than 508 bytes (relay.conf, line 1)"};
    sources_expect_errors(lines, COUNT_OF(lines));
}

static void tells_what_is_wrong_and_where(void **state)
{
    static const char file[] = "listen-port = 0\n"
                               "lowest-port = 65536\n"
                               "highest-port = many\n"
                               "public-ip4-addr = 2001:db8::1\n"
                               "public-ip6-addr = ::\n"
                               "bind-ip6-addr = 0.0.0.0\n"
                               "realm = \"\"\n"
                               "log-format = JSON\n"
                               "allow-peer = 10.0.0.1/8\n"
                               "deny-peer = 10.0.0.0/33\n";
    static const char *const lines[] = {
        "--public-ip4-addr: '2001:db8::1' is not an IPv4 address such as 192.0.2.1 "
        "(relay.conf, line 4)",
        "--public-ip6-addr: '::' is no address that clients could be told (relay.conf, line 5)",
        "--bind-ip6-addr: '0.0.0.0' is not an IPv6 address such as 2001:db8::1 "
        "(relay.conf, line 6)",
        "--listen-port: '0' is not a port from 1 to 65535 (relay.conf, line 1)",
        "--lowest-port: '65536' is not a port from 1 to 65535 (relay.conf, line 2)",
        "--highest-port: 'many' is not a port from 1 to 65535 (relay.conf, line 3)",
        "--realm: '' is not a text from 1 to 127 bytes (relay.conf, line 7)",
        "--log-format: 'JSON' is none of: human, json, google-cloud (relay.conf, line 8)",
        "--allow-peer: '10.0.0.1/8' has bits set behind its prefix length; 10.0.0.0/8 has none "
        "(relay.conf, line 9)",
        "--deny-peer: '10.0.0.0/33' has no prefix length from 0 to 32 (IPv6: 128) behind the "
        "slash (relay.conf, line 10)",
    };

    (void)state;
    assert_false(sources_read(&(struct sources){.file = file}));
    sources_expect_errors(lines, COUNT_OF(lines));
}

static void refuses_an_unspecified_public_address(void **state)
{
    static const char *const lines[] = {
        "--public-ip4-addr: '0.0.0.0' is no address that clients could be told "
        "(environment, PUBLIC_IP4_ADDR)"};

    (void)state;
    assert_false(sources_read(&(struct sources){.variables = {"PUBLIC_IP4_ADDR=0.0.0.0"}}));
    sources_expect_errors(lines, COUNT_OF(lines));
    assert_true(sources_read(&(struct sources){.variables = {"BIND_IP4_ADDR=0.0.0.0"}}));
}

static void refuses_a_lowest_port_above_the_highest(void **state)
{
    static const char *const given[] = {
        "--lowest-port: '5001' is above --highest-port (command line, argument 1)"};
    static const char *const by_default[] = {
        "--lowest-port: '49152' is above --highest-port (default)"};

    (void)state;
    assert_false(sources_read(
        &(struct sources){.arguments = {"--lowest-port=5001", "--highest-port=5000"}}));
    sources_expect_errors(given, COUNT_OF(given));
    assert_false(sources_read(&(struct sources){.arguments = {"--highest-port=5000"}}));
    sources_expect_errors(by_default, COUNT_OF(by_default));
    assert_true(sources_read(
        &(struct sources){.arguments = {"--lowest-port=5000", "--highest-port=5000"}}));
}

static void refuses_a_demo_page_for_strangers_or_without_a_secret(void **state)
{
    static const char *const strangers[] = {
        "--demo-addr: '0.0.0.0:8088' is no address of loopback, "
        "such as 127.0.0.1:8088 (command line, argument 1)"};
    static const char *const full[] = {"--demo-addr: '127.0.0.1:8088' needs one --auth-secret for "
                                       "itself, and all 8 are given (command line, argument 1)"};

    (void)state;
    assert_false(sources_read(&(struct sources){.arguments = {"--demo-addr=0.0.0.0:8088"}}));
    sources_expect_errors(strangers, COUNT_OF(strangers));
    assert_true(sources_read(&(struct sources){
        .arguments = {"--demo-addr=127.0.0.1:8088"},
        .file = "auth-secret = a\nauth-secret = b\nauth-secret = c\nauth-secret = d\n"
                "auth-secret = e\nauth-secret = f\nauth-secret = g\n"}));
    assert_false(sources_read(&(struct sources){
        .arguments = {"--demo-addr=127.0.0.1:8088"},
        .file = "auth-secret = a\nauth-secret = b\nauth-secret = c\nauth-secret = d\n"
                "auth-secret = e\nauth-secret = f\nauth-secret = g\nauth-secret = h\n"}));
    sources_expect_errors(full, COUNT_OF(full));
}

static void repeats_no_part_of_a_user_in_a_message(void **state)
{
    static const char file[] = "user = hidden\nuser = :hidden\nuser = hidden:\nuser = \"\"\n";
    static const char *const lines[] = {
        "--user: the value is not of the form NAME:PASSWORD (relay.conf, line 1)",
        "--user: the value is not of the form NAME:PASSWORD (relay.conf, line 2)",
        "--user: the value is not of the form NAME:PASSWORD (relay.conf, line 3)",
        "--user: the value is not of the form NAME:PASSWORD (relay.conf, line 4)",
    };

    (void)state;
    assert_false(sources_read(&(struct sources){.file = file}));
    sources_expect_errors(lines, COUNT_OF(lines));
}

static void has_room_for_4096_values_and_says_so(void **state)
{
    static char file[CONF_VALUE_MAX * 32];
    static const char *const lines[] = {
        "--deny-peer: there is room for 4096 values of all options together "
        "(relay.conf, line 4097)"};
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < CONF_VALUE_MAX; i++) {
        len += (size_t)sprintf(file + len, "deny-peer = 10.0.%u.%u\n", i / 256, i % 256);
    }
    assert_true(sources_read(&(struct sources){.file = file}));
    assert_int_equal(sources_config.rule_count, CONF_VALUE_MAX);
    strcpy(file + len, "deny-peer = 10.1.0.0\n");
    assert_false(sources_read(&(struct sources){.file = file}));
    sources_expect_errors(lines, COUNT_OF(lines));

    len = 0;
    for (unsigned i = 0; i < CONF_VALUE_MAX; i++) {
        len += (size_t)sprintf(file + len, "user = u%u:p\n", i);
    }
    assert_true(sources_read(&(struct sources){.file = file}));
    assert_int_equal(sources_config.user_count, CONF_VALUE_MAX);
}

static void refuses_a_user_who_is_named_twice(void **state)
{
    static const char *const lines[] = {
        "--user: the value names a user for the second time (relay.conf, line 2)"};

    (void)state;
    assert_false(sources_read(&(struct sources){.file = "user = alice:one\nuser = alice:two\n"}));
    sources_expect_errors(lines, COUNT_OF(lines));
}

static void takes_up_to_16_interfaces_each_once(void **state)
{
    static const char *const lines[] = {
        "--ebpf-offloading: 'a' names an interface for the second time (relay.conf, line 2)"};
    static const char *const too_many[] = {"--ebpf-offloading: 'eth16' is one interface more than "
                                           "the 16 there may be (relay.conf, line 17)"};
    static const char *const too_long[] = {"--ebpf-offloading: 'a123456789012345' is not a text "
                                           "from 1 to 15 bytes (relay.conf, line 1)"};
    char file[1024];
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < 17; i++) {
        len += (size_t)sprintf(file + len, "ebpf-offloading = eth%u\n", i);
    }
    assert_false(sources_read(&(struct sources){.file = file}));
    sources_expect_errors(too_many, COUNT_OF(too_many));
    assert_false(
        sources_read(&(struct sources){.file = "ebpf-offloading = a\nebpf-offloading = a\n"}));
    sources_expect_errors(lines, COUNT_OF(lines));
    assert_false(sources_read(&(struct sources){.file = "ebpf-offloading = a123456789012345\n"}));
    sources_expect_errors(too_long, COUNT_OF(too_long));
    assert_true(sources_read(
        &(struct sources){.file = "ebpf-offloading = eth0\nebpf-offloading = auto\n"}));
    assert_true(sources_config.is_ebpf_auto);
    assert_int_equal(sources_config.ebpf_link_count, 1);
}

static void refuses_public_addresses_that_lead_nowhere(void **state)
{
    static const char *const files[] = {
        "public-ip4-addr = 224.0.0.1\n",      "public-ip4-addr = 255.255.255.255\n",
        "public-ip6-addr = ff02::1\n",        "public-ip6-addr = fe80::1\n",
        "public-ip6-addr = ::ffff:1.2.3.4\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        assert_false(sources_read(&(struct sources){.file = files[i]}));
    }
    assert_true(sources_read(&(struct sources){.file = "public-ip4-addr = 127.0.0.1\n"}));
}

static void takes_limits_within_their_range(void **state)
{
    static const struct {
        const char *name;
        unsigned max;
    } limits[] = {
        {"max-allocations", 65536},
        {"max-permissions", 16777216},
        {"max-channels", 16777216},
        {"user-quota", 65536},
        {"permissions-per-allocation", 65535},
        {"channels-per-allocation", 65535},
        {"num-worker-threads", 256},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        const unsigned wrong[] = {0, limits[i].max + 1};
        for (size_t k = 0; k < COUNT_OF(wrong); k++) {
            char line[64];
            char expected[128];
            snprintf(line, sizeof line, "%s = %u\n", limits[i].name, wrong[k]);
            snprintf(expected, sizeof expected,
                     "--%s: '%u' is not a number from 1 to %u (relay.conf, line 1)", limits[i].name,
                     wrong[k], limits[i].max);
            assert_false(sources_read(&(struct sources){.file = line}));
            sources_expect_errors(&(const char *const){expected}, 1);
        }
    }
}

static void takes_rates_within_their_range_and_zero(void **state)
{
    static const struct {
        const char *name;
        const char *max, *above;
    } rates[] = {
        {"unauthenticated-rate", "100000000", "100000001"},
        {"max-pps", "100000000", "100000001"},
        {"max-bps", "100000000000", "100000000001"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        char line[64];
        char expected[128];
        snprintf(line, sizeof line, "%s = %s\n", rates[i].name, rates[i].max);
        assert_true(sources_read(&(struct sources){.file = line}));
        snprintf(line, sizeof line, "%s = 0\n", rates[i].name);
        assert_true(sources_read(&(struct sources){.file = line}));
        snprintf(line, sizeof line, "%s = %s\n", rates[i].name, rates[i].above);
        snprintf(expected, sizeof expected,
                 "--%s: '%s' is not a number from 0 to %s (relay.conf, line 1)", rates[i].name,
                 rates[i].above, rates[i].max);
        assert_false(sources_read(&(struct sources){.file = line}));
        sources_expect_errors(&(const char *const){expected}, 1);
    }
}

static void takes_a_shortest_lifetime_up_to_the_longest_there_is(void **state)
{
    static const char *const lines[] = {
        "--min-lifetime: '3601' is not a number from 1 to 3600 (relay.conf, line 1)"};

    (void)state;
    assert_true(sources_read(&(struct sources){.file = "min-lifetime = 3600\n"}));
    assert_int_equal(sources_config.min_lifetime_s, 3600);
    assert_false(sources_read(&(struct sources){.file = "min-lifetime = 3601\n"}));
    sources_expect_errors(lines, COUNT_OF(lines));
}

static void takes_eight_secrets_and_no_more(void **state)
{
    static char file[512];
    static const char *const lines[] = {
        "--auth-secret: the value is one secret more than the 8 there may be "
        "(relay.conf, line 9)"};
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < TURN_CONFIG_SECRET_COUNT; i++) {
        len += (size_t)sprintf(file + len, "auth-secret = hidden%u\n", i);
    }
    assert_true(sources_read(&(struct sources){.file = file}));
    assert_int_equal(sources_config.auth_secret_count, TURN_CONFIG_SECRET_COUNT);
    host_expect_text(sources_config.auth_secrets[7], "hidden7");
    strcpy(file + len, "auth-secret = hidden8\n");
    assert_false(sources_read(&(struct sources){.file = file}));
    sources_expect_errors(lines, COUNT_OF(lines));
}

static void takes_secrets_of_128_bytes_and_repeats_none_of_them(void **state)
{
    static const char *const names[] = {"auth-secret", "stamp-secret"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char line[256];
        char expected[128];

        snprintf(line, sizeof line, "%s = %0128d\n", names[i], 7);
        assert_true(sources_read(&(struct sources){.file = line}));
        snprintf(expected, sizeof expected,
                 "--%s: the value is not a text from 1 to 128 bytes (relay.conf, line 1)",
                 names[i]);
        snprintf(line, sizeof line, "%s = %0129d\n", names[i], 7);
        assert_false(sources_read(&(struct sources){.file = line}));
        sources_expect_errors(&(const char *const){expected}, 1);
        snprintf(line, sizeof line, "%s = \"\"\n", names[i]);
        assert_false(sources_read(&(struct sources){.file = line}));
        sources_expect_errors(&(const char *const){expected}, 1);
    }
}

// One realm cannot stand for two manners.
static void refuses_the_realm_of_firezone_beside_a_stamp_secret(void **state)
{
    static const char *const lines[] = {
        "--stamp-secret: the value cannot be used beside --realm firezone "
        "(environment, FAIRLEAD_STAMP_SECRET)"};

    (void)state;
    assert_false(sources_read(&(struct sources){.arguments = {"--realm=firezone"},
                                                .variables = {"FAIRLEAD_STAMP_SECRET=hidden"}}));
    sources_expect_errors(lines, COUNT_OF(lines));
    assert_true(sources_read(&(struct sources){.arguments = {"--realm=firezone"}}));
    assert_true(sources_read(&(struct sources){.arguments = {"--realm=Firezone"},
                                               .variables = {"FAIRLEAD_STAMP_SECRET=hidden"}}));
}

static void takes_software_of_127_bytes_or_none(void **state)
{
    char line[256];

    (void)state;
    snprintf(line, sizeof line, "software = %0127d\n", 7);
    assert_true(sources_read(&(struct sources){.file = line}));
    assert_int_equal(sources_config.software.len, 127);
    snprintf(line, sizeof line, "software = %0128d\n", 7);
    assert_false(sources_read(&(struct sources){.file = line}));
    assert_true(sources_read(&(struct sources){.file = "software = \"\"\n"}));
    assert_int_equal(sources_config.software.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allows_names_of_508_bytes_and_no_more),
        cmocka_unit_test(tells_what_is_wrong_and_where),
        cmocka_unit_test(refuses_an_unspecified_public_address),
        cmocka_unit_test(refuses_a_lowest_port_above_the_highest),
        cmocka_unit_test(refuses_a_demo_page_for_strangers_or_without_a_secret),
        cmocka_unit_test(repeats_no_part_of_a_user_in_a_message),
        cmocka_unit_test(has_room_for_4096_values_and_says_so),
        cmocka_unit_test(refuses_a_user_who_is_named_twice),
        cmocka_unit_test(takes_up_to_16_interfaces_each_once),
        cmocka_unit_test(refuses_public_addresses_that_lead_nowhere),
        cmocka_unit_test(takes_limits_within_their_range),
        cmocka_unit_test(takes_rates_within_their_range_and_zero),
        cmocka_unit_test(takes_a_shortest_lifetime_up_to_the_longest_there_is),
        cmocka_unit_test(takes_eight_secrets_and_no_more),
        cmocka_unit_test(takes_secrets_of_128_bytes_and_repeats_none_of_them),
        cmocka_unit_test(refuses_the_realm_of_firezone_beside_a_stamp_secret),
        cmocka_unit_test(takes_software_of_127_bytes_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
