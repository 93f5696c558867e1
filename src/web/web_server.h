// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server for few clients that are honest, and any number that are not.
//
// The room web is for what speaks HTTP. This server is for health checks, metrics and the like: it
// answers one request per connection, out of memory that is the caller's and never grows, within
// one thread and the loop that it is given.
//
// Nobody can keep others out for long. A connection has a time to bring its request and a time to
// take its answer. A new connection always finds a place: when its network (IPv6: the /64) has its
// share, that network's longest-waiting connection is closed for it, and when all places are taken,
// the longest-waiting one of the network that has most; but one whose answer is out goes before all
// of them. So those who make thousands of slow requests displace one another. When the process has
// no descriptors left, one that was put aside still serves one connection after the other.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/now.h"
#include "io/io_accept.h"
#include "io/io_loop.h"
#include "web/web_connection.h"
#include "web/web_site.h"

enum {
    WEB_SERVER_CONNECTION_MAX = 64,
    WEB_SERVER_NETWORK_MAX = 16, // connections of one network
    WEB_SERVER_LISTENER_MAX = 8,
    WEB_SERVER_ANSWER_COUNT = 8, // answers that wait for their clients to take them
    // Descriptors that it holds at most.
    WEB_SERVER_DESCRIPTORS = WEB_SERVER_CONNECTION_MAX + WEB_SERVER_LISTENER_MAX + 1,
};

struct web_server;

struct web_listener {
    struct io_accept_at at;
    struct web_server *server;
    const struct web_site *site;
};

// In the caller's memory, where it does not move while it is open. Its pages are touched when they
// are first used.
struct web_server {
    struct io_loop *loop;
    struct io_accept accept;
    struct web_listener listeners[WEB_SERVER_LISTENER_MAX];
    uint32_t listener_count;
    uint64_t opened_count; // connections so far: who came first
    struct web_connection connections[WEB_SERVER_CONNECTION_MAX];
    struct web_connection_answer answers[WEB_SERVER_ANSWER_COUNT];
};

// Nothing listens yet. 0 or -errno.
MUST_USE int web_server_open(struct web_server *server, struct io_loop *loop);
// Ends all connections as they are. Closing twice, or one whose opening failed, does nothing.
void web_server_close(struct web_server *server);

// Serves `site`, which is borrowed until the server is closed, at an address, and writes to *bound
// the port that the system chose if it was 0. An unspecified IPv6 address takes IPv4 too.
// -EADDRINUSE and the like as bind(2).
MUST_USE int web_server_listen(struct web_server *server, const struct addr *at,
                               const struct web_site *site, struct addr *bound);

// Closes what has had its time. When it is to be called next (monotonic ns), or NEVER.
uint64_t web_server_tick(struct web_server *server, struct now now);

// How many connections are open.
uint32_t web_server_connection_count(const struct web_server *server);
