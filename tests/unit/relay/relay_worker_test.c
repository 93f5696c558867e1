// SPDX-License-Identifier: Apache-2.0
// The worker runs in the test's own thread: what has been sent over loopback lies at its sockets,
// and serve_all() lets it work until nothing more is there. So nothing here depends on time.
#include "relay/relay_worker.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client.h"
#include "host.h"
#include "stun/stun_icmp.h"

enum { SUCCESS = CLIENT_SUCCESS, SILENCE = CLIENT_SILENCE };

static bool is_skipped;
static struct relay_worker worker;
static struct relay_config config;
static struct client client;
static struct io_udp peer;
static bool is_over;
static struct io_watch stop; // an eventfd: ends the run
static size_t descriptors;   // open before the test

static struct relay_config make_config(enum addr_family family)
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
        .min_lifetime_s = 600,
        .max_allocations = 64,
        .max_permissions = 64,
        .max_channels = 64,
        .user_quota = 64,
        .permissions_per_allocation = 8,
        .channels_per_allocation = 8,
    };

    *(family == ADDR_IP6 ? &made.public_ip6 : &made.public_ip4) = host_loopback(family, 0);
    return made;
}

static void on_stop(struct io_watch *watch, uint32_t events)
{
    eventfd_t count = 0;

    (void)events;
    assert_int_equal(eventfd_read(watch->fd, &count), 0);
    is_over = true;
}

static void open_with_config(enum addr_family family)
{
    const struct io_udp_options options = {.local = host_loopback(family, 0)};

    assert_int_equal(relay_worker_open(&worker, &config), 0);
    stop = (struct io_watch){.fd = eventfd(0, EFD_CLOEXEC), .fn = on_stop};
    assert_int_equal(io_loop_add(&worker.loop, &stop, IO_READABLE), 0);
    assert_int_equal(io_udp_open(&options, &peer), 0);
    const struct addr server = addr_with_port(options.local, config.listen_port);
    client_open(&client, &server);
}

static void open_all(enum addr_family family)
{
    config = make_config(family);
    open_with_config(family);
}

static void close_all(void)
{
    client_close(&client);
    io_udp_close(&peer);
    io_loop_remove(&worker.loop, &stop);
    close(stop.fd);
    relay_worker_close(&worker);
}

static int setup(void **state)
{
    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    descriptors = host_descriptor_count();
    open_all(ADDR_IP4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_all();
    assert_int_equal(host_descriptor_count(), descriptors);
    host_log_close();
    return 0;
}

// Lets the worker take all that has been sent to it, and what comes of that.
static void serve_all(void)
{
    uint64_t before = 0;

    do {
        before = worker.batch.stats.received;
        is_over = false;
        assert_int_equal(eventfd_write(stop.fd, 1), 0);
        assert_int_equal(relay_worker_run(&worker, &is_over), 0);
        assert_true(is_over);
    } while (worker.batch.stats.received != before);
}

// Signs and sends a request, and says what came of it.
static int ask(struct client_draft *draft)
{
    client_send_signed(&client, draft);
    serve_all();
    return client_response(&client);
}

static void begin_allocate(struct client_draft *draft)
{
    client_begin(&client, draft, STUN_REQUEST, STUN_ALLOCATE);
    stun_attr_u8_write(&draft->writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
    if (client.server.family == ADDR_IP6) {
        stun_attr_u8_write(&draft->writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
                           STUN_ATTR_FAMILY_IP6);
    }
}

static int try_to_allocate(void)
{
    struct client_draft draft;

    begin_allocate(&draft);
    return ask(&draft);
}

// An allocation, which must succeed; its relayed address.
static struct addr allocate(void)
{
    assert_int_equal(try_to_allocate(), 401);
    assert_int_equal(try_to_allocate(), SUCCESS);
    return client_address(&client, STUN_ATTR_XOR_RELAYED_ADDRESS);
}

static int refresh(uint32_t lifetime_s)
{
    struct client_draft draft;

    client_begin(&client, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, lifetime_s);
    return ask(&draft);
}

static int permit(const struct addr *addr)
{
    struct client_draft draft;

    client_begin(&client, &draft, STUN_REQUEST, STUN_CREATE_PERMISSION);
    client_add_peer(&draft, addr);
    return ask(&draft);
}

static int bind_channel(uint16_t number, const struct addr *addr)
{
    struct client_draft draft;

    client_begin(&client, &draft, STUN_REQUEST, STUN_CHANNEL_BIND);
    stun_attr_u16_write(&draft.writer.wr, STUN_ATTR_CHANNEL_NUMBER, number);
    client_add_peer(&draft, addr);
    return ask(&draft);
}

static void send_to_peer(const char *text)
{
    struct client_draft draft;

    client_begin(&client, &draft, STUN_INDICATION, STUN_SEND);
    client_add_peer(&draft, &peer.local);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_DATA, bytes_of_text(text));
    client_send(&client, &draft);
}

static void send_from_peer(const struct addr *to, const char *text)
{
    const struct io_udp_message message = {.to = to, .payload = bytes_of_text(text)};

    assert_int_equal(io_udp_send(&peer, &message), 0);
}

// What the peer received, or nothing.
static struct bytes at_peer(void)
{
    static uint8_t raw[2048];
    const ssize_t got = recv(peer.fd, raw, sizeof raw, MSG_DONTWAIT);

    return (struct bytes){raw, got > 0 ? (size_t)got : 0};
}

static void expect_data_indication(const char *text)
{
    struct bytes data = {0};

    client_receive(&client);
    assert_int_equal(stun_message_read(client.datagram, &client.response), STUN_MESSAGE_OK);
    assert_int_equal(client.response.header.class, STUN_INDICATION);
    assert_int_equal(client.response.header.method, STUN_DATA);
    assert_true(stun_message_find(&client.response, STUN_ATTR_DATA, &data));
    host_expect_text(data, text);
    const struct addr from = client_address(&client, STUN_ATTR_XOR_PEER_ADDRESS);
    assert_true(addr_equal(&from, &peer.local));
}

// The client's address as the relay sees it.
static struct addr mapped_address(void)
{
    struct client_draft draft;

    client_begin(&client, &draft, STUN_REQUEST, STUN_BINDING);
    assert_int_equal(ask(&draft), SUCCESS);
    return client_address(&client, STUN_ATTR_XOR_MAPPED_ADDRESS);
}

static void answers_a_binding_request(void **state)
{
    (void)state;
    const struct addr mapped = mapped_address();
    assert_true(addr_equal(&mapped, &client.udp.local));
}

static void relays_both_ways(void)
{
    const struct addr relayed = allocate();

    assert_in_range(relayed.port, config.lowest_port, config.highest_port);
    send_to_peer("too early");
    serve_all();
    assert_int_equal(at_peer().len, 0);

    assert_int_equal(permit(&peer.local), SUCCESS);
    send_to_peer("hello");
    serve_all();
    host_expect_text(at_peer(), "hello");
    send_from_peer(&relayed, "and back");
    serve_all();
    expect_data_indication("and back");

    assert_int_equal(bind_channel(0x4000, &peer.local), SUCCESS);
    client_send_bytes(&client, (struct bytes)BYTES_LITERAL("\x40\x00\x00\x03one\x00"));
    serve_all();
    host_expect_text(at_peer(), "one");
    send_from_peer(&relayed, "three");
    serve_all();
    client_receive(&client);
    assert_int_equal(client.datagram.len, 9);
    assert_memory_equal(client.datagram.ptr, "\x40\x00\x00\x05three", 9);

    assert_int_equal(refresh(0), SUCCESS);
    assert_int_equal(turn_server_gauges(worker.server).allocations, 0);
    assert_int_equal(worker.stats.sends_blocked + worker.stats.sends_refused, 0);
}

// Channel 0x4000 works, both ways.
static void relays_both_ways_again(const struct addr *relayed)
{
    client_send_bytes(&client, (struct bytes)BYTES_LITERAL("\x40\x00\x00\x04ping"));
    serve_all();
    host_expect_text(at_peer(), "ping");
    send_from_peer(relayed, "pong");
    serve_all();
    client_receive(&client);
    assert_int_equal(client.datagram.len, 8);
    assert_memory_equal(client.datagram.ptr, "\x40\x00\x00\x04pong", 8);
}

static void relays_data_to_a_peer_and_back(void **state)
{
    (void)state;
    relays_both_ways();
    const char *log = host_log();
    assert_non_null(strstr(log, " INFO allocation created client=127.0.0.1:"));
    assert_non_null(strstr(log, " username=alice lifetime_s=600\n"));
    assert_non_null(strstr(log, " INFO allocation deleted by its client client=127.0.0.1:"));
    assert_null(strstr(log, "secret"));
}

static void relays_ip6_in_the_same_way(void **state)
{
    (void)state;
    if (!host_has_ip6()) {
        is_skipped = true;
        return;
    }
    close_all();
    open_all(ADDR_IP6);
    relays_both_ways();
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
    open_all(ADDR_IP6);
    client_close(&client);
    assert_int_equal(io_udp_open(&options, &client.udp), 0);
    client.server = addr_with_port(link_local, config.listen_port);
    client.scope = 1;
    relays_both_ways();
    const struct addr mapped = mapped_address();
    close_all();
    return addr_same_ip(&mapped, &link_local) ? 0 : 2;
}

static void relays_to_a_client_with_a_link_local_address(void **state)
{
    (void)state;
    if (!host_has_ip6()) {
        is_skipped = true;
        return;
    }
    close_all();
    const int fault = host_without_network(relay_to_link_local);
    open_all(ADDR_IP4);
    is_skipped = is_skipped || fault < 0;
    assert_true(fault <= 0);
}

static void closes_the_socket_with_its_allocation(void **state)
{
    (void)state;
    const size_t before = host_descriptor_count();
    const struct addr relayed = allocate();
    assert_int_equal(host_descriptor_count(), before + 1);
    assert_int_equal(refresh(0), SUCCESS);
    assert_int_equal(host_descriptor_count(), before);
    const struct io_udp_options options = {.local = relayed};
    struct io_udp again = {.fd = -1};
    assert_int_equal(io_udp_open(&options, &again), 0);
    io_udp_close(&again);
}

// A peer's datagram lies at a socket whose allocation goes in the same turn, and which another
// allocation, with the same place in the table, follows at once.
static void drops_what_came_for_an_allocation_that_went_in_the_same_turn(void **state)
{
    const struct addr relayed = allocate();
    struct client_draft draft;

    (void)state;
    assert_int_equal(permit(&peer.local), SUCCESS);
    client_begin(&client, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 0);
    client_send_signed(&client, &draft);
    begin_allocate(&draft);
    client_send_signed(&client, &draft);
    send_from_peer(&relayed, "late");
    serve_all();
    assert_int_equal(client_response(&client), SUCCESS);
    assert_int_equal(client_response(&client), SUCCESS);
    const struct addr next = client_address(&client, STUN_ATTR_XOR_RELAYED_ADDRESS);
    assert_int_equal(client_response(&client), SILENCE);
    assert_int_equal(turn_server_stats(worker.server)->packets_to_client, 0);

    assert_int_equal(permit(&peer.local), SUCCESS);
    send_from_peer(&next, "in time");
    serve_all();
    expect_data_indication("in time");
}

// The other order: the peer's datagram is taken first, and then the allocation goes.
static void relays_what_came_before_its_allocation_went(void **state)
{
    const struct addr relayed = allocate();
    struct client_draft draft;

    (void)state;
    assert_int_equal(permit(&peer.local), SUCCESS);
    send_from_peer(&relayed, "early");
    client_begin(&client, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 0);
    client_send_signed(&client, &draft);
    serve_all();
    expect_data_indication("early");
    assert_int_equal(client_response(&client), SUCCESS);
    assert_int_equal(turn_server_gauges(worker.server).allocations, 0);
}

static void refuses_allocations_while_there_are_no_descriptors(void **state)
{
    (void)state;
    assert_int_equal(try_to_allocate(), 401);
    host_descriptor_limit(0);
    const int refused = try_to_allocate();
    host_descriptor_limit(-1);
    assert_int_equal(refused, 508);
    const char *log = host_log();
    assert_non_null(strstr(log, "ERROR a relayed socket could not be opened relayed=127.0.0.1:"));
    assert_non_null(strstr(log, "EMFILE"));
    assert_int_equal(turn_server_gauges(worker.server).allocations, 0);
    assert_int_equal(try_to_allocate(), SUCCESS);
}

// Opens a socket at a port whose successor is free.
static struct io_udp take_port(void)
{
    uint16_t port = host_free_port(ADDR_IP4);
    struct io_udp taken = {.fd = -1};

    for (uint16_t next = host_free_port(ADDR_IP4); next != port + 1;) {
        port = next;
        next = host_free_port(ADDR_IP4);
    }
    const struct io_udp_options options = {.local = host_loopback(ADDR_IP4, port)};
    assert_int_equal(io_udp_open(&options, &taken), 0);
    return taken;
}

static void tries_another_port_when_one_is_taken(void **state)
{
    struct io_udp taken = take_port();

    (void)state;
    close_all();
    config = make_config(ADDR_IP4);
    config.lowest_port = taken.local.port;
    config.highest_port = (uint16_t)(taken.local.port + 1);
    open_with_config(ADDR_IP4);
    // At one chance in two it meets the free one first: that it never does otherwise is as likely
    // as 2 to the power of -64.
    for (int tries = 0; turn_server_stats(worker.server)->ports_refused == 0 && tries < 64;
         tries++) {
        const struct addr relayed = allocate();
        assert_int_equal(relayed.port, config.highest_port);
        assert_int_equal(refresh(0), SUCCESS);
        client_close(&client);
        client_open(&client, &client.server);
    }
    assert_true(turn_server_stats(worker.server)->ports_refused > 0);
    io_udp_close(&taken);
}

static void refuses_allocations_when_no_port_is_to_be_had(void **state)
{
    struct io_udp taken = take_port();

    (void)state;
    close_all();
    config = make_config(ADDR_IP4);
    config.lowest_port = taken.local.port;
    config.highest_port = taken.local.port;
    open_with_config(ADDR_IP4);
    const size_t before = host_descriptor_count();
    assert_int_equal(try_to_allocate(), 401);
    assert_int_equal(try_to_allocate(), 508);
    assert_int_equal(host_descriptor_count(), before);
    io_udp_close(&taken);
}

static void counts_what_cannot_be_sent_and_goes_on(void **state)
{
    // A socket may not send to a broadcast address unless it asked for that.
    const struct addr broadcast = addr_ip4((const uint8_t[]){127, 255, 255, 255}, 9);
    struct client_draft draft;

    (void)state;
    close_all();
    config = make_config(ADDR_IP4);
    config.rules[0].cidr =
        (struct cidr){.base = addr_ip4((const uint8_t[]){127, 0, 0, 0}, 0), .prefix_len = 8};
    open_with_config(ADDR_IP4);
    (void)allocate();
    assert_int_equal(permit(&broadcast), SUCCESS);
    client_begin(&client, &draft, STUN_INDICATION, STUN_SEND);
    client_add_peer(&draft, &broadcast);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_DATA, bytes_of_text("x"));
    client_send(&client, &draft);
    serve_all();
    assert_int_equal(worker.stats.sends_refused, 1);
    assert_non_null(strstr(host_log(), " WARN a packet could not be sent to=127.255.255.255:9 "));
    assert_int_equal(permit(&peer.local), SUCCESS);
    send_to_peer("hello");
    serve_all();
    host_expect_text(at_peer(), "hello");
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
        client_send_bytes(&client, datagrams[i]);
        serve_all();
        assert_in_range(client_response(&client) + 1, 0, 401);
    }
    assert_string_equal(host_log(), ""); // a stranger writes no line
    assert_int_equal(turn_server_gauges(worker.server).allocations, 0);
    relays_both_ways();
}

// Sends a datagram with a TTL and a TOS of our choice.
static void send_marked(struct io_udp *from, const struct addr *to, struct bytes datagram,
                        uint8_t ttl, uint8_t tos)
{
    const struct io_udp_message message = {.to = to, .ttl = ttl, .tos = tos, .payload = datagram};

    assert_int_equal(io_udp_send(from, &message), 0);
}

// What arrived at a socket that tells TTL and TOS; NULL: nothing.
static const struct io_udp_datagram *arrived(struct io_udp_batch *batch, struct io_udp *udp)
{
    assert_int_equal(io_udp_batch_receive(batch, udp), 0);
    assert_true(batch->count <= 1);
    return batch->count == 1 ? &batch->datagrams[0] : NULL;
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

    open_telling(&client.udp, host_loopback(family, 0));
    open_telling(&peer, host_loopback(family, 0));
    const struct addr relayed = allocate();
    assert_int_equal(bind_channel(0x4000, &peer.local), SUCCESS);
    assert_int_equal(io_udp_batch_open(4, 2048, &batch), 0);
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        send_marked(&client.udp, &client.server,
                    (struct bytes)BYTES_LITERAL("\x40\x00\x00\x04ping"), 17, marks[i]);
        serve_all();
        const struct io_udp_datagram *there = arrived(&batch, &peer);
        assert_non_null(there);
        assert_int_equal(there->ttl, 16);
        assert_int_equal(there->tos, marks[i]);

        send_marked(&peer, &relayed, (struct bytes)BYTES_LITERAL("pong"), 2, marks[i]);
        serve_all();
        const struct io_udp_datagram *back = arrived(&batch, &client.udp);
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
    if (!host_has_ip6()) {
        is_skipped = true;
        return;
    }
    close_all();
    open_all(ADDR_IP6);
    carries_ttl_and_tos(ADDR_IP6);
}

// RFC 8656 section 13: a TTL that is 0 after decrementing ends the packet's way.
static void drops_what_has_no_time_to_live_left(void **state)
{
    const struct addr relayed = allocate();

    (void)state;
    assert_int_equal(bind_channel(0x4000, &peer.local), SUCCESS);
    send_marked(&client.udp, &client.server, (struct bytes)BYTES_LITERAL("\x40\x00\x00\x01x"), 1,
                0);
    serve_all();
    assert_int_equal(at_peer().len, 0);
    assert_int_equal(worker.stats.ttls_exceeded, 1);
    send_marked(&peer, &relayed, (struct bytes)BYTES_LITERAL("x"), 1, 0);
    serve_all();
    client_receive(&client);
    assert_int_equal(client.datagram.len, 0);
    assert_int_equal(worker.stats.ttls_exceeded, 2);
    relays_both_ways_again(&relayed);
    // Requests end at the relay, so they may have no time to live left.
    send_marked(&client.udp, &client.server,
                (struct bytes)BYTES_LITERAL("\0\x01\0\0\x21\x12\xa4\x42transaction_"), 1, 0);
    serve_all();
    assert_int_equal(client_response(&client), SUCCESS);
}

// A port of loopback where nobody is answers with ICMP "port unreachable".
static void tells_a_client_of_an_icmp_error_of_its_peer(enum addr_family family, uint8_t type,
                                                        uint16_t code)
{
    const struct addr closed = host_loopback(family, host_free_port(family));
    const struct addr relayed = allocate();
    struct client_draft draft;
    struct stun_icmp icmp = {0};
    struct bytes value = {0};

    assert_int_equal(permit(&closed), SUCCESS);
    client_begin(&client, &draft, STUN_INDICATION, STUN_SEND);
    client_add_peer(&draft, &closed);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_DATA, bytes_of_text("anybody?"));
    client_send(&client, &draft);
    serve_all();
    client_receive(&client);
    assert_int_equal(stun_message_read(client.datagram, &client.response), STUN_MESSAGE_OK);
    assert_int_equal(client.response.header.class, STUN_INDICATION);
    assert_int_equal(client.response.header.method, STUN_DATA);
    assert_false(stun_message_has(&client.response, STUN_ATTR_DATA));
    assert_true(stun_message_find(&client.response, STUN_ATTR_ICMP, &value));
    assert_true(stun_icmp_read(value, &icmp));
    assert_int_equal(icmp.type, type);
    assert_int_equal(icmp.code, code);
    assert_int_equal(icmp.data, 0);
    const struct addr from = client_address(&client, STUN_ATTR_XOR_PEER_ADDRESS);
    assert_true(addr_equal(&from, &closed));
    client_receive(&client);
    assert_int_equal(client.datagram.len, 0); // it is told once
    assert_int_equal(turn_server_stats(worker.server)->errors_to_client, 1);
    assert_int_equal(worker.stats.sends_refused, 0);
    assert_int_equal(bind_channel(0x4000, &peer.local), SUCCESS);
    relays_both_ways_again(&relayed);
}

static void turns_icmp_port_unreachable_into_a_data_indication(void **state)
{
    (void)state;
    tells_a_client_of_an_icmp_error_of_its_peer(ADDR_IP4, 3, 3);
}

static void turns_an_icmp_error_of_ip6_into_one_too(void **state)
{
    (void)state;
    if (!host_has_ip6()) {
        is_skipped = true;
        return;
    }
    close_all();
    open_all(ADDR_IP6);
    tells_a_client_of_an_icmp_error_of_its_peer(ADDR_IP6, 1, 4);
}

static void survives_more_icmp_errors_than_it_reads_in_a_turn(void **state)
{
    const struct addr closed = host_loopback(ADDR_IP4, host_free_port(ADDR_IP4));
    const struct addr relayed = allocate();

    (void)state;
    assert_int_equal(bind_channel(0x4000, &peer.local), SUCCESS);
    assert_int_equal(bind_channel(0x4001, &closed), SUCCESS);
    for (int i = 0; i < 100; i++) {
        client_send_bytes(&client, (struct bytes)BYTES_LITERAL("\x40\x01\x00\x01x"));
        client_send_bytes(&client, (struct bytes)BYTES_LITERAL("\x40\x00\x00\x01y"));
    }
    serve_all();
    for (int i = 0; i < 100; i++) {
        host_expect_text(at_peer(), "y"); // an error of one peer costs no packet of another
    }
    do {
        client_receive(&client);
    } while (client.datagram.len > 0);
    relays_both_ways_again(&relayed);
}

// Two clients of this relay reach each other without a packet leaving the process.
static void joins_two_clients_by_their_relayed_addresses(void **state)
{
    static struct client other;

    (void)state;
    close_all();
    config = make_config(ADDR_IP4);
    config.rule_count = 0; // no rule allows loopback
    open_with_config(ADDR_IP4);
    const struct addr relayed = allocate();
    const struct addr dead =
        addr_with_port(relayed, relayed.port == 65535 ? 49152 : relayed.port + 1);
    assert_int_equal(permit(&relayed), SUCCESS); // whatever port: it is the relay's address
    assert_int_equal(bind_channel(0x4000, &dead), 403);

    other = client;
    client_open(&client, &other.server);
    const struct addr second = allocate();
    assert_int_equal(bind_channel(0x4001, &relayed), SUCCESS);
    client_send_bytes(&client, (struct bytes)BYTES_LITERAL("\x40\x01\x00\x05hello"));
    serve_all();
    client_receive(&other);
    assert_int_equal(stun_message_read(other.datagram, &other.response), STUN_MESSAGE_OK);
    assert_int_equal(other.response.header.method, STUN_DATA);
    const struct addr from = client_address(&other, STUN_ATTR_XOR_PEER_ADDRESS);
    assert_true(addr_equal(&from, &second));
    assert_int_equal(turn_server_stats(worker.server)->packets_turned, 1);
    assert_int_equal(turn_server_stats(worker.server)->packets_to_peer, 0);

    // To a port of the relay's address that is not relayed now nothing goes, permission or not.
    struct client_draft draft;
    client_begin(&client, &draft, STUN_INDICATION, STUN_SEND);
    client_add_peer(&draft, &peer.local);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_DATA, bytes_of_text("x"));
    client_send(&client, &draft);
    serve_all();
    assert_int_equal(at_peer().len, 0);
    client_close(&other);
}

static void relays_both_families_of_one_allocation(void **state)
{
    struct client_draft draft;
    struct bytes value = {0};
    struct addr relayed6 = {0};
    size_t at = 0;

    (void)state;
    if (!host_has_ip6()) {
        is_skipped = true;
        return;
    }
    close_all();
    config = make_config(ADDR_IP4);
    config.public_ip6 = host_loopback(ADDR_IP6, 0);
    config.rules[1] = (struct turn_peer_rule){
        .cidr = {.base = config.public_ip6, .prefix_len = 128}, .is_allowed = true};
    config.rule_count = 2;
    open_with_config(ADDR_IP4);
    const size_t before = host_descriptor_count();
    assert_int_equal(try_to_allocate(), 401);
    client_begin(&client, &draft, STUN_REQUEST, STUN_ALLOCATE);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    assert_int_equal(ask(&draft), SUCCESS);
    const struct addr relayed4 = client_address(&client, STUN_ATTR_XOR_RELAYED_ADDRESS);
    while (stun_message_next(&client.response, STUN_ATTR_XOR_RELAYED_ADDRESS, &at, &value)) {
        assert_true(stun_attr_xor_addr_read(value, &client.response.header.transaction, &relayed6));
    }
    assert_int_equal(relayed4.family, ADDR_IP4);
    assert_int_equal(relayed6.family, ADDR_IP6);
    assert_int_equal(relayed4.port, relayed6.port);
    assert_int_equal(host_descriptor_count(), before + 2);

    assert_int_equal(bind_channel(0x4000, &peer.local), SUCCESS);
    relays_both_ways_again(&relayed4);
    open_telling(&peer, host_loopback(ADDR_IP6, 0));
    assert_int_equal(bind_channel(0x4001, &peer.local), SUCCESS);
    client_send_bytes(&client, (struct bytes)BYTES_LITERAL("\x40\x01\x00\x03six"));
    serve_all();
    host_expect_text(at_peer(), "six");
    send_from_peer(&relayed6, "back");
    serve_all();
    client_receive(&client);
    assert_int_equal(client.datagram.len, 8);
    assert_memory_equal(client.datagram.ptr,
                        "\x40\x01\x00\x04"
                        "back",
                        8);
    assert_int_equal(refresh(0), SUCCESS);
    assert_int_equal(host_descriptor_count(), before);
}

static void refuses_a_user_more_allocations_than_the_quota(void **state)
{
    static struct client first;

    (void)state;
    close_all();
    config = make_config(ADDR_IP4);
    config.user_quota = 1;
    open_with_config(ADDR_IP4);
    (void)allocate();
    first = client;
    client_open(&client, &first.server);
    assert_int_equal(try_to_allocate(), 401);
    assert_int_equal(try_to_allocate(), 486);
    assert_non_null(strstr(host_log(), " WARN request refused client=127.0.0.1:"));
    client_close(&first);
}

static void grants_lifetimes_of_a_few_seconds_where_it_is_told_to(void **state)
{
    struct client_draft draft;
    struct bytes value = {0};
    uint32_t lifetime_s = 0;

    (void)state;
    close_all();
    config = make_config(ADDR_IP4);
    config.min_lifetime_s = 5;
    open_with_config(ADDR_IP4);
    assert_int_equal(try_to_allocate(), 401);
    begin_allocate(&draft);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 1);
    assert_int_equal(ask(&draft), SUCCESS);
    assert_true(stun_message_find(&client.response, STUN_ATTR_LIFETIME, &value));
    assert_true(stun_attr_u32_read(value, &lifetime_s));
    assert_int_equal(lifetime_s, 5);
}

static void takes_more_than_a_batch_holds(void **state)
{
    enum { COUNT = 200 };
    struct client_draft draft;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        client_begin(&client, &draft, STUN_REQUEST, STUN_BINDING);
        client_send(&client, &draft);
    }
    serve_all();
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(client_response(&client), SUCCESS);
    }
    assert_int_equal(client_response(&client), SILENCE);
}

static void does_not_run_when_it_is_over_already(void **state)
{
    struct client_draft draft;

    (void)state;
    client_begin(&client, &draft, STUN_REQUEST, STUN_BINDING);
    client_send(&client, &draft);
    is_over = true;
    assert_int_equal(relay_worker_run(&worker, &is_over), 0);
    assert_int_equal(client_response(&client), SILENCE);
}

static void closes_what_is_open_and_does_so_once(void **state)
{
    (void)state;
    (void)allocate(); // its socket is open
    close_all();
    relay_worker_close(&worker);
    relay_worker_close(&worker);
    assert_int_equal(host_descriptor_count(), descriptors);
    open_all(ADDR_IP4); // and it can be opened again
    relays_both_ways();
}

static void leaves_nothing_open_when_its_port_is_taken(void **state)
{
    const uint16_t taken_port = config.listen_port; // by the worker of this test

    (void)state;
    static struct relay_worker second;
    struct relay_config second_config = make_config(ADDR_IP4);
    second_config.listen_port = taken_port;
    const size_t before = host_descriptor_count();
    (void)host_log();
    assert_int_equal(relay_worker_open(&second, &second_config), -EADDRINUSE);
    assert_int_equal(host_descriptor_count(), before);
    char line[96];
    snprintf(line, sizeof line,
             "ERROR cannot listen; does another STUN server run here? address=0.0.0.0:%u",
             taken_port);
    assert_non_null(strstr(host_log(), line));
    relay_worker_close(&second);
}

static void leaves_nothing_open_when_there_are_few_descriptors(void **state)
{
    static struct relay_worker second;
    int more = 0;

    (void)state;
    for (int error = -EMFILE; error != 0; more++) {
        struct relay_config second_config = make_config(ADDR_IP4);
        const size_t before = host_descriptor_count();

        host_descriptor_limit(more);
        error = relay_worker_open(&second, &second_config);
        host_descriptor_limit(-1);
        assert_true(error == 0 || error == -EMFILE);
        relay_worker_close(&second);
        assert_int_equal(host_descriptor_count(), before);
    }
    assert_int_equal(more - 1, 2); // the loop, the listener
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(answers_a_binding_request),
        TEST(relays_data_to_a_peer_and_back),
        TEST(relays_ip6_in_the_same_way),
        TEST(relays_to_a_client_with_a_link_local_address),
        TEST(closes_the_socket_with_its_allocation),
        TEST(drops_what_came_for_an_allocation_that_went_in_the_same_turn),
        TEST(relays_what_came_before_its_allocation_went),
        TEST(refuses_allocations_while_there_are_no_descriptors),
        TEST(tries_another_port_when_one_is_taken),
        TEST(refuses_allocations_when_no_port_is_to_be_had),
        TEST(counts_what_cannot_be_sent_and_goes_on),
        TEST(survives_whatever_is_sent_to_its_listener),
        TEST(carries_ttl_and_tos_from_client_to_peer_and_back),
        TEST(carries_hop_limit_and_traffic_class_of_ip6),
        TEST(drops_what_has_no_time_to_live_left),
        TEST(turns_icmp_port_unreachable_into_a_data_indication),
        TEST(turns_an_icmp_error_of_ip6_into_one_too),
        TEST(survives_more_icmp_errors_than_it_reads_in_a_turn),
        TEST(joins_two_clients_by_their_relayed_addresses),
        TEST(relays_both_families_of_one_allocation),
        TEST(refuses_a_user_more_allocations_than_the_quota),
        TEST(grants_lifetimes_of_a_few_seconds_where_it_is_told_to),
        TEST(takes_more_than_a_batch_holds),
        TEST(does_not_run_when_it_is_over_already),
        TEST(closes_what_is_open_and_does_so_once),
        TEST(leaves_nothing_open_when_its_port_is_taken),
        TEST(leaves_nothing_open_when_there_are_few_descriptors),
    };
    const int failed_count = cmocka_run_group_tests(tests, NULL, NULL);
    return failed_count == 0 && is_skipped ? HOST_SKIPPED : failed_count;
}
