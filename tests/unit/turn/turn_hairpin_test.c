// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_hairpin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_chandata.h"
#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

// One of two clients of the relay.
struct end {
    struct turn_tuple tuple;
    struct pool_ref allocation;
    struct addr relayed[2]; // IPv4, IPv6
};

static void become(struct turn_fixture *f, const struct end *end)
{
    f->tuple = end->tuple;
}

// A client with an allocation of both families.
static struct end join(struct turn_fixture *f, uint16_t port)
{
    struct turn_fixture_draft draft;
    struct end end = {0};

    f->tuple.client.port = port;
    end.tuple = f->tuple;
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    end.allocation = f->commands[0].socket.allocation;
    uint16_t relayed_port = turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS).port;
    end.relayed[0] = addr_with_port(f->config.public_ip4, relayed_port);
    end.relayed[1] = addr_with_port(f->config.public_ip6, relayed_port);
    return end;
}

static void expect_channel_data(const struct turn_fixture *f, const struct end *to, uint16_t number,
                                const char *data)
{
    assert_false(f->forward.is_to_peer);
    assert_memory_equal(&f->forward.tuple, &to->tuple, sizeof to->tuple);
    assert_memory_equal(&f->forward.allocation, &to->allocation, sizeof to->allocation);
    assert_int_equal(f->forward.head_len, STUN_CHANDATA_HEAD_LEN);
    assert_int_equal(f->forward.head[0] << 8 | f->forward.head[1], number);
    assert_int_equal(f->forward.head[3], strlen(data));
    assert_true(bytes_equal_text(f->forward.payload, data));
}

// A Data indication from `from`.
static void expect_indication(const struct turn_fixture *f, const struct end *to,
                              const struct addr *from, const char *data)
{
    uint8_t raw[256];
    struct wr wr = wr_init(raw, sizeof raw);
    struct stun_message message = {0};
    struct bytes value = {0};
    struct addr peer = {0};

    assert_false(f->forward.is_to_peer);
    assert_memory_equal(&f->forward.tuple, &to->tuple, sizeof to->tuple);
    wr_bytes(&wr, (struct bytes){f->forward.head, f->forward.head_len});
    wr_bytes(&wr, f->forward.payload);
    wr_zero(&wr, f->forward.padding_len);
    assert_int_equal(stun_message_read(wr_done(&wr), &message), STUN_MESSAGE_OK);
    assert_int_equal(message.header.method, STUN_DATA);
    assert_true(stun_message_find(&message, STUN_ATTR_XOR_PEER_ADDRESS, &value));
    assert_true(stun_attr_xor_addr_read(value, &message.header.transaction, &peer));
    assert_true(addr_equal(&peer, from));
    assert_true(stun_message_find(&message, STUN_ATTR_DATA, &value));
    assert_true(bytes_equal_text(value, data));
}

static void two_clients_talk_by_channels_in_both_families(void **state)
{
    struct turn_fixture *f = *state;
    struct end one = join(f, 4001);
    struct end other = join(f, 4002);

    for (int family = 0; family < 2; family++) {
        uint16_t number = (uint16_t)(0x4000 + family);
        become(f, &one);
        assert_int_equal(turn_fixture_bind(f, number, &other.relayed[family]),
                         TURN_FIXTURE_SUCCESS);
        become(f, &other);
        assert_int_equal(turn_fixture_bind(f, (uint16_t)(number + 8), &one.relayed[family]),
                         TURN_FIXTURE_SUCCESS);
        become(f, &one);
        assert_int_equal(turn_fixture_chandata(f, number, "hello"), TURN_FORWARD);
        expect_channel_data(f, &other, (uint16_t)(number + 8), "hello");
        become(f, &other);
        assert_int_equal(turn_fixture_chandata(f, (uint16_t)(number + 8), "answer"), TURN_FORWARD);
        expect_channel_data(f, &one, number, "answer");
    }
    assert_int_equal(turn_server_stats(f->server)->packets_turned, 4);
    assert_int_equal(turn_server_stats(f->server)->packets_to_peer, 0);
}

static void two_clients_talk_by_indications_in_both_families(void **state)
{
    struct turn_fixture *f = *state;
    struct end one = join(f, 4001);
    struct end other = join(f, 4002);

    for (int family = 0; family < 2; family++) {
        become(f, &one);
        assert_int_equal(turn_fixture_permit(f, &other.relayed[family]), TURN_FIXTURE_SUCCESS);
        become(f, &other);
        assert_int_equal(turn_fixture_permit(f, &one.relayed[family]), TURN_FIXTURE_SUCCESS);
        become(f, &one);
        assert_int_equal(turn_fixture_send_data(f, &other.relayed[family], "hello"), TURN_FORWARD);
        expect_indication(f, &other, &one.relayed[family], "hello");
        become(f, &other);
        assert_int_equal(turn_fixture_send_data(f, &one.relayed[family], "answer"), TURN_FORWARD);
        expect_indication(f, &one, &other.relayed[family], "answer");
    }
}

static void one_may_use_a_channel_and_the_other_none(void **state)
{
    struct turn_fixture *f = *state;
    struct end one = join(f, 4001);
    struct end other = join(f, 4002);

    become(f, &one);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other.relayed[0]), TURN_FIXTURE_SUCCESS);
    become(f, &other);
    assert_int_equal(turn_fixture_permit(f, &one.relayed[0]), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_send_data(f, &one.relayed[0], "hello"), TURN_FORWARD);
    expect_channel_data(f, &one, 0x4000, "hello");
    become(f, &one);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "answer"), TURN_FORWARD);
    expect_indication(f, &other, &one.relayed[0], "answer");
}

static void needs_the_permission_of_both(void **state)
{
    struct turn_fixture *f = *state;
    struct end one = join(f, 4001);
    struct end other = join(f, 4002);

    become(f, &one); // none has any
    assert_int_equal(turn_fixture_send_data(f, &other.relayed[0], "x"), TURN_DROP);
    assert_int_equal(turn_fixture_permit(f, &other.relayed[0]), TURN_FIXTURE_SUCCESS);
    uint64_t dropped = turn_server_stats(f->server)->dropped_no_permission;
    assert_int_equal(turn_fixture_send_data(f, &other.relayed[0], "x"),
                     TURN_DROP); // the receiver's
    assert_int_equal(turn_server_stats(f->server)->dropped_no_permission, dropped + 1);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other.relayed[0]), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_DROP);
    become(f, &other);
    assert_int_equal(turn_fixture_send_data(f, &one.relayed[0], "x"), TURN_DROP); // the sender's
    // One for IPv4 is none for IPv6.
    assert_int_equal(turn_fixture_permit(f, &one.relayed[1]), TURN_FIXTURE_SUCCESS);
    become(f, &one);
    assert_int_equal(turn_fixture_send_data(f, &other.relayed[0], "x"), TURN_DROP);
    turn_fixture_wait(f, 10 * SECOND_NS);
    become(f, &other);
    assert_int_equal(turn_fixture_permit(f, &one.relayed[0]), TURN_FIXTURE_SUCCESS);
    become(f, &one);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
    turn_fixture_wait(f, 299 * SECOND_NS); // the sender's ends, the receiver's holds
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_DROP);
}

static void a_client_may_talk_to_itself(void **state)
{
    struct turn_fixture *f = *state;
    struct end one = join(f, 4001);

    assert_int_equal(turn_fixture_permit(f, &one.relayed[0]), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_send_data(f, &one.relayed[0], "echo"), TURN_FORWARD);
    expect_indication(f, &one, &one.relayed[0], "echo");
}

static void create_permission_takes_the_own_address_at_any_port(void **state)
{
    static const uint16_t ports[] = {0, 1, 22, 3478, 50000, 65535};
    struct turn_fixture *f = *state;

    join(f, 4001);
    for (size_t i = 0; i < COUNT_OF(ports); i++) {
        struct addr own = addr_with_port(f->config.public_ip4, ports[i]);
        struct addr own6 = addr_with_port(f->config.public_ip6, ports[i]);
        assert_int_equal(turn_fixture_permit(f, &own), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_permit(f, &own6), TURN_FIXTURE_SUCCESS);
    }
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_OWN), 0);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_LISTENER), 0);
}

static void an_own_address_at_a_dead_port_is_refused_or_dropped(void **state)
{
    struct turn_fixture *f = *state;
    struct end one = join(f, 4001);

    for (uint32_t port = 1; port < 65536; port += port == 3478 ? 1 : 97) {
        struct addr own = addr_with_port(f->config.public_ip4, (uint16_t)port);
        if (port == one.relayed[0].port) {
            continue;
        }
        if (port % 10 == 1) {
            assert_int_equal(turn_fixture_bind(f, 0x4000, &own), 403);
            assert_int_equal(turn_fixture_report(f, TURN_EVENT_PEER_DENIED)->refusal,
                             TURN_REFUSAL_OWN);
        }
        assert_int_equal(turn_fixture_permit(f, &own), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_send_data(f, &own, "x"), TURN_DROP);
    }
}

static void a_channel_to_a_port_that_has_died_goes_nowhere(void **state)
{
    struct turn_fixture *f = *state;
    struct end one = join(f, 4001);
    struct end other = join(f, 4002);

    assert_int_equal(turn_fixture_permit(f, &one.relayed[0]), TURN_FIXTURE_SUCCESS);
    become(f, &one);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other.relayed[0]), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
    become(f, &other);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    become(f, &one);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other.relayed[0]), 403); // nor is it refreshed
}

static void a_family_that_the_receiver_has_given_up_is_a_dead_port(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    struct end one = join(f, 4001);
    struct end other = join(f, 4002);

    for (int family = 0; family < 2; family++) {
        assert_int_equal(turn_fixture_permit(f, &one.relayed[family]), TURN_FIXTURE_SUCCESS);
    }
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 0);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    become(f, &one);
    assert_int_equal(turn_fixture_permit(f, &other.relayed[0]), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_permit(f, &other.relayed[1]), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_send_data(f, &other.relayed[0], "x"), TURN_FORWARD);
    assert_int_equal(turn_fixture_send_data(f, &other.relayed[1], "x"), TURN_DROP);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &other.relayed[1]), 403);
}

static void an_own_address_that_a_rule_allows_is_relayed_out(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct turn_peer_rule rule = {{config.public_ip4, 32}, true};

    config.rules = &rule;
    config.rule_count = 1;
    turn_fixture_restart(f, &config);
    struct addr dns = addr_with_port(config.public_ip4, 53);
    join(f, 4001);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &dns), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "query"), TURN_FORWARD);
    assert_true(f->forward.is_to_peer);
    assert_true(addr_equal(&f->forward.peer, &dns));
    assert_int_equal(turn_fixture_send_data(f, &dns, "query"), TURN_FORWARD);
    assert_true(f->forward.is_to_peer);
}

// Behind a 1:1 NAT the relay is bound to one address and known by another.
// Whoever reaches the listening port through the relay has an allocation inside an allocation, and
// with some luck a circle of them, in which packets go round for ever.
static void the_listening_port_is_no_peer_whatever_the_rules_say(void **state)
{
    struct turn_fixture *f = *state;
    const struct addr hosts[] = {
        f->config.public_ip4, turn_fixture_addr("127.0.0.1", 0),
        turn_fixture_addr("203.0.113.77", 0), // an address of the host that is not served
    };
    const struct turn_peer_rule all = {.cidr = {.base.family = ADDR_IP4}, .is_allowed = true};
    struct turn_peer_rule rules[COUNT_OF(hosts) + 1] = {all};
    struct turn_config config = f->config;

    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        rules[i + 1] = (struct turn_peer_rule){{addr_with_port(hosts[i], 0), 32}, true};
    }
    config.rules = rules;
    config.rule_count = COUNT_OF(rules);
    config.own_addrs = &hosts[2];
    config.own_addr_count = 1;
    config.listen_port = 3478;
    turn_fixture_restart(f, &config);
    turn_fixture_allocate(f);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        const struct addr listener = addr_with_port(hosts[i], 3478);
        const struct addr beside = addr_with_port(hosts[i], 3479);

        assert_int_equal(turn_fixture_permit(f, &listener), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_bind(f, 0x4000, &listener), 403);
        assert_int_equal(turn_fixture_send_data(f, &listener, "x"), TURN_DROP);
        assert_int_equal(turn_fixture_send_data(f, &beside, "x"), TURN_FORWARD);
    }
}

static void the_bound_address_is_the_public_one(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    config.bind_ip4 = turn_fixture_addr("10.0.0.7", 0);
    turn_fixture_restart(f, &config);
    struct end one = join(f, 4001);
    struct end other = join(f, 4002);
    struct addr bound = addr_with_port(config.bind_ip4, one.relayed[0].port);
    struct addr dead = addr_with_port(config.bind_ip4, 22);
    assert_int_equal(turn_fixture_permit(f, &bound), TURN_FIXTURE_SUCCESS);
    become(f, &one);
    assert_int_equal(turn_fixture_permit(f, &other.relayed[0]), TURN_FIXTURE_SUCCESS);
    become(f, &other);
    assert_int_equal(turn_fixture_send_data(f, &bound, "hello"), TURN_FORWARD);
    expect_indication(f, &one, &other.relayed[0], "hello"); // from the public one
    assert_int_equal(turn_fixture_send_data(f, &one.relayed[0], "hello"), TURN_FORWARD);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &bound), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &one.relayed[0]), 400); // it is the same peer
    assert_int_equal(turn_fixture_bind(f, 0x4001, &dead), 403);
    assert_int_equal(turn_fixture_send_data(f, &dead, "x"), TURN_DROP);
}

static void an_unspecified_bind_address_is_nobodys(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct addr any = turn_fixture_addr("0.0.0.0", 50000);

    config.bind_ip4 = turn_fixture_addr("0.0.0.0", 0);
    turn_fixture_restart(f, &config);
    join(f, 4001);
    assert_false(turn_hairpin_is_own(f->server, &any));
    assert_int_equal(turn_fixture_permit(f, &any), 403);
}

// In no other spelling is it a way to the host.
static void an_embedded_own_address_is_denied(void **state)
{
    static const char *const spellings[] = {"::ffff:203.0.113.7", "::203.0.113.7",
                                            "64:ff9b::203.0.113.7", "2002:cb00:7107::1",
                                            "2001:0:1:2:3:4:34ff:8ef8"};
    struct turn_fixture *f = *state;
    struct end one = join(f, 4001);

    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        struct addr peer = turn_fixture_addr(spellings[i], one.relayed[0].port);
        assert_int_equal(turn_fixture_permit(f, &peer), 403);
        assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), 403);
        assert_int_equal(turn_fixture_send_data(f, &peer, "x"), TURN_DROP);
    }
}

// Two of Firezone's clients: channels alone, and each is the permission for just the other's port.
static void firezones_clients_talk_by_channels_alone(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_become_firezone(f);
    struct end one = join(f, 4001);
    turn_fixture_use_firezone(f, "1892160000:othersalt");
    struct end other = join(f, 4002);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &one.relayed[0]), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "early"), TURN_DROP);
    turn_fixture_use_firezone(f, "1892160000:n23JJ2wKKtt30oXi");
    become(f, &one);
    assert_int_equal(turn_fixture_bind(f, 0x4FFF, &other.relayed[0]), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_chandata(f, 0x4FFF, "hello"), TURN_FORWARD);
    expect_channel_data(f, &other, 0x4000, "hello");
    become(f, &other);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "answer"), TURN_FORWARD);
    expect_channel_data(f, &one, 0x4FFF, "answer");
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(two_clients_talk_by_channels_in_both_families),
        TURN_FIXTURE_TEST(two_clients_talk_by_indications_in_both_families),
        TURN_FIXTURE_TEST(one_may_use_a_channel_and_the_other_none),
        TURN_FIXTURE_TEST(needs_the_permission_of_both),
        TURN_FIXTURE_TEST(a_client_may_talk_to_itself),
        TURN_FIXTURE_TEST(create_permission_takes_the_own_address_at_any_port),
        TURN_FIXTURE_TEST(an_own_address_at_a_dead_port_is_refused_or_dropped),
        TURN_FIXTURE_TEST(a_channel_to_a_port_that_has_died_goes_nowhere),
        TURN_FIXTURE_TEST(a_family_that_the_receiver_has_given_up_is_a_dead_port),
        TURN_FIXTURE_TEST(an_own_address_that_a_rule_allows_is_relayed_out),
        TURN_FIXTURE_TEST(the_listening_port_is_no_peer_whatever_the_rules_say),
        TURN_FIXTURE_TEST(the_bound_address_is_the_public_one),
        TURN_FIXTURE_TEST(an_unspecified_bind_address_is_nobodys),
        TURN_FIXTURE_TEST(an_embedded_own_address_is_denied),
        TURN_FIXTURE_TEST(firezones_clients_talk_by_channels_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
