// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hub_look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/macro.h"
#include "revtun/hubs.h"

#define BIND_HOST "bind rid=2 name=site kind=sni hosts=shop.test\r\n"

static struct revtun_hub_look look_at_port(const struct hubs *hubs, uint16_t port)
{
    const uint32_t index = revtun_hub_look_port(hubs->hub, port);
    struct revtun_hub_look look = {0};

    assert_int_not_equal(index, POOL_NONE);
    assert_true(revtun_hub_look(hubs->hub, index, &look));
    return look;
}

static void sees_nobody_where_nobody_is(void **state)
{
    const struct hubs *hubs = *state;
    struct revtun_hub_look look;
    struct revtun_hub_look_link link;

    assert_int_equal(revtun_hub_look_port(hubs->hub, 12101), POOL_NONE);
    assert_int_equal(revtun_hub_look_port(hubs->hub, 1), POOL_NONE);
    assert_int_equal(revtun_hub_look_port(hubs->hub, 65535), POOL_NONE);
    assert_int_equal(revtun_hub_look_host(hubs->hub, bytes_of_text("shop.test")), POOL_NONE);
    assert_int_equal(revtun_hub_look_count(hubs->hub), 0);
    assert_int_equal(revtun_hub_look_link_count(hubs->hub), 0);
    assert_false(revtun_hub_look(hubs->hub, 0, &look));
    assert_false(revtun_hub_look_link(hubs->hub, 0, &link));
}

static void sees_a_tunnel_with_its_agent_and_clients(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct revtun_hub_look_link link;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    const uint64_t up_ns = hubs->now.mono_ns;
    hubs_pass(hubs, SECOND_NS);
    hubs_say(hubs, &agent, "bind rid=1 name=web kind=tcp max=7\r\n");
    struct revtun_hub_look look = look_at_port(hubs, 12101);
    assert_true(bytes_equal_text(look.owner, "laptop"));
    assert_true(bytes_equal_text(look.name, "web"));
    assert_int_equal(look.port, 12101);
    assert_int_equal(look.max, 7);
    assert_int_not_equal(look.agent.family, ADDR_NONE);
    assert_int_equal(look.agent_up_ns, up_ns);
    assert_true(look.kept_until_ns == NEVER);
    assert_true(look.waiting_since_ns == NEVER);
    assert_false(look.has_ended);
    const uint64_t first_ns = hubs->now.mono_ns;
    hubs_client(hubs, 10, 12101, "");
    const uint64_t id = hubs_id(hubs, "new_connection", 0);
    hubs_pass(hubs, SECOND_NS);
    hubs_client(hubs, 11, 12101, "");
    look = look_at_port(hubs, 12101);
    assert_int_equal(look.waiting, 2);
    assert_int_equal(look.sessions, 0);
    assert_int_equal(look.waiting_since_ns, first_ns);
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_ACCEPT, id);
    look = look_at_port(hubs, 12101);
    assert_int_equal(look.waiting, 1);
    assert_int_equal(look.sessions, 1);
    assert_int_equal(look.waiting_since_ns, first_ns + SECOND_NS);
    assert_true(revtun_hub_look_link(hubs->hub, 0, &link));
    assert_true(bytes_equal_text(link.owner, "laptop"));
    assert_int_equal(link.tunnels, 1);
    assert_int_equal(link.up_ns, up_ns);
}

static void sees_how_long_a_lost_one_is_kept(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    struct revtun_hub_look_link link;

    hubs_come(hubs, 1, 0, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_WEB);
    const struct pool_ref tunnel = look_at_port(hubs, 12101).tunnel;
    hubs_down(hubs, &agent);
    const struct revtun_hub_look look = look_at_port(hubs, 12101);
    assert_int_equal(look.agent.family, ADDR_NONE);
    assert_int_equal(look.kept_until_ns, hubs->now.mono_ns + hubs->config.grace_s * SECOND_NS);
    assert_int_equal(look.tunnel.index, tunnel.index);
    assert_int_equal(look.tunnel.generation, tunnel.generation);
    assert_false(revtun_hub_look_link(hubs->hub, 0, &link));
    hubs_pass(hubs, (hubs->config.grace_s + 1) * SECOND_NS);
    hubs_settle(hubs);
    assert_int_equal(revtun_hub_look_port(hubs->hub, 12101), POOL_NONE);
}

static void sees_connections_that_stand_by_when_they_are_there(void **state)
{
    struct hubs *hubs = *state;
    struct hubs_agent agent;

    hubs_come(hubs, 1, 0, 5, " pool=3 caps=standby", &agent);
    const uint64_t id = hubs_id(hubs, "standby id", 0);
    hubs_say(hubs, &agent, BIND_WEB);
    assert_int_equal(look_at_port(hubs, 12101).standing, 0);
    hubs_data(hubs, &agent, 20, REVTUN_PREFACE_STANDBY, id);
    assert_int_equal(look_at_port(hubs, 12101).standing, 1);
}

static void writes_hosts_as_far_as_there_is_room(void **state)
{
    static const struct {
        size_t max;
        const char *text;
    } examples[] = {{200, "shop.test"}, {14, "shop.test"}, {13, "..."}};
    struct hubs *hubs = *state;
    struct hubs_agent agent;
    uint8_t memory[256];

    hubs_come(hubs, 1, 1, 5, "", &agent);
    hubs_say(hubs, &agent, BIND_HOST);
    const uint32_t index = revtun_hub_look_host(hubs->hub, bytes_of_text("shop.test"));
    assert_int_not_equal(index, POOL_NONE);
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        struct wr wr = wr_init(memory, examples[i].max);
        revtun_hub_look_hosts_write(hubs->hub, index, examples[i].max, &wr);
        wr_u8(&wr, 0);
        assert_true(wr_ok(&wr));
        assert_string_equal((const char *)memory, examples[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(sees_nobody_where_nobody_is),
        HUB_TEST(sees_a_tunnel_with_its_agent_and_clients),
        HUB_TEST(sees_how_long_a_lost_one_is_kept),
        HUB_TEST(sees_connections_that_stand_by_when_they_are_there),
        HUB_TEST(writes_hosts_as_far_as_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
