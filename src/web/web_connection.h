// SPDX-License-Identifier: Apache-2.0
// One connection of a client: its request is received, answered, and the answer sent.
//
//     RECEIVING --request whole, or refused--> SENDING --all sent--> LINGERING --peer has closed-->
//     FREE
//
// LINGERING says that nothing more comes and waits until the client has closed too, since closing
// at once while bytes of its own are unread would destroy the answer on its way. Each state has its
// time (WEB_CONNECTION_*_S), behind which the connection is closed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/now.h"
#include "http/http_request.h"
#include "io/io_loop.h"
#include "web/web_site.h"

enum {
    WEB_CONNECTION_REQUEST_S = 5,
    WEB_CONNECTION_ANSWER_S = 10,
    WEB_CONNECTION_LINGER_S = 1,
    WEB_CONNECTION_HEAD_MAX = 1024,       // bytes of an answer's head
    WEB_CONNECTION_BODY_MAX = 256 * 1024, // bytes of an answer that is no file
};

enum web_connection_state {
    WEB_CONNECTION_FREE,
    WEB_CONNECTION_RECEIVING,
    WEB_CONNECTION_SENDING,
    WEB_CONNECTION_LINGERING,
};

struct web_connection;

// Where an answer is composed, and waits to be sent.
struct web_connection_answer {
    struct web_connection *holder; // NULL: free
    uint8_t head[WEB_CONNECTION_HEAD_MAX];
    uint8_t body[WEB_CONNECTION_BODY_MAX];
};

// What a connection asks its server for: memory for its answer. Never NULL.
typedef struct web_connection_answer *(*web_connection_fn)(struct web_connection *connection);

struct web_connection {
    enum web_connection_state state;
    struct io_watch watch;
    struct io_loop *loop;
    void *server; // of take_answer
    web_connection_fn take_answer;
    const struct web_site *site;
    struct addr network; // whose places it counts for
    uint64_t number;     // lower ones came first
    uint64_t deadline_ns;
    struct web_connection_answer *answer; // while SENDING
    struct bytes unsent[2];               // head and body, while SENDING
    size_t received_len;
    uint8_t received[HTTP_REQUEST_MAX];
};

// Takes over the descriptor `fd` of a client of `network`, and serves it as far as it goes at once.
// The connection is FREE before; loop, site, server, take_answer and number are set. When it cannot
// be watched, it is closed.
void web_connection_open(struct web_connection *connection, int fd, const struct addr *network,
                         struct now now);
// As it is. Nothing happens to one that is FREE.
void web_connection_close(struct web_connection *connection);
