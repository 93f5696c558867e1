// SPDX-License-Identifier: Apache-2.0
// What the IP headers of relayed packets carry, and what becomes of those that cannot be delivered.
#include "relay/relay_worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "fixture.h"
#include "stun/stun_icmp.h"

// Sends a datagram with a TTL and a TOS of our choice.
static void send_marked(struct io_udp *from, const struct addr *to, struct bytes datagram,
                        uint8_t ttl, uint8_t tos)
{
    const struct io_udp_message message = {.to = to, .ttl = ttl, .tos = tos, .payload = datagram};

    assert_int_equal(io_udp_send(from, &message), 0);
}

// What arrived at a socket that tells TTL and TOS; NULL: nothing.
static const struct io_udp_arrival *arrived(struct io_udp_batch *batch, struct io_udp *udp)
{
    assert_int_equal(io_udp_batch_receive(batch, udp), 0);
    assert_true(batch->count <= 1);
    return batch->count == 1 ? &batch->arrivals[0] : NULL;
}

static void open_telling(struct io_udp *udp, struct addr local)
{
    const struct io_udp_options options = {.local = local, .has_ip_fields = true};

    io_udp_close(udp);
    assert_int_equal(io_udp_open(&options, udp), 0);
}

static void carries_ttl_and_tos(enum addr_family family)
{
    // Each DSCP class and each ECN codepoint that a packet may have.
    static const uint8_t marks[] = {0x00, 0x01, 0x02, 0x03, 0xb8, 0xbb, 0x88, 0xfc};
    struct io_udp_batch batch;

    open_telling(&fixture.client.udp, host_loopback(family, 0));
    open_telling(&fixture.peer, host_loopback(family, 0));
    const struct addr relayed = fixture_allocate();
    assert_int_equal(fixture_bind(0x4000, &fixture.peer.local), CLIENT_SUCCESS);
    assert_int_equal(io_udp_batch_open(4, 2048, &batch), 0);
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        send_marked(&fixture.client.udp, &fixture.client.server,
                    (struct bytes)BYTES_LITERAL("\x40\x00\x00\x04ping"), 17, marks[i]);
        fixture_serve();
        const struct io_udp_arrival *there = arrived(&batch, &fixture.peer);
        assert_non_null(there);
        assert_int_equal(there->ttl, 16);
        assert_int_equal(there->tos, marks[i]);

        send_marked(&fixture.peer, &relayed, (struct bytes)BYTES_LITERAL("pong"), 2, marks[i]);
        fixture_serve();
        const struct io_udp_arrival *back = arrived(&batch, &fixture.client.udp);
        assert_non_null(back);
        assert_int_equal(back->ttl, 1);
        assert_int_equal(back->tos, marks[i]);
    }
    io_udp_batch_close(&batch);
}

static void carries_ttl_and_tos_from_client_to_peer_and_back(void **state)
{
    (void)state;
    carries_ttl_and_tos(ADDR_IP4);
}

static void carries_hop_limit_and_traffic_class_of_ip6(void **state)
{
    (void)state;
    if (!fixture_has_ip6()) {
        return;
    }
    fixture_close();
    fixture_open(ADDR_IP6);
    carries_ttl_and_tos(ADDR_IP6);
}

// RFC 8656 section 13: a TTL that is 0 after decrementing ends the packet's way.
static void drops_what_has_no_time_to_live_left(void **state)
{
    const struct addr relayed = fixture_allocate();

    (void)state;
    assert_int_equal(fixture_bind(0x4000, &fixture.peer.local), CLIENT_SUCCESS);
    send_marked(&fixture.client.udp, &fixture.client.server,
                (struct bytes)BYTES_LITERAL("\x40\x00\x00\x01x"), 1, 0);
    fixture_serve();
    assert_int_equal(fixture_at_peer().len, 0);
    assert_int_equal(fixture.worker->traffic.stats.ttls_exceeded, 1);
    send_marked(&fixture.peer, &relayed, (struct bytes)BYTES_LITERAL("x"), 1, 0);
    fixture_serve();
    client_receive(&fixture.client);
    assert_int_equal(fixture.client.datagram.len, 0);
    assert_int_equal(fixture.worker->traffic.stats.ttls_exceeded, 2);
    fixture_relay_by_channel(&relayed);
    // Requests end at the relay, so they may have no time to live left.
    send_marked(&fixture.client.udp, &fixture.client.server,
                (struct bytes)BYTES_LITERAL("\0\x01\0\0\x21\x12\xa4\x42transaction_"), 1, 0);
    fixture_serve();
    assert_int_equal(client_response(&fixture.client), CLIENT_SUCCESS);
}

// A port of loopback where nobody is answers with ICMP "port unreachable".
static void tells_a_client_of_an_icmp_error_of_its_peer(enum addr_family family, uint8_t type,
                                                        uint16_t code)
{
    const struct addr closed = host_loopback(family, host_free_port(family));
    const struct addr relayed = fixture_allocate();
    struct stun_icmp icmp = {0};
    struct bytes value = {0};

    assert_int_equal(fixture_permit(&closed), CLIENT_SUCCESS);
    fixture_send(&closed, "anybody?");
    fixture_serve();
    client_receive(&fixture.client);
    assert_int_equal(stun_message_read(fixture.client.datagram, &fixture.client.response),
                     STUN_MESSAGE_OK);
    assert_int_equal(fixture.client.response.header.class, STUN_INDICATION);
    assert_int_equal(fixture.client.response.header.method, STUN_DATA);
    assert_false(stun_message_has(&fixture.client.response, STUN_ATTR_DATA));
    assert_true(stun_message_find(&fixture.client.response, STUN_ATTR_ICMP, &value));
    assert_true(stun_icmp_read(value, &icmp));
    assert_int_equal(icmp.type, type);
    assert_int_equal(icmp.code, code);
    assert_int_equal(icmp.data, 0);
    const struct addr from = client_address(&fixture.client, STUN_ATTR_XOR_PEER_ADDRESS);
    assert_true(addr_equal(&from, &closed));
    client_receive(&fixture.client);
    assert_int_equal(fixture.client.datagram.len, 0); // it is told once
    assert_int_equal(turn_server_stats(fixture.worker->server)->errors_to_client, 1);
    assert_int_equal(fixture.worker->traffic.stats.sends_refused, 0);
    assert_int_equal(fixture_bind(0x4000, &fixture.peer.local), CLIENT_SUCCESS);
    fixture_relay_by_channel(&relayed);
}

static void turns_icmp_port_unreachable_into_a_data_indication(void **state)
{
    (void)state;
    tells_a_client_of_an_icmp_error_of_its_peer(ADDR_IP4, 3, 3);
}

static void turns_an_icmp_error_of_ip6_into_one_too(void **state)
{
    (void)state;
    if (!fixture_has_ip6()) {
        return;
    }
    fixture_close();
    fixture_open(ADDR_IP6);
    tells_a_client_of_an_icmp_error_of_its_peer(ADDR_IP6, 1, 4);
}

static void survives_more_icmp_errors_than_it_reads_in_a_turn(void **state)
{
    const struct addr closed = host_loopback(ADDR_IP4, host_free_port(ADDR_IP4));
    const struct addr relayed = fixture_allocate();

    (void)state;
    assert_int_equal(fixture_bind(0x4000, &fixture.peer.local), CLIENT_SUCCESS);
    assert_int_equal(fixture_bind(0x4001, &closed), CLIENT_SUCCESS);
    for (int i = 0; i < 100; i++) {
        client_send_bytes(&fixture.client, (struct bytes)BYTES_LITERAL("\x40\x01\x00\x01x"));
        client_send_bytes(&fixture.client, (struct bytes)BYTES_LITERAL("\x40\x00\x00\x01y"));
    }
    fixture_serve();
    for (int i = 0; i < 100; i++) {
        host_expect_text(fixture_at_peer(), "y"); // an error of one peer costs no packet of another
    }
    do {
        client_receive(&fixture.client);
    } while (fixture.client.datagram.len > 0);
    fixture_relay_by_channel(&relayed);
}

static void counts_what_cannot_be_sent_and_goes_on(void **state)
{
    // A socket may not send to a broadcast address unless it asked for that.
    const struct addr broadcast = addr_ip4((const uint8_t[]){127, 255, 255, 255}, 9);

    (void)state;
    fixture_close();
    fixture.config = fixture_config(ADDR_IP4);
    fixture.config.rules[0].cidr =
        (struct cidr){.base = addr_ip4((const uint8_t[]){127, 0, 0, 0}, 0), .prefix_len = 8};
    fixture_open_with_config(ADDR_IP4);
    (void)fixture_allocate();
    assert_int_equal(fixture_permit(&broadcast), CLIENT_SUCCESS);
    fixture_send(&broadcast, "x");
    fixture_serve();
    assert_int_equal(fixture.worker->traffic.stats.sends_refused, 1);
    assert_non_null(strstr(host_log(), " WARN a packet could not be sent to=127.255.255.255:9 "));
    assert_int_equal(fixture_permit(&fixture.peer.local), CLIENT_SUCCESS);
    fixture_send(&fixture.peer.local, "hello");
    fixture_serve();
    host_expect_text(fixture_at_peer(), "hello");
}

static void counts_how_long_packets_and_turns_take(void **state)
{
    (void)state;
    const struct relay_stats *stats = &fixture.worker->traffic.stats;
    struct addr relayed = fixture_allocate();
    assert_int_equal(fixture_permit(&fixture.peer.local), CLIENT_SUCCESS);
    assert_int_equal(histogram_count(stats->waits, &relay_stats_times), 0);
    const uint64_t turns = histogram_count(stats->turns, &relay_stats_times);
    assert_true(turns > 0);
    fixture_send(&fixture.peer.local, "one");
    fixture_send(&fixture.peer.local, "two");
    fixture_serve();
    assert_int_equal(histogram_count(stats->waits, &relay_stats_times), 2);
    fixture_send_from_peer(&relayed, "three");
    fixture_serve();
    assert_int_equal(histogram_count(stats->waits, &relay_stats_times), 3);
    assert_in_range(histogram_sum(stats->waits, &relay_stats_times), 1, 3 * 60 * SECOND_NS);
    assert_true(histogram_count(stats->turns, &relay_stats_times) > turns);
    assert_true(histogram_sum(stats->turns, &relay_stats_times) > 0);
    assert_int_equal(histogram_count(stats->full_turns, &relay_stats_times), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(counts_what_cannot_be_sent_and_goes_on),
        FIXTURE_TEST(counts_how_long_packets_and_turns_take),
        FIXTURE_TEST(carries_ttl_and_tos_from_client_to_peer_and_back),
        FIXTURE_TEST(carries_hop_limit_and_traffic_class_of_ip6),
        FIXTURE_TEST(drops_what_has_no_time_to_live_left),
        FIXTURE_TEST(turns_icmp_port_unreachable_into_a_data_indication),
        FIXTURE_TEST(turns_an_icmp_error_of_ip6_into_one_too),
        FIXTURE_TEST(survives_more_icmp_errors_than_it_reads_in_a_turn),
    };
    return fixture_result(cmocka_run_group_tests(tests, NULL, NULL));
}
