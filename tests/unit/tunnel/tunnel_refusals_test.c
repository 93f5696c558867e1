// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_refusals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

static struct tunnel_refusals refusals;
static struct tunnel_refusal found[TUNNEL_REFUSALS_DEPTH];

static int begin(void **state)
{
    (void)state;
    return tunnel_refusals_open(&refusals, &(struct siphash_key){1, 2});
}

static int end(void **state)
{
    (void)state;
    tunnel_refusals_close(&refusals);
    tunnel_refusals_close(&refusals);
    return 0;
}

static struct addr at(uint8_t network, uint8_t host, uint16_t port)
{
    const uint8_t ip[ADDR_IP4_LEN] = {192, 0, network, host};

    return addr_ip4(ip, port);
}

static void keep(enum tunnel_refusal_kind kind, struct addr from, const char *detail, int64_t at_s)
{
    tunnel_refusals_keep(&refusals, kind, &from, POOL_NONE, detail, at_s);
}

static uint32_t find(struct addr from)
{
    return tunnel_refusals_find(&refusals, &from, found);
}

static void counts_the_same_once_more(void **state)
{
    (void)state;
    keep(TUNNEL_REFUSAL_HANDSHAKE, at(2, 1, 1000), "not TLS", 100);
    keep(TUNNEL_REFUSAL_HANDSHAKE, at(2, 1, 1001), "not TLS", 140);
    keep(TUNNEL_REFUSAL_HANDSHAKE, at(2, 1, 1002), "expired", 150);
    assert_int_equal(find(at(2, 1, 0)), 2);
    assert_string_equal(found[0].detail, "expired"); // the newest
    assert_int_equal(found[0].count, 1);
    assert_string_equal(found[1].detail, "not TLS");
    assert_int_equal(found[1].count, 2);
    assert_int_equal(found[1].first_s, 100);
    assert_int_equal(found[1].last_s, 140);
    assert_int_equal(found[1].from.port, 1001);
}

static void knows_addresses_apart(void **state)
{
    (void)state;
    keep(TUNNEL_REFUSAL_CROWDED, at(2, 1, 1), NULL, 100);
    assert_int_equal(find(at(2, 2, 1)), 0); // of the same bucket
    assert_int_equal(find(at(3, 1, 1)), 0);
    assert_int_equal(find(at(2, 1, 9)), 1);
    assert_int_equal(found[0].kind, TUNNEL_REFUSAL_CROWDED);
    assert_string_equal(found[0].detail, "");
}

static void gives_the_oldest_of_its_network_up(void **state)
{
    (void)state;
    keep(TUNNEL_REFUSAL_FULL, at(7, 1, 1), NULL, 1); // elsewhere
    for (uint8_t host = 0; host <= TUNNEL_REFUSALS_DEPTH; host++) {
        keep(TUNNEL_REFUSAL_CROWDED, at(2, host, 1), NULL, 100 + host);
    }
    assert_int_equal(find(at(2, 0, 1)), 0);
    for (uint8_t host = 1; host <= TUNNEL_REFUSALS_DEPTH; host++) {
        assert_int_equal(find(at(2, host, 1)), 1);
    }
    assert_int_equal(find(at(7, 1, 1)), 1);
}

static void cuts_long_words_off(void **state)
{
    char words[2 * TUNNEL_REFUSALS_DETAIL_MAX];

    (void)state;
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    keep(TUNNEL_REFUSAL_HANDSHAKE, at(2, 1, 1), words, 100);
    keep(TUNNEL_REFUSAL_HANDSHAKE, at(2, 1, 1), words, 101);
    assert_int_equal(find(at(2, 1, 1)), 1);
    assert_int_equal(found[0].count, 2);
    assert_int_equal(strlen(found[0].detail), TUNNEL_REFUSALS_DETAIL_MAX - 1);
}

static void keeps_reports_of_refusals_alone(void **state)
{
    struct revtun_command_report report = {.event = REVTUN_EVENT_LINKED, .from = at(2, 1, 1)};

    (void)state;
    tunnel_refusals_report(&refusals, &report, 100);
    report.event = REVTUN_EVENT_AGAIN;
    tunnel_refusals_report(&refusals, &report, 100);
    assert_int_equal(find(at(2, 1, 1)), 0);
    report.event = REVTUN_EVENT_REFUSED;
    report.refusal = REVTUN_REFUSAL_PAIR_WAITING;
    report.pair = 7;
    tunnel_refusals_report(&refusals, &report, 100);
    assert_int_equal(find(at(2, 1, 1)), 1);
    assert_int_equal(found[0].kind, TUNNEL_REFUSAL_LIMIT);
    assert_int_equal(found[0].pair, 7);
    assert_string_equal(found[0].detail, revtun_refusal_words(REVTUN_REFUSAL_PAIR_WAITING));
    report = (struct revtun_command_report){
        .event = REVTUN_EVENT_AGENT_DOWN, .from = at(3, 1, 1), .code = REVTUN_MESSAGE_CODE_ASKED};
    tunnel_refusals_report(&refusals, &report, 100);
    assert_int_equal(find(at(3, 1, 1)), 0); // it has said good bye
    report.code = REVTUN_MESSAGE_CODE_DENIED;
    tunnel_refusals_report(&refusals, &report, 100);
    assert_int_equal(find(at(3, 1, 1)), 1);
    assert_int_equal(found[0].kind, TUNNEL_REFUSAL_AGENT);
    assert_string_equal(found[0].detail, "the relay's access list does not allow it");
    report = (struct revtun_command_report){.event = REVTUN_EVENT_TIMED_OUT};
    tunnel_refusals_report(&refusals, &report, 100); // of nobody
}

static void report(enum revtun_event event, uint8_t network, const char *owner, const char *name,
                   uint16_t port, int64_t at_s)
{
    const struct revtun_command_report one = {.event = event,
                                              .pair = POOL_NONE,
                                              .from = at(network, 1, 1000),
                                              .owner = bytes_of_text(owner),
                                              .name = bytes_of_text(name),
                                              .port = port,
                                              .detail = bytes_of_text("it is not yours")};

    tunnel_refusals_report(&refusals, &one, at_s);
}

static uint32_t about(uint16_t port, const char *word)
{
    return tunnel_refusals_find_about(&refusals, port, bytes_of_text(word), found);
}

static void finds_what_is_about_a_tunnel_an_agent_a_host_or_a_port(void **state)
{
    (void)state;
    report(REVTUN_EVENT_BIND_REFUSED, 1, "laptop", "web", 12101, 100);
    report(REVTUN_EVENT_BIND_REFUSED, 1, "laptop", "web", 12101, 110);
    report(REVTUN_EVENT_BIND_REFUSED, 1, "laptop", "web", 12102, 90);
    report(REVTUN_EVENT_NOBODY, 2, "", "a.test", 443, 120);
    report(REVTUN_EVENT_NOBODY, 3, "", "", 12101, 130);
    report(REVTUN_EVENT_AGENT_DOWN, 4, "laptop", "", 0, 140);
    assert_int_equal(about(0, "laptop/web"), 2);
    assert_int_equal(found[0].count, 2);
    assert_int_equal(found[0].kind, TUNNEL_REFUSAL_BIND);
    assert_int_equal(found[0].port, 12101);
    assert_string_equal(found[0].detail, "it is not yours");
    assert_int_equal(about(0, "web"), 2);
    assert_int_equal(about(0, "laptop"), 3);
    assert_int_equal(found[0].kind, TUNNEL_REFUSAL_AGENT); // the newest
    assert_int_equal(about(0, "a.test"), 1);
    assert_int_equal(about(12101, ""), 2);
    assert_int_equal(found[0].kind, TUNNEL_REFUSAL_NOBODY);
    assert_int_equal(about(12103, ""), 0);
    assert_int_equal(about(0, "we"), 0);
    assert_int_equal(about(0, ""), 0);
}

static void finds_the_newest_of_many(void **state)
{
    (void)state;
    for (uint8_t network = 0; network < 40; network++) { // in no order
        report(REVTUN_EVENT_NOBODY, network, "", "", 12101, 100 + network * 7 % 40);
    }
    assert_int_equal(about(12101, ""), TUNNEL_REFUSALS_DEPTH);
    for (uint32_t i = 0; i < TUNNEL_REFUSALS_DEPTH; i++) {
        assert_int_equal(found[i].last_s, 139 - i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_the_same_once_more, begin, end),
        cmocka_unit_test_setup_teardown(knows_addresses_apart, begin, end),
        cmocka_unit_test_setup_teardown(gives_the_oldest_of_its_network_up, begin, end),
        cmocka_unit_test_setup_teardown(cuts_long_words_off, begin, end),
        cmocka_unit_test_setup_teardown(keeps_reports_of_refusals_alone, begin, end),
        cmocka_unit_test_setup_teardown(finds_what_is_about_a_tunnel_an_agent_a_host_or_a_port,
                                        begin, end),
        cmocka_unit_test_setup_teardown(finds_the_newest_of_many, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
