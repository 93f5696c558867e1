// SPDX-License-Identifier: Apache-2.0
// A client of a web server that runs in the same thread, and the site that it is asked for.
#pragma once

#include "base/addr.h"
#include "web/web_server.h"

enum { WEB_CLIENT_BIG_LEN = WEB_CONNECTION_BODY_MAX }; // bytes of the answer at /big

// GET /hello says "hello", GET /big is as long as an answer may be, GET /too-big longer, GET /file
// is a file of "file", POST /take says what it was given.
extern const struct web_site web_client_site;

// A server that serves the site at a port of 127.0.0.1 which it is told.
void web_client_open_server(struct web_server *server, struct io_loop *loop, struct addr *at);

// Connects from a loopback address of that last byte, and sends the text; a descriptor. -errno when
// the system has no more descriptors.
int web_client_send(const struct addr *at, uint8_t last, const char *text);

// Connects likewise, asks for /big, and has the kernel hold less than that for the server: a
// descriptor.
int web_client_ask_big(struct web_server *server, struct io_loop *loop, const struct addr *at,
                       uint8_t last);

// Lets the server work until nothing happens any more.
void web_client_settle(struct web_server *server, struct io_loop *loop);

// All that the server sent until it closed, as a string of at most `room` bytes with its NUL;
// returns its length. The descriptor is closed.
size_t web_client_receive(struct web_server *server, struct io_loop *loop, int fd, char *out,
                          size_t room);
