// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_account.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "revtun/hubs.h"

static void takes_all_from_who_is_revoked(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct hubs_agent other;
    struct revtun_access none = {0};

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_come(hubs, 2, 0, 6, "", &other);
    for (uint64_t conn = 10; conn < 30; conn++) {
        hubs_client(hubs, conn, 12101, "");
        hubs_data(hubs, &agent, conn + 100, REVTUN_PREFACE_ACCEPT,
                  hubs_id(hubs, "new_connection", 0));
    }
    hubs_say(hubs, &agent, "unbind rid=2 name=web\r\n"); // what ran on is taken, too
    hubs_pass(hubs, 0);
    revtun_hub_adopt(hubs->hub, hubs->now, &none);
    hubs_settle(hubs);
    assert_true(hubs_has(hubs, "end 10\n"));
    assert_true(hubs_has(hubs, "end 29\n"));
    assert_true(hubs_has(hubs, "send 1 bye code=revoked"));
    assert_true(hubs_has(hubs, "send 2 bye code=revoked"));
    hubs_gone(hubs, hubs->session);
    hubs_expect(hubs, (struct revtun_hub_gauges){.sessions = 19});
}

static void is_one_for_all_processes_of_an_agent(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct hubs_agent other;

    hubs_come(hubs, 1, 1, 5, "", &agent); // may have two tunnels
    hubs_come(hubs, 2, 1, 6, "", &other);
    hubs_expect(hubs, (struct revtun_hub_gauges){.links = 2, .agents = 1});
    hubs_say(hubs, &agent, "bind rid=1 name=a kind=tcp\r\n");
    hubs_say(hubs, &other, "bind rid=1 name=b kind=sni hosts=shop.test\r\n");
    hubs_say(hubs, &agent, "bind rid=2 name=c kind=tcp\r\n");
    assert_true(hubs_has(hubs, "error rid=2 code=quota"));
    hubs_down(hubs, &agent);
    hubs_say(hubs, &other, "bind rid=2 name=c kind=tcp\r\n"); // a name that is kept counts
    assert_true(hubs_has(hubs, "error rid=2 code=quota"));
    hubs_say(hubs, &other, "bye code=shutdown\r\n");
    hubs_expect(hubs, (struct revtun_hub_gauges){.agents = 1, .services = 1});
    hubs_pass(hubs, 60 * SECOND_NS);
    hubs_expect(hubs, (struct revtun_hub_gauges){0});
}

static void is_revoked_with_its_secret(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct hubs_agent back;
    static const uint8_t pin[REVTUN_TOKEN_PIN_LEN] = {0};

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_client(hubs, 10, 12101, "");
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, hubs_id(hubs, "new_connection", 0));
    // The same name has another token now.
    revtun_token_init(&hubs->tokens[0], bytes_of_text("laptop"),
                      (const uint8_t[REVTUN_TOKEN_SECRET_LEN]){99}, pin);
    revtun_token_verifier(&hubs->tokens[0], hubs->entries[0].hash);
    hubs_up(hubs, 2, &back);
    revtun_hub_adopt(hubs->hub, hubs->now, &hubs->access);
    hubs_pass(hubs, 0);
    assert_true(hubs_has(hubs, "end 10\n"));
    assert_true(hubs_has(hubs, "send 1 bye code=revoked"));
    hubs_hello(hubs, &back, 0, 6, "");
    assert_true(hubs_has(hubs, "send 2 welcome sid="));
    hubs_say(hubs, &back, BIND_WEB); // its lease is the name's
    assert_true(hubs_has(hubs, "bound rid=1 name=web at=relay.test:12101"));
    hubs_gone(hubs, hubs->session);
    hubs_expect(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(takes_all_from_who_is_revoked),
        HUB_TEST(is_one_for_all_processes_of_an_agent),
        HUB_TEST(is_revoked_with_its_secret),
    };

    return cmocka_run_group_tests_name("revtun_account", tests, NULL, NULL);
}
