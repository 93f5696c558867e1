// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "web/web_server.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "web_client.h"

enum { FLOOD = 1000, DESCRIPTORS = 64, NETWORKS = 8 };

static const char hello[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

static struct web_server server;
static struct io_loop loop;
static char received[4096];

static int setup(void **state)
{
    static struct addr at;

    web_client_open_server(&server, &loop, &at);
    *state = &at;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    web_server_close(&server);
    io_loop_close(&loop);
    return 0;
}

static void assert_answered(void **state, uint8_t last)
{
    const int fd = web_client_send(*state, last, hello);

    assert_true(fd >= 0);
    web_client_receive(&server, &loop, fd, received, sizeof received);
    assert_memory_equal(received, "HTTP/1.1 200 OK", 15);
}

// Slow requests by the thousand from one network displace one another, and nobody else.
static void keeps_a_network_to_its_share(void **state)
{
    static int slow[FLOOD];
    const int other = web_client_send(*state, 2, "GET /hello HTTP/1.1\r\n");

    for (size_t i = 0; i < COUNT_OF(slow); i++) {
        slow[i] = web_client_send(*state, 1, "GET /he");
        if (i % 64 == 0) {
            web_client_settle(&server, &loop);
        }
    }
    web_client_settle(&server, &loop);
    assert_int_equal(web_server_connection_count(&server), WEB_SERVER_NETWORK_MAX + 1);
    assert_answered(state, 1);
    assert_answered(state, 3);
    assert_int_equal(send(other, "Host: a\r\n\r\n", 11, MSG_NOSIGNAL), 11);
    web_client_receive(&server, &loop, other, received, sizeof received);
    assert_memory_equal(received, "HTTP/1.1 200 OK", 15);
    for (size_t i = 0; i < COUNT_OF(slow); i++) {
        close(slow[i]);
    }
}

// Answers that are out take no place from a request that is not there yet.
static void lets_the_answered_go_first(void **state)
{
    int answered[2 * WEB_SERVER_NETWORK_MAX];
    const int slow = web_client_send(*state, 1, "GET /hello HTTP/1.1\r\n");

    web_client_settle(&server, &loop);
    for (size_t i = 0; i < COUNT_OF(answered); i++) {
        answered[i] = web_client_send(*state, 1, hello);
        web_client_settle(&server, &loop);
    }
    assert_int_equal(web_server_connection_count(&server), WEB_SERVER_NETWORK_MAX);
    assert_int_equal(send(slow, "Host: a\r\n\r\n", 11, MSG_NOSIGNAL), 11);
    web_client_receive(&server, &loop, slow, received, sizeof received);
    assert_memory_equal(received, "HTTP/1.1 200 OK", 15);
    for (size_t i = 0; i < COUNT_OF(answered); i++) {
        assert_in_range(recv(answered[i], received, sizeof received, 0), 1, sizeof received);
        assert_memory_equal(received, "HTTP/1.1 200 OK", 15);
        close(answered[i]);
    }
}

// When all places are taken, the network that has most gives one up.
static void makes_room_where_most_is_taken(void **state)
{
    int slow[NETWORKS][WEB_SERVER_NETWORK_MAX];

    for (size_t i = 0; i < NETWORKS; i++) {
        for (size_t k = 0; k < WEB_SERVER_NETWORK_MAX; k++) {
            slow[i][k] = web_client_send(*state, (uint8_t)(10 + i), "GET /he");
        }
        web_client_settle(&server, &loop);
    }
    assert_int_equal(web_server_connection_count(&server), WEB_SERVER_CONNECTION_MAX);
    for (uint8_t i = 0; i < NETWORKS; i++) {
        uint32_t count = 0;
        const struct addr network = addr_ip4((const uint8_t[]){127, 0, 0, (uint8_t)(10 + i)}, 0);
        for (size_t k = 0; k < COUNT_OF(server.connections); k++) {
            count += addr_equal(&server.connections[k].network, &network);
        }
        // One more or less: of networks that have as many, any may give one up.
        assert_in_range(count, WEB_SERVER_CONNECTION_MAX / NETWORKS - 1,
                        WEB_SERVER_CONNECTION_MAX / NETWORKS + 1);
    }
    assert_answered(state, 99);
    for (size_t i = 0; i < NETWORKS; i++) {
        for (size_t k = 0; k < WEB_SERVER_NETWORK_MAX; k++) {
            close(slow[i][k]);
        }
    }
}

// Those who do not take their answers hold no more of them than there are.
static void gives_the_memory_of_slow_takers_to_others(void **state)
{
    int slow[WEB_SERVER_ANSWER_COUNT + 4];

    for (size_t i = 0; i < COUNT_OF(slow); i++) {
        slow[i] = web_client_ask_big(&server, &loop, *state, (uint8_t)(10 + i));
    }
    assert_int_equal(web_server_connection_count(&server), WEB_SERVER_ANSWER_COUNT);
    assert_answered(state, 1);
    for (size_t i = 0; i < COUNT_OF(slow); i++) {
        close(slow[i]);
    }
}

static void serves_when_no_descriptor_is_left(void **state)
{
    struct rlimit limit = {0};
    int used[DESCRIPTORS];
    int used_count = 0;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit few = {.rlim_cur = DESCRIPTORS, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    while ((used[used_count] = open("/dev/null", O_RDONLY)) >= 0) {
        used_count++;
    }
    assert_int_equal(errno, EMFILE);
    for (int i = 0; i < 3; i++) {
        close(used[--used_count]); // the client's own
        assert_answered(state, 1);
        used[used_count] = open("/dev/null", O_RDONLY);
        used_count += used[used_count] >= 0;
        usleep(110000); // it may pause meanwhile
        web_client_settle(&server, &loop);
    }
    while (used_count > 0) {
        close(used[--used_count]);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_answered(state, 1);
    assert_false(io_accept_is_short(&server.accept));
}

static void says_that_an_address_is_taken(void **state)
{
    struct addr bound = {0};
    const struct addr nowhere = addr_ip4((const uint8_t[]){192, 0, 2, 1}, 0);

    assert_int_equal(web_server_listen(&server, *state, &web_client_site, &bound), -EADDRINUSE);
    assert_int_equal(web_server_listen(&server, &nowhere, &web_client_site, &bound),
                     -EADDRNOTAVAIL);
    assert_int_equal(bound.family, ADDR_NONE);
    assert_answered(state, 1);
}

static void serves_both_families_at_one_port(void **state)
{
    const struct addr any = addr_ip6((const uint8_t[ADDR_IP6_LEN]){0}, 0);
    struct addr bound = {0};

    (void)state;
    assert_int_equal(web_server_listen(&server, &any, &web_client_site, &bound), 0);
    const struct addr at = addr_ip4((const uint8_t[]){127, 0, 0, 1}, bound.port);
    const int fd = web_client_send(&at, 7, "GET");
    web_client_settle(&server, &loop);
    const struct addr network = addr_ip4((const uint8_t[]){127, 0, 0, 7}, 0);
    assert_true(addr_equal(&server.connections[0].network, &network));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_a_network_to_its_share, setup, teardown),
        cmocka_unit_test_setup_teardown(lets_the_answered_go_first, setup, teardown),
        cmocka_unit_test_setup_teardown(makes_room_where_most_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_the_memory_of_slow_takers_to_others, setup, teardown),
        cmocka_unit_test_setup_teardown(serves_when_no_descriptor_is_left, setup, teardown),
        cmocka_unit_test_setup_teardown(says_that_an_address_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(serves_both_families_at_one_port, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
