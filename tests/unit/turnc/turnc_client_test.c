// SPDX-License-Identifier: Apache-2.0
// The client against our own server, in memory.
#include "turnc/turnc_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "stun/stun_writer.h"
#include "turn/turn_server.h"

enum { NUMBER = 0x4001 };

struct pair {
    struct turn_server *server;
    struct turnc_client client;
    struct now now;
    struct turn_tuple tuple;
    uint32_t requests; // that the server has seen
};

static struct addr address(const char *text, uint16_t port)
{
    struct addr addr = {0};

    assert_true(addr_read(bytes_of_text(text), &addr));
    return addr_with_port(addr, port);
}

static int set_up(void **state)
{
    static const struct turn_user users[] = {{BYTES_LITERAL("alice"), BYTES_LITERAL("wonder")}};
    static const uint8_t seed[TURN_SERVER_SEED_LEN] = {1};
    struct pair *pair = calloc(1, sizeof *pair);
    struct turn_config config = turn_config_default();

    assert_non_null(pair);
    config.public_ip4 = address("203.0.113.7", 0);
    config.public_ip6 = address("2001:db8:7::7", 0);
    config.realm = bytes_of_text("fairlead");
    config.users = users;
    config.user_count = COUNT_OF(users);
    void *memory = calloc(1, turn_server_size(&config));
    assert_non_null(memory);
    pair->server = turn_server_init(memory, &config, seed);
    pair->now = (struct now){.mono_ns = 100 * SECOND_NS, .wall_s = 1700000000};
    pair->tuple.client = address("198.51.100.1", 4001);
    pair->tuple.server = address("203.0.113.7", 3478);
    turnc_client_init(&pair->client, bytes_of_text("alice"), bytes_of_text("wonder"), seed);
    *state = pair;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;

    turn_server_deinit(pair->server);
    free(pair->server);
    free(pair);
    return 0;
}

// Carries out what the server orders.
static void obey(struct pair *pair)
{
    struct turn_command command;

    while (turn_server_take(pair->server, &command)) {
        if (command.type == TURN_COMMAND_OPEN) {
            turn_server_opened(pair->server, pair->now, command.socket.allocation, TURN_OPENED);
        } else if (command.type == TURN_COMMAND_SEND) {
            turnc_client_read(&pair->client, pair->now, command.send.message);
        }
    }
}

// Carries datagrams both ways until the client has nothing more to send.
static void run(struct pair *pair)
{
    struct turn_forward forward;
    struct bytes datagram;

    while (turnc_client_take(&pair->client, &datagram)) {
        pair->requests++;
        enum turn_verdict verdict =
            turn_server_from_client(pair->server, pair->now, &pair->tuple, datagram, &forward);
        if (verdict == TURN_COMMANDS) {
            obey(pair);
        }
    }
}

static void wait_s(struct pair *pair, uint64_t seconds)
{
    pair->now.mono_ns += seconds * SECOND_NS;
    while (turn_server_deadline(pair->server) <= pair->now.mono_ns) {
        turn_server_tick(pair->server, pair->now);
        obey(pair);
    }
}

static void allocate(struct pair *pair)
{
    turnc_client_allocate(&pair->client, pair->now, ADDR_IP4);
    run(pair);
    assert_int_equal(pair->client.state, TURNC_DONE);
}

static void allocates_after_it_was_asked_who_it_is(void **state)
{
    struct pair *pair = *state;
    const struct addr relayed = address("203.0.113.7", 0);

    allocate(pair);
    assert_int_equal(pair->requests, 2);
    assert_true(addr_same_ip(&pair->client.relayed, &relayed));
    assert_true(addr_equal(&pair->client.mapped, &pair->tuple.client));
    assert_int_equal(pair->client.lifetime_s, 600);
    assert_int_equal(turn_server_gauges(pair->server, pair->now).allocations, 1);
}

static void allocates_an_address_of_ip6_when_asked(void **state)
{
    struct pair *pair = *state;
    const struct addr relayed = address("2001:db8:7::7", 0);

    turnc_client_allocate(&pair->client, pair->now, ADDR_IP6);
    run(pair);
    assert_int_equal(pair->client.state, TURNC_DONE);
    assert_true(addr_same_ip(&pair->client.relayed, &relayed));
}

static void binds_permits_refreshes_and_lets_go(void **state)
{
    struct pair *pair = *state;
    const struct addr peer = address("8.8.8.8", 53);

    allocate(pair);
    turnc_client_permit(&pair->client, pair->now, &peer);
    run(pair);
    assert_int_equal(pair->client.state, TURNC_DONE);
    assert_int_equal(turn_server_gauges(pair->server, pair->now).permissions, 1);
    turnc_client_bind_channel(&pair->client, pair->now, NUMBER, &peer);
    run(pair);
    assert_int_equal(pair->client.state, TURNC_DONE);
    assert_int_equal(turn_server_gauges(pair->server, pair->now).channels, 1);
    turnc_client_refresh(&pair->client, pair->now, 1200);
    run(pair);
    assert_int_equal(pair->client.lifetime_s, 1200);
    assert_int_equal(pair->requests, 5);
    turnc_client_refresh(&pair->client, pair->now, 0);
    run(pair);
    assert_int_equal(pair->client.state, TURNC_DONE);
    assert_int_equal(pair->client.lifetime_s, 0);
    assert_int_equal(turn_server_gauges(pair->server, pair->now).allocations, 0);
}

static void finds_its_own_address(void **state)
{
    struct pair *pair = *state;

    turnc_client_bind(&pair->client, pair->now);
    run(pair);
    assert_int_equal(pair->client.state, TURNC_DONE);
    assert_true(addr_equal(&pair->client.mapped, &pair->tuple.client));
}

static void tries_again_with_a_fresh_nonce(void **state)
{
    struct pair *pair = *state;

    allocate(pair);
    turnc_client_refresh(&pair->client, pair->now, 3600);
    run(pair);
    wait_s(pair, 3599);
    turnc_client_refresh(&pair->client, pair->now, 3600);
    run(pair);
    wait_s(pair, 10);
    const uint32_t before = pair->requests;
    turnc_client_refresh(&pair->client, pair->now, 3600);
    run(pair);
    assert_int_equal(pair->client.state, TURNC_DONE);
    assert_int_equal(pair->requests, before + 2); // 438, then success
}

static void is_refused_with_a_wrong_password(void **state)
{
    static const uint8_t seed[CRYPTO_RANDOM_SEED_LEN] = {2};
    struct pair *pair = *state;

    turnc_client_init(&pair->client, bytes_of_text("alice"), bytes_of_text("wander"), seed);
    turnc_client_allocate(&pair->client, pair->now, ADDR_IP4);
    run(pair);
    assert_int_equal(pair->client.state, TURNC_REFUSED);
    assert_int_equal(pair->client.error_code, STUN_ERROR_UNAUTHENTICATED);
    assert_int_equal(pair->requests, 2);
}

static void is_refused_without_an_allocation(void **state)
{
    struct pair *pair = *state;

    turnc_client_refresh(&pair->client, pair->now, 600);
    run(pair);
    assert_int_equal(pair->client.state, TURNC_REFUSED);
    assert_int_equal(pair->client.error_code, STUN_ERROR_ALLOCATION_MISMATCH);
}

static void gives_up_where_nobody_answers(void **state)
{
    struct pair *pair = *state;
    struct bytes datagram;
    uint32_t count = 0;

    turnc_client_allocate(&pair->client, pair->now, ADDR_IP4);
    while (pair->client.state == TURNC_WAITING) {
        count += turnc_client_take(&pair->client, &datagram);
        pair->now.mono_ns = turnc_client_deadline(&pair->client);
        turnc_client_tick(&pair->client, pair->now);
    }
    assert_int_equal(pair->client.state, TURNC_TIMED_OUT);
    assert_int_equal(count, 7);
    assert_int_equal(pair->now.mono_ns, 100 * SECOND_NS + 79 * SECOND_NS / 2);
}

// A response as a stranger would make it who has seen the request: without the key.
static bool answer(struct pair *pair, enum stun_class class, uint16_t error)
{
    uint8_t memory[256];
    struct stun_header header = pair->client.transaction.header;
    struct stun_writer writer;
    struct bytes message;

    header.class = (uint8_t) class;
    stun_writer_init(&writer, memory, sizeof memory, &header);
    if (error != 0) {
        stun_error_bare_write(&writer.wr, error);
    } else {
        stun_attr_u32_write(&writer.wr, STUN_ATTR_LIFETIME, 60);
    }
    assert_true(stun_writer_finish(&writer, &message));
    return turnc_client_read(&pair->client, pair->now, message);
}

static void believes_no_success_without_a_proof(void **state)
{
    struct pair *pair = *state;

    allocate(pair);
    turnc_client_refresh(&pair->client, pair->now, 600);
    assert_false(answer(pair, STUN_SUCCESS, 0));
    assert_int_equal(pair->client.state, TURNC_WAITING);
    assert_int_equal(pair->client.lifetime_s, 600);
    run(pair);
    assert_int_equal(pair->client.state, TURNC_DONE);
}

static void cannot_use_what_lacks_its_attributes(void **state)
{
    struct pair *pair = *state;

    turnc_client_bind(&pair->client, pair->now);
    assert_true(answer(pair, STUN_SUCCESS, 0)); // without XOR-MAPPED-ADDRESS
    assert_int_equal(pair->client.state, TURNC_UNUSABLE);
    turnc_client_allocate(&pair->client, pair->now, ADDR_IP4);
    assert_true(answer(pair, STUN_ERROR, STUN_ERROR_UNAUTHENTICATED)); // without NONCE
    assert_int_equal(pair->client.state, TURNC_UNUSABLE);
}

static void does_not_ask_for_ever(void **state)
{
    struct pair *pair = *state;

    allocate(pair);
    turnc_client_refresh(&pair->client, pair->now, 600);
    for (int i = 0; i < TURNC_CLIENT_TRIES; i++) {
        uint8_t memory[256];
        struct stun_header header = pair->client.transaction.header;
        struct stun_writer writer;
        struct bytes message;

        header.class = STUN_ERROR;
        stun_writer_init(&writer, memory, sizeof memory, &header);
        stun_error_bare_write(&writer.wr, STUN_ERROR_STALE_NONCE);
        stun_attr_write(&writer.wr, STUN_ATTR_NONCE, bytes_of_text("again"));
        assert_true(stun_writer_finish(&writer, &message));
        assert_int_equal(pair->client.state, TURNC_WAITING);
        assert_true(turnc_client_read(&pair->client, pair->now, message));
    }
    assert_int_equal(pair->client.state, TURNC_REFUSED);
    assert_int_equal(pair->client.error_code, STUN_ERROR_STALE_NONCE);
}

static void passes_over_what_is_no_answer(void **state)
{
    struct pair *pair = *state;
    struct bytes request;

    turnc_client_allocate(&pair->client, pair->now, ADDR_IP4);
    assert_true(turnc_client_take(&pair->client, &request));
    for (size_t len = 0; len <= request.len; len++) { // its own request, and each part of it
        assert_false(turnc_client_read(&pair->client, pair->now, bytes_first(request, len)));
    }
    assert_int_equal(pair->client.state, TURNC_WAITING);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(allocates_after_it_was_asked_who_it_is),
        TEST(allocates_an_address_of_ip6_when_asked),
        TEST(binds_permits_refreshes_and_lets_go),
        TEST(finds_its_own_address),
        TEST(tries_again_with_a_fresh_nonce),
        TEST(is_refused_with_a_wrong_password),
        TEST(is_refused_without_an_allocation),
        TEST(gives_up_where_nobody_answers),
        TEST(believes_no_success_without_a_proof),
        TEST(cannot_use_what_lacks_its_attributes),
        TEST(does_not_ask_for_ever),
        TEST(passes_over_what_is_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
