// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_why.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

enum { PAIRS = TUNNEL_WHY_SERVERS_MAX + 3, PORT = 5000 };

static const uint8_t server_ip[ADDR_IP6_LEN] = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0xff, 0xff,
                                                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const struct now start = {.mono_ns = 1000 * SECOND_NS, .wall_s = 1700000000};

static uint8_t text[TUNNEL_WHY_TEXT_MAX + 1];
static void *memory;
static struct revtun_config limits;
static struct revtun_relay *core;
static struct tunnel_ledger ledger;
static struct tunnel_refusals refusals;

static int begin(void **state)
{
    static const uint8_t seed[REVTUN_RELAY_SEED_LEN];

    (void)state;
    limits = revtun_config_default();
    limits.host = bytes_of_text("relay.example");
    limits.control_port = PORT;
    limits.pair_count = PAIRS;
    memory = calloc(1, revtun_relay_size(&limits));
    if (memory == NULL) {
        return 1;
    }
    core = revtun_relay_init(memory, &limits, seed);
    return tunnel_ledger_open(&ledger, PAIRS, 0) != 0 ||
           tunnel_refusals_open(&refusals, &(struct siphash_key){1, 2}) != 0;
}

static int end(void **state)
{
    (void)state;
    tunnel_ledger_close(&ledger);
    tunnel_refusals_close(&refusals);
    free(memory);
    return 0;
}

// Takes all commands, and enters what is reported.
static void settle(struct now now)
{
    struct revtun_command command;

    while (revtun_relay_take(core, &command)) {
        if (command.type == REVTUN_COMMAND_REPORT) {
            tunnel_ledger_report(&ledger, &command.report, now);
        }
    }
}

static struct pool_ref link_server(uint64_t conn)
{
    const struct addr peer = addr_ip6(server_ip, 65535);
    const struct pool_ref control = revtun_relay_control_up(core, start, conn, &peer);

    settle(start);
    return control;
}

static struct tunnel_why why_after(uint64_t seconds)
{
    return (struct tunnel_why){
        .limits = &limits,
        .core = core,
        .ledger = &ledger,
        .refusals = &refusals,
        .now = {.mono_ns = start.mono_ns + seconds * SECOND_NS,
                .wall_s = start.wall_s + (int64_t)seconds},
    };
}

static const char *of_port(uint16_t port, uint64_t seconds)
{
    const struct tunnel_why why = why_after(seconds);
    struct wr wr = wr_init(text, TUNNEL_WHY_TEXT_MAX);

    tunnel_why_port_write(&wr, &why, port);
    assert_true(wr_ok(&wr));
    text[wr.len] = '\0';
    return (const char *)text;
}

static const char *of_server(uint64_t seconds)
{
    const struct addr address = addr_ip6(server_ip, 0);
    const struct tunnel_why why = why_after(seconds);
    struct wr wr = wr_init(text, TUNNEL_WHY_TEXT_MAX);

    tunnel_why_address_write(&wr, &why, &address);
    assert_true(wr_ok(&wr));
    text[wr.len] = '\0';
    return (const char *)text;
}

static void assert_says(const char *said, const char *words)
{
    if (strstr(said, words) == NULL) {
        fail_msg("'%s' is not in: %s", words, said);
    }
}

static void knows_which_port_is_which(void **state)
{
    (void)state;
    assert_says(of_port(PORT, 0), "5000 is the control port");
    assert_says(of_port(PORT + 1, 0), "5001 is a reverse port, which servers dial; clients come to "
                                      "its public port, 5036");
    assert_says(of_port(PORT + PAIRS, 0), "is a reverse port");
    assert_says(of_port(PORT + PAIRS + 1, 0), "5036 is a public port; its server dials 5001");
    assert_says(of_port(PORT + 2 * PAIRS, 0), "is a public port");
    assert_says(of_port(PORT + 2 * PAIRS + 1, 0),
                "no port of a server or an agent: the public ones of servers are 5036 "
                "to 5070");
    assert_says(of_port(PORT - 1, 0), "no port of a server or an agent");
    assert_says(of_port(65535, 0), "no port of a server or an agent");
}

static void tells_how_long_clients_wait_for_a_server(void **state)
{
    const struct addr client = addr_ip6(server_ip, 7);

    (void)state;
    link_server(1);
    assert_says(of_port(PORT + PAIRS + 1, 3), "has had it for 3 s: 0 clients are joined, 0 wait.");
    assert_says(of_port(PORT + PAIRS + 1, 3), "Nothing is wrong that the relay sees");
    assert_int_not_equal(revtun_relay_client(core, start, 0, 2, &client).index, POOL_NONE);
    settle(start);
    assert_says(of_port(PORT + PAIRS + 1, 4), "Nothing is wrong that the relay sees");
    assert_says(of_port(PORT + PAIRS + 1, 6), "does not dial back: 1 wait now, the first one for 6 "
                                              "s\n");
}

static void tells_what_happened_lately_alone(void **state)
{
    struct tunnel_ledger_entry *entry = &ledger.entries[0];

    (void)state;
    link_server(1);
    entry->foreign = (struct tunnel_ledger_mark){.count = 9, .last_s = start.wall_s};
    entry->foreigner = addr_ip6(server_ip, 7);
    assert_says(of_port(PORT + 1, 599), "9 from elsewhere than the server, the last one 599 s ago");
    assert_says(of_port(PORT + 1, 600), "Nothing is wrong that the relay sees");
}

static void tells_of_a_server_that_has_left(void **state)
{
    const struct pool_ref control = link_server(1);

    (void)state;
    revtun_relay_control_down(core, start, control);
    settle(start);
    assert_says(of_port(PORT + 1, 70),
                "had it until 70 s ago; then its control connection was gone");
    assert_says(of_port(PORT + 2, 70), "No server has had it since the relay was started");
}

static void has_room_for_all_at_their_largest(void **state)
{
    const struct tunnel_ledger_mark most = {.count = UINT64_MAX, .last_s = start.wall_s};
    char words[TUNNEL_REFUSALS_DETAIL_MAX];

    (void)state;
    memset(words, '\x01', sizeof words - 1); // shown as \x01
    words[sizeof words - 1] = '\0';
    for (uint32_t pair = 0; pair < PAIRS; pair++) {
        link_server(pair);
        ledger.entries[pair].again = most;
        ledger.entries[pair].timed_out = most;
        ledger.entries[pair].limited = most;
        ledger.entries[pair].limit = REVTUN_REFUSAL_ADDRESS_WAITING;
        ledger.entries[pair].foreign = most;
        ledger.entries[pair].foreigner = addr_ip6(server_ip, 65535);
    }
    for (uint32_t i = 0; i < TUNNEL_REFUSALS_DEPTH; i++) {
        const struct addr from = addr_ip6(server_ip, 65535);
        for (int count = 0; count < 3; count++) {
            tunnel_refusals_keep(&refusals, TUNNEL_REFUSAL_HANDSHAKE, &from, i, words,
                                 start.wall_s);
        }
    }
    assert_says(of_server(599), "3 more of its servers.");
    assert_says(of_server(599), "its control connection was refused, at public port 5036, 3 times");
}

static void tells_no_time_below_none_after_a_clock_was_set_back(void **state)
{
    const struct addr from = addr_ip6(server_ip, 65535);

    (void)state;
    for (int64_t back_s = 0; back_s < 2; back_s++) {
        tunnel_refusals_keep(&refusals, TUNNEL_REFUSAL_HANDSHAKE, &from, 0, "it had no key",
                             start.wall_s - back_s);
    }
    assert_says(of_server(10), "2 times in 0 s, the last one 11 s ago");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_which_port_is_which, begin, end),
        cmocka_unit_test_setup_teardown(tells_how_long_clients_wait_for_a_server, begin, end),
        cmocka_unit_test_setup_teardown(tells_what_happened_lately_alone, begin, end),
        cmocka_unit_test_setup_teardown(tells_of_a_server_that_has_left, begin, end),
        cmocka_unit_test_setup_teardown(tells_no_time_below_none_after_a_clock_was_set_back, begin,
                                        end),
        cmocka_unit_test_setup_teardown(has_room_for_all_at_their_largest, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
