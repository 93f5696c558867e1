// SPDX-License-Identifier: Apache-2.0
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "io/io_clock.h"

struct fixture fixture;

struct relay_config fixture_config(enum addr_family family)
{
    struct relay_config made = {
        .bind_ip4 = {.family = ADDR_IP4},
        .bind_ip6 = {.family = ADDR_IP6},
        .listen_port = host_free_port(family),
        .lowest_port = 49152,
        .highest_port = 65535,
        .realm = BYTES_LITERAL("fairlead"),
        .users = {{.name = BYTES_LITERAL("alice"), .password = BYTES_LITERAL("secret")}},
        .user_count = 1,
        .rules = {{.cidr = {.base = host_loopback(family, 0),
                            .prefix_len = family == ADDR_IP6 ? 128 : 32},
                   .is_allowed = true}},
        .rule_count = 1,
        .daemon.worker_count = 1,
        .min_lifetime_s = 600,
        .max_allocations = 64,
        .fitting_allocations = 64,
        .max_permissions = 64,
        .max_channels = 64,
        .user_quota = 64,
        .permissions_per_allocation = 8,
        .channels_per_allocation = 8,
    };

    *(family == ADDR_IP6 ? &made.public_ip6 : &made.public_ip4) = host_loopback(family, 0);
    return made;
}

void fixture_open_with_config(enum addr_family family)
{
    const struct io_udp_options options = {.local = host_loopback(family, 0)};

    assert_int_equal(io_loop_open(&fixture.loop), 0);
    assert_int_equal(relay_crew_open(&fixture.crew, &fixture.config, &fixture.loop), 0);
    fixture.worker = &fixture.crew.members[0].worker;
    assert_int_equal(io_udp_open(&options, &fixture.peer), 0);
    const struct addr server = addr_with_port(options.local, fixture.config.listen_port);
    client_open(&fixture.client, &server);
}

void fixture_open(enum addr_family family)
{
    fixture.config = fixture_config(family);
    fixture_open_with_config(family);
}

void fixture_close(void)
{
    client_close(&fixture.client);
    io_udp_close(&fixture.peer);
    relay_crew_close(&fixture.crew);
    io_loop_close(&fixture.loop);
}

int fixture_setup(void **state)
{
    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    fixture.descriptors = host_descriptor_count();
    fixture_open(ADDR_IP4);
    return 0;
}

int fixture_teardown(void **state)
{
    (void)state;
    fixture_close();
    assert_int_equal(host_descriptor_count(), fixture.descriptors);
    host_log_close();
    return 0;
}

int fixture_result(int failed_count)
{
    return failed_count == 0 && fixture.is_skipped ? HOST_SKIPPED : failed_count;
}

bool fixture_has_ip6(void)
{
    const bool has_ip6 = host_has_ip6();

    fixture.is_skipped = fixture.is_skipped || !has_ip6;
    return has_ip6;
}

void fixture_serve(void)
{
    uint64_t before = 0;

    do {
        before = fixture.worker->traffic.batch.stats.received;
        relay_mailbox_order(&fixture.crew.mailboxes[0], RELAY_MAILBOX_STOP);
        assert_int_equal(relay_worker_run(fixture.worker), 0);
    } while (fixture.worker->traffic.batch.stats.received != before);
}

int fixture_ask(struct client_draft *draft)
{
    client_send_signed(&fixture.client, draft);
    fixture_serve();
    return client_response(&fixture.client);
}

void fixture_begin_allocate(struct client_draft *draft)
{
    client_begin(&fixture.client, draft, STUN_REQUEST, STUN_ALLOCATE);
    stun_attr_u8_write(&draft->writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
    if (fixture.client.server.family == ADDR_IP6) {
        stun_attr_u8_write(&draft->writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
                           STUN_ATTR_FAMILY_IP6);
    }
}

int fixture_try_to_allocate(void)
{
    struct client_draft draft;

    fixture_begin_allocate(&draft);
    return fixture_ask(&draft);
}

struct addr fixture_allocate(void)
{
    assert_int_equal(fixture_try_to_allocate(), 401);
    assert_int_equal(fixture_try_to_allocate(), CLIENT_SUCCESS);
    return client_address(&fixture.client, STUN_ATTR_XOR_RELAYED_ADDRESS);
}

int fixture_refresh(uint32_t lifetime_s)
{
    struct client_draft draft;

    client_begin(&fixture.client, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, lifetime_s);
    return fixture_ask(&draft);
}

int fixture_permit(const struct addr *peer)
{
    struct client_draft draft;

    client_begin(&fixture.client, &draft, STUN_REQUEST, STUN_CREATE_PERMISSION);
    client_add_peer(&draft, peer);
    return fixture_ask(&draft);
}

int fixture_bind(uint16_t number, const struct addr *peer)
{
    struct client_draft draft;

    client_begin(&fixture.client, &draft, STUN_REQUEST, STUN_CHANNEL_BIND);
    stun_attr_u16_write(&draft.writer.wr, STUN_ATTR_CHANNEL_NUMBER, number);
    client_add_peer(&draft, peer);
    return fixture_ask(&draft);
}

void fixture_send(const struct addr *to, const char *text)
{
    struct client_draft draft;

    client_begin(&fixture.client, &draft, STUN_INDICATION, STUN_SEND);
    client_add_peer(&draft, to);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_DATA, bytes_of_text(text));
    client_send(&fixture.client, &draft);
}

void fixture_send_from_peer(const struct addr *to, const char *text)
{
    const struct io_udp_message message = {.to = to, .payload = bytes_of_text(text)};

    assert_int_equal(io_udp_send(&fixture.peer, &message), 0);
}

struct bytes fixture_at_peer(void)
{
    static uint8_t raw[2048];
    const ssize_t got = recv(fixture.peer.fd, raw, sizeof raw, MSG_DONTWAIT);

    return (struct bytes){raw, got > 0 ? (size_t)got : 0};
}

void fixture_expect_data(const char *text)
{
    struct bytes data = {0};

    client_receive(&fixture.client);
    assert_int_equal(stun_message_read(fixture.client.datagram, &fixture.client.response),
                     STUN_MESSAGE_OK);
    assert_int_equal(fixture.client.response.header.class, STUN_INDICATION);
    assert_int_equal(fixture.client.response.header.method, STUN_DATA);
    assert_true(stun_message_find(&fixture.client.response, STUN_ATTR_DATA, &data));
    host_expect_text(data, text);
    const struct addr from = client_address(&fixture.client, STUN_ATTR_XOR_PEER_ADDRESS);
    assert_true(addr_equal(&from, &fixture.peer.local));
}

struct addr fixture_mapped_address(void)
{
    struct client_draft draft;

    client_begin(&fixture.client, &draft, STUN_REQUEST, STUN_BINDING);
    assert_int_equal(fixture_ask(&draft), CLIENT_SUCCESS);
    return client_address(&fixture.client, STUN_ATTR_XOR_MAPPED_ADDRESS);
}

void fixture_relay_both_ways(void)
{
    const struct addr relayed = fixture_allocate();

    assert_in_range(relayed.port, fixture.config.lowest_port, fixture.config.highest_port);
    fixture_send(&fixture.peer.local, "too early");
    fixture_serve();
    assert_int_equal(fixture_at_peer().len, 0);

    assert_int_equal(fixture_permit(&fixture.peer.local), CLIENT_SUCCESS);
    fixture_send(&fixture.peer.local, "hello");
    fixture_serve();
    host_expect_text(fixture_at_peer(), "hello");
    fixture_send_from_peer(&relayed, "and back");
    fixture_serve();
    fixture_expect_data("and back");

    assert_int_equal(fixture_bind(0x4000, &fixture.peer.local), CLIENT_SUCCESS);
    client_send_bytes(&fixture.client, (struct bytes)BYTES_LITERAL("\x40\x00\x00\x03one\x00"));
    fixture_serve();
    host_expect_text(fixture_at_peer(), "one");
    fixture_send_from_peer(&relayed, "three");
    fixture_serve();
    client_receive(&fixture.client);
    assert_int_equal(fixture.client.datagram.len, 9);
    assert_memory_equal(fixture.client.datagram.ptr, "\x40\x00\x00\x05three", 9);

    assert_int_equal(fixture_refresh(0), CLIENT_SUCCESS);
    assert_int_equal(turn_server_gauges(fixture.worker->server, io_clock_now()).allocations, 0);
    assert_int_equal(fixture.worker->traffic.stats.sends_blocked +
                         fixture.worker->traffic.stats.sends_refused,
                     0);
}

void fixture_relay_by_channel(const struct addr *relayed)
{
    client_send_bytes(&fixture.client, (struct bytes)BYTES_LITERAL("\x40\x00\x00\x04ping"));
    fixture_serve();
    host_expect_text(fixture_at_peer(), "ping");
    fixture_send_from_peer(relayed, "pong");
    fixture_serve();
    client_receive(&fixture.client);
    assert_int_equal(fixture.client.datagram.len, 8);
    assert_memory_equal(fixture.client.datagram.ptr, "\x40\x00\x00\x04pong", 8);
}
