// SPDX-License-Identifier: Apache-2.0
// What goes through the worker, over loopback.
#include "relay/relay_worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "fixture.h"
#include "io/io_clock.h"

static void answers_a_binding_request(void **state)
{
    (void)state;
    const struct addr mapped = fixture_mapped_address();
    assert_true(addr_equal(&mapped, &fixture.client.udp.local));
}

static void relays_data_to_a_peer_and_back(void **state)
{
    (void)state;
    fixture_relay_both_ways();
    const char *log = host_log();
    assert_non_null(strstr(log, " INFO allocation created client=127.0.0.1:"));
    assert_non_null(strstr(log, " username=alice lifetime_s=600\n"));
    assert_non_null(strstr(log, " INFO allocation ended reason=deleted client=127.0.0.1:"));
    assert_null(strstr(log, "secret"));
}

static void relays_ip6_in_the_same_way(void **state)
{
    (void)state;
    if (!fixture_has_ip6()) {
        return;
    }
    fixture_close();
    fixture_open(ADDR_IP6);
    fixture_relay_both_ways();
}

// In a namespace of its own, where the relay and its client speak over fe80::1%lo. Failed
// assertions fail the child, and so the test.
static int relay_to_link_local(void)
{
    const struct addr link_local = addr_ip6((const uint8_t[16]){0xfe, 0x80, [15] = 1}, 0);
    const struct io_udp_options options = {.local = {.family = ADDR_IP6}};

    if (!host_add_link_local()) {
        return 1;
    }
    fixture_open(ADDR_IP6);
    client_close(&fixture.client);
    assert_int_equal(io_udp_open(&options, &fixture.client.udp), 0);
    fixture.client.server = addr_with_port(link_local, fixture.config.listen_port);
    fixture.client.scope = 1;
    fixture_relay_both_ways();
    const struct addr mapped = fixture_mapped_address();
    fixture_close();
    return addr_same_ip(&mapped, &link_local) ? 0 : 2;
}

static void relays_to_a_client_with_a_link_local_address(void **state)
{
    (void)state;
    if (!fixture_has_ip6()) {
        return;
    }
    fixture_close();
    const int fault = host_without_network(relay_to_link_local);
    fixture_open(ADDR_IP4);
    fixture.is_skipped = fixture.is_skipped || fault < 0;
    assert_true(fault <= 0);
}

// A peer's datagram lies at a socket whose allocation goes in the same turn, and which another
// allocation, with the same place in the table, follows at once.
static void drops_what_came_for_an_allocation_that_went_in_the_same_turn(void **state)
{
    const struct addr relayed = fixture_allocate();
    struct client_draft draft;

    (void)state;
    assert_int_equal(fixture_permit(&fixture.peer.local), CLIENT_SUCCESS);
    client_begin(&fixture.client, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 0);
    client_send_signed(&fixture.client, &draft);
    fixture_begin_allocate(&draft);
    client_send_signed(&fixture.client, &draft);
    fixture_send_from_peer(&relayed, "late");
    fixture_serve();
    assert_int_equal(client_response(&fixture.client), CLIENT_SUCCESS);
    assert_int_equal(client_response(&fixture.client), CLIENT_SUCCESS);
    const struct addr next = client_address(&fixture.client, STUN_ATTR_XOR_RELAYED_ADDRESS);
    assert_int_equal(client_response(&fixture.client), CLIENT_SILENCE);
    assert_int_equal(turn_server_stats(fixture.worker->server)->packets_to_client, 0);

    assert_int_equal(fixture_permit(&fixture.peer.local), CLIENT_SUCCESS);
    fixture_send_from_peer(&next, "in time");
    fixture_serve();
    fixture_expect_data("in time");
}

// The other order: the peer's datagram is taken first, and then the allocation goes.
static void relays_what_came_before_its_allocation_went(void **state)
{
    const struct addr relayed = fixture_allocate();
    struct client_draft draft;

    (void)state;
    assert_int_equal(fixture_permit(&fixture.peer.local), CLIENT_SUCCESS);
    fixture_send_from_peer(&relayed, "early");
    client_begin(&fixture.client, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 0);
    client_send_signed(&fixture.client, &draft);
    fixture_serve();
    fixture_expect_data("early");
    assert_int_equal(client_response(&fixture.client), CLIENT_SUCCESS);
    assert_int_equal(turn_server_gauges(fixture.worker->server, io_clock_now()).allocations, 0);
}

static void survives_whatever_is_sent_to_its_listener(void **state)
{
    static const struct bytes datagrams[] = {
        BYTES_LITERAL(""),
        BYTES_LITERAL("\x00"),
        BYTES_LITERAL("GET / HTTP/1.1\r\n\r\n"),
        BYTES_LITERAL("\x40\x00\xff\xff"),
        BYTES_LITERAL("\x00\x01\x00\x00\x21\x12\xa4\x42"),
        BYTES_LITERAL("\x00\x03\x00\x04\x21\x12\xa4\x42\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
                      "\x00\x00\x06\xff\xff"),
    };

    (void)state;
    (void)host_log();
    for (size_t i = 0; i < COUNT_OF(datagrams); i++) {
        client_send_bytes(&fixture.client, datagrams[i]);
        fixture_serve();
        assert_in_range(client_response(&fixture.client) + 1, 0, 401);
    }
    assert_string_equal(host_log(), ""); // a stranger writes no line
    assert_int_equal(turn_server_gauges(fixture.worker->server, io_clock_now()).allocations, 0);
    fixture_relay_both_ways();
}

// Two clients of this relay reach each other without a packet leaving the process.
static void joins_two_clients_by_their_relayed_addresses(void **state)
{
    static struct client other;

    (void)state;
    fixture_close();
    fixture.config = fixture_config(ADDR_IP4);
    fixture.config.rule_count = 0; // no rule allows loopback
    fixture_open_with_config(ADDR_IP4);
    const struct addr relayed = fixture_allocate();
    const struct addr dead =
        addr_with_port(relayed, relayed.port == 65535 ? 49152 : relayed.port + 1);
    // Whatever port: it is the relay's address.
    assert_int_equal(fixture_permit(&relayed), CLIENT_SUCCESS);
    assert_int_equal(fixture_bind(0x4000, &dead), 403);

    other = fixture.client;
    client_open(&fixture.client, &other.server);
    const struct addr second = fixture_allocate();
    assert_int_equal(fixture_bind(0x4001, &relayed), CLIENT_SUCCESS);
    client_send_bytes(&fixture.client, (struct bytes)BYTES_LITERAL("\x40\x01\x00\x05hello"));
    fixture_serve();
    client_receive(&other);
    assert_int_equal(stun_message_read(other.datagram, &other.response), STUN_MESSAGE_OK);
    assert_int_equal(other.response.header.method, STUN_DATA);
    const struct addr from = client_address(&other, STUN_ATTR_XOR_PEER_ADDRESS);
    assert_true(addr_equal(&from, &second));
    assert_int_equal(turn_server_stats(fixture.worker->server)->packets_turned, 1);
    assert_int_equal(turn_server_stats(fixture.worker->server)->packets_to_peer, 0);

    // To a port of the relay's address that is not relayed now nothing goes, permission or not.
    fixture_send(&fixture.peer.local, "x");
    fixture_serve();
    assert_int_equal(fixture_at_peer().len, 0);
    client_close(&other);
}

static void relays_both_families_of_one_allocation(void **state)
{
    const struct io_udp_options options6 = {.local = host_loopback(ADDR_IP6, 0)};
    struct client_draft draft;
    struct bytes value = {0};
    struct addr relayed6 = {0};
    size_t at = 0;

    (void)state;
    if (!fixture_has_ip6()) {
        return;
    }
    fixture_close();
    fixture.config = fixture_config(ADDR_IP4);
    fixture.config.public_ip6 = host_loopback(ADDR_IP6, 0);
    fixture.config.rules[1] = (struct turn_peer_rule){
        .cidr = {.base = fixture.config.public_ip6, .prefix_len = 128}, .is_allowed = true};
    fixture.config.rule_count = 2;
    fixture_open_with_config(ADDR_IP4);
    const size_t before = host_descriptor_count();
    assert_int_equal(fixture_try_to_allocate(), 401);
    client_begin(&fixture.client, &draft, STUN_REQUEST, STUN_ALLOCATE);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    assert_int_equal(fixture_ask(&draft), CLIENT_SUCCESS);
    const struct addr relayed4 = client_address(&fixture.client, STUN_ATTR_XOR_RELAYED_ADDRESS);
    while (
        stun_message_next(&fixture.client.response, STUN_ATTR_XOR_RELAYED_ADDRESS, &at, &value)) {
        assert_true(
            stun_attr_xor_addr_read(value, &fixture.client.response.header.transaction, &relayed6));
    }
    assert_int_equal(relayed4.family, ADDR_IP4);
    assert_int_equal(relayed6.family, ADDR_IP6);
    assert_int_equal(relayed4.port, relayed6.port);
    assert_int_equal(host_descriptor_count(), before + 2);

    assert_int_equal(fixture_bind(0x4000, &fixture.peer.local), CLIENT_SUCCESS);
    fixture_relay_by_channel(&relayed4);
    io_udp_close(&fixture.peer);
    assert_int_equal(io_udp_open(&options6, &fixture.peer), 0);
    assert_int_equal(fixture_bind(0x4001, &fixture.peer.local), CLIENT_SUCCESS);
    client_send_bytes(&fixture.client, (struct bytes)BYTES_LITERAL("\x40\x01\x00\x03six"));
    fixture_serve();
    host_expect_text(fixture_at_peer(), "six");
    fixture_send_from_peer(&relayed6, "back");
    fixture_serve();
    client_receive(&fixture.client);
    assert_int_equal(fixture.client.datagram.len, 8);
    assert_memory_equal(fixture.client.datagram.ptr,
                        "\x40\x01\x00\x04"
                        "back",
                        8);
    assert_int_equal(fixture_refresh(0), CLIENT_SUCCESS);
    assert_int_equal(host_descriptor_count(), before);
}

static void refuses_a_user_more_allocations_than_the_quota(void **state)
{
    static struct client first;

    (void)state;
    fixture_close();
    fixture.config = fixture_config(ADDR_IP4);
    fixture.config.user_quota = 1;
    fixture_open_with_config(ADDR_IP4);
    (void)fixture_allocate();
    first = fixture.client;
    client_open(&fixture.client, &first.server);
    assert_int_equal(fixture_try_to_allocate(), 401);
    assert_int_equal(fixture_try_to_allocate(), 486);
    assert_non_null(strstr(host_log(), " WARN request refused client=127.0.0.1:"));
    client_close(&first);
}

static void grants_lifetimes_of_a_few_seconds_where_it_is_told_to(void **state)
{
    struct client_draft draft;
    struct bytes value = {0};
    uint32_t lifetime_s = 0;

    (void)state;
    fixture_close();
    fixture.config = fixture_config(ADDR_IP4);
    fixture.config.min_lifetime_s = 5;
    fixture_open_with_config(ADDR_IP4);
    assert_int_equal(fixture_try_to_allocate(), 401);
    fixture_begin_allocate(&draft);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 1);
    assert_int_equal(fixture_ask(&draft), CLIENT_SUCCESS);
    assert_true(stun_message_find(&fixture.client.response, STUN_ATTR_LIFETIME, &value));
    assert_true(stun_attr_u32_read(value, &lifetime_s));
    assert_int_equal(lifetime_s, 5);
}

static void takes_more_than_a_batch_holds(void **state)
{
    enum { COUNT = 200 };
    struct client_draft draft;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        client_begin(&fixture.client, &draft, STUN_REQUEST, STUN_BINDING);
        client_send(&fixture.client, &draft);
    }
    fixture_serve();
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(client_response(&fixture.client), CLIENT_SUCCESS);
    }
    assert_int_equal(client_response(&fixture.client), CLIENT_SILENCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(answers_a_binding_request),
        FIXTURE_TEST(relays_data_to_a_peer_and_back),
        FIXTURE_TEST(relays_ip6_in_the_same_way),
        FIXTURE_TEST(relays_to_a_client_with_a_link_local_address),
        FIXTURE_TEST(drops_what_came_for_an_allocation_that_went_in_the_same_turn),
        FIXTURE_TEST(relays_what_came_before_its_allocation_went),
        FIXTURE_TEST(survives_whatever_is_sent_to_its_listener),
        FIXTURE_TEST(joins_two_clients_by_their_relayed_addresses),
        FIXTURE_TEST(relays_both_families_of_one_allocation),
        FIXTURE_TEST(refuses_a_user_more_allocations_than_the_quota),
        FIXTURE_TEST(grants_lifetimes_of_a_few_seconds_where_it_is_told_to),
        FIXTURE_TEST(takes_more_than_a_batch_holds),
    };
    return fixture_result(cmocka_run_group_tests(tests, NULL, NULL));
}
