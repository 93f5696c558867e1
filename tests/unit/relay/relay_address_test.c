// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "io/io_route.h"

static bool is_skipped;

static const struct addr none;
static const struct addr any4 = {.family = ADDR_IP4};
static const struct addr any6 = {.family = ADDR_IP6};
static const struct addr ip4 = {.ip = {192, 0, 2, 1}, .family = ADDR_IP4};
static const struct addr ip6 = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .family = ADDR_IP6};
static const struct addr other4 = {.ip = {192, 0, 2, 9}, .family = ADDR_IP4};

static struct relay_config make(struct addr public_ip4, struct addr public_ip6,
                                struct addr bind_ip4, struct addr bind_ip6)
{
    return (struct relay_config){
        .public_ip4 = public_ip4,
        .public_ip6 = public_ip6,
        .bind_ip4 = bind_ip4,
        .bind_ip6 = bind_ip6,
        .listen_port = 3478,
    };
}

static int open_log(void **state)
{
    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    return 0;
}

static int close_log(void **state)
{
    (void)state;
    host_log_close();
    return 0;
}

static void takes_what_is_given(void **state)
{
    const struct {
        struct relay_config config;
        struct addr public_ip4, public_ip6;
    } cases[] = {
        {make(ip4, none, any4, any6), ip4, none},
        {make(none, ip6, any4, any6), none, ip6},
        {make(ip4, ip6, any4, any6), ip4, ip6},
        {make(none, none, ip4, any6), ip4, none}, // a specific bind address is public, too
        {make(none, none, any4, ip6), none, ip6},
        {make(none, none, ip4, ip6), ip4, ip6},
        {make(ip4, none, other4, ip6), ip4, ip6}, // for each family by itself
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct relay_config config = cases[i].config;

        relay_address_choose(&config);
        assert_true(addr_equal(&config.public_ip4, &cases[i].public_ip4));
        assert_true(addr_equal(&config.public_ip6, &cases[i].public_ip6));
        assert_true(addr_equal(&config.bind_ip4, &cases[i].config.bind_ip4));
        assert_true(addr_equal(&config.bind_ip6, &cases[i].config.bind_ip6));
        assert_int_equal(config.rule_count, 0);
    }
}

static void says_which_addresses_it_serves(void **state)
{
    struct relay_config config = make(ip4, none, any4, ip6);

    (void)state;
    (void)host_log();
    relay_address_choose(&config);
    assert_string_equal(host_log(), " INFO serving clients at public=192.0.2.1:3478\n"
                                    " INFO serving clients at public=[2001:db8::1]:3478\n");
}

static void asks_the_default_route_when_nothing_is_given(void **state)
{
    struct relay_config config = make(none, none, any4, any6);
    struct addr route4 = {0};
    struct addr route6 = {0};
    const bool has_ip4 = io_route_source(ADDR_IP4, &route4) == 0;
    const bool has_ip6 = io_route_source(ADDR_IP6, &route6) == 0;

    (void)state;
    if (!has_ip4 && !has_ip6) {
        puts("skipped: needs a default route");
        is_skipped = true;
        return;
    }
    relay_address_choose(&config);
    assert_true(addr_equal(&config.public_ip4, has_ip4 ? &route4 : &none));
    assert_true(addr_equal(&config.public_ip6, has_ip6 ? &route6 : &none));
    assert_true(addr_is_unspecified(&config.bind_ip4));
    assert_int_equal(config.rule_count, 0);
}

// The number of the first thing that does not hold on a host without a network, or 0.
static int fault_without_network(void)
{
    struct relay_config config = make(none, none, any4, any6);
    const struct addr loopback = host_loopback(ADDR_IP4, 0);

    (void)host_log();
    relay_address_choose(&config);
    if (!addr_equal(&config.public_ip4, &loopback) || !addr_equal(&config.bind_ip4, &loopback)) {
        return 1;
    }
    if (config.public_ip6.family != ADDR_NONE) {
        return 2;
    }
    // Nothing is allowed for that: two clients meet by their relayed addresses, within the relay.
    if (config.rule_count != 0 || config.own_addr_count != 0) {
        return 3;
    }
    if (strcmp(host_log(), " WARN there is no default route: serving this host alone\n"
                           " INFO serving clients at public=127.0.0.1:3478\n") != 0) {
        return 4;
    }
    return 0;
}

static void serves_this_host_when_there_is_no_default_route(void **state)
{
    (void)state;
    const int fault = host_without_network(fault_without_network);
    is_skipped = is_skipped || fault < 0;
    assert_true(fault <= 0);
}

static bool is_own(const struct relay_config *config, const struct addr *addr)
{
    for (size_t i = 0; i < config->own_addr_count; i++) {
        if (addr_equal(&config->own_addrs[i], addr)) {
            return true;
        }
    }
    return false;
}

static void lists_the_public_addresses_and_the_hosts_own(void **state)
{
    struct relay_config config = make(ip4, ip6, any4, any6);
    struct addr route = {0};

    (void)state;
    relay_address_choose(&config);
    assert_true(is_own(&config, &ip4)); // behind a NAT it is no interface's
    assert_true(is_own(&config, &ip6));
    if (io_route_source(ADDR_IP4, &route) == 0) {
        assert_true(is_own(&config, &route));
    }
    config = make(ip4, none, any4, any6);
    relay_address_choose(&config);
    assert_false(is_own(&config, &ip6));
}

// Loopback is denied by a rule of its own, which --allow-peer 127.0.0.0/8 may lift as a whole.
static void leaves_loopback_to_the_rules(void **state)
{
    struct relay_config config = make(host_loopback(ADDR_IP4, 0), none, any4, any6);

    (void)state;
    relay_address_choose(&config);
    for (size_t i = 0; i < config.own_addr_count; i++) {
        assert_false(addr_is_loopback(&config.own_addrs[i]));
    }
}

static void relays_from_the_public_address_if_it_is_of_this_host(void **state)
{
    const struct addr local4 = host_loopback(ADDR_IP4, 0);
    const struct addr second4 = addr_ip4((const uint8_t[]){127, 0, 0, 2}, 0);
    const struct {
        struct addr public_ip4, bind_ip4, relayed;
    } cases[] = {
        {local4, any4, local4},     // so that peers always see packets come from it
        {second4, any4, second4},   // also when it is not the first one
        {ip4, any4, any4},          // behind a one-to-one NAT: as the kernel chooses
        {local4, second4, second4}, // as the operator says
        {ip4, local4, local4},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct relay_config config = make(cases[i].public_ip4, none, cases[i].bind_ip4, any6);
        const struct addr relayed = relay_address_relayed(&config, ADDR_IP4);
        assert_true(addr_equal(&relayed, &cases[i].relayed));
    }
}

static void relays_ip6_in_the_same_way(void **state)
{
    const struct addr local6 = host_loopback(ADDR_IP6, 0);
    struct relay_config config = make(ip4, ip6, any4, any6);

    (void)state;
    struct addr relayed = relay_address_relayed(&config, ADDR_IP6);
    assert_true(addr_equal(&relayed, &any6));
    if (!host_has_ip6()) {
        is_skipped = true;
        return;
    }
    config.public_ip6 = local6;
    relayed = relay_address_relayed(&config, ADDR_IP6);
    assert_true(addr_equal(&relayed, &local6));
}

static void keeps_no_descriptor(void **state)
{
    const size_t before = host_descriptor_count();
    struct relay_config config = make(none, none, any4, any6);

    (void)state;
    relay_address_choose(&config);
    config.public_ip4 = host_loopback(ADDR_IP4, 0);
    (void)relay_address_relayed(&config, ADDR_IP4);
    assert_int_equal(host_descriptor_count(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_given),
        cmocka_unit_test(says_which_addresses_it_serves),
        cmocka_unit_test(asks_the_default_route_when_nothing_is_given),
        cmocka_unit_test(serves_this_host_when_there_is_no_default_route),
        cmocka_unit_test(lists_the_public_addresses_and_the_hosts_own),
        cmocka_unit_test(leaves_loopback_to_the_rules),
        cmocka_unit_test(relays_from_the_public_address_if_it_is_of_this_host),
        cmocka_unit_test(relays_ip6_in_the_same_way),
        cmocka_unit_test(keeps_no_descriptor),
    };
    const int failed_count = cmocka_run_group_tests(tests, open_log, close_log);
    return failed_count == 0 && is_skipped ? HOST_SKIPPED : failed_count;
}
