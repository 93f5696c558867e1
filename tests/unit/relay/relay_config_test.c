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

// The secrets, SOFTWARE and the flag, if they are given.
static void show_access(struct wr *wr)
{
    for (size_t i = 0; i < config.auth_secret_count; i++) {
        wr_text(wr, " auth=");
        wr_bytes(wr, config.auth_secrets[i]);
    }
    if (config.stamp_secret.len > 0) {
        wr_text(wr, " stamp=");
        wr_bytes(wr, config.stamp_secret);
    }
    if (config.software.len > 0) {
        wr_text(wr, " software=");
        wr_bytes(wr, config.software);
    }
    wr_text(wr, config.is_amplification_strict ? " strict" : "");
}

// The limits that are not the default's.
static void show_limits(struct wr *wr)
{
    const struct {
        const char *name;
        uint64_t value, usual;
    } limits[] = {
        {" min-lifetime=", config.min_lifetime_s, 600},
        {" max-allocations=", config.max_allocations, 16384},
        {" max-permissions=", config.max_permissions, 65536},
        {" max-channels=", config.max_channels, 65536},
        {" user-quota=", config.user_quota, 64},
        {" permissions-per-allocation=", config.permissions_per_allocation, 64},
        {" channels-per-allocation=", config.channels_per_allocation, 64},
        {" max-pps=", config.max_pps, 0},
        {" max-bps=", config.max_bps, 0},
        {" unauthenticated-rate=", config.unauthenticated_rate, 20000},
        {" num-worker-threads=", config.worker_count, 0},
    };

    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        if (limits[i].value != limits[i].usual) {
            wr_text(wr, limits[i].name);
            wr_decimal(wr, limits[i].value);
        }
    }
}

static void show_offloading(struct wr *wr)
{
    static const char *const modes[] = {"", " driver", " generic"};

    wr_text(wr, config.is_ebpf_auto ? " ebpf=auto" : "");
    for (size_t i = 0; i < config.ebpf_link_count; i++) {
        wr_text(wr, " ebpf=");
        wr_bytes(wr, config.ebpf_links[i]);
    }
    wr_text(wr, modes[config.ebpf_attach]);
    if (config.ebpf_int4.family != ADDR_NONE) {
        wr_text(wr, " int4=");
        addr_ip_write(wr, &config.ebpf_int4);
    }
    if (config.ebpf_int6.family != ADDR_NONE) {
        wr_text(wr, " int6=");
        addr_ip_write(wr, &config.ebpf_int6);
    }
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
    show_access(&wr);
    show_limits(&wr);
    show_offloading(&wr);
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
    {"auth-secret", "FAIRLEAD_AUTH_SECRET", "north", DEFAULTS " auth=north"},
    {"stamp-secret", "FAIRLEAD_STAMP_SECRET", "4c98", DEFAULTS " stamp=4c98"},
    {"software", "FAIRLEAD_SOFTWARE", "a relay", DEFAULTS " software=a relay"},
    {"strict-amplification", "FAIRLEAD_STRICT_AMPLIFICATION", "yes", DEFAULTS " strict"},
    {"min-lifetime", "FAIRLEAD_MIN_LIFETIME", "5", DEFAULTS " min-lifetime=5"},
    {"max-allocations", "FAIRLEAD_MAX_ALLOCATIONS", "65536", DEFAULTS " max-allocations=65536"},
    {"max-permissions", "FAIRLEAD_MAX_PERMISSIONS", "1", DEFAULTS " max-permissions=1"},
    {"max-channels", "FAIRLEAD_MAX_CHANNELS", "16777216", DEFAULTS " max-channels=16777216"},
    {"user-quota", "FAIRLEAD_USER_QUOTA", "2", DEFAULTS " user-quota=2"},
    {"permissions-per-allocation", "FAIRLEAD_PERMISSIONS_PER_ALLOCATION", "65535",
     DEFAULTS " permissions-per-allocation=65535"},
    {"channels-per-allocation", "FAIRLEAD_CHANNELS_PER_ALLOCATION", "3",
     DEFAULTS " channels-per-allocation=3"},
    {"max-pps", "FAIRLEAD_MAX_PPS", "100", DEFAULTS " max-pps=100"},
    {"max-bps", "FAIRLEAD_MAX_BPS", "100000000000", DEFAULTS " max-bps=100000000000"},
    {"unauthenticated-rate", "FAIRLEAD_UNAUTHENTICATED_RATE", "0",
     DEFAULTS " unauthenticated-rate=0"},
    {"num-worker-threads", "NUM_WORKER_THREADS", "256", DEFAULTS " num-worker-threads=256"},
    {"ebpf-offloading", "EBPF_OFFLOADING", "eth0", DEFAULTS " ebpf=eth0"},
    {"ebpf-offloading", "EBPF_OFFLOADING", "auto", DEFAULTS " ebpf=auto"},
    {"ebpf-attach-mode", "EBPF_ATTACH_MODE", "generic", DEFAULTS " generic"},
    {"ebpf-int4-addr", "EBPF_INT4_ADDR", "10.0.0.4", DEFAULTS " int4=10.0.0.4"},
    {"ebpf-int6-addr", "EBPF_INT6_ADDR", "fd00::4", DEFAULTS " int6=fd00::4"},
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
        "--public-ip6-addr: '::' is no address that clients could be told (relay.conf, line 5)",
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
        "--public-ip4-addr: '0.0.0.0' is no address that clients could be told "
        "(environment, PUBLIC_IP4_ADDR)"};

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
    assert_true(read_sources(&(struct sources){.file = file}));
    assert_int_equal(config.rule_count, CONF_VALUE_MAX);
    strcpy(file + len, "deny-peer = 10.1.0.0\n");
    assert_false(read_sources(&(struct sources){.file = file}));
    expect_errors(lines, COUNT_OF(lines));

    len = 0;
    for (unsigned i = 0; i < CONF_VALUE_MAX; i++) {
        len += (size_t)sprintf(file + len, "user = u%u:p\n", i);
    }
    assert_true(read_sources(&(struct sources){.file = file}));
    assert_int_equal(config.user_count, CONF_VALUE_MAX);
}

static void refuses_a_user_who_is_named_twice(void **state)
{
    static const char *const lines[] = {
        "--user: the value names a user for the second time (relay.conf, line 2)"};

    (void)state;
    assert_false(read_sources(&(struct sources){.file = "user = alice:one\nuser = alice:two\n"}));
    expect_errors(lines, COUNT_OF(lines));
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
    assert_false(read_sources(&(struct sources){.file = file}));
    expect_errors(too_many, COUNT_OF(too_many));
    assert_false(
        read_sources(&(struct sources){.file = "ebpf-offloading = a\nebpf-offloading = a\n"}));
    expect_errors(lines, COUNT_OF(lines));
    assert_false(read_sources(&(struct sources){.file = "ebpf-offloading = a123456789012345\n"}));
    expect_errors(too_long, COUNT_OF(too_long));
    assert_true(read_sources(
        &(struct sources){.file = "ebpf-offloading = eth0\nebpf-offloading = auto\n"}));
    assert_true(config.is_ebpf_auto);
    assert_int_equal(config.ebpf_link_count, 1);
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
        assert_false(read_sources(&(struct sources){.file = files[i]}));
    }
    assert_true(read_sources(&(struct sources){.file = "public-ip4-addr = 127.0.0.1\n"}));
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
            assert_false(read_sources(&(struct sources){.file = line}));
            expect_errors(&(const char *const){expected}, 1);
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
        assert_true(read_sources(&(struct sources){.file = line}));
        snprintf(line, sizeof line, "%s = 0\n", rates[i].name);
        assert_true(read_sources(&(struct sources){.file = line}));
        snprintf(line, sizeof line, "%s = %s\n", rates[i].name, rates[i].above);
        snprintf(expected, sizeof expected,
                 "--%s: '%s' is not a number from 0 to %s (relay.conf, line 1)", rates[i].name,
                 rates[i].above, rates[i].max);
        assert_false(read_sources(&(struct sources){.file = line}));
        expect_errors(&(const char *const){expected}, 1);
    }
}

static void takes_a_shortest_lifetime_up_to_the_longest_there_is(void **state)
{
    static const char *const lines[] = {
        "--min-lifetime: '3601' is not a number from 1 to 3600 (relay.conf, line 1)"};

    (void)state;
    assert_true(read_sources(&(struct sources){.file = "min-lifetime = 3600\n"}));
    assert_int_equal(config.min_lifetime_s, 3600);
    assert_false(read_sources(&(struct sources){.file = "min-lifetime = 3601\n"}));
    expect_errors(lines, COUNT_OF(lines));
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
    assert_true(read_sources(&(struct sources){.file = file}));
    assert_int_equal(config.auth_secret_count, TURN_CONFIG_SECRET_COUNT);
    host_expect_text(config.auth_secrets[7], "hidden7");
    strcpy(file + len, "auth-secret = hidden8\n");
    assert_false(read_sources(&(struct sources){.file = file}));
    expect_errors(lines, COUNT_OF(lines));
}

static void takes_secrets_of_128_bytes_and_repeats_none_of_them(void **state)
{
    static const char *const names[] = {"auth-secret", "stamp-secret"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char line[256];
        char expected[128];

        snprintf(line, sizeof line, "%s = %0128d\n", names[i], 7);
        assert_true(read_sources(&(struct sources){.file = line}));
        snprintf(expected, sizeof expected,
                 "--%s: the value is not a text from 1 to 128 bytes (relay.conf, line 1)",
                 names[i]);
        snprintf(line, sizeof line, "%s = %0129d\n", names[i], 7);
        assert_false(read_sources(&(struct sources){.file = line}));
        expect_errors(&(const char *const){expected}, 1);
        snprintf(line, sizeof line, "%s = \"\"\n", names[i]);
        assert_false(read_sources(&(struct sources){.file = line}));
        expect_errors(&(const char *const){expected}, 1);
    }
}

// One realm cannot stand for two manners.
static void refuses_the_realm_of_firezone_beside_a_stamp_secret(void **state)
{
    static const char *const lines[] = {
        "--stamp-secret: the value cannot be used beside --realm firezone "
        "(environment, FAIRLEAD_STAMP_SECRET)"};

    (void)state;
    assert_false(read_sources(&(struct sources){.arguments = {"--realm=firezone"},
                                                .variables = {"FAIRLEAD_STAMP_SECRET=hidden"}}));
    expect_errors(lines, COUNT_OF(lines));
    assert_true(read_sources(&(struct sources){.arguments = {"--realm=firezone"}}));
    assert_true(read_sources(&(struct sources){.arguments = {"--realm=Firezone"},
                                               .variables = {"FAIRLEAD_STAMP_SECRET=hidden"}}));
}

static void takes_software_of_127_bytes_or_none(void **state)
{
    char line[256];

    (void)state;
    snprintf(line, sizeof line, "software = %0127d\n", 7);
    assert_true(read_sources(&(struct sources){.file = line}));
    assert_int_equal(config.software.len, 127);
    snprintf(line, sizeof line, "software = %0128d\n", 7);
    assert_false(read_sources(&(struct sources){.file = line}));
    assert_true(read_sources(&(struct sources){.file = "software = \"\"\n"}));
    assert_int_equal(config.software.len, 0);
}

static void has_a_credential_of_each_kind(void **state)
{
    static const char *const files[] = {"user = a:b\n", "auth-secret = s\n", "stamp-secret = s\n"};

    (void)state;
    assert_true(read_sources(&(struct sources){{0}}));
    assert_false(relay_config_has_credential(&config));
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        assert_true(read_sources(&(struct sources){.file = files[i]}));
        assert_true(relay_config_has_credential(&config));
    }
}

static void tells_the_server_all_that_it_has_read(void **state)
{
    static const char file[] = "public-ip4-addr = 198.51.100.1\n"
                               "bind-ip6-addr = 2001:db8::1\n"
                               "lowest-port = 50000\nhighest-port = 50001\n"
                               "realm = example.org\nuser = a:b\n"
                               "auth-secret = north\nauth-secret = south\nstamp-secret = 4c98\n"
                               "deny-peer = 10.0.0.0/8\nsoftware = text\n"
                               "strict-amplification = true\nmin-lifetime = 700\n"
                               "max-allocations = 1\nmax-permissions = 2\nmax-channels = 3\n"
                               "user-quota = 4\npermissions-per-allocation = 5\n"
                               "channels-per-allocation = 6\nunauthenticated-rate = 7\n"
                               "max-pps = 8\nmax-bps = 9\n";

    (void)state;
    assert_true(read_sources(&(struct sources){.file = file}));
    config.own_addrs[0] = host_loopback(ADDR_IP4, 0);
    config.own_addr_count = 1;
    const struct turn_config turn = relay_config_turn(&config);
    assert_true(addr_equal(&turn.public_ip4, &config.public_ip4));
    assert_int_equal(turn.public_ip6.family, ADDR_NONE);
    assert_true(addr_is_unspecified(&turn.bind_ip4));
    assert_true(addr_equal(&turn.bind_ip6, &config.bind_ip6));
    assert_int_equal(turn.own_addr_count, 1);
    assert_true(addr_is_loopback(&turn.own_addrs[0]));
    assert_int_equal(turn.lowest_port, 50000);
    assert_int_equal(turn.highest_port, 50001);
    assert_int_equal(turn.shard_count, 1);
    host_expect_text(turn.realm, "example.org");
    assert_int_equal(turn.user_count, 1);
    host_expect_text(turn.users[0].name, "a");
    assert_int_equal(turn.auth_secret_count, 2);
    host_expect_text(turn.auth_secrets[1], "south");
    host_expect_text(turn.stamp_secret, "4c98");
    assert_int_equal(turn.rule_count, 1);
    assert_false(turn.rules[0].is_allowed);
    host_expect_text(turn.software, "text");
    assert_int_equal(turn.max_amplification, 1);
    assert_int_equal(turn.min_lifetime_s, 700);
    assert_int_equal(turn.default_lifetime_s, 700); // never below the shortest
    assert_int_equal(turn.max_lifetime_s, 3600);
    assert_int_equal(turn.max_allocations, 1);
    assert_int_equal(turn.max_permissions, 2);
    assert_int_equal(turn.max_channels, 3);
    assert_int_equal(turn.allocations_per_user, 4);
    assert_int_equal(turn.permissions_per_allocation, 5);
    assert_int_equal(turn.channels_per_allocation, 6);
    assert_int_equal(turn.unauthenticated_rate, 7);
    assert_int_equal(turn.max_pps, 8);
    assert_int_equal(turn.max_bps, 9);
}

static void tells_the_server_its_own_defaults_without_any_option(void **state)
{
    const struct turn_config usual = turn_config_default();

    (void)state;
    assert_true(read_sources(&(struct sources){.file = "min-lifetime = 5\n"}));
    struct turn_config turn = relay_config_turn(&config);
    assert_int_equal(turn.min_lifetime_s, 5);
    assert_int_equal(turn.default_lifetime_s, 600); // a shorter one is for whoever asks for it
    assert_true(read_sources(&(struct sources){{0}}));
    turn = relay_config_turn(&config);
    assert_int_equal(turn.lowest_port, usual.lowest_port);
    assert_int_equal(turn.highest_port, usual.highest_port);
    assert_int_equal(turn.max_amplification, usual.max_amplification);
    assert_int_equal(turn.max_allocations, usual.max_allocations);
    assert_int_equal(turn.max_permissions, usual.max_permissions);
    assert_int_equal(turn.max_channels, usual.max_channels);
    assert_int_equal(turn.max_reservations, usual.max_reservations);
    assert_int_equal(turn.allocations_per_user, usual.allocations_per_user);
    assert_int_equal(turn.permissions_per_allocation, usual.permissions_per_allocation);
    assert_int_equal(turn.channels_per_allocation, usual.channels_per_allocation);
    assert_int_equal(turn.unauthenticated_rate, usual.unauthenticated_rate);
    assert_int_equal(turn.max_pps, 0);
    assert_int_equal(turn.max_bps, 0);
    assert_int_equal(turn.min_lifetime_s, usual.min_lifetime_s);
    assert_int_equal(turn.default_lifetime_s, usual.default_lifetime_s);
    assert_int_equal(turn.software.len, 0);
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
        cmocka_unit_test(has_a_credential_of_each_kind),
        cmocka_unit_test(tells_the_server_all_that_it_has_read),
        cmocka_unit_test(tells_the_server_its_own_defaults_without_any_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
