// SPDX-License-Identifier: Apache-2.0
#include "web/web_server.h"

#include <assert.h>
#include <string.h>

#include "io/io_clock.h"
#include "log/log.h"

enum {
    BACKLOG = 128,
    IP6_NETWORK_LEN = 8, // bytes of a /64
};

static void on_short(void *context, int error);

int web_server_open(struct web_server *server, struct io_loop *loop)
{
    server->loop = loop;
    server->listener_count = 0;
    server->opened_count = 0;
    for (size_t i = 0; i < COUNT_OF(server->connections); i++) {
        server->connections[i].state = WEB_CONNECTION_FREE;
    }
    for (size_t i = 0; i < COUNT_OF(server->answers); i++) {
        server->answers[i].holder = NULL;
    }
    return io_accept_open(&server->accept, loop, on_short, server);
}

void web_server_close(struct web_server *server)
{
    if (server->loop == NULL) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(server->connections); i++) {
        web_connection_close(&server->connections[i]);
    }
    io_accept_close(&server->accept);
    server->loop = NULL;
}

// --- who may stay ----------------------------------------------------------------------------

// Whose place a connection takes: the IPv4 address, or the /64 of the IPv6 address, without a port.
static struct addr network_of(const struct addr *from)
{
    struct addr network = addr_with_port(*from, 0);

    if (network.family == ADDR_IP6) {
        memset(network.ip + IP6_NETWORK_LEN, 0, ADDR_IP6_LEN - IP6_NETWORK_LEN);
    }
    return network;
}

// Its answer is out: nobody misses it any more.
static bool is_answered(const struct web_connection *connection)
{
    return connection->state == WEB_CONNECTION_LINGERING;
}

// Of two connections the one that has been answered makes room, or else the one that waits longer.
static bool is_first_to_go(const struct web_connection *connection,
                           const struct web_connection *other)
{
    return is_answered(connection) == is_answered(other) ? connection->number < other->number
                                                         : is_answered(connection);
}

// How many connections a network has, and in *first the one that is first to go, if there is one.
static uint32_t count_network(struct web_server *server, const struct addr *network,
                              struct web_connection **first)
{
    uint32_t count = 0;

    for (size_t i = 0; i < COUNT_OF(server->connections); i++) {
        struct web_connection *connection = &server->connections[i];
        if (connection->state == WEB_CONNECTION_FREE ||
            !addr_equal(&connection->network, network)) {
            continue;
        }
        if (count == 0 || is_first_to_go(connection, *first)) {
            *first = connection;
        }
        count++;
    }
    return count;
}

// The connection that is first to go of the network that has most. There is one.
static struct web_connection *find_burden(struct web_server *server)
{
    struct web_connection *found = NULL;
    struct web_connection *first = NULL;
    uint32_t most = 0;

    for (size_t i = 0; i < COUNT_OF(server->connections); i++) {
        const uint32_t count = count_network(server, &server->connections[i].network, &first);
        if (count > most) {
            most = count;
            found = first;
        }
    }
    assert(found != NULL);
    return found;
}

static struct web_connection *find_free(struct web_server *server)
{
    for (size_t i = 0; i < COUNT_OF(server->connections); i++) {
        if (server->connections[i].state == WEB_CONNECTION_FREE) {
            return &server->connections[i];
        }
    }
    return NULL;
}

static void displace(struct web_connection *connection)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;

    if (!is_answered(connection)) {
        LOG_LIMITED(&limit, LOG_LEVEL_WARN,
                    "an HTTP connection was closed to make room for another",
                    LOG_ADDR("network", &connection->network));
    }
    web_connection_close(connection);
}

// A place for a connection of that network.
static struct web_connection *make_room(struct web_server *server, const struct addr *network)
{
    struct web_connection *first = NULL;

    if (count_network(server, network, &first) >= WEB_SERVER_NETWORK_MAX) {
        displace(first);
        return first;
    }
    struct web_connection *found = find_free(server);
    if (found == NULL) {
        found = find_burden(server);
        displace(found);
    }
    return found;
}

// Memory for an answer: that of the longest-waiting client, if all of it is in use.
static struct web_connection_answer *take_answer(struct web_connection *connection)
{
    struct web_server *server = connection->server;
    struct web_connection_answer *longest = &server->answers[0];

    for (size_t i = 0; i < COUNT_OF(server->answers); i++) {
        struct web_connection_answer *answer = &server->answers[i];
        if (answer->holder == NULL) {
            return answer;
        }
        if (answer->holder->deadline_ns < longest->holder->deadline_ns) {
            longest = answer;
        }
    }
    displace(longest->holder);
    assert(longest->holder == NULL);
    return longest;
}

// --- who comes -------------------------------------------------------------------------------

// No descriptor or no memory is left: a connection gives up its own for those that wait.
static void on_short(void *context, int error)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    struct web_server *server = context;

    LOG_LIMITED(&limit, LOG_LEVEL_WARN, "HTTP connections cannot be accepted for now",
                LOG_ERROR_NUMBER("error", error));
    if (web_server_connection_count(server) > 0) {
        displace(find_burden(server));
    }
}

static void on_connection(struct io_accept_at *at, int fd, const struct addr *from)
{
    struct web_listener *listener = at->context;
    struct web_server *server = listener->server;
    const struct addr network = network_of(from);
    struct web_connection *connection = make_room(server, &network);

    connection->loop = server->loop;
    connection->site = listener->site;
    connection->server = server;
    connection->take_answer = take_answer;
    connection->number = server->opened_count++;
    web_connection_open(connection, fd, &network, io_clock_now());
}

int web_server_listen(struct web_server *server, const struct addr *at, const struct web_site *site,
                      struct addr *bound)
{
    static const struct io_tcp_options options = {.backlog = BACKLOG};

    assert(server->listener_count < COUNT_OF(server->listeners));
    struct web_listener *listener = &server->listeners[server->listener_count];
    *listener = (struct web_listener){
        .at = {.on_connection = on_connection, .context = listener},
        .server = server,
        .site = site,
    };
    const int error = io_accept_listen(&server->accept, &listener->at, at, &options, bound);
    server->listener_count += error == 0;
    return error;
}

// --- time ------------------------------------------------------------------------------------

uint64_t web_server_tick(struct web_server *server, struct now now)
{
    uint64_t next_ns = NEVER;

    for (size_t i = 0; i < COUNT_OF(server->connections); i++) {
        struct web_connection *connection = &server->connections[i];
        if (connection->state != WEB_CONNECTION_FREE && connection->deadline_ns <= now.mono_ns) {
            web_connection_close(connection);
        }
        if (connection->state != WEB_CONNECTION_FREE && connection->deadline_ns < next_ns) {
            next_ns = connection->deadline_ns;
        }
    }
    const uint64_t accept_ns = io_accept_tick(&server->accept, now.mono_ns);
    return accept_ns < next_ns ? accept_ns : next_ns;
}

uint32_t web_server_connection_count(const struct web_server *server)
{
    uint32_t count = 0;

    for (size_t i = 0; i < COUNT_OF(server->connections); i++) {
        count += server->connections[i].state != WEB_CONNECTION_FREE;
    }
    return count;
}
