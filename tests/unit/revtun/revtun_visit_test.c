// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_visit.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/hubs.h"

static void tells_the_agent_what_became_of_a_client(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    char text[64];

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    const struct pool_ref client = hubs_client(hubs, 10, 12101, "");
    hubs_gone(hubs, client);
    assert_true(hubs_has(hubs, "send 1 gone id="));
    assert_true(hubs_has(hubs, " code=left\r\n"));
    hubs_client(hubs, 11, 12101, "");
    hubs_pass(hubs, 15 * SECOND_NS);
    assert_true(hubs_has(hubs, " code=timeout\r\n"));
    assert_true(hubs_has(hubs, "refuse 11 \n"));
    hubs_client(hubs, 12, 12101, "");
    struct wr wr = wr_init((uint8_t *)text, sizeof text);
    wr_text(&wr, "refuse code=unreachable id=");
    wr_decimal(&wr, hubs_id(hubs, "new_connection", 0));
    wr_text(&wr, "\r\n");
    wr_u8(&wr, 0);
    hubs_say(hubs, &agent, text);
    assert_string_equal(hubs->text, "report denied 0\nreset 12\n");
    hubs_say(hubs, &agent, text); // it is over
    assert_string_equal(hubs->text, "");
    hubs_expect(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 1});
}

static void meets_each_limit_of_clients(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 1, 5, "", &agent); // may have three clients
    hubs_say(hubs, &agent, "bind rid=1 name=a kind=tcp max=2\r\n");
    hubs_client(hubs, 10, 12101, "");
    hubs_client(hubs, 11, 12101, "");
    hubs_client(hubs, 12, 12101, "");
    assert_string_equal(hubs->text, "reset 12\nreport refused 0 pair_sessions\n");
    hubs_say(hubs, &agent, "bind rid=2 name=a kind=tcp\r\n");
    hubs_client(hubs, 13, 12101, "");
    assert_true(hubs_has(hubs, "new_connection"));
    hubs_client(hubs, 14, 12101, "");
    assert_string_equal(hubs->text, "reset 14\nreport refused 0 pair_sessions\n");
}

static void counts_the_clients_of_an_agent_over_all_its_names(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 1, 5, "", &agent); // may have three clients
    hubs_say(hubs, &agent,
             "bind rid=1 name=a kind=tcp\r\n"
             "bind rid=2 name=b kind=sni hosts=shop.test\r\n");
    hubs_client(hubs, 10, 12101, "");
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, hubs_id(hubs, "new_connection", 0));
    hubs_client(hubs, 11, 12101, "");
    hubs_client(hubs, 12, 443, "shop.test");
    hubs_client(hubs, 13, 443, "shop.test");
    assert_string_equal(hubs->text, "reset 13\nreport refused 0 pair_sessions\n");
    hubs_gone(hubs, hubs->session);
    hubs_client(hubs, 14, 443, "shop.test");
    assert_true(hubs_has(hubs, "new_connection"));
}

static void counts_those_who_wait_and_no_sessions(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_close(hubs);
    struct revtun_hub_config config = hubs_config();
    config.max_waiting = 3;
    config.max_waiting_per_name = 2;
    config.max_sessions = 4;
    hubs_open(hubs, &config);
    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, "bind rid=1 name=a kind=tcp\r\nbind rid=2 name=b kind=tcp\r\n");
    hubs_client(hubs, 10, 12101, "");
    const uint64_t id = hubs_id(hubs, "new_connection", 0);
    hubs_client(hubs, 11, 12101, "");
    hubs_client(hubs, 12, 12101, "");
    assert_string_equal(hubs->text, "reset 12\nreport refused 0 pair_waiting\n");
    hubs_client(hubs, 13, 12102, "");
    hubs_client(hubs, 14, 12102, "");
    assert_string_equal(hubs->text, "reset 14\nreport refused 0 waiting\n");
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, id); // a place to wait is free
    hubs_client(hubs, 15, 12102, "");
    assert_true(hubs_has(hubs, "new_connection"));
    hubs_client(hubs, 16, 12102, "");
    assert_string_equal(hubs->text, "reset 16\nreport refused 0 sessions\n");
}

static void announces_first_who_has_waited_longest(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, "bind rid=1 name=a kind=tcp\r\nbind rid=2 name=b kind=tcp\r\n");
    hubs_down(hubs, &agent);
    for (uint64_t conn = 10; conn < 30; conn++) {
        hubs_client(hubs, conn, conn % 2 == 0 ? 12101 : 12102, "");
        hubs_pass(hubs, 1);
    }
    hubs_come(hubs, 2, 0, 5, "", &agent);
    hubs_say(hubs, &agent, "bind rid=2 name=b kind=tcp\r\n");
    const char *at = hubs->text;
    for (uint64_t conn = 11; conn < 30; conn += 2) {
        char src[32];
        snprintf(src, sizeof src, " src=198.51.100.%" PRIu64 ":", conn);
        at = strstr(at, src);
        assert_non_null(at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(tells_the_agent_what_became_of_a_client),
        HUB_TEST(meets_each_limit_of_clients),
        HUB_TEST(counts_the_clients_of_an_agent_over_all_its_names),
        HUB_TEST(counts_those_who_wait_and_no_sessions),
        HUB_TEST(announces_first_who_has_waited_longest),
    };

    return cmocka_run_group_tests_name("revtun_visit", tests, NULL, NULL);
}
