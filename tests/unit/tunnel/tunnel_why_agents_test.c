// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_why_agents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/hubs.h"
#include "revtun/revtun_hub_look.h"

enum { TUNNELS = 64, SHOWN = TUNNEL_WHY_SERVERS_MAX };

static uint8_t text[TUNNEL_WHY_TEXT_MAX + 1];
static struct revtun_config limits;
static struct tunnel_ledger ledger;
static struct tunnel_refusals refusals;

static int begin(void **state)
{
    limits = revtun_config_default();
    return hubs_setup(state) != 0 || tunnel_ledger_open(&ledger, 0, TUNNELS) != 0 ||
           tunnel_refusals_open(&refusals, &(struct siphash_key){1, 2}) != 0;
}

static int end(void **state)
{
    tunnel_ledger_close(&ledger);
    tunnel_refusals_close(&refusals);
    return hubs_teardown(state);
}

static struct tunnel_why why_of(struct hubs *hubs)
{
    return (struct tunnel_why){
        .limits = &limits,
        .hub = hubs->hub,
        .hub_limits = &hubs->config,
        .ledger = &ledger,
        .refusals = &refusals,
        .now = hubs->now,
    };
}

static const char *of_port(struct hubs *hubs, uint16_t port)
{
    const struct tunnel_why why = why_of(hubs);
    struct wr wr = wr_init(text, TUNNEL_WHY_TEXT_MAX);

    assert_true(tunnel_why_agents_port_write(&wr, &why, port));
    assert_true(wr_ok(&wr));
    text[wr.len] = '\0';
    return (const char *)text;
}

static const char *of_word(struct hubs *hubs, const char *word)
{
    const struct tunnel_why why = why_of(hubs);
    struct wr wr = wr_init(text, TUNNEL_WHY_TEXT_MAX);

    tunnel_why_agents_word_write(&wr, &why, bytes_of_text(word));
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

// As if the tunnel at a port had been bound, and had met all of this.
static void enter(struct hubs *hubs, uint16_t port, struct tunnel_ledger_mark mark)
{
    const uint32_t index = revtun_hub_look_port(hubs->hub, port);
    struct revtun_hub_look look;

    assert_true(revtun_hub_look(hubs->hub, index, &look));
    ledger.tunnels[index] = (struct tunnel_ledger_entry){
        .server = look.agent,
        .generation = look.tunnel.generation,
        .linked_s = hubs->now.wall_s,
        .timed_out = mark,
        .denied = mark,
        .mute = mark,
        .limited = mark,
        .limit = REVTUN_REFUSAL_ADDRESS_WAITING,
    };
}

static void knows_which_ports_are_its_own(void **state)
{
    const struct tunnel_why why = why_of(*state);
    const struct tunnel_why without = {.hub = NULL};
    struct wr wr = wr_init(text, TUNNEL_WHY_TEXT_MAX);

    assert_false(tunnel_why_agents_port_write(&wr, &why, 12100));
    assert_false(tunnel_why_agents_port_write(&wr, &why, 12105));
    assert_false(tunnel_why_agents_port_write(&wr, &without, 12101));
    assert_int_equal(wr.len, 0);
    assert_says(of_port(*state, 12104), " is a port of tunnels.\nNo agent has it now");
    assert_says(of_port(*state, 443), " is the TLS port that tunnels share");
}

static void tells_what_happened_lately_alone(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    const struct tunnel_ledger_mark seven = {.count = 7, .last_s = hubs->now.wall_s};

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    enter(hubs, 12101, (struct tunnel_ledger_mark){.count = 0});
    assert_says(of_port(hubs, 12101), "Nothing is wrong that the relay sees");
    enter(hubs, 12101, seven);
    assert_says(of_port(hubs, 12101), "7 clients were closed, the last one 0 s ago");
    assert_says(of_port(hubs, 12101), "7 clients were refused by the agent, the last one 0 s ago; "
                                      "7 sessions ended without a byte");
    assert_says(of_port(hubs, 12101), "7 met a limit, the last one 0 s ago");
    hubs->now.wall_s += 599;
    assert_says(of_port(hubs, 12101), "7 met a limit, the last one 599 s ago");
    hubs->now.wall_s += 1;
    assert_says(of_port(hubs, 12101), "Nothing is wrong that the relay sees");
}

static void tells_how_long_clients_wait_and_a_name_is_kept(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_client(hubs, 10, 12101, "");
    hubs->now.mono_ns += 4 * SECOND_NS;
    assert_says(of_word(hubs, "web"), "Nothing is wrong that the relay sees");
    hubs->now.mono_ns += SECOND_NS;
    assert_says(of_word(hubs, "laptop/web"),
                "does not dial back for clients: 1 wait now, the first one for 5 s\n");
    hubs_down(hubs, &agent);
    hubs->now.mono_ns += SECOND_NS;
    char wanted[64];
    snprintf(wanted, sizeof wanted, "it is kept for %u s yet", (unsigned)hubs->config.grace_s - 1);
    assert_says(of_word(hubs, "web"), wanted);
    assert_null(strstr((const char *)text, "does not dial back")); // it cannot
}

static void has_room_for_all_at_their_largest(void **state)
{
    struct hubs *hubs = *state;
    struct revtun_hub_config config = hubs->config;
    struct hubs_agent agent;
    const struct tunnel_ledger_mark most = {.count = UINT64_MAX, .last_s = hubs->now.wall_s};
    char line[128];

    hubs_close(hubs);
    config.port_count = TUNNELS;
    config.max_services = TUNNELS;
    hubs_open(hubs, &config);
    hubs->entries[0].tunnel_max = TUNNELS;
    hubs_come(hubs, 1, 0, 5, "", &agent);
    for (unsigned i = 0; i < SHOWN + 3; i++) {
        snprintf(line, sizeof line, "bind rid=%u name=n%060u kind=tcp\r\n", i + 1, i);
        hubs_say(hubs, &agent, line);
        assert_true(hubs_has(hubs, " bound rid="));
        enter(hubs, (uint16_t)(12101 + i), most);
    }
    assert_says(of_word(hubs, "laptop"), " more of that name");
    assert_says(of_word(hubs, "laptop"), "18446744073709551615 met a limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_which_ports_are_its_own, begin, end),
        cmocka_unit_test_setup_teardown(tells_what_happened_lately_alone, begin, end),
        cmocka_unit_test_setup_teardown(tells_how_long_clients_wait_and_a_name_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(has_room_for_all_at_their_largest, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
