// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fd.h"

static const struct io_tcp_options plain;
static const struct addr loopback4 = {.ip = {127, 0, 0, 1}, .family = ADDR_IP4};
static const struct addr loopback6 = {.ip = {[15] = 1}, .family = ADDR_IP6};
static const struct addr any4 = {.family = ADDR_IP4};
static const struct addr any6 = {.family = ADDR_IP6};

static bool wait_for(int fd, short events)
{
    struct pollfd place = {.fd = fd, .events = events};

    return poll(&place, 1, 30000) == 1;
}

static void accept_soon(int listener, int *fd, struct addr *from)
{
    assert_true(wait_for(listener, POLLIN));
    assert_int_equal(io_tcp_accept(listener, fd, from), 0);
}

struct connection {
    int listener;
    int client;
    int server;
    struct addr from; // as the server is told
};

static void connection_open(struct connection *connection, const struct addr *at,
                            const struct io_tcp_options *options)
{
    struct addr bound = {0};

    *connection = (struct connection){.listener = -1, .client = -1, .server = -1};
    assert_int_equal(io_tcp_listen(at, options, &connection->listener, &bound), 0);
    assert_int_not_equal(bound.port, 0);
    assert_int_equal(io_tcp_connect(&bound, NULL, &plain, &connection->client), 0);
    accept_soon(connection->listener, &connection->server, &connection->from);
    assert_true(wait_for(connection->client, POLLOUT));
    assert_int_equal(io_tcp_error(connection->client), 0);
}

static void connection_close(struct connection *connection)
{
    io_fd_close(&connection->client);
    io_fd_close(&connection->server);
    io_fd_close(&connection->listener);
}

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t len = sizeof value;

    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static void connects_both_families(void **state)
{
    const struct addr *const places[] = {&loopback4, &loopback6};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct connection connection;
        int none = -1;
        struct addr from = {0};
        char byte = 0;

        connection_open(&connection, places[i], &plain);
        assert_true(addr_same_ip(&connection.from, places[i]));
        assert_int_equal(io_tcp_local(connection.client, &from), 0);
        assert_true(addr_equal(&connection.from, &from));
        from = (struct addr){0};
        assert_int_equal(io_tcp_accept(connection.listener, &none, &from), -EAGAIN);
        assert_int_equal(none, -1);
        assert_int_equal(from.family, ADDR_NONE);
        assert_int_equal(write(connection.client, "x", 1), 1);
        assert_true(wait_for(connection.server, POLLIN));
        assert_int_equal(read(connection.server, &byte, 1), 1);
        assert_int_equal(read(connection.server, &byte, 1), -1); // it does not wait
        assert_int_equal(errno, EAGAIN);
        connection_close(&connection);
    }
}

static void gives_accepted_sockets_the_options_of_their_listener(void **state)
{
    static const struct io_tcp_options options = {.unacknowledged_ms = 60000, .receive_len = 65536};
    struct connection connection;

    (void)state;
    connection_open(&connection, &loopback4, &options);
    const int fd = connection.server;
    assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), IO_TCP_KEEPALIVE_IDLE_S);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), IO_TCP_KEEPALIVE_INTERVAL_S);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPCNT), IO_TCP_KEEPALIVE_COUNT);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
    assert_int_equal(option(fd, SOL_SOCKET, SO_RCVBUF), 65536);
    assert_int_equal(io_tcp_set_unacknowledged(fd, 0), 0);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    assert_int_equal(io_tcp_set_unacknowledged(-1, 0), -EBADF);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(option(connection.client, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option(connection.client, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option(connection.client, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    connection_close(&connection);
}

static void listens_for_both_families_by_two_sockets_or_one(void **state)
{
    static const struct io_tcp_options alone = {.is_ip6_alone = true};
    struct addr bound = {0};
    struct addr bound6 = {0};
    struct addr from = {0};
    IO_FD_AUTO int listener4 = -1;
    IO_FD_AUTO int listener6 = -1;
    IO_FD_AUTO int client = -1;
    IO_FD_AUTO int server = -1;

    (void)state;
    assert_int_equal(io_tcp_listen(&any4, &plain, &listener4, &bound), 0);
    const struct addr at6 = addr_with_port(any6, bound.port);
    assert_int_equal(io_tcp_listen(&at6, &plain, &listener6, &bound6), -EADDRINUSE);
    assert_int_equal(listener6, -1);
    assert_int_equal(io_tcp_listen(&at6, &alone, &listener6, &bound6), 0);
    const struct addr to6 = addr_with_port(loopback6, bound.port);
    assert_int_equal(io_tcp_connect(&to6, NULL, &plain, &client), 0);
    accept_soon(listener6, &server, &from);
    assert_true(addr_same_ip(&from, &loopback6));
    io_fd_close(&client);
    io_fd_close(&server);

    // One socket for both tells IPv4 addresses as such.
    io_fd_close(&listener6);
    assert_int_equal(io_tcp_listen(&any6, &plain, &listener6, &bound6), 0);
    const struct addr to4 = addr_with_port(loopback4, bound6.port);
    assert_int_equal(io_tcp_connect(&to4, NULL, &plain, &client), 0);
    accept_soon(listener6, &server, &from);
    assert_true(addr_same_ip(&from, &loopback4));
}

static void connects_from_the_address_that_it_is_given(void **state)
{
    const struct addr from = {.ip = {127, 0, 0, 77}, .family = ADDR_IP4};
    struct addr bound = {0};
    struct addr told = {0};
    IO_FD_AUTO int listener = -1;
    IO_FD_AUTO int client = -1;
    IO_FD_AUTO int server = -1;

    (void)state;
    assert_int_equal(io_tcp_listen(&loopback4, &plain, &listener, &bound), 0);
    assert_int_equal(io_tcp_connect(&bound, &from, &plain, &client), 0);
    accept_soon(listener, &server, &told);
    assert_true(addr_same_ip(&told, &from));
}

static void says_why_it_cannot_listen(void **state)
{
    const struct addr foreign = {.ip = {192, 0, 2, 1}, .family = ADDR_IP4};
    struct addr bound = {0};
    struct addr other = {0};
    IO_FD_AUTO int listener = -1;
    int fd = -1;

    (void)state;
    assert_int_equal(io_tcp_listen(&loopback4, &plain, &listener, &bound), 0);
    assert_int_equal(io_tcp_listen(&bound, &plain, &fd, &other), -EADDRINUSE);
    assert_int_equal(io_tcp_listen(&foreign, &plain, &fd, &other), -EADDRNOTAVAIL);
    assert_int_equal(fd, -1);
    assert_int_equal(other.family, ADDR_NONE);
}

static void says_why_it_cannot_connect(void **state)
{
    struct addr bound = {0};
    const struct addr broadcast = {.ip = {255, 255, 255, 255}, .port = 9, .family = ADDR_IP4};
    int listener = -1;
    int fd = -1;

    (void)state;
    assert_int_equal(io_tcp_listen(&loopback4, &plain, &listener, &bound), 0);
    io_fd_close(&listener);
    assert_int_equal(io_tcp_connect(&bound, NULL, &plain, &fd), 0); // it is told later
    assert_true(wait_for(fd, POLLOUT));
    assert_int_equal(io_tcp_error(fd), -ECONNREFUSED);
    io_fd_close(&fd);
    assert_int_equal(io_tcp_connect(&broadcast, NULL, &plain, &fd), -ENETUNREACH);
    assert_int_equal(fd, -1);
}

// A listener whose queue is full answers no SYN: who connects waits.
static void says_that_it_is_still_connecting(void **state)
{
    static const struct io_tcp_options one = {.backlog = 1};
    struct addr bound = {0};
    int clients[4];
    IO_FD_AUTO int listener = -1;

    (void)state;
    assert_int_equal(io_tcp_listen(&loopback4, &one, &listener, &bound), 0);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        assert_int_equal(io_tcp_connect(&bound, NULL, &plain, &clients[i]), 0);
    }
    assert_int_equal(io_tcp_error(clients[0]), 0);
    assert_int_equal(io_tcp_error(clients[COUNT_OF(clients) - 1]), -EINPROGRESS);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        io_fd_close(&clients[i]);
    }
}

static void resets(void **state)
{
    struct connection connection;
    char byte = 0;

    (void)state;
    connection_open(&connection, &loopback4, &plain);
    io_tcp_reset(&connection.server);
    assert_int_equal(connection.server, -1);
    io_tcp_reset(&connection.server); // nothing to do any more
    assert_true(wait_for(connection.client, POLLIN));
    assert_int_equal(recv(connection.client, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    connection_close(&connection);
}

static void counts_what_is_not_acknowledged(void **state)
{
    static const struct io_tcp_options small = {.receive_len = 4096};
    static const uint8_t much[1 << 20];
    struct connection connection;

    (void)state;
    connection_open(&connection, &loopback4, &small);
    assert_int_equal(io_tcp_unacknowledged_len(connection.client), 0);
    const ssize_t sent = send(connection.client, much, sizeof much, 0);
    assert_true(sent > 65536);
    assert_in_range(io_tcp_unacknowledged_len(connection.client), 1, sent);
    connection_close(&connection);
    assert_int_equal(io_tcp_unacknowledged_len(-1), 0);
}

static void knows_whose_fault_an_error_is(void **state)
{
    static const int own[] = {-EAGAIN, -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM};
    static const int passing[] = {-ECONNABORTED, -EINTR, -EPERM, -EPROTO, -ENETDOWN};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        assert_false(io_tcp_is_passing(own[i]));
        assert_true(io_tcp_is_passing(passing[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_both_families),
        cmocka_unit_test(gives_accepted_sockets_the_options_of_their_listener),
        cmocka_unit_test(listens_for_both_families_by_two_sockets_or_one),
        cmocka_unit_test(connects_from_the_address_that_it_is_given),
        cmocka_unit_test(says_why_it_cannot_listen),
        cmocka_unit_test(says_why_it_cannot_connect),
        cmocka_unit_test(says_that_it_is_still_connecting),
        cmocka_unit_test(resets),
        cmocka_unit_test(counts_what_is_not_acknowledged),
        cmocka_unit_test(knows_whose_fault_an_error_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
