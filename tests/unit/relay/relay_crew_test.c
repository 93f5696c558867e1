// SPDX-License-Identifier: Apache-2.0
// Workers in their threads, over loopback. What they hold is looked at when they have stopped: then
// it is this thread's. Run with -fsanitize=thread too (tools/run-tests).
#include "relay/relay_crew.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client.h"
#include "daemon/host.h"
#include "fixture.h"
#include "io/io_clock.h"

enum {
    WORKERS = 4,
    CLIENTS = 32,
    WAIT_MS = 10000,
    HEAD_LEN = 4, // bytes: of ChannelData
};

static struct relay_config config;
static struct io_loop loop;
static struct relay_crew crew;
static struct client *clients; // CLIENTS of them
static struct addr relayed[CLIENTS];

static int open_crew(void **state)
{
    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    config = fixture_config(ADDR_IP4);
    config.daemon.worker_count = WORKERS;
    clients = calloc(CLIENTS, sizeof *clients);
    assert_int_equal(io_loop_open(&loop), 0);
    assert_int_equal(relay_crew_open(&crew, &config, &loop), 0);
    const struct addr server = host_loopback(ADDR_IP4, config.listen_port);
    for (int i = 0; i < CLIENTS; i++) {
        client_open(&clients[i], &server);
    }
    return relay_crew_start(&crew);
}

static int close_crew(void **state)
{
    (void)state;
    relay_crew_close(&crew);
    relay_crew_close(&crew);
    for (int i = 0; i < CLIENTS; i++) {
        client_close(&clients[i]);
    }
    io_loop_close(&loop);
    free(clients);
    host_log_close();
    return 0;
}

static bool has_datagram(const struct client *client, int timeout_ms)
{
    struct pollfd poller = {.fd = client->udp.fd, .events = POLLIN};

    return poll(&poller, 1, timeout_ms) == 1;
}

static int ask(struct client *client, struct client_draft *draft)
{
    client_send_signed(client, draft);
    assert_true(has_datagram(client, WAIT_MS));
    return client_response(client);
}

static int try_to_allocate(struct client *client)
{
    struct client_draft draft;

    client_begin(client, &draft, STUN_REQUEST, STUN_ALLOCATE);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
    return ask(client, &draft);
}

static void allocate_all(void)
{
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(try_to_allocate(&clients[i]), 401);
        assert_int_equal(try_to_allocate(&clients[i]), CLIENT_SUCCESS);
        relayed[i] = client_address(&clients[i], STUN_ATTR_XOR_RELAYED_ADDRESS);
    }
}

static int bind_channel(struct client *client, const struct addr *peer)
{
    struct client_draft draft;

    client_begin(client, &draft, STUN_REQUEST, STUN_CHANNEL_BIND);
    stun_attr_u16_write(&draft.writer.wr, STUN_ATTR_CHANNEL_NUMBER, 0x4000);
    client_add_peer(&draft, peer);
    return ask(client, &draft);
}

// Allocations that a worker has; the crew does not run.
static uint32_t allocation_count(uint32_t worker)
{
    return turn_server_gauges(crew.members[worker].worker.server, io_clock_now()).allocations;
}

static uint32_t all_allocations(void)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < WORKERS; i++) {
        sum += allocation_count(i);
    }
    return sum;
}

static void all_workers_have_clients(void **state)
{
    (void)state;
    allocate_all();
    relay_crew_stop(&crew);
    assert_int_equal(all_allocations(), CLIENTS);
    // That none of 32 comes to one of four happens once in 2,500 starts; two idle ones never do.
    uint32_t idle_count = 0;
    for (uint32_t i = 0; i < WORKERS; i++) {
        idle_count += allocation_count(i) == 0;
    }
    assert_in_range(idle_count, 0, 1);
    assert_int_equal(relay_crew_start(&crew), 0); // and it goes on where it was
    assert_int_equal(bind_channel(&clients[0], &relayed[1]), CLIENT_SUCCESS);
}

// Each client's channel leads to the next one, in a ring: many of them to another worker's.
static void data_turns_round_between_workers(void **state)
{
    enum { PACKETS = 50 };
    uint8_t packet[HEAD_LEN + 4] = {0x40, 0x00, 0x00, 0x04};

    (void)state;
    allocate_all();
    for (int i = 0; i < CLIENTS; i++) {
        const int next = (i + 1) % CLIENTS;
        const int last = (i + CLIENTS - 1) % CLIENTS;
        struct client_draft draft;

        assert_int_equal(bind_channel(&clients[i], &relayed[next]), CLIENT_SUCCESS);
        client_begin(&clients[i], &draft, STUN_REQUEST, STUN_CREATE_PERMISSION);
        client_add_peer(&draft, &relayed[last]);
        assert_int_equal(ask(&clients[i], &draft), CLIENT_SUCCESS);
    }
    for (uint32_t k = 0; k < PACKETS; k++) {
        for (int i = 0; i < CLIENTS; i++) {
            packet[HEAD_LEN] = (uint8_t)i;
            packet[HEAD_LEN + 1] = (uint8_t)k;
            client_send_bytes(&clients[i], (struct bytes){packet, sizeof packet});
        }
        for (int i = 0; i < CLIENTS; i++) {
            const int last = (i + CLIENTS - 1) % CLIENTS;
            struct bytes data = {0};

            assert_true(has_datagram(&clients[i], WAIT_MS));
            client_receive(&clients[i]);
            assert_int_equal(stun_message_read(clients[i].datagram, &clients[i].response),
                             STUN_MESSAGE_OK);
            assert_true(stun_message_find(&clients[i].response, STUN_ATTR_DATA, &data));
            assert_int_equal(data.len, 4);
            assert_int_equal(data.ptr[0], last);
            assert_int_equal(data.ptr[1], k);
            const struct addr from = client_address(&clients[i], STUN_ATTR_XOR_PEER_ADDRESS);
            assert_true(addr_equal(&from, &relayed[last]));
        }
    }
    relay_crew_stop(&crew);
    relay_crew_log(&crew);
    assert_non_null(strstr(host_log(), "packets_turned=1600"));
}

// What a user may hold is counted over all workers.
static void a_user_is_one_whatever_worker_serves_it(void **state)
{
    enum { QUOTA = 5 };

    (void)state;
    relay_crew_close(&crew);
    config = fixture_config(ADDR_IP4);
    config.daemon.worker_count = WORKERS;
    config.user_quota = QUOTA;
    assert_int_equal(relay_crew_open(&crew, &config, &loop), 0);
    assert_int_equal(relay_crew_start(&crew), 0);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].server.port = config.listen_port;
        assert_int_equal(try_to_allocate(&clients[i]), 401);
        assert_int_equal(try_to_allocate(&clients[i]), i < QUOTA ? CLIENT_SUCCESS : 486);
    }
    relay_crew_stop(&crew);
    assert_int_equal(all_allocations(), QUOTA);
}

static void tells_what_all_have_counted(void **state)
{
    struct client_draft draft;

    (void)state;
    for (int i = 0; i < CLIENTS; i++) {
        client_begin(&clients[i], &draft, STUN_REQUEST, STUN_BINDING);
        assert_int_equal(ask(&clients[i], &draft), CLIENT_SUCCESS);
    }
    for (int i = 0; i < 3; i++) {
        (void)host_log();
        relay_crew_log(&crew);
        assert_string_equal(host_log(), " INFO traffic binding_requests=32\n");
    }
}

static void waits_for_no_worker_that_hangs(void **state)
{
    (void)state;
    relay_crew_stop(&crew); // so nobody answers
    relay_board_begin(&crew.board, 1);
    (void)host_log();
    const uint64_t began_ns = io_clock_now().mono_ns;
    relay_crew_log(&crew);
    assert_in_range(io_clock_now().mono_ns - began_ns, SECOND_NS / 5, 30 * SECOND_NS);
    assert_string_equal(host_log(), " WARN some workers do not answer; what they counted since the "
                                    "last time is missing workers=1\n");
}

// A loop that cannot wait any more stands for a system that fails.
// The policy that workers look into is wiped as soon as the last has left it.
static void all_workers_follow_another_configuration(void **state)
{
    struct turn_user users[] = {
        {.name = BYTES_LITERAL("alice"), .password = BYTES_LITERAL("secret")},
        {.name = BYTES_LITERAL("bob"), .password = BYTES_LITERAL("hidden")},
    };
    struct turn_config turn = relay_config_turn(&config);

    (void)state;
    allocate_all();
    turn.users = users;
    for (int round = 0; round < 20; round++) {
        turn.user_count = round % 2 == 0 ? 1 : 2;
        turn.allocations_per_user = round % 2 == 0 ? CLIENTS : 2 * CLIENTS;
        assert_int_equal(relay_crew_change(&crew, &turn), 0);
        const struct turn_policy *published = relay_policy_current(&crew.policy);
        for (int i = 0; i < CLIENTS; i++) {
            struct client_draft draft;
            client_begin(&clients[i], &draft, STUN_REQUEST, STUN_REFRESH);
            assert_int_equal(ask(&clients[i], &draft), CLIENT_SUCCESS);
        }
        while (!relay_crew_is_settled(&crew)) {
            assert_int_equal(io_loop_turn(&loop, io_clock_now().mono_ns + SECOND_NS / 1000), 0);
        }
        assert_null(crew.policy.former);
        assert_ptr_equal(relay_policy_current(&crew.policy), published);
    }
}

static void tells_that_a_worker_has_failed(void **state)
{
    (void)state;
    relay_crew_stop(&crew);
    struct relay_worker *worker = &crew.members[2].worker;
    const int epoll_fd = worker->loop.epoll_fd;
    worker->loop.epoll_fd = -1;
    assert_int_equal(relay_crew_start(&crew), 0);
    while (crew.error == 0) {
        assert_int_equal(io_loop_turn(&loop, NEVER), 0);
    }
    assert_int_equal(crew.error, -EBADF);
    relay_crew_stop(&crew);
    worker->loop.epoll_fd = epoll_fd;
    assert_non_null(strstr(host_log(), "ERROR waiting for packets failed"));
}

static void ends_while_it_is_flooded(void **state)
{
    enum { ROUNDS = 20, DATAGRAMS = 200 };
    const struct bytes noise = BYTES_LITERAL("\x40\x00\x00\x04noise");
    struct client_draft draft;

    (void)state;
    allocate_all();
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < DATAGRAMS; i++) {
            client_send_bytes(&clients[i % CLIENTS], noise);
            client_begin(&clients[i % CLIENTS], &draft, STUN_REQUEST, STUN_BINDING);
            client_send(&clients[i % CLIENTS], &draft);
        }
        relay_crew_stop(&crew);
        assert_int_equal(all_allocations(), CLIENTS);
        assert_int_equal(relay_crew_start(&crew), 0);
    }
}

static void knows_how_many_descriptors_its_workers_need(void **state)
{
    struct relay_config asked = fixture_config(ADDR_IP4);

    (void)state;
    asked.daemon.worker_count = 7;
    assert_int_equal(relay_crew_descriptors(&asked), 7 * (RELAY_LANE_COUNT + 2));
}

#define CREW_TEST(test) cmocka_unit_test_setup_teardown(test, open_crew, close_crew)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CREW_TEST(all_workers_have_clients),
        CREW_TEST(data_turns_round_between_workers),
        CREW_TEST(a_user_is_one_whatever_worker_serves_it),
        CREW_TEST(tells_what_all_have_counted),
        CREW_TEST(waits_for_no_worker_that_hangs),
        CREW_TEST(all_workers_follow_another_configuration),
        CREW_TEST(tells_that_a_worker_has_failed),
        CREW_TEST(ends_while_it_is_flooded),
        cmocka_unit_test(knows_how_many_descriptors_its_workers_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
