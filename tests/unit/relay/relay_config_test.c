// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_args.h"
#include "conf/conf_env.h"
#include "conf/conf_file.h"
#include "host.h"
#include "relay/relay_options.h"

static struct conf conf;
static struct relay_config config;

// Up to two arguments, two variables, and a file; each NULL when there is none.
struct sources {
    const char *arguments[2];
    const char *variables[2];
    const char *file;
};

static bool read_sources(const struct sources *sources)
{
    static uint8_t memory[4096];
    struct wr scratch = wr_init(memory, sizeof memory);
    // Their owner could write to them; the readers do not.
    char *arguments[] = {(char *)"fairlead-relay", (char *)sources->arguments[0],
                         (char *)sources->arguments[1]};
    char *variables[] = {(char *)sources->variables[0], (char *)sources->variables[1], NULL};
    int count = 1;

    while (count < 3 && arguments[count] != NULL) {
        count++;
    }
    conf_init(&conf, &relay_options_table);
    conf_args_read(&conf, count, arguments);
    conf_env_read(&conf, variables, &scratch);
    conf_file_read(&conf, bytes_of_text(sources->file), "relay.conf");
    return relay_config_read(&conf, &config);
}

static void expect_errors(const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count && i < conf.errors.count; i++) {
        uint8_t memory[CONF_ERROR_TEXT_MAX];
        struct wr wr = wr_init(memory, sizeof memory);

        conf_error_write(&conf.errors, i, &wr);
        host_expect_text(wr_done(&wr), lines[i]);
    }
    assert_int_equal(conf.errors.count, count);
}

// A text that shows everything in `config` that can be said in one line.
static const char *shown(void)
{
    static uint8_t memory[4096];
    struct wr wr = wr_init(memory, sizeof memory - 1);
    const struct addr *addrs[] = {&config.public_ip4, &config.public_ip6, &config.bind_ip4,
                                  &config.bind_ip6};
    const uint16_t ports[] = {config.listen_port, config.lowest_port, config.highest_port};

    for (size_t i = 0; i < COUNT_OF(addrs); i++) {
        addr_ip_write(&wr, addrs[i]);
        wr_text(&wr, " ");
    }
    for (size_t i = 0; i < COUNT_OF(ports); i++) {
        wr_decimal(&wr, ports[i]);
        wr_text(&wr, " ");
    }
    wr_bytes(&wr, config.realm);
    wr_text(&wr, config.log_format == LOG_LINE_JSON ? " json" : " human");
    for (size_t i = 0; i < config.user_count; i++) {
        wr_text(&wr, " ");
        wr_bytes(&wr, config.users[i].name);
        wr_text(&wr, "|");
        wr_bytes(&wr, config.users[i].password);
    }
    for (size_t i = 0; i < config.rule_count; i++) {
        wr_text(&wr, config.rules[i].is_allowed ? " +" : " -");
        addr_ip_write(&wr, &config.rules[i].cidr.base);
        wr_text(&wr, "/");
        wr_decimal(&wr, config.rules[i].cidr.prefix_len);
    }
    assert_true(wr_ok(&wr));
    memory[wr.len] = '\0';
    return (const char *)memory;
}

#define DEFAULTS "none none 0.0.0.0 :: 3478 49152 65535 fairlead human"

static void has_defaults_for_everything(void **state)
{
    (void)state;
    assert_true(read_sources(&(struct sources){{0}}));
    assert_string_equal(shown(), DEFAULTS);
}

// Each option, as it is named on the command line and in the environment, and what it makes of
// the defaults.
static const struct {
    const char *name, *variable, *value, *shown;
} each[] = {
    {"public-ip4-addr", "PUBLIC_IP4_ADDR", "192.0.2.1",
     "192.0.2.1 none 0.0.0.0 :: 3478 49152 65535 fairlead human"},
    {"public-ip6-addr", "PUBLIC_IP6_ADDR", "2001:db8::1",
     "none 2001:db8::1 0.0.0.0 :: 3478 49152 65535 fairlead human"},
    {"bind-ip4-addr", "BIND_IP4_ADDR", "192.0.2.1",
     "none none 192.0.2.1 :: 3478 49152 65535 fairlead human"},
    {"bind-ip6-addr", "BIND_IP6_ADDR", "2001:db8::1",
     "none none 0.0.0.0 2001:db8::1 3478 49152 65535 fairlead human"},
    {"listen-port", "LISTEN_PORT", "1", "none none 0.0.0.0 :: 1 49152 65535 fairlead human"},
    {"lowest-port", "LOWEST_PORT", "65535", "none none 0.0.0.0 :: 3478 65535 65535 fairlead human"},
    {"highest-port", "HIGHEST_PORT", "49152",
     "none none 0.0.0.0 :: 3478 49152 49152 fairlead human"},
    {"realm", "FAIRLEAD_REALM", "a b", "none none 0.0.0.0 :: 3478 49152 65535 a b human"},
    {"user", "FAIRLEAD_USER", "alice:secret", DEFAULTS " alice|secret"},
    {"allow-peer", "FAIRLEAD_ALLOW_PEER", "10.1.0.0/16", DEFAULTS " +10.1.0.0/16"},
    {"deny-peer", "FAIRLEAD_DENY_PEER", "2001:db8::/32", DEFAULTS " -2001:db8::/32"},
    {"log-format", "LOG_FORMAT", "json", "none none 0.0.0.0 :: 3478 49152 65535 fairlead json"},
};

static void takes_each_option_from_each_source(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(each); i++) {
        char argument[64];
        char variable[64];
        char line[64];

        snprintf(argument, sizeof argument, "--%s=%s", each[i].name, each[i].value);
        snprintf(variable, sizeof variable, "%s=%s", each[i].variable, each[i].value);
        snprintf(line, sizeof line, "%s = %s\n", each[i].name, each[i].value);
        assert_true(read_sources(&(struct sources){.arguments = {argument}}));
        assert_string_equal(shown(), each[i].shown);
        assert_true(read_sources(&(struct sources){.variables = {variable}}));
        assert_string_equal(shown(), each[i].shown);
        assert_true(read_sources(&(struct sources){.file = line}));
        assert_string_equal(shown(), each[i].shown);
    }
}

static void lets_the_stronger_source_give_all_values(void **state)
{
    struct sources sources = {
        .arguments = {"--user=a:1", "--user=b:2"},
        .variables = {"FAIRLEAD_USER=c:3,d:4", "LISTEN_PORT=2"},
        .file = "user = e:5\nlisten-port = 3\nrealm = file\n",
    };

    (void)state;
    assert_true(read_sources(&sources));
    assert_string_equal(shown(), "none none 0.0.0.0 :: 2 49152 65535 file human a|1 b|2");
    sources.arguments[0] = NULL;
    assert_true(read_sources(&sources));
    assert_string_equal(shown(), "none none 0.0.0.0 :: 2 49152 65535 file human c|3 d|4");
    sources.variables[0] = NULL;
    assert_true(read_sources(&sources));
    assert_string_equal(shown(), "none none 0.0.0.0 :: 3 49152 65535 file human e|5");
}

static void splits_a_user_at_the_first_colon(void **state)
{
    (void)state;
    assert_true(read_sources(&(struct sources){.file = "user = alice:a:b::\nuser = bob::\n"}));
    assert_string_equal(shown(), DEFAULTS " alice|a:b:: bob|:");
    assert_true(read_sources(&(struct sources){.variables = {"FAIRLEAD_USER=al:a\\,b,bo:c\\\\d"}}));
    assert_string_equal(shown(), DEFAULTS " al|a,b bo|c\\d");
}

static void allows_names_of_508_bytes_and_no_more(void **state)
{
    char line[600] = "user = ";
    const size_t at = strlen(line);

    (void)state;
    memset(line + at, 'n', 509);
    strcpy(line + at + 508, ":hidden\n");
    assert_true(read_sources(&(struct sources){.file = line}));
    assert_int_equal(config.users[0].name.len, 508);
    host_expect_text(config.users[0].password, "hidden");
    line[at + 508] = 'n';
    strcpy(line + at + 509, ":hidden\n");
    assert_false(read_sources(&(struct sources){.file = line}));
    static const char *const lines[] = {
        "--user: the value has a name of more than 508 bytes (relay.conf, line 1)"};
    expect_errors(lines, COUNT_OF(lines));
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
        "--public-ip6-addr: '::' is no address that clients could be told; --bind-ip4-addr and "
        "--bind-ip6-addr take it (relay.conf, line 5)",
        "--bind-ip6-addr: '0.0.0.0' is not an IPv6 address such as 2001:db8::1 "
        "(relay.conf, line 6)",
        "--listen-port: '0' is not a port from 1 to 65535 (relay.conf, line 1)",
        "--lowest-port: '65536' is not a port from 1 to 65535 (relay.conf, line 2)",
        "--highest-port: 'many' is not a port from 1 to 65535 (relay.conf, line 3)",
        "--realm: '' is not a text from 1 to 127 bytes (relay.conf, line 7)",
        "--log-format: 'JSON' is none of: human, json (relay.conf, line 8)",
        "--allow-peer: '10.0.0.1/8' has bits set behind its prefix length; 10.0.0.0/8 has none "
        "(relay.conf, line 9)",
        "--deny-peer: '10.0.0.0/33' has no prefix length from 0 to 32 (IPv6: 128) behind the "
        "slash (relay.conf, line 10)",
    };

    (void)state;
    assert_false(read_sources(&(struct sources){.file = file}));
    expect_errors(lines, COUNT_OF(lines));
}

static void refuses_an_unspecified_public_address(void **state)
{
    static const char *const lines[] = {
        "--public-ip4-addr: '0.0.0.0' is no address that clients could be told; --bind-ip4-addr "
        "and --bind-ip6-addr take it (environment, PUBLIC_IP4_ADDR)"};

    (void)state;
    assert_false(read_sources(&(struct sources){.variables = {"PUBLIC_IP4_ADDR=0.0.0.0"}}));
    expect_errors(lines, COUNT_OF(lines));
    assert_true(read_sources(&(struct sources){.variables = {"BIND_IP4_ADDR=0.0.0.0"}}));
}

static void refuses_a_lowest_port_above_the_highest(void **state)
{
    static const char *const given[] = {
        "--lowest-port: '5001' is above --highest-port (command line, argument 1)"};
    static const char *const by_default[] = {
        "--lowest-port: '49152' is above --highest-port (default)"};

    (void)state;
    assert_false(read_sources(
        &(struct sources){.arguments = {"--lowest-port=5001", "--highest-port=5000"}}));
    expect_errors(given, COUNT_OF(given));
    assert_false(read_sources(&(struct sources){.arguments = {"--highest-port=5000"}}));
    expect_errors(by_default, COUNT_OF(by_default));
    assert_true(read_sources(
        &(struct sources){.arguments = {"--lowest-port=5000", "--highest-port=5000"}}));
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
    assert_false(read_sources(&(struct sources){.file = file}));
    expect_errors(lines, COUNT_OF(lines));
}

static void has_room_for_256_values_and_says_so(void **state)
{
    static char file[CONF_VALUE_MAX * 32];
    static const char *const lines[] = {
        "--deny-peer: there is room for 256 values of all options together "
        "(relay.conf, line 257)"};
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < CONF_VALUE_MAX; i++) {
        len += (size_t)sprintf(file + len, "deny-peer = 10.0.0.%u\n", i);
    }
    assert_true(read_sources(&(struct sources){.file = file}));
    assert_int_equal(config.rule_count, CONF_VALUE_MAX);
    strcpy(file + len, "deny-peer = 10.0.1.0\n");
    assert_false(read_sources(&(struct sources){.file = file}));
    expect_errors(lines, COUNT_OF(lines));

    len = 0;
    for (unsigned i = 0; i < CONF_VALUE_MAX; i++) {
        len += (size_t)sprintf(file + len, "user = u%u:p\n", i);
    }
    assert_true(read_sources(&(struct sources){.file = file}));
    assert_int_equal(config.user_count, CONF_VALUE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_defaults_for_everything),
        cmocka_unit_test(takes_each_option_from_each_source),
        cmocka_unit_test(lets_the_stronger_source_give_all_values),
        cmocka_unit_test(splits_a_user_at_the_first_colon),
        cmocka_unit_test(allows_names_of_508_bytes_and_no_more),
        cmocka_unit_test(tells_what_is_wrong_and_where),
        cmocka_unit_test(refuses_an_unspecified_public_address),
        cmocka_unit_test(refuses_a_lowest_port_above_the_highest),
        cmocka_unit_test(repeats_no_part_of_a_user_in_a_message),
        cmocka_unit_test(has_room_for_256_values_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
