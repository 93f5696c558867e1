// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"

static const struct addr ip4 = {.ip = {198, 51, 100, 1}, .port = 50000, .family = ADDR_IP4};
static const struct addr ip6 = {.ip = {0x20, 1, 0xd, 0xb8}, .port = 50000, .family = ADDR_IP6};

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

static struct turn_life make(const struct addr *first, const struct addr *second)
{
    return (struct turn_life){
        .tuple = {.client = {.ip = {192, 0, 2, 7}, .port = 5000, .family = ADDR_IP4},
                  .server = ip4},
        .relayed = {*first, *second},
        .started_ns = SECOND_NS,
    };
}

static void names_all_relayed_addresses_and_each_end(void **state)
{
    static const struct addr none;
    static const struct {
        const struct addr *first, *second;
        enum relay_life_end end;
        const char *start, *rest;
    } rows[] = {
        {&ip4, &none, RELAY_LIFE_EXPIRED,
         " INFO allocation ended reason=expired client=192.0.2.7:5000 "
         "relayed=198.51.100.1:50000 username=\"\" ",
         " kernel_packets=0\n"},
        {&none, &ip6, RELAY_LIFE_SHUTDOWN,
         " INFO allocation ended reason=shutdown client=192.0.2.7:5000 "
         "relayed=[2001:db8::]:50000 username=\"\" ",
         " kernel_packets=0\n"},
        {&ip4, &ip6, RELAY_LIFE_DELETED,
         " INFO allocation ended reason=deleted client=192.0.2.7:5000 "
         "relayed=198.51.100.1:50000 username=\"\" ",
         " kernel_packets=0 relayed_too=[2001:db8::]:50000\n"},
        {&ip4, &none, RELAY_LIFE_REPLACED,
         " INFO allocation ended reason=replaced client=192.0.2.7:5000 "
         "relayed=198.51.100.1:50000 username=\"\" ",
         " kernel_packets=0\n"},
    };
    static const struct turn_usage nothing;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct turn_life life = make(rows[i].first, rows[i].second);
        assert_int_equal(relay_life_port(&life), 50000);
        relay_life_ended(&life, &nothing, rows[i].end, (struct now){.mono_ns = 9 * SECOND_NS});
        const char *line = host_log();
        assert_memory_equal(line, rows[i].start, strlen(rows[i].start));
        assert_string_equal(line + strlen(line) - strlen(rows[i].rest), rows[i].rest);
        assert_non_null(strstr(line, " duration_s=8 to_peer_packets=0 "));
    }
}

static void is_no_life_without_a_port(void **state)
{
    static const struct turn_life none;

    (void)state;
    assert_int_equal(relay_life_port(&none), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_all_relayed_addresses_and_each_end),
        cmocka_unit_test(is_no_life_without_a_port),
    };
    return cmocka_run_group_tests(tests, open_log, close_log);
}
