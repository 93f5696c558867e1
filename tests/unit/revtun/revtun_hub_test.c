// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/hubs.h"

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
    hubs_expect(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1});
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
    hubs_expect(hubs, (struct revtun_hub_gauges){0});
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

static void carries_a_client_from_bind_to_session(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    assert_string_equal(hubs->text, "send 1 bound rid=1 name=web at=relay.test:12101 lease=86400"
                                    "\r\nreport bound 1 web\n");
    hubs_client(hubs, 10, 12101, "");
    assert_true(hubs_has(hubs, "send 1 new_connection id="));
    assert_true(hubs_has(hubs, " name=web src=198.51.100.10:40000 dst=203.0.113.1:12101\r\n"));
    const uint64_t id = hubs_id(hubs, "new_connection", 0);
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, id);
    assert_string_equal(hubs->text, "join 10 20\n");
    assert_int_equal(hubs->head_len, 0);
    hubs_expect(hubs,
                (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 1, .sessions = 1});
    hubs_gone(hubs, hubs->session);
    hubs_expect(hubs, (struct revtun_hub_gauges){.links = 1, .agents = 1, .services = 1});
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

static void routes_by_host(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 1, 5, "", &agent);
    hubs_say(hubs, &agent, "bind rid=3 name=a kind=sni hosts=shop.test\r\n");
    hubs_client(hubs, 10, 443, "other.test");
    assert_string_equal(hubs->text, "reset 10\nreport nobody 0\n");
    hubs_client(hubs, 11, 443, "shop.test");
    assert_true(hubs_has(hubs, " dst=203.0.113.1:443 sni=shop.test\r\n"));
    // Bound anew as another kind, it has its port and no host.
    hubs_say(hubs, &agent, "bind rid=4 name=a kind=tcp\r\n");
    assert_true(hubs_has(hubs, "bound rid=4 name=a at=relay.test:12101"));
    hubs_client(hubs, 12, 443, "shop.test");
    assert_string_equal(hubs->text, "reset 12\nreport nobody 0\n");
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
    hubs_expect(hubs, (struct revtun_hub_gauges){.sessions = 1});
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
        HUB_TEST(carries_a_client_from_bind_to_session),
        HUB_TEST(takes_a_preface_once),
        HUB_TEST(routes_by_host),
        HUB_TEST(hears_what_is_gone_while_more_is_due),
        HUB_TEST(takes_data_only_as_it_is_told),
    };

    return cmocka_run_group_tests_name("revtun_hub", tests, NULL, NULL);
}
