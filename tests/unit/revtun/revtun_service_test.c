// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_service.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "revtun/hubs.h"

static void keeps_names_and_sessions_over_a_lost_control_connection(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_client(hubs, 10, 12101, "");
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, hubs_id(hubs, "new_connection", 0));
    hubs_client(hubs, 11, 12101, "");
    const uint64_t stale = hubs_id(hubs, "new_connection", 0);
    hubs_down(hubs, &agent);
    assert_string_equal(hubs->text, "report agent down 1\n");
    hubs_data(hubs, &agent, 21, REVTUN_PREFACE_ACCEPT, stale);
    assert_true(hubs_has(hubs, "reset 21\n"));
    hubs_pass(hubs, 1);
    hubs_client(hubs, 12, 12101, "");
    assert_string_equal(hubs->text, ""); // it waits
    hubs_pass(hubs, 59 * SECOND_NS);
    assert_string_equal(hubs->text, "");
    hubs_come(hubs, 2, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    assert_true(hubs_has(hubs, "send 2 bound rid=1 name=web at=relay.test:12101"));
    const uint64_t first = hubs_id(hubs, "new_connection", 0);
    assert_true(first != stale);
    hubs_data(hubs, &agent, 22, REVTUN_PREFACE_ACCEPT, first);
    assert_string_equal(hubs->text, "join 11 22\n"); // who has waited for the longest time
    hubs_expect(hubs, (struct revtun_hub_gauges){
                          .links = 1, .agents = 1, .services = 1, .waiting = 1, .sessions = 2});
}

static void closes_who_waits_when_grace_is_over(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_client(hubs, 10, 12101, "");
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, hubs_id(hubs, "new_connection", 0));
    for (uint64_t conn = 11; conn < 31; conn++) {
        hubs_client(hubs, conn, 12101, "");
    }
    hubs_down(hubs, &agent);
    hubs_pass(hubs, 60 * SECOND_NS);
    assert_true(hubs_has(hubs, "refuse 11 \n"));
    assert_true(hubs_has(hubs, "refuse 30 \n"));
    assert_false(hubs_has(hubs, "end 10"));
    hubs_client(hubs, 40, 12101, "");
    assert_string_equal(hubs->text, "reset 40\nreport nobody 0\n");
    hubs_expect(hubs, (struct revtun_hub_gauges){.agents = 1, .services = 1, .sessions = 1});
    hubs_gone(hubs, hubs->session);
    hubs_expect(hubs, (struct revtun_hub_gauges){0});
    // The port is still its own, so that another name gets another.
    hubs_come(hubs, 2, 0, 6, "", &agent);
    hubs_say(hubs, &agent, "bind rid=1 name=api kind=tcp\r\n" BIND_WEB);
    assert_true(hubs_has(hubs, "name=api at=relay.test:12102"));
    assert_true(hubs_has(hubs, "name=web at=relay.test:12101"));
}

static void frees_names_at_once_with_bye(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_client(hubs, 10, 12101, "");
    hubs_say(hubs, &agent, "bye code=shutdown\r\n");
    assert_true(hubs_has(hubs, "close 1\n"));
    assert_true(hubs_has(hubs, "refuse 10 \n"));
    hubs_expect(hubs, (struct revtun_hub_gauges){0});
}

static void lasts_for_its_sessions_while_its_name_is_bound_anew(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, "bind rid=1 name=web kind=tcp max=1\r\n");
    hubs_client(hubs, 10, 12101, "");
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, hubs_id(hubs, "new_connection", 0));
    hubs_say(hubs, &agent, "unbind rid=2 name=web\r\n");
    hubs_expect(hubs,
                (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 1, .sessions = 1});
    hubs_client(hubs, 11, 12101, "");
    assert_string_equal(hubs->text, "reset 11\nreport nobody 0\n");
    // It is another one that is bound then, with a limit of its own.
    hubs_say(hubs, &agent, "bind rid=3 name=web kind=tcp max=1\r\n");
    assert_true(hubs_has(hubs, "bound rid=3 name=web at=relay.test:12101"));
    hubs_client(hubs, 12, 12101, "");
    assert_true(hubs_has(hubs, "new_connection"));
    hubs_gone(hubs, hubs->session);
    hubs_expect(hubs,
                (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 1, .waiting = 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(keeps_names_and_sessions_over_a_lost_control_connection),
        HUB_TEST(closes_who_waits_when_grace_is_over),
        HUB_TEST(frees_names_at_once_with_bye),
        HUB_TEST(lasts_for_its_sessions_while_its_name_is_bound_anew),
    };

    return cmocka_run_group_tests_name("revtun_service", tests, NULL, NULL);
}
