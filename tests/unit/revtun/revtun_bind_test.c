// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_bind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

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

// What is refused, and why, stands in the answer and in the log.
static void says_what_is_refused_and_why(void **state)
{
    static const struct {
        const char *line, *answer, *logged;
    } cases[] = {
        {"bind rid=1 name=b kind=tcp",
         "error rid=1 code=denied key=name text=this%20agent%20may%20not%20have%20the%20name%20b",
         "b: this agent may not have the name b"},
        {"bind rid=1 name=a kind=tcp port=12102",
         "code=denied key=port text=this%20agent%20may%20not%20have%20the%20port%2012102",
         "a: this agent may not have the port 12102"},
        {"bind rid=1 name=a kind=sni hosts=shop.test,x.test",
         "code=denied key=hosts text=this%20agent%20may%20not%20have%20the%20host%20x.test",
         "a: this agent may not have the host x.test"},
        {"bind rid=1 name=a2 kind=sni hosts=shop.test",
         "code=host_taken text=the%20host%20shop.test%20is%20another%20tunnel's",
         "a2: the host shop.test is another tunnel's"},
        {"bind rid=1 name=a2 kind=tcp port=12101",
         "code=port_taken text=the%20port%2012101%20is%20somebody%20else's",
         "a2: the port 12101 is somebody else's"},
    };
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct hubs_agent other;

    hubs->entries[1].names = bytes_of_text("a*");
    hubs_come(hubs, 2, 0, 6, "", &other);
    hubs_say(hubs, &other, "bind rid=1 name=x kind=tcp port=12101\r\n");
    hubs_come(hubs, 1, 1, 5, "", &agent);
    hubs_say(hubs, &agent, "bind rid=9 name=a3 kind=sni hosts=shop.test\r\n");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hubs_say(hubs, &agent, cases[i].line);
        hubs_say(hubs, &agent, "\r\n");
        if (!hubs_has(hubs, cases[i].answer) || !hubs_has(hubs, cases[i].logged)) {
            fail_msg("%s: %s", cases[i].line, hubs->text);
        }
    }
    hubs->entries[1].ports = (struct bytes){0};
    hubs_say(hubs, &agent, "bind rid=1 name=a kind=tcp\r\n");
    assert_true(hubs_has(hubs, "key=port text=this%20agent%20may%20have%20no%20ports\r\n"));
    hubs_say(hubs, &other, "bind rid=1 name=a kind=sni hosts=a.test\r\n");
    assert_true(hubs_has(hubs, "key=hosts text=this%20agent%20may%20have%20no%20hosts\r\n"));
    const struct revtun_hub_stats *stats = revtun_hub_stats(hubs->hub);
    assert_int_equal(stats->binds_refused, 7);
    assert_int_equal(stats->binds_denied[REVTUN_DENIAL_NAME - 1], 1);
    assert_int_equal(stats->binds_denied[REVTUN_DENIAL_PORT - 1], 2);
    assert_int_equal(stats->binds_denied[REVTUN_DENIAL_HOST - 1], 2);
    assert_int_equal(stats->binds_denied[REVTUN_DENIAL_HOST_TAKEN - 1], 1);
}

static void has_a_pace_for_each_agent(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agents[2];
    struct hubs_agent other;

    hubs_close(hubs);
    struct revtun_hub_config config = hubs_config();
    config.binds_per_second = 5;
    hubs_open(hubs, &config);
    hubs->entries[0].tunnel_max = 4;
    hubs_come(hubs, 1, 0, 5, "", &agents[0]);
    hubs_come(hubs, 2, 0, 5, "", &agents[1]);
    for (size_t i = 0; i < 5; i++) {
        // However many control connections it has.
        hubs_say(hubs, &agents[i % 2], BIND_WEB "unbind rid=2 name=web\r\n");
        assert_true(hubs_has(hubs, "bound rid=1"));
    }
    hubs_say(hubs, &agents[1], BIND_WEB);
    assert_true(hubs_has(hubs, "send 2 error rid=1 code=busy text=this%20agent%20asks%20for%20"));
    assert_true(hubs_has(hubs, " retry=1\r\nreport bind refused 2 web: this agent asks"));
    hubs_come(hubs, 3, 1, 5, "", &other);
    hubs_say(hubs, &other, "bind rid=3 name=web kind=sni hosts=shop.test\r\n");
    assert_true(hubs_has(hubs, "bound rid=3")); // another agent has its own
    hubs_pass(hubs, SECOND_NS / 5 - 1);
    hubs_say(hubs, &agents[1], BIND_WEB);
    assert_true(hubs_has(hubs, "code=busy"));
    hubs_pass(hubs, 1);
    hubs_say(hubs, &agents[1], BIND_WEB);
    assert_true(hubs_has(hubs, "bound rid=1"));
    assert_int_equal(revtun_hub_stats(hubs->hub)->binds_denied[REVTUN_DENIAL_PACE - 1], 2);
}

// Who may have many tunnels may bind all of them within a second.
static void has_a_pace_for_as_many_as_an_agent_may_have(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_close(hubs);
    struct revtun_hub_config config = hubs_config();
    config.binds_per_second = 5;
    config.max_services = 8;
    hubs_open(hubs, &config);
    hubs->entries[0].tunnel_max = UINT32_MAX;
    hubs_come(hubs, 1, 0, 5, "", &agent);
    for (size_t i = 0; i < 8; i++) {
        hubs_say(hubs, &agent, BIND_WEB);
        assert_true(hubs_has(hubs, "bound rid=1"));
    }
    hubs_say(hubs, &agent, BIND_WEB);
    assert_true(hubs_has(hubs, "code=busy"));
}

static void counts_what_has_ended_and_still_has_clients(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct pool_ref clients[4];
    char line[64];

    hubs_close(hubs);
    struct revtun_hub_config config = hubs_config();
    config.max_ended_per_agent = 2;
    hubs_open(hubs, &config);
    hubs->entries[0].tunnel_max = 1;
    hubs_come(hubs, 1, 0, 5, "", &agent);
    for (uint64_t i = 0; i < 3; i++) {
        IGNORE(snprintf(line, sizeof line, "bind rid=1 name=n%d kind=tcp port=12101\r\n", (int)i));
        hubs_say(hubs, &agent, line);
        assert_true(hubs_has(hubs, "bound rid=1"));
        clients[i] = hubs_client(hubs, 10 + i, 12101, "");
        hubs_data(hubs, &agent, 20 + i, REVTUN_PREFACE_ACCEPT, hubs_id(hubs, "new_conn", 0));
        IGNORE(snprintf(line, sizeof line, "unbind rid=2 name=n%d\r\n", (int)i));
        hubs_say(hubs, &agent, line);
    }
    hubs_expect(hubs,
                (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 3, .sessions = 3});
    hubs_say(hubs, &agent, BIND_WEB);
    assert_true(hubs_has(hubs, "error rid=1 code=busy text=too%20many%20tunnels"));
    assert_true(hubs_has(hubs, " retry=30\r\n"));
    hubs_gone(hubs, clients[1]);
    hubs_say(hubs, &agent, BIND_WEB);
    assert_true(hubs_has(hubs, "bound rid=1"));
    hubs_say(hubs, &agent, "bind rid=3 name=more kind=tcp\r\n");
    assert_true(hubs_has(hubs, "error rid=3 code=quota"));
}

static void gives_an_agent_so_many_hosts(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs->entries[0].hosts = bytes_of_text("*");
    hubs->entries[0].host_max = 3;
    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, "bind rid=1 name=a kind=sni hosts=a.test,b.test\r\n");
    hubs_say(hubs, &agent, "bind rid=2 name=b kind=sni hosts=c.test,d.test\r\n");
    assert_true(hubs_has(hubs, "error rid=2 code=quota text=this%20agent%20may%20have%20no%20"
                               "more%20hosts%20than%203%20at%20a%20time\r\n"));
    hubs_say(hubs, &agent, "bind rid=3 name=b kind=sni hosts=c.test,c.test\r\n");
    assert_true(hubs_has(hubs, "bound rid=3"));
    hubs_say(hubs, &agent, "bind rid=4 name=a kind=sni hosts=x.test,y.test,b.test\r\n");
    assert_true(hubs_has(hubs, "error rid=4 code=quota"));
    // It has what it had, even if it may have less by now.
    hubs->entries[0].host_max = 1;
    hubs_say(hubs, &agent, "bind rid=5 name=a kind=sni hosts=x.test\r\n");
    assert_true(hubs_has(hubs, "error rid=5 code=quota"));
    hubs_client(hubs, 10, 443, "b.test");
    assert_true(hubs_has(hubs, "sni=b.test"));
    hubs_say(hubs, &agent, "unbind rid=6 name=b\r\nbind rid=7 name=a kind=sni hosts=x.test\r\n");
    assert_true(hubs_has(hubs, "bound rid=7"));
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
    assert_string_equal(hubs->text, "reset 11\nreport nobody 0\n");
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
    assert_string_equal(hubs->text, "reset 11\nreport nobody 0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(gives_a_name_to_the_same_process_at_once),
        HUB_TEST(asks_a_rival_whether_it_is_alive),
        HUB_TEST(grants_what_the_access_list_has),
        HUB_TEST(says_what_is_refused_and_why),
        HUB_TEST(has_a_pace_for_each_agent),
        HUB_TEST(has_a_pace_for_as_many_as_an_agent_may_have),
        HUB_TEST(counts_what_has_ended_and_still_has_clients),
        HUB_TEST(gives_an_agent_so_many_hosts),
        HUB_TEST(lets_an_agent_leave_what_is_kept_for_it),
        HUB_TEST(binds_other_hosts_where_there_is_no_room_for_both),
        HUB_TEST(takes_a_name_that_is_not_allowed_any_more),
        HUB_TEST(takes_hosts_that_are_not_allowed_any_more),
    };

    return cmocka_run_group_tests_name("revtun_bind", tests, NULL, NULL);
}
