// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_request.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/macro.h"
#include "revtun/hubs.h"

#define P "1000000000000000000000000000000000000000000000000000000000000000" // no proof

static void ends_with_protocol_whom_it_cannot_read(void **state)
{
    static const char *const wrong[] = {"BIND\r\n", "bind rid=1  name=web\r\n", "ping n=%zz\r\n",
                                        "hello auth=cert instance=1\r\n"};
    struct hubs *hubs = *state;

    for (uint64_t i = 0; i < COUNT_OF(wrong); i++) {
        struct hubs_agent agent;
        hubs_come(hubs, i + 1, 0, 5, "", &agent);
        hubs_say(hubs, &agent, wrong[i]);
        assert_true(hubs_has(hubs, "bye code=protocol"));
        hubs_say(hubs, &agent, BIND_WEB); // what comes yet is not heard
        assert_string_equal(hubs->text, "");
    }
    hubs_expect(hubs, (struct revtun_hub_gauges){0});
}

static void answers_what_it_does_not_know_with_error(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, "dance rid=4\r\n");
    assert_true(hubs_has(hubs, "send 1 error rid=4 code=unknown_verb"));
    hubs_say(hubs, &agent, "bind rid=5 name=UP kind=tcp\r\n");
    assert_true(hubs_has(hubs, "send 1 error rid=5 code=bad_value key=name"));
    hubs_say(hubs, &agent, "ping n=77\r\n");
    assert_string_equal(hubs->text, "send 1 pong n=77\r\n");
}

static void says_what_is_wrong_with_a_hello(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_up(hubs, 1, &agent);
    hubs_say(hubs, &agent, "hello auth=cert\r\n");
    assert_true(hubs_has(hubs, "bye code=bad_value"));
    hubs_up(hubs, 2, &agent);
    hubs_say(hubs, &agent, "halo auth=cert\r\n");
    assert_true(hubs_has(hubs, "bye code=protocol"));
}

static void tells_the_log_whom_it_does_not_let_in(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_up(hubs, 1, &agent);
    hubs_say(hubs, &agent, "hello auth=token id=who instance=1 proof=" P "\r\n");
    assert_true(hubs_has(hubs, "bye code=denied"));
    assert_true(hubs_has(hubs, "report agent down 1 who: its token is not on the access list\n"));
    hubs_up(hubs, 2, &agent);
    hubs_say(hubs, &agent, "hello auth=token id=laptop instance=1 proof=" P "\r\n");
    assert_true(hubs_has(hubs, "report agent down 2 laptop: its token is another one than "));
    hubs_up(hubs, 3, &agent);
    hubs_say(hubs, &agent, "hello auth=cert instance=1\r\n");
    assert_true(hubs_has(hubs, "report agent down 3 : it has shown no certificate\n"));
    const struct revtun_hub_stats *stats = revtun_hub_stats(hubs->hub);
    assert_int_equal(stats->agents_denied, 3);
    assert_int_equal(stats->agents_unknown, 2);
    assert_int_equal(stats->agents_unproven, 1);
    for (uint64_t i = 0; i <= hubs->config.max_links_per_agent; i++) {
        hubs_up(hubs, 10 + i, &agent);
        hubs_hello(hubs, &agent, 0, 1, "");
    }
    assert_true(hubs_has(hubs, "bye code=busy"));
    assert_true(hubs_has(hubs, " laptop: the agent has as many control connections as one may\n"));
    assert_int_equal(stats->agents_crowded, 1);
    assert_int_equal(stats->agents_denied, 3);
}

static void says_when_an_agent_is_to_be_read_more_slowly(void **state)
{
    enum { RATE = 8000 };
    struct hubs *hubs = *state;
    struct hubs_agent agents[2];
    struct hubs_agent other;

    hubs_close(hubs);
    struct revtun_hub_config config = hubs_config();
    config.bytes_per_second = RATE;
    hubs_open(hubs, &config);
    hubs_up(hubs, 9, &other);
    assert_int_equal(revtun_hub_link_rest_ns(hubs->hub, hubs->now, other.link), 0);
    hubs_hello(hubs, &other, 1, 5, "");
    hubs_come(hubs, 1, 0, 5, "", &agents[0]);
    hubs_come(hubs, 2, 0, 6, "", &agents[1]);
    hubs_pass(hubs, 2 * SECOND_NS);
    for (size_t i = 0; i < RATE / 10; i++) {
        hubs_say(hubs, &agents[0], "ping n=1\r\n");
    }
    assert_int_equal(revtun_hub_link_rest_ns(hubs->hub, hubs->now, agents[0].link), 0);
    for (size_t i = 0; i < RATE / 20; i++) {
        hubs_say(hubs, &agents[1], "ping n=1\r\n");
    }
    // Whichever of its control connections it has said it on.
    const uint64_t rest_ns = revtun_hub_link_rest_ns(hubs->hub, hubs->now, agents[0].link);
    assert_in_range(rest_ns, SECOND_NS / 2 - SECOND_NS / 100, SECOND_NS / 2 + SECOND_NS / 100);
    assert_int_equal(revtun_hub_link_rest_ns(hubs->hub, hubs->now, agents[1].link), rest_ns);
    assert_int_equal(revtun_hub_link_rest_ns(hubs->hub, hubs->now, other.link), 0);
    hubs_pass(hubs, rest_ns);
    assert_int_equal(revtun_hub_link_rest_ns(hubs->hub, hubs->now, agents[0].link), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(ends_with_protocol_whom_it_cannot_read),
        HUB_TEST(answers_what_it_does_not_know_with_error),
        HUB_TEST(says_what_is_wrong_with_a_hello),
        HUB_TEST(tells_the_log_whom_it_does_not_let_in),
        HUB_TEST(says_when_an_agent_is_to_be_read_more_slowly),
    };

    return cmocka_run_group_tests_name("revtun_request", tests, NULL, NULL);
}
