// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_bind.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/macro.h"
#include "revtun/hubs.h"

static void gives_a_name_to_the_same_process_at_once(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct hubs_agent back;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_client(hubs, 10, 12101, "");
    hubs_come(hubs, 2, 0, 5, "", &back);
    hubs_say(hubs, &back, BIND_WEB);
    assert_true(hubs_has(hubs, "send 1 unbound name=web code=replaced\r\n"));
    assert_true(hubs_has(hubs, "send 2 bound rid=1"));
    assert_true(hubs_has(hubs, "send 2 new_connection id="));
}

static void asks_a_rival_whether_it_is_alive(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct hubs_agent rival;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_come(hubs, 2, 0, 6, "", &rival);
    hubs_pass(hubs, SECOND_NS);
    hubs_say(hubs, &rival, BIND_WEB);
    assert_true(hubs_has(hubs, "send 1 ping n="));
    assert_true(hubs_has(hubs, "send 2 error rid=1 code=name_taken"));
    assert_true(hubs_has(hubs, "retry=3\r\n"));
    hubs_pass(hubs, SECOND_NS);
    hubs_say(hubs, &agent, "pong n=1\r\n");
    hubs_pass(hubs, 2 * SECOND_NS);
    hubs_say(hubs, &rival, BIND_WEB);
    assert_true(hubs_has(hubs, "send 2 error rid=1 code=name_taken"));
    assert_false(hubs_has(hubs, "retry="));
    // Later it is asked again, and says nothing.
    hubs_pass(hubs, 14 * SECOND_NS);
    hubs_say(hubs, &rival, BIND_WEB);
    hubs_pass(hubs, 3 * SECOND_NS);
    hubs_say(hubs, &rival, BIND_WEB);
    assert_true(hubs_has(hubs, "send 1 unbound name=web code=replaced\r\n"));
    assert_true(hubs_has(hubs, "send 2 bound rid=1 name=web"));
    // Who must have it takes it.
    hubs_say(hubs, &agent, "bind rid=9 name=web kind=tcp take=1\r\n");
    assert_true(hubs_has(hubs, "send 2 unbound name=web code=replaced\r\n"));
    assert_true(hubs_has(hubs, "send 1 bound rid=9 name=web"));
}

static void grants_what_the_access_list_has(void **state)
{
    static const struct {
        const char *line, *answer;
    } cases[] = {
        {"bind rid=1 name=a kind=tcp port=12102", "error rid=1 code=denied"},
        {"bind rid=2 name=a kind=sni hosts=other.test", "error rid=2 code=denied"},
        {"bind rid=3 name=a kind=sni hosts=shop.test", "bound rid=3 name=a at=relay.test:443\r\n"},
        {"bind rid=4 name=b kind=sni hosts=shop.test", "error rid=4 code=host_taken"},
        {"bind rid=5 name=b kind=tcp", "bound rid=5 name=b at=relay.test:12101"},
        {"bind rid=6 name=c kind=tcp", "error rid=6 code=quota"},
        {"unbind rid=7 name=b", "unbound rid=7 name=b code=asked"},
        {"bind rid=8 name=c kind=tcp", "error rid=8 code=no_port"}, // it rests for b
        {"bind rid=9 name=c kind=tcp port=12101", "bound rid=9 name=c at=relay.test:12101"},
    };
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 1, 5, "", &agent);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hubs_say(hubs, &agent, cases[i].line);
        hubs_say(hubs, &agent, "\r\n");
        if (!hubs_has(hubs, cases[i].answer)) {
            fail_msg("%s: %s", cases[i].line, hubs->text);
        }
    }
}

static void lets_an_agent_leave_what_is_kept_for_it(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct hubs_agent other;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_come(hubs, 2, 0, 6, "", &other);
    hubs_say(hubs, &other, "unbind rid=2 name=web\r\n"); // not its own, and alive
    assert_string_equal(hubs->text, "send 2 unbound rid=2 name=web code=asked\r\n");
    hubs_down(hubs, &agent);
    hubs_client(hubs, 10, 12101, "");
    hubs_say(hubs, &other, "unbind rid=3 name=web\r\n");
    assert_true(
        hubs_has(hubs, "send 2 unbound rid=3 name=web code=asked\r\nreport unbound 2 web\n"));
    assert_true(hubs_has(hubs, "refuse 10 \n"));
    hubs_expect(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1});
}

static void binds_other_hosts_where_there_is_no_room_for_both(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_close(hubs);
    struct revtun_hub_config config = hubs_config();
    config.max_hosts = 2;
    hubs_open(hubs, &config);
    hubs->entries[0].hosts = bytes_of_text("*");
    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, "bind rid=1 name=a kind=sni hosts=a.test,b.test\r\n");
    hubs_say(hubs, &agent, "bind rid=2 name=a kind=sni hosts=c.test,a.test\r\n");
    assert_true(hubs_has(hubs, "bound rid=2"));
    hubs_say(hubs, &agent, "bind rid=3 name=a kind=sni hosts=d.test,e.test,f.test\r\n");
    assert_true(hubs_has(hubs, "error rid=3 code=busy"));
    assert_true(hubs_has(hubs, " retry=30\r\n"));
    hubs_client(hubs, 10, 443, "c.test"); // as it was
    assert_true(hubs_has(hubs, "sni=c.test"));
    hubs_client(hubs, 11, 443, "d.test");
    assert_string_equal(hubs->text, "reset 11\n");
}

static void takes_a_name_that_is_not_allowed_any_more(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB "bind rid=2 name=api kind=tcp\r\n");
    hubs_client(hubs, 10, 12101, "");
    hubs_client(hubs, 11, 12102, "");
    hubs->entries[0].names = bytes_of_text("api");
    hubs_pass(hubs, 0);
    revtun_hub_adopt(hubs->hub, hubs->now, &hubs->access);
    hubs_settle(hubs);
    assert_true(hubs_has(hubs, "send 1 unbound name=web code=revoked\r\n"));
    assert_true(hubs_has(hubs, "refuse 10 \n"));
    assert_false(hubs_has(hubs, "refuse 11"));
    hubs_expect(hubs,
                (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 1, .waiting = 1});
}

static void takes_hosts_that_are_not_allowed_any_more(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 1, 5, "", &agent);
    hubs_say(hubs, &agent, "bind rid=1 name=a kind=sni hosts=shop.test\r\n");
    revtun_hub_adopt(hubs->hub, hubs->now, &hubs->access); // nothing is different
    hubs_pass(hubs, 0);
    assert_string_equal(hubs->text, "");
    hubs->entries[1].hosts = bytes_of_text("*.shop.test");
    revtun_hub_adopt(hubs->hub, hubs->now, &hubs->access);
    hubs_pass(hubs, 0);
    assert_true(hubs_has(hubs, "send 1 unbound name=a code=revoked\r\n"));
    hubs_client(hubs, 11, 443, "shop.test");
    assert_string_equal(hubs->text, "reset 11\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(gives_a_name_to_the_same_process_at_once),
        HUB_TEST(asks_a_rival_whether_it_is_alive),
        HUB_TEST(grants_what_the_access_list_has),
        HUB_TEST(lets_an_agent_leave_what_is_kept_for_it),
        HUB_TEST(binds_other_hosts_where_there_is_no_room_for_both),
        HUB_TEST(takes_a_name_that_is_not_allowed_any_more),
        HUB_TEST(takes_hosts_that_are_not_allowed_any_more),
    };

    return cmocka_run_group_tests_name("revtun_bind", tests, NULL, NULL);
}
