// SPDX-License-Identifier: Apache-2.0
// Two servers that serve one relay: what crosses from one to the other. How one of them takes over
// a user's allocation is in turn_takeover_test.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shards.h"
#include "stun/stun_chandata.h"
#include "turn/turn_server_priv.h"

// --- users --------------------------------------------------------------------------------------

static void a_nonce_of_one_is_good_at_the_other(void **state)
{
    struct shards *shards = *state;
    struct turn_fixture *one = shards->at[0];
    struct turn_fixture *other = shards->at[1];
    uint8_t nonce[TURN_FIXTURE_NONCE_LEN];
    struct turn_fixture_draft draft;

    turn_fixture_nonce(one, nonce);
    other->tuple = one->tuple;
    turn_fixture_begin_allocate(other, &draft);
    turn_fixture_sign_with(other, &draft, (struct bytes){nonce, sizeof nonce});
    assert_int_equal(turn_fixture_send(other, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
}

static void a_users_quota_is_for_both(void **state)
{
    struct shards *shards = *state;
    struct turn_config config = turn_fixture_config();
    struct turn_fixture_draft draft;

    config.allocations_per_user = 1;
    shards_start(shards, config);
    turn_fixture_allocate(shards->at[0]);
    turn_fixture_begin_allocate(shards->at[1], &draft);
    assert_int_equal(turn_fixture_ask(shards->at[1], &draft), 486);
    assert_int_equal(turn_fixture_refresh(shards->at[0], 0), TURN_FIXTURE_SUCCESS);
    turn_fixture_allocate(shards->at[1]);
}

static void all_limits_are_for_both(void **state)
{
    struct shards *shards = *state;
    struct turn_config config = turn_fixture_config();
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct addr second = turn_fixture_addr("192.0.2.10", 9);
    struct turn_fixture_draft draft;

    config.max_allocations = 2;
    config.max_channels = 2;
    config.max_permissions = 2;
    shards_start(shards, config);
    for (uint32_t i = 0; i < SHARDS; i++) {
        turn_fixture_allocate(shards->at[i]);
        assert_int_equal(turn_fixture_bind(shards->at[i], 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct turn_fixture *f = shards->at[i];
        assert_int_equal(turn_fixture_permit(f, &second), 508);
        assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_PERMISSIONS), 1);
        peer.port++;
        assert_int_equal(turn_fixture_bind(f, 0x4001, &peer), 508);
        assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_CHANNELS), 1);
        f->tuple.client.port = (uint16_t)(5001 + i);
        turn_fixture_begin_allocate(f, &draft);
        assert_int_equal(turn_fixture_ask(f, &draft), 508);
        assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_ALLOCATIONS), 1);
    }
}

static void a_channel_without_room_for_its_permission_leaves_nothing(void **state)
{
    struct shards *shards = *state;
    struct turn_config config = turn_fixture_config();
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct addr second = turn_fixture_addr("192.0.2.10", 9);

    config.max_permissions = 1;
    config.has_fast_path = true;
    shards_start(shards, config);
    turn_fixture_allocate(shards->at[0]);
    turn_fixture_allocate(shards->at[1]);
    assert_int_equal(turn_fixture_permit(shards->at[0], &second), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(shards->at[1], 0x4000, &peer), 508);
    assert_int_equal(turn_fixture_count(shards->at[1], TURN_COMMAND_BIND), 0);
    assert_int_equal(shards_in_all(shards).channels, 0);
    assert_int_equal(turn_fixture_gauges(shards->at[1]).channels, 0);
    assert_int_equal(turn_fixture_gauges(shards->at[1]).timers, 1);
}

static void a_port_reserved_at_one_is_redeemed_at_the_other(void **state)
{
    struct shards *shards = *state;
    struct turn_fixture *one = shards->at[0];
    struct turn_fixture *other = shards->at[1];
    uint8_t token[STUN_ATTR_RESERVATION_LEN];
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(one, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    assert_int_equal(turn_fixture_ask(one, &draft), TURN_FIXTURE_SUCCESS);
    memcpy(token, turn_fixture_value(one, STUN_ATTR_RESERVATION_TOKEN).ptr, sizeof token);
    const uint16_t port = shards_relayed_of(one).port;
    turn_fixture_begin_allocate(other, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN,
                    (struct bytes){token, sizeof token});
    assert_int_equal(turn_fixture_ask(other, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(shards_relayed_of(other).port, port + 1);
    assert_int_equal(shards_in_all(shards).reservations, 0);
    turn_fixture_begin_allocate(one, &draft); // it is redeemed but once
    one->tuple.client.port++;
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN,
                    (struct bytes){token, sizeof token});
    assert_int_equal(turn_fixture_ask(one, &draft), 508);
}

// --- ports --------------------------------------------------------------------------------------

static void no_port_is_both_ones(void **state)
{
    struct shards *shards = *state;
    struct turn_config config = turn_fixture_config();
    bool is_taken[65536] = {false};
    struct turn_fixture_draft draft;

    config.max_allocations = 200; // ports are what there is least of
    config.allocations_per_user = 200;
    shards_start(shards, config);
    for (uint16_t i = 0; i < 100; i++) {
        struct turn_fixture *f = shards->at[i % SHARDS];
        f->tuple.client.port = (uint16_t)(5001 + i);
        turn_fixture_allocate(f);
        assert_false(is_taken[shards_relayed_of(f).port]);
        is_taken[shards_relayed_of(f).port] = true;
    }
    shards->at[0]->tuple.client.port = 9;
    turn_fixture_begin_allocate(shards->at[0], &draft);
    assert_int_equal(turn_fixture_ask(shards->at[0], &draft), 508);
}

// Or the other would find it in use, and let it rest for a minute.
static void a_port_is_free_when_its_socket_is_closed(void **state)
{
    struct shards *shards = *state;
    struct turn_fixture *one = shards->at[0];
    struct turn_config config = turn_fixture_config();
    struct turn_fixture_draft draft;
    struct turn_forward forward;

    config.highest_port = config.lowest_port;
    shards_start(shards, config);
    turn_fixture_allocate(one);
    turn_fixture_begin(one, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 0);
    turn_fixture_sign(one, &draft);
    struct bytes datagram = turn_fixture_finish(&draft);
    assert_int_equal(
        turn_server_from_client(one->server, one->now, &one->tuple, datagram, &forward),
        TURN_COMMANDS);
    turn_fixture_begin_allocate(shards->at[1], &draft);
    assert_int_equal(turn_fixture_ask(shards->at[1], &draft), 508);
    assert_int_equal(turn_fixture_refused(shards->at[1], TURN_REFUSAL_PORTS), 1);
    assert_int_equal(shards_take_all(one, TURN_COMMAND_CLOSE), 1);
    turn_fixture_allocate(shards->at[1]);
}

// --- data ---------------------------------------------------------------------------------------

struct end {
    struct turn_fixture *f;
    struct pool_ref allocation;
    struct addr relayed[2]; // IPv4, IPv6
};

// A client of a shard, with an allocation of both families.
static struct end join(const struct shards *shards, uint32_t shard)
{
    struct end end = {.f = shards->at[shard]};
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(end.f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    assert_int_equal(turn_fixture_ask(end.f, &draft), TURN_FIXTURE_SUCCESS);
    end.allocation = end.f->commands[0].socket.allocation;
    uint16_t port = shards_relayed_of(end.f).port;
    end.relayed[0] = addr_with_port(end.f->config.public_ip4, port);
    end.relayed[1] = addr_with_port(end.f->config.public_ip6, port);
    return end;
}

// What one has handed over comes to the other.
static enum turn_verdict pass_on(const struct end *from, const struct end *to, int family,
                                 struct turn_forward *out)
{
    const struct turn_forward *handed = &from->f->forward;

    assert_int_equal(handed->shard, to->f->config.shard_index);
    assert_true(addr_equal(&handed->relayed, &from->relayed[family]));
    assert_true(addr_equal(&handed->peer, &to->relayed[family]));
    assert_memory_equal(&handed->allocation, &from->allocation, sizeof from->allocation);
    return turn_server_from_shard(to->f->server, to->f->now, &handed->relayed, &handed->peer,
                                  handed->payload, out);
}

static void clients_of_two_shards_talk_in_both_families(void **state)
{
    struct shards *shards = *state;
    struct end one = join(shards, 0);
    struct end other = join(shards, 1);

    for (int family = 0; family < 2; family++) {
        uint16_t number = (uint16_t)(0x4000 + family);
        struct turn_forward out;
        assert_int_equal(turn_fixture_bind(one.f, number, &other.relayed[family]),
                         TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_permit(other.f, &one.relayed[family]), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_chandata(one.f, number, "hello"), TURN_HAND_OVER);
        assert_int_equal(pass_on(&one, &other, family, &out), TURN_FORWARD);
        assert_false(out.is_to_peer);
        assert_memory_equal(&out.tuple, &other.f->tuple, sizeof out.tuple);
        assert_memory_equal(&out.allocation, &other.allocation, sizeof out.allocation);
        assert_true(bytes_equal_text(out.payload, "hello"));
        assert_in_range(out.head_len, STUN_HEADER_LEN, sizeof out.head); // a Data indication
        assert_int_equal(turn_fixture_send_data(other.f, &one.relayed[family], "answer"),
                         TURN_HAND_OVER);
        assert_int_equal(pass_on(&other, &one, family, &out), TURN_FORWARD);
        assert_int_equal(out.head_len, STUN_CHANDATA_HEAD_LEN);
        assert_int_equal(out.head[0] << 8 | out.head[1], number);
        assert_true(bytes_equal_text(out.payload, "answer"));
    }
    assert_int_equal(turn_server_stats(one.f->server)->packets_turned, 2);
    assert_int_equal(turn_server_stats(one.f->server)->packets_to_client, 2);
    assert_int_equal(turn_server_stats(other.f->server)->packets_to_client, 2);
    assert_int_equal(turn_server_stats(one.f->server)->packets_to_peer, 0);
}

static void needs_the_permission_of_both(void **state)
{
    struct shards *shards = *state;
    struct end one = join(shards, 0);
    struct end other = join(shards, 1);
    struct turn_forward out;

    assert_int_equal(turn_fixture_send_data(one.f, &other.relayed[0], "x"), TURN_DROP);
    assert_int_equal(turn_fixture_permit(one.f, &other.relayed[0]), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_send_data(one.f, &other.relayed[0], "x"), TURN_HAND_OVER);
    assert_int_equal(pass_on(&one, &other, 0, &out), TURN_DROP);
    assert_int_equal(turn_server_stats(other.f->server)->dropped_no_permission, 1);
    assert_int_equal(turn_fixture_permit(other.f, &one.relayed[1]), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_send_data(one.f, &other.relayed[0], "x"), TURN_HAND_OVER);
    assert_int_equal(pass_on(&one, &other, 0, &out), TURN_DROP); // that was for IPv6
}

static void nobody_may_be_there_any_more_when_it_comes(void **state)
{
    struct shards *shards = *state;
    struct end one = join(shards, 0);
    struct end other = join(shards, 1);
    struct turn_fixture_draft draft;
    struct turn_forward out;

    for (int family = 0; family < 2; family++) {
        assert_int_equal(turn_fixture_permit(one.f, &other.relayed[family]), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_permit(other.f, &one.relayed[family]), TURN_FIXTURE_SUCCESS);
    }
    assert_int_equal(turn_fixture_send_data(one.f, &other.relayed[1], "x"), TURN_HAND_OVER);
    turn_fixture_begin(other.f, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 0);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    assert_int_equal(turn_fixture_ask(other.f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(pass_on(&one, &other, 1, &out), TURN_DROP);
    assert_int_equal(turn_fixture_send_data(one.f, &other.relayed[1], "x"), TURN_DROP);
    assert_int_equal(turn_fixture_send_data(one.f, &other.relayed[0], "x"), TURN_HAND_OVER);
    assert_int_equal(turn_fixture_refresh(other.f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(pass_on(&one, &other, 0, &out), TURN_DROP);
    assert_int_equal(turn_server_stats(other.f->server)->dropped_no_allocation, 2);
    assert_int_equal(turn_fixture_send_data(one.f, &other.relayed[0], "x"), TURN_DROP);
    assert_int_equal(turn_fixture_bind(one.f, 0x4000, &other.relayed[0]), 403);
}

// The kernel looks for the other half of the way by itself, whichever shard has bound it.
static void a_channel_to_the_others_client_is_turned_in_the_fast_path(void **state)
{
    struct shards *shards = *state;
    struct turn_config config = turn_fixture_config();

    config.has_fast_path = true;
    shards_start(shards, config);
    struct end one = join(shards, 0);
    struct end other = join(shards, 1);
    assert_int_equal(turn_fixture_bind(one.f, 0x4000, &other.relayed[0]), TURN_FIXTURE_SUCCESS);
    const struct turn_command_bind bind = shards_command_of(one.f, TURN_COMMAND_BIND)->bind;
    assert_true(bind.is_turned);
    assert_true(addr_equal(&bind.peer, &other.relayed[0]));
    assert_true(addr_equal(&bind.relayed, &one.relayed[0]));
    assert_int_equal(turn_fixture_bind(other.f, 0x4007, &one.relayed[0]), TURN_FIXTURE_SUCCESS);
    const struct turn_command_bind back = shards_command_of(other.f, TURN_COMMAND_BIND)->bind;
    assert_true(back.is_turned);
    assert_true(addr_equal(&back.peer, &bind.relayed)); // as the kernel matches the two
    assert_true(addr_equal(&back.relayed, &bind.peer));
    assert_int_equal(turn_fixture_refresh(other.f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_count(other.f, TURN_COMMAND_UNBIND), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHARDS_TEST(a_nonce_of_one_is_good_at_the_other),
        SHARDS_TEST(a_users_quota_is_for_both),
        SHARDS_TEST(all_limits_are_for_both),
        SHARDS_TEST(a_channel_without_room_for_its_permission_leaves_nothing),
        SHARDS_TEST(a_port_reserved_at_one_is_redeemed_at_the_other),
        SHARDS_TEST(no_port_is_both_ones),
        SHARDS_TEST(a_port_is_free_when_its_socket_is_closed),
        SHARDS_TEST(clients_of_two_shards_talk_in_both_families),
        SHARDS_TEST(needs_the_permission_of_both),
        SHARDS_TEST(nobody_may_be_there_any_more_when_it_comes),
        SHARDS_TEST(a_channel_to_the_others_client_is_turned_in_the_fast_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
