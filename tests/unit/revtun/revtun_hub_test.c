// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "revtun/hubs.h"
#include "revtun/revtun_head.h"

#define BIND_WEB "bind rid=1 name=web kind=tcp\r\n"
#define HUB_TEST(test) cmocka_unit_test_setup_teardown(test, hubs_setup, hubs_teardown)

static void expect_gauges(const struct hubs *hubs, struct revtun_hub_gauges want)
{
    const struct revtun_hub_gauges is = revtun_hub_gauges(hubs->hub);

    assert_int_equal(is.links, want.links);
    assert_int_equal(is.agents, want.agents);
    assert_int_equal(is.services, want.services);
    assert_int_equal(is.waiting, want.waiting);
    assert_int_equal(is.sessions, want.sessions);
    assert_int_equal(is.standing, want.standing);
}

static void welcomes_who_proves_a_token(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_up(hubs, 1, &agent);
    assert_string_equal(hubs->text, "");
    hubs_hello(hubs, &agent, 0, 5, "");
    assert_string_equal(hubs->text,
                        "send 1 welcome sid=01010101010101010101010101010101 you=192.0.2.1:50000 "
                        "ping=15 dead=45 ttl=15 grace=60 caps=sni,standby,tls "
                        "relay=fairlead/test\r\nreport agent up 1\n");
    expect_gauges(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1});
}

static void denies_a_wrong_proof_and_an_unknown_name_alike(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct hubs_agent other;

    hubs_up(hubs, 1, &agent);
    hubs_up(hubs, 2, &other);
    agent.secrets = other.secrets; // a proof for another session
    hubs_hello(hubs, &agent, 0, 5, "");
    assert_true(hubs_has(hubs, "send 1 bye code=denied text="));
    assert_true(hubs_has(hubs, "close 1\n"));
    hubs_say(hubs, &other,
             "hello auth=token id=nobody instance=5 proof="
             "0100000000000000000000000000000000000000000000000000000000000000\r\n");
    assert_true(hubs_has(hubs, "send 2 bye code=denied text="));
    expect_gauges(hubs, (struct revtun_hub_gauges){0});
    assert_int_equal(revtun_hub_stats(hubs->hub)->agents_denied, 2);
}

static void knows_an_agent_by_its_certificate(void **state)
{
    struct hubs *hubs = *state;
    static const char list[] =
        "cert 0505050505050505050505050505050505050505050505050505050505050505 ports=*\n";
    struct revtun_access_mistakes mistakes = {0};
    uint8_t bytes[REVTUN_SECRETS_EXPORT_LEN];

    assert_true(revtun_access_read(bytes_of_text(list), &hubs->access, &mistakes));
    revtun_hub_adopt(hubs->hub, hubs->now, &hubs->access);
    memset(bytes, 5, sizeof bytes);
    for (uint64_t conn = 1; conn <= 2; conn++) {
        struct hubs_agent agent = {.conn = conn};
        const uint8_t sid[REVTUN_MESSAGE_SID_LEN] = {(uint8_t)conn};
        agent.link = revtun_hub_link_up(
            hubs->hub, hubs->now,
            &(struct revtun_hub_arrival){.conn = conn,
                                         .peer = addr_ip4((const uint8_t[]){192, 0, 2, 1}, 1),
                                         .exported = bytes,
                                         .sid = sid,
                                         .cert = conn == 1 ? bytes : NULL});
        hubs_say(hubs, &agent, "hello auth=cert instance=1\r\n" BIND_WEB);
        assert_int_equal(hubs_has(hubs, "bound rid=1 name=web"), conn == 1);
        assert_int_equal(hubs_has(hubs, "bye code=denied"), conn == 2);
    }
}

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
    expect_gauges(hubs, (struct revtun_hub_gauges){0});
}

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
    expect_gauges(hubs, (struct revtun_hub_gauges){0});
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

static void carries_a_client_from_bind_to_session(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    assert_string_equal(hubs->text, "send 1 bound rid=1 name=web at=relay.test:12101 lease=86400"
                                    "\r\nreport bound 1\n");
    hubs_client(hubs, 10, 12101, "");
    assert_true(hubs_has(hubs, "send 1 new_connection id="));
    assert_true(hubs_has(hubs, " name=web src=198.51.100.10:40000 dst=203.0.113.1:12101\r\n"));
    const uint64_t id = hubs_id(hubs, "new_connection", 0);
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, id);
    assert_string_equal(hubs->text, "join 10 20\n");
    assert_int_equal(hubs->head_len, 0);
    expect_gauges(
        hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 1, .sessions = 1});
    hubs_gone(hubs, hubs->session);
    expect_gauges(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 1});
}

static void takes_a_preface_once(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct hubs_agent thief;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_come(hubs, 2, 1, 5, "", &thief);
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_client(hubs, 10, 12101, "");
    const uint64_t id = hubs_id(hubs, "new_connection", 0);
    hubs_data(hubs, &thief, 20, REVTUN_PREFACE_ACCEPT, id); // another agent's
    assert_string_equal(hubs->text, "reset 20\n");
    memcpy(thief.sid, agent.sid, sizeof thief.sid); // with other keys
    hubs_data(hubs, &thief, 21, REVTUN_PREFACE_ACCEPT, id);
    assert_string_equal(hubs->text, "reset 21\nreport forged 0\n");
    hubs_data(hubs, &agent, 22, REVTUN_PREFACE_STANDBY, id);
    assert_string_equal(hubs->text, "reset 22\n");
    hubs_data(hubs, &agent, 23, REVTUN_PREFACE_ACCEPT, id + 1);
    assert_string_equal(hubs->text, "reset 23\n");
    hubs_data(hubs, &agent, 24, REVTUN_PREFACE_ACCEPT, id);
    assert_string_equal(hubs->text, "join 10 24\n");
    hubs_data(hubs, &agent, 25, REVTUN_PREFACE_ACCEPT, id);
    assert_string_equal(hubs->text, "reset 25\n");
    assert_int_equal(revtun_hub_stats(hubs->hub)->prefaces_bad, 5);
}

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
    assert_string_equal(hubs->text, "reset 12\n");
    hubs_say(hubs, &agent, text); // it is over
    assert_string_equal(hubs->text, "");
    expect_gauges(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 1});
}

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
    expect_gauges(hubs, (struct revtun_hub_gauges){
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
    assert_string_equal(hubs->text, "reset 40\n");
    expect_gauges(hubs, (struct revtun_hub_gauges){.agents = 1, .services = 1, .sessions = 1});
    hubs_gone(hubs, hubs->session);
    expect_gauges(hubs, (struct revtun_hub_gauges){0});
    // The port is still its own, so that another name gets another.
    hubs_come(hubs, 2, 0, 6, "", &agent);
    hubs_say(hubs, &agent, "bind rid=1 name=api kind=tcp\r\n" BIND_WEB);
    assert_true(hubs_has(hubs, "name=api at=relay.test:12102"));
    assert_true(hubs_has(hubs, "name=web at=relay.test:12101"));
}

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

static void routes_by_host(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 1, 5, "", &agent);
    hubs_say(hubs, &agent, "bind rid=3 name=a kind=sni hosts=shop.test\r\n");
    hubs_client(hubs, 10, 443, "other.test");
    assert_string_equal(hubs->text, "reset 10\n");
    hubs_client(hubs, 11, 443, "shop.test");
    assert_true(hubs_has(hubs, " dst=203.0.113.1:443 sni=shop.test\r\n"));
    // Bound anew as another kind, it has its port and no host.
    hubs_say(hubs, &agent, "bind rid=4 name=a kind=tcp\r\n");
    assert_true(hubs_has(hubs, "bound rid=4 name=a at=relay.test:12101"));
    hubs_client(hubs, 12, 443, "shop.test");
    assert_string_equal(hubs->text, "reset 12\n");
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
    expect_gauges(hubs, (struct revtun_hub_gauges){
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
    expect_gauges(hubs, (struct revtun_hub_gauges){0});
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
    hubs_pass(hubs, 16 * SECOND_NS); // that one does not come
    assert_true(hubs_has(hubs, "gone id="));
    expect_gauges(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1, .standing = 1});
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
    expect_gauges(hubs, (struct revtun_hub_gauges){.agents = 1, .services = 1});
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
    expect_gauges(hubs, (struct revtun_hub_gauges){0});
}

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
    expect_gauges(hubs, (struct revtun_hub_gauges){.sessions = 19});
}

static void hears_what_is_gone_while_more_is_due(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct revtun_access none = {0};

    hubs_come(hubs, 1, 0, 5, " pool=1 caps=standby", &agent);
    const struct pool_ref standing =
        hubs_data(hubs, &agent, 20, REVTUN_PREFACE_STANDBY, hubs_id(hubs, "standby id", 0));
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_client(hubs, 10, 12101, "");
    const struct pool_ref client = hubs_client(hubs, 11, 12101, "");
    revtun_hub_adopt(hubs->hub, hubs->now, &none);
    assert_true(revtun_hub_deadline(hubs->hub) <= hubs->now.mono_ns);
    revtun_hub_gone(hubs->hub, hubs->now, client);
    revtun_hub_standing_gone(hubs->hub, hubs->now, standing); // a session has it by now
    revtun_hub_link_down(hubs->hub, hubs->now, agent.link);
    hubs_pass(hubs, 0);
    assert_true(hubs_has(hubs, "end 10\n"));
    expect_gauges(hubs, (struct revtun_hub_gauges){.sessions = 1});
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
    expect_gauges(hubs,
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

static void takes_data_only_as_it_is_told(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_close(hubs);
    struct revtun_hub_config config = hubs_config();
    config.data = REVTUN_MESSAGE_DATA_TLS;
    hubs_open(hubs, &config);
    hubs_come(hubs, 1, 0, 5, "", &agent);
    assert_true(hubs_has(hubs, " data=tls "));
    hubs_say(hubs, &agent, BIND_WEB);
    hubs_client(hubs, 10, 12101, "");
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, hubs_id(hubs, "new_connection", 0));
    assert_true(hubs_has(hubs, "reset 20\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(welcomes_who_proves_a_token),
        HUB_TEST(denies_a_wrong_proof_and_an_unknown_name_alike),
        HUB_TEST(knows_an_agent_by_its_certificate),
        HUB_TEST(wants_hello_first_and_soon),
        HUB_TEST(ends_with_protocol_whom_it_cannot_read),
        HUB_TEST(answers_what_it_does_not_know_with_error),
        HUB_TEST(carries_a_client_from_bind_to_session),
        HUB_TEST(takes_a_preface_once),
        HUB_TEST(tells_the_agent_what_became_of_a_client),
        HUB_TEST(keeps_names_and_sessions_over_a_lost_control_connection),
        HUB_TEST(closes_who_waits_when_grace_is_over),
        HUB_TEST(gives_a_name_to_the_same_process_at_once),
        HUB_TEST(asks_a_rival_whether_it_is_alive),
        HUB_TEST(grants_what_the_access_list_has),
        HUB_TEST(routes_by_host),
        HUB_TEST(meets_each_limit_of_clients),
        HUB_TEST(gives_standing_connections_to_clients_with_a_head),
        HUB_TEST(closes_standing_connections_with_their_control_connection),
        HUB_TEST(asks_no_faster_than_it_pings_for_what_fails),
        HUB_TEST(finds_the_silent_dead),
        HUB_TEST(frees_names_at_once_with_bye),
        HUB_TEST(takes_all_from_who_is_revoked),
        HUB_TEST(hears_what_is_gone_while_more_is_due),
        HUB_TEST(takes_a_name_that_is_not_allowed_any_more),
        HUB_TEST(takes_hosts_that_are_not_allowed_any_more),
        HUB_TEST(drains),
        HUB_TEST(has_limits_of_control_connections),
        HUB_TEST(takes_data_only_as_it_is_told),
    };

    return cmocka_run_group_tests_name("revtun_hub", tests, NULL, NULL);
}
