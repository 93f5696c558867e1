// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/hubs.h"

#define BIND_ALL                                                                                   \
    BIND_WEB "bind rid=2 name=b kind=tcp\r\nbind rid=3 name=c kind=tcp\r\n"                        \
             "bind rid=4 name=d kind=tcp\r\n"

enum { CROWD = 4 * 128 }; // four names have them wait

static void wants_hello_first_and_soon(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_up(hubs, 1, &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    assert_true(hubs_has(hubs, "send 1 bye code=protocol"));
    hubs_up(hubs, 2, &agent);
    hubs_pass(hubs, 5 * SECOND_NS - 1);
    assert_string_equal(hubs->text, "");
    hubs_pass(hubs, 1);
    assert_true(hubs_has(hubs, "send 2 bye code=timeout"));
    hubs_expect(hubs, (struct revtun_hub_gauges){0});
}

// Binds four names, of which each has a port, and has as many wait as may.
static void crowd(struct hubs *hubs, struct hubs_agent *agent)
{
    hubs_come(hubs, 1, 0, 5, "", agent);
    hubs_say(hubs, agent, BIND_ALL);
    hubs_down(hubs, agent);
    for (uint64_t conn = 0; conn < CROWD; conn++) {
        hubs_client(hubs, 1000 + conn, (uint16_t)(12101 + conn % 4), "");
        assert_string_equal(hubs->text, "");
    }
    hubs_come(hubs, 2, 0, 5, "", agent);
    hubs_say(hubs, agent, BIND_ALL);
}

static size_t announced(const struct hubs *hubs)
{
    size_t count = 0;

    for (const char *at = hubs->text; (at = strstr(at, "new_connection id=")) != NULL; at++) {
        count++;
    }
    return count;
}

// Bytes that were said to the second control connection.
static size_t said(const struct hubs *hubs)
{
    static const char start[] = "send 2 ";
    size_t len = 0;

    for (const char *at = hubs->text; (at = strstr(at, start)) != NULL; at++) {
        len += (size_t)(strchr(at, '\n') + 1 - at) - (sizeof start - 1);
    }
    return len;
}

static void announces_no_more_than_its_agent_reads(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    char text[64];

    crowd(hubs, &agent);
    size_t count = announced(hubs);
    assert_in_range(count, 300, CROWD - 1);
    assert_in_range(said(hubs), 32768 - 200, 32768 + 200); // and so much was said before
    hubs_say(hubs, &agent, "pong n=40000\r\n");            // that much was not said yet
    assert_int_equal(announced(hubs), 0);
    hubs_client(hubs, 10, 12101, "");
    assert_string_equal(hubs->text, "reset 10\nreport refused 0 pair_waiting\n");
    hubs_say(hubs, &agent, "pong n=8200\r\n");
    assert_in_range(announced(hubs), 80, 120);
    count += announced(hubs);
    snprintf(text, sizeof text, "pong n=%d\r\n", 30000);
    hubs_say(hubs, &agent, text);
    assert_int_equal(count + announced(hubs), CROWD);
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, hubs_id(hubs, "new_connection", 0));
    assert_int_equal(announced(hubs), 0);
    hubs_pass(hubs, 15 * SECOND_NS); // the others are closed as ever
    hubs_expect(hubs,
                (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 4, .sessions = 1});
}

// Whose place was the first: 0 is no id, though it would lead there.
static void lets_nobody_answer_for_who_is_withheld(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_ALL);
    hubs_down(hubs, &agent);
    const struct pool_ref first = hubs_client(hubs, 1000, 12104, "");
    for (uint64_t conn = 1; conn < CROWD - 1; conn++) {
        hubs_client(hubs, 1000 + conn, (uint16_t)(12101 + conn % 4), "");
    }
    hubs_gone(hubs, first);
    hubs_pass(hubs, 1);
    hubs_client(hubs, 2000, 12104, ""); // the last of those that are bound
    hubs_come(hubs, 2, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_ALL);
    assert_true(announced(hubs) < CROWD);
    hubs_say(hubs, &agent, "refuse id=0 code=busy\r\n");
    assert_string_equal(hubs->text, "");
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, 0);
    assert_string_equal(hubs->text, "reset 20\n");
}

static void says_little_to_an_agent_that_reads_nothing(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    crowd(hubs, &agent);
    size_t len = said(hubs);
    hubs_pass(hubs, 15 * SECOND_NS - 1);
    assert_int_equal(announced(hubs), 0);
    hubs_pass(hubs, 1); // all have waited for long enough, announced or not
    len += said(hubs);
    hubs_expect(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 4});
    assert_in_range(len, 32768, 65535);
    hubs_client(hubs, 10, 12101, "");
    assert_int_equal(announced(hubs), 0);
    hubs_say(hubs, &agent, "pong n=32768\r\n");
    assert_int_equal(announced(hubs), 1);
}

static void tells_who_is_to_come_back_and_when(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agents[3];
    struct revtun_access none = {0};

    hubs_come(hubs, 1, 0, 5, "", &agents[0]);
    hubs_pass(hubs, 45 * SECOND_NS);
    assert_true(hubs_has(hubs, "bye code=silent"));
    assert_true(hubs_has(hubs, " retry=1\r\n"));
    hubs_up(hubs, 2, &agents[0]);
    hubs_pass(hubs, 5 * SECOND_NS);
    assert_true(hubs_has(hubs, "bye code=timeout"));
    assert_true(hubs_has(hubs, " retry=1\r\n"));
    hubs_come(hubs, 3, 0, 5, "", &agents[0]);
    hubs_come(hubs, 4, 1, 5, "", &agents[1]);
    hubs_up(hubs, 5, &agents[2]);
    revtun_hub_adopt(hubs->hub, hubs->now, &none);
    hubs_settle(hubs);
    assert_true(hubs_has(hubs, "bye code=revoked"));
    assert_false(hubs_has(hubs, " retry="));
    revtun_hub_adopt(hubs->hub, hubs->now, &hubs->access);
    revtun_hub_drain(hubs->hub, hubs->now, 20);
    hubs_pass(hubs, SECOND_NS);
    hubs_hello(hubs, &agents[2], 0, 5, ""); // until something else is there
    assert_true(hubs_has(hubs, "bye code=shutdown"));
    assert_true(hubs_has(hubs, " retry=20\r\n"));
}

static void finds_the_silent_dead(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_pass(hubs, 44 * SECOND_NS);
    assert_true(hubs_has(hubs, "send 1 ping n="));
    hubs_say(hubs, &agent, "pong n=1\r\n");
    hubs_pass(hubs, 44 * SECOND_NS);
    assert_false(hubs_has(hubs, "bye"));
    hubs_pass(hubs, SECOND_NS);
    assert_true(hubs_has(hubs, "send 1 bye code=silent"));
    hubs_expect(hubs, (struct revtun_hub_gauges){.agents = 1, .services = 1});
}

static void drains(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct hubs_agent late;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    revtun_hub_drain(hubs->hub, hubs->now, 10);
    hubs_pass(hubs, 0);
    assert_string_equal(hubs->text, "send 1 drain in=10\r\n");
    hubs_client(hubs, 10, 12101, "");
    assert_true(hubs_has(hubs, "new_connection"));
    hubs_up(hubs, 2, &late);
    hubs_hello(hubs, &late, 0, 5, "");
    assert_true(hubs_has(hubs, "send 2 bye code=shutdown"));
    hubs_pass(hubs, 10 * SECOND_NS);
    assert_true(hubs_has(hubs, "send 1 bye code=shutdown"));
    assert_true(hubs_has(hubs, "close 1\n"));
}

static void has_limits_of_control_connections(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agents[4];

    hubs_close(hubs);
    struct revtun_hub_config config = hubs_config();
    config.max_links = 3;
    config.max_links_per_agent = 2;
    hubs_open(hubs, &config);
    hubs_come(hubs, 1, 0, 5, "", &agents[0]);
    hubs_come(hubs, 2, 0, 6, "", &agents[1]);
    hubs_up(hubs, 3, &agents[2]);
    hubs_up(hubs, 4, &agents[3]);
    assert_string_equal(hubs->text, "close 4\n");
    assert_int_equal(agents[3].link.index, POOL_NONE);
    hubs_hello(hubs, &agents[2], 0, 7, "");
    assert_true(hubs_has(hubs, "send 3 bye code=busy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(wants_hello_first_and_soon),
        HUB_TEST(announces_no_more_than_its_agent_reads),
        HUB_TEST(lets_nobody_answer_for_who_is_withheld),
        HUB_TEST(says_little_to_an_agent_that_reads_nothing),
        HUB_TEST(tells_who_is_to_come_back_and_when),
        HUB_TEST(finds_the_silent_dead),
        HUB_TEST(drains),
        HUB_TEST(has_limits_of_control_connections),
    };

    return cmocka_run_group_tests_name("revtun_link", tests, NULL, NULL);
}
