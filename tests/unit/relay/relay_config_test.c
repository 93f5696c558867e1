// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "sources.h"

// The secrets, SOFTWARE and the flag, if they are given.
static void show_access(struct wr *wr)
{
    for (size_t i = 0; i < sources_config.auth_secret_count; i++) {
        wr_text(wr, " auth=");
        wr_bytes(wr, sources_config.auth_secrets[i]);
    }
    if (sources_config.stamp_secret.len > 0) {
        wr_text(wr, " stamp=");
        wr_bytes(wr, sources_config.stamp_secret);
    }
    if (sources_config.software.len > 0) {
        wr_text(wr, " software=");
        wr_bytes(wr, sources_config.software);
    }
    wr_text(wr, sources_config.is_amplification_strict ? " strict" : "");
}

// The limits that are not the default's.
static void show_limits(struct wr *wr)
{
    const struct {
        const char *name;
        uint64_t value, usual;
    } limits[] = {
        {" min-lifetime=", sources_config.min_lifetime_s, 600},
        {" max-allocations=", sources_config.max_allocations, 16384},
        {" max-permissions=", sources_config.max_permissions, 65536},
        {" max-channels=", sources_config.max_channels, 65536},
        {" user-quota=", sources_config.user_quota, 64},
        {" permissions-per-allocation=", sources_config.permissions_per_allocation, 64},
        {" channels-per-allocation=", sources_config.channels_per_allocation, 64},
        {" max-pps=", sources_config.max_pps, 0},
        {" max-bps=", sources_config.max_bps, 0},
        {" unauthenticated-rate=", sources_config.unauthenticated_rate, 20000},
        {" num-worker-threads=", sources_config.daemon.worker_count, 0},
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

    wr_text(wr, sources_config.is_ebpf_auto ? " ebpf=auto" : "");
    for (size_t i = 0; i < sources_config.ebpf_link_count; i++) {
        wr_text(wr, " ebpf=");
        wr_bytes(wr, sources_config.ebpf_links[i]);
    }
    wr_text(wr, modes[sources_config.ebpf_attach]);
    if (sources_config.ebpf_int4.family != ADDR_NONE) {
        wr_text(wr, " int4=");
        addr_ip_write(wr, &sources_config.ebpf_int4);
    }
    if (sources_config.ebpf_int6.family != ADDR_NONE) {
        wr_text(wr, " int6=");
        addr_ip_write(wr, &sources_config.ebpf_int6);
    }
}

// Metrics are served at 127.0.0.1:9641 if nothing else is said.
static void show_sites(struct wr *wr)
{
    static const char *const names[] = {
        [DAEMON_CONFIG_HEALTH] = " health=",
        [DAEMON_CONFIG_CONTROL] = " control=",
        [DAEMON_CONFIG_METRICS] = " metrics=",
        [DAEMON_CONFIG_SITE_COUNT] = " demo=",
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct daemon_config_place *place =
            i < DAEMON_CONFIG_SITE_COUNT ? &sources_config.daemon.sites[i] : &sources_config.demo;
        const bool is_off = place->addr.family == ADDR_NONE;
        if (is_off && (i != DAEMON_CONFIG_METRICS || !place->is_given)) {
            continue; // none is usual
        }
        if (!is_off && !place->is_given) {
            assert_int_equal(i, DAEMON_CONFIG_METRICS);
            assert_int_equal(place->addr.port, 9641);
            continue;
        }
        wr_text(wr, names[i]);
        if (is_off) {
            wr_text(wr, "off");
        } else {
            addr_write(wr, &place->addr);
        }
    }
}

// A text that shows everything in `config` that can be said in one line.
static const char *shown(void)
{
    static uint8_t memory[4096];
    struct wr wr = wr_init(memory, sizeof memory - 1);
    const struct addr *addrs[] = {&sources_config.public_ip4, &sources_config.public_ip6,
                                  &sources_config.bind_ip4, &sources_config.bind_ip6};
    const uint16_t ports[] = {sources_config.listen_port, sources_config.lowest_port,
                              sources_config.highest_port};

    for (size_t i = 0; i < COUNT_OF(addrs); i++) {
        addr_ip_write(&wr, addrs[i]);
        wr_text(&wr, " ");
    }
    for (size_t i = 0; i < COUNT_OF(ports); i++) {
        wr_decimal(&wr, ports[i]);
        wr_text(&wr, " ");
    }
    wr_bytes(&wr, sources_config.realm);
    wr_text(&wr, " ");
    wr_text(&wr, log_line_formats[sources_config.daemon.log_format]);
    if (!bytes_equal_text(sources_config.daemon.log_filter, "info")) {
        wr_text(&wr, " filter=");
        wr_bytes(&wr, sources_config.daemon.log_filter);
    }
    if (sources_config.daemon.control_socket.len > 0) {
        wr_text(&wr, " control=");
        wr_bytes(&wr, sources_config.daemon.control_socket);
    }
    for (size_t i = 0; i < sources_config.user_count; i++) {
        wr_text(&wr, " ");
        wr_bytes(&wr, sources_config.users[i].name);
        wr_text(&wr, "|");
        wr_bytes(&wr, sources_config.users[i].password);
    }
    for (size_t i = 0; i < sources_config.rule_count; i++) {
        wr_text(&wr, sources_config.rules[i].is_allowed ? " +" : " -");
        addr_ip_write(&wr, &sources_config.rules[i].cidr.base);
        wr_text(&wr, "/");
        wr_decimal(&wr, sources_config.rules[i].cidr.prefix_len);
    }
    show_access(&wr);
    show_limits(&wr);
    show_offloading(&wr);
    show_sites(&wr);
    assert_true(wr_ok(&wr));
    memory[wr.len] = '\0';
    return (const char *)memory;
}

#define DEFAULTS "none none 0.0.0.0 :: 3478 49152 65535 fairlead human"

static void has_defaults_for_everything(void **state)
{
    (void)state;
    assert_true(sources_read(&(struct sources){{0}}));
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
    {"health-check-addr", "HEALTH_CHECK_ADDR", "0.0.0.0:8080", DEFAULTS " health=0.0.0.0:8080"},
    {"control-endpoint", "CONTROL_ENDPOINT", "[::1]:9999", DEFAULTS " control=[::1]:9999"},
    {"metrics-addr", "METRICS_ADDR", "10.0.0.4:9000", DEFAULTS " metrics=10.0.0.4:9000"},
    {"demo-addr", "FAIRLEAD_DEMO_ADDR", "[::1]:8088", DEFAULTS " demo=[::1]:8088"},
    {"metrics-addr", "METRICS_ADDR", "off", DEFAULTS " metrics=off"},
    {"log-format", "LOG_FORMAT", "json", "none none 0.0.0.0 :: 3478 49152 65535 fairlead json"},
    {"log-filter", "RUST_LOG", "warn,xdp=off", DEFAULTS " filter=warn,xdp=off"},
    {"control-socket", "FAIRLEAD_CONTROL_SOCKET", "/run/x.sock", DEFAULTS " control=/run/x.sock"},
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
        assert_true(sources_read(&(struct sources){.arguments = {argument}}));
        assert_string_equal(shown(), each[i].shown);
        assert_true(sources_read(&(struct sources){.variables = {variable}}));
        assert_string_equal(shown(), each[i].shown);
        assert_true(sources_read(&(struct sources){.file = line}));
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
    assert_true(sources_read(&sources));
    assert_string_equal(shown(), "none none 0.0.0.0 :: 2 49152 65535 file human a|1 b|2");
    sources.arguments[0] = NULL;
    assert_true(sources_read(&sources));
    assert_string_equal(shown(), "none none 0.0.0.0 :: 2 49152 65535 file human c|3 d|4");
    sources.variables[0] = NULL;
    assert_true(sources_read(&sources));
    assert_string_equal(shown(), "none none 0.0.0.0 :: 3 49152 65535 file human e|5");
}

static void splits_a_user_at_the_first_colon(void **state)
{
    (void)state;
    assert_true(sources_read(&(struct sources){.file = "user = alice:a:b::\nuser = bob::\n"}));
    assert_string_equal(shown(), DEFAULTS " alice|a:b:: bob|:");
    assert_true(sources_read(&(struct sources){.variables = {"FAIRLEAD_USER=al:a\\,b,bo:c\\\\d"}}));
    assert_string_equal(shown(), DEFAULTS " al|a,b bo|c\\d");
}

static void serves_at_firezones_addresses_beside_a_portal(void **state)
{
    (void)state;
    assert_true(sources_read(&(struct sources){
        .variables = {"FIREZONE_TOKEN=.token", "FIREZONE_API_URL=wss://api.example.org"}}));
    assert_int_equal(sources_config.daemon.sites[DAEMON_CONFIG_HEALTH].addr.port, 8080);
    assert_true(addr_is_unspecified(&sources_config.daemon.sites[DAEMON_CONFIG_HEALTH].addr));
    assert_int_equal(sources_config.daemon.sites[DAEMON_CONFIG_CONTROL].addr.port, 9999);
    assert_true(addr_is_loopback(&sources_config.daemon.sites[DAEMON_CONFIG_CONTROL].addr));
    for (size_t i = 0; i < DAEMON_CONFIG_SITE_COUNT; i++) {
        assert_false(sources_config.daemon.sites[i].is_given);
    }
    assert_true(sources_read(&(struct sources){
        .arguments = {"--health-check-addr=off", "--control-endpoint=127.0.0.1:1"},
        .variables = {"FIREZONE_TOKEN=.token", "FIREZONE_API_URL=wss://api.example.org"}}));
    assert_int_equal(sources_config.daemon.sites[DAEMON_CONFIG_HEALTH].addr.family, ADDR_NONE);
    assert_int_equal(sources_config.daemon.sites[DAEMON_CONFIG_CONTROL].addr.port, 1);
}

static void has_a_credential_of_each_kind(void **state)
{
    static const char *const files[] = {"user = a:b\n", "auth-secret = s\n", "stamp-secret = s\n"};

    (void)state;
    assert_true(sources_read(&(struct sources){{0}}));
    assert_false(relay_config_has_credential(&sources_config));
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        assert_true(sources_read(&(struct sources){.file = files[i]}));
        assert_true(relay_config_has_credential(&sources_config));
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
    assert_true(sources_read(&(struct sources){.file = file}));
    sources_config.own_addrs[0] = host_loopback(ADDR_IP4, 0);
    sources_config.own_addr_count = 1;
    const struct turn_config turn = relay_config_turn(&sources_config);
    assert_true(addr_equal(&turn.public_ip4, &sources_config.public_ip4));
    assert_int_equal(turn.public_ip6.family, ADDR_NONE);
    assert_true(addr_is_unspecified(&turn.bind_ip4));
    assert_true(addr_equal(&turn.bind_ip6, &sources_config.bind_ip6));
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
    assert_true(sources_read(&(struct sources){.file = "min-lifetime = 5\n"}));
    struct turn_config turn = relay_config_turn(&sources_config);
    assert_int_equal(turn.min_lifetime_s, 5);
    assert_int_equal(turn.default_lifetime_s, 600); // a shorter one is for whoever asks for it
    assert_true(sources_read(&(struct sources){{0}}));
    turn = relay_config_turn(&sources_config);
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
        cmocka_unit_test(serves_at_firezones_addresses_beside_a_portal),
        cmocka_unit_test(has_a_credential_of_each_kind),
        cmocka_unit_test(tells_the_server_all_that_it_has_read),
        cmocka_unit_test(tells_the_server_its_own_defaults_without_any_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
