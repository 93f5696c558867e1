// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

enum { CHANNEL = 0x4000 };

static const char ten_bytes[] = "0123456789";

static struct turn_config limited(uint64_t max_pps, uint64_t max_bps)
{
    struct turn_config config = turn_fixture_config();

    config.max_pps = max_pps;
    config.max_bps = max_bps;
    return config;
}

static struct addr peer_of(uint8_t number)
{
    const uint8_t ip[ADDR_IP4_LEN] = {192, 0, 2, number};
    return addr_ip4(ip, 9);
}

// The client's allocation, with a channel to peer 1 and a permission for peer 2.
static struct pool_ref prepare(struct turn_fixture *f)
{
    struct addr channel = peer_of(1);
    struct addr other = peer_of(2);
    struct pool_ref allocation = turn_fixture_allocate(f);

    assert_int_equal(turn_fixture_bind(f, CHANNEL, &channel), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_permit(f, &other), TURN_FIXTURE_SUCCESS);
    return allocation;
}

static uint32_t send_many(struct turn_fixture *f, uint32_t count)
{
    uint32_t sent = 0;

    for (uint32_t i = 0; i < count; i++) {
        sent += turn_fixture_chandata(f, CHANNEL, ten_bytes) == TURN_FORWARD;
    }
    return sent;
}

static uint32_t receive_many(struct turn_fixture *f, struct pool_ref allocation, uint32_t count)
{
    struct addr peer = peer_of(1);
    uint32_t received = 0;

    for (uint32_t i = 0; i < count; i++) {
        received +=
            turn_fixture_from_peer(f, allocation, &peer, bytes_of_text(ten_bytes)) == TURN_FORWARD;
    }
    return received;
}

static void relays_all_without_a_limit(void **state)
{
    struct turn_fixture *f = *state;
    struct pool_ref allocation = prepare(f);

    assert_int_equal(turn_limit_store_size(&f->config), 0);
    assert_int_equal(send_many(f, 5000), 5000);
    assert_int_equal(receive_many(f, allocation, 5000), 5000);
}

static void relays_so_many_packets_a_second_each_way(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = limited(50, 0);

    turn_fixture_restart(f, &config);
    struct pool_ref allocation = prepare(f);
    const struct turn_stats *stats = turn_server_stats(f->server);
    assert_int_equal(send_many(f, 100), 50);
    assert_int_equal(stats->dropped_max_pps, 50);
    assert_int_equal(receive_many(f, allocation, 100), 50);
    assert_int_equal(stats->dropped_max_pps, 100);
    turn_fixture_wait(f, SECOND_NS / 10);
    assert_int_equal(send_many(f, 100), 5);
    turn_fixture_wait(f, 10 * SECOND_NS);
    assert_int_equal(send_many(f, 100), 50);
    assert_int_equal(receive_many(f, allocation, 100), 50);
    assert_int_equal(stats->dropped_max_bps, 0);
}

static void relays_so_many_bytes_a_second_each_way(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = limited(0, 1005);

    turn_fixture_restart(f, &config);
    struct pool_ref allocation = prepare(f);
    const struct turn_stats *stats = turn_server_stats(f->server);
    assert_int_equal(send_many(f, 300), 100); // of data: heads do not count
    assert_int_equal(turn_fixture_chandata(f, CHANNEL, "12345"), TURN_FORWARD);
    assert_int_equal(turn_fixture_chandata(f, CHANNEL, "1"), TURN_DROP);
    assert_int_equal(turn_fixture_chandata(f, CHANNEL, ""), TURN_FORWARD);
    assert_int_equal(receive_many(f, allocation, 101), 100);
    assert_int_equal(stats->dropped_max_bps, 200 + 1 + 1);
    assert_int_equal(stats->dropped_max_pps, 0);
    assert_int_equal(stats->bytes_to_peer, 1005);
    assert_int_equal(stats->bytes_to_client, 1000);
}

// What the one limit drops takes nothing from the other.
static void holds_both_limits(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = limited(5, 30);

    turn_fixture_restart(f, &config);
    prepare(f);
    const struct turn_stats *stats = turn_server_stats(f->server);
    assert_int_equal(send_many(f, 10), 3);
    assert_int_equal(stats->dropped_max_bps, 7);
    assert_int_equal(turn_fixture_chandata(f, CHANNEL, ""), TURN_FORWARD);
    assert_int_equal(turn_fixture_chandata(f, CHANNEL, ""), TURN_FORWARD);
    assert_int_equal(turn_fixture_chandata(f, CHANNEL, ""), TURN_DROP);
    assert_int_equal(send_many(f, 10), 0);
    assert_int_equal(stats->dropped_max_pps, 11);
}

static void counts_all_peers_and_indications_together(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = limited(10, 0);
    struct addr other = peer_of(2);

    turn_fixture_restart(f, &config);
    struct pool_ref allocation = prepare(f);
    assert_int_equal(send_many(f, 8), 8);
    assert_int_equal(turn_fixture_send_data(f, &other, "a"), TURN_FORWARD);
    assert_int_equal(turn_fixture_send_data(f, &other, "a"), TURN_FORWARD);
    assert_int_equal(turn_fixture_send_data(f, &other, "a"), TURN_DROP);
    assert_int_equal(send_many(f, 8), 0);
    assert_int_equal(receive_many(f, allocation, 9), 9);
    for (uint32_t i = 0; i < 5; i++) {
        enum turn_verdict verdict =
            turn_fixture_from_peer(f, allocation, &other, bytes_of_text("a"));
        assert_int_equal(verdict, i == 0 ? TURN_FORWARD : TURN_DROP);
    }
}

static void gives_each_allocation_its_own(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = limited(10, 0);

    turn_fixture_restart(f, &config);
    prepare(f);
    assert_int_equal(send_many(f, 20), 10);
    f->tuple.client.port++;
    prepare(f);
    assert_int_equal(send_many(f, 20), 10);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    prepare(f); // in the place of the one that is gone
    assert_int_equal(send_many(f, 20), 10);
}

// What may not pass anyway uses nothing up.
static void counts_only_what_is_permitted(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = limited(10, 0);
    struct addr stranger = peer_of(3);

    turn_fixture_restart(f, &config);
    struct pool_ref allocation = prepare(f);
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(turn_fixture_send_data(f, &stranger, "a"), TURN_DROP);
        assert_int_equal(turn_fixture_from_peer(f, allocation, &stranger, bytes_of_text("a")),
                         TURN_DROP);
    }
    assert_int_equal(turn_server_stats(f->server)->dropped_max_pps, 0);
    assert_int_equal(send_many(f, 20), 10);
    assert_int_equal(receive_many(f, allocation, 20), 10);
}

// Between two clients of the relay it is the sender's and the receiver's.
static void counts_what_turns_round_on_both_sides(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = limited(10, 0);

    turn_fixture_restart(f, &config);
    struct pool_ref receiver = prepare(f);
    struct addr relayed = turn_fixture_addr("203.0.113.7", 0);
    relayed.port = turn_allocation_at(f->server, receiver.index)->port;
    assert_int_equal(turn_fixture_permit(f, &relayed), TURN_FIXTURE_SUCCESS);
    f->tuple.client.port++;
    prepare(f);
    assert_int_equal(turn_fixture_permit(f, &relayed), TURN_FIXTURE_SUCCESS);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(turn_fixture_send_data(f, &relayed, "a"), TURN_FORWARD);
        assert_false(f->forward.is_to_peer);
    }
    assert_int_equal(send_many(f, 20), 6);
    assert_int_equal(turn_fixture_send_data(f, &relayed, "a"), TURN_DROP);
    assert_int_equal(receive_many(f, receiver, 20), 6);
}

static void keeps_no_more_than_two_buckets_each_way(void **state)
{
    struct turn_config config = limited(1, 1);

    (void)state;
    assert_int_equal(sizeof(struct turn_limit), 32);
    assert_int_equal(turn_limit_store_size(&config), 32 * config.max_allocations);
    config.max_pps = 0;
    assert_int_equal(turn_limit_store_size(&config), 32 * config.max_allocations);
    config.max_bps = 0;
    assert_int_equal(turn_limit_store_size(&config), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(relays_all_without_a_limit),
        TURN_FIXTURE_TEST(relays_so_many_packets_a_second_each_way),
        TURN_FIXTURE_TEST(relays_so_many_bytes_a_second_each_way),
        TURN_FIXTURE_TEST(holds_both_limits),
        TURN_FIXTURE_TEST(counts_all_peers_and_indications_together),
        TURN_FIXTURE_TEST(gives_each_allocation_its_own),
        TURN_FIXTURE_TEST(counts_only_what_is_permitted),
        TURN_FIXTURE_TEST(counts_what_turns_round_on_both_sides),
        cmocka_unit_test(keeps_no_more_than_two_buckets_each_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
