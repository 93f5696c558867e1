// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_stand.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "revtun/hubs.h"
#include "revtun/revtun_head.h"

static void gives_standing_connections_to_clients_with_a_head(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct bytes line = {0};
    size_t len = 0;

    hubs_come(hubs, 1, 0, 5, " pool=6 caps=standby", &agent);
    (void)hubs_id(hubs, "standby id", 5); // six of them
    const uint64_t id = hubs_id(hubs, "standby id", 2);
    hubs_say(hubs, &agent, BIND_WEB);
    const struct pool_ref standing = hubs_data(hubs, &agent, 20, REVTUN_PREFACE_STANDBY, id);
    assert_true(standing.index != POOL_NONE);
    hubs_data(hubs, &agent, 21, REVTUN_PREFACE_STANDBY, id);
    assert_string_equal(hubs->text, "reset 21\n");
    hubs_client(hubs, 10, 12101, "");
    assert_true(hubs_has(hubs, "join 10 20\n"));
    assert_false(hubs_has(hubs, "send 1 new_connection"));
    assert_true(hubs_id(hubs, "send 1 standby id", 0) > id); // one more
    struct revtun_preface preface = {.type = REVTUN_PREFACE_STANDBY, .id = id};
    uint8_t raw[REVTUN_PREFACE_LEN];
    memcpy(preface.sid, agent.sid, sizeof preface.sid);
    revtun_preface_write(&preface, agent.secrets.preface, raw);
    assert_int_equal(revtun_head_read((struct bytes){hubs->head, hubs->head_len}, raw,
                                      agent.secrets.head, &line, &len),
                     REVTUN_HEAD_WHOLE);
    assert_int_equal(len, hubs->head_len);
    assert_memory_equal(line.ptr, "new_connection id=", 18);
    hubs_expect(hubs, (struct revtun_hub_gauges){
                          .links = 1, .agents = 1, .services = 1, .sessions = 1, .standing = 6});
}

static void closes_standing_connections_with_their_control_connection(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    uint64_t ids[20];

    hubs_come(hubs, 1, 0, 5, " pool=20 caps=standby", &agent);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ids[i] = hubs_id(hubs, "standby id", i);
    }
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        hubs_data(hubs, &agent, 20 + i, REVTUN_PREFACE_STANDBY, ids[i]);
    }
    hubs_down(hubs, &agent);
    assert_true(hubs_has(hubs, "reset 20\n"));
    assert_true(hubs_has(hubs, "reset 39\n"));
    hubs_expect(hubs, (struct revtun_hub_gauges){0});
}

static void asks_no_faster_than_it_pings_for_what_fails(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, " pool=1 caps=standby", &agent);
    const uint64_t id = hubs_id(hubs, "standby id", 0);
    const struct pool_ref standing = hubs_data(hubs, &agent, 20, REVTUN_PREFACE_STANDBY, id);
    revtun_hub_standing_gone(hubs->hub, hubs->now, standing);
    hubs_pass(hubs, 15 * SECOND_NS - 1);
    assert_string_equal(hubs->text, "");
    hubs_pass(hubs, 1);
    assert_true(hubs_has(hubs, "standby id="));
    hubs_say(hubs, &agent, "ping n=1\r\n");
    hubs_pass(hubs, 15 * SECOND_NS); // that one does not come
    assert_true(hubs_has(hubs, "gone id="));
    hubs_expect(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1});
    hubs_pass(hubs, 15 * SECOND_NS);
    hubs_expect(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1, .standing = 1});
}

static void asks_for_what_was_used_and_not_for_what_was_refused(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    uint64_t ids[3];
    char text[128];

    hubs_come(hubs, 1, 0, 5, " pool=3 caps=standby", &agent);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        ids[i] = hubs_id(hubs, "standby id", i);
    }
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_STANDBY, ids[0]);
    hubs_say(hubs, &agent, BIND_WEB);
    for (size_t i = 1; i < COUNT_OF(ids); i++) {
        snprintf(text, sizeof text, "refuse id=%" PRIu64 " code=busy\r\n", ids[i]);
        hubs_say(hubs, &agent, text);
    }
    hubs_client(hubs, 10, 12101, "");
    assert_true(hubs_has(hubs, "join 10 20\n"));
    hubs_expect(hubs, (struct revtun_hub_gauges){
                          .links = 1, .agents = 1, .services = 1, .sessions = 1, .standing = 1});
    // Much is said in between, so that there is nothing to ping for.
    for (size_t i = 0; i < 3; i++) {
        hubs_pass(hubs, 5 * SECOND_NS - 1);
        assert_false(hubs_has(hubs, "standby"));
        hubs_say(hubs, &agent, "ping n=1\r\n");
    }
    hubs_pass(hubs, 3);
    assert_true(hubs_has(hubs, "gone id=")); // the one that has not come
    hubs_expect(hubs, (struct revtun_hub_gauges){
                          .links = 1, .agents = 1, .services = 1, .sessions = 1, .standing = 3});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(gives_standing_connections_to_clients_with_a_head),
        HUB_TEST(closes_standing_connections_with_their_control_connection),
        HUB_TEST(asks_no_faster_than_it_pings_for_what_fails),
        HUB_TEST(asks_for_what_was_used_and_not_for_what_was_refused),
    };

    return cmocka_run_group_tests_name("revtun_stand", tests, NULL, NULL);
}
