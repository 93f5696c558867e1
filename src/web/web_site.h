// SPDX-License-Identifier: Apache-2.0
// What is served at one address: a table of routes, and whom it is for.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "http/http_request.h"
#include "http/http_status.h"

// What a route answers. It comes as 200 in plain text without a body.
struct web_answer {
    enum http_status status;
    const char *type;   // Content-Type
    const char *fields; // further lines of the head, each ended by CRLF; ""
    struct wr body;     // written into; WEB_CONNECTION_BODY_MAX bytes of room
    struct bytes file;  // instead of the body, if it is not empty; stays where it is for ever
};

// In the server's thread, which serves nobody else meanwhile.
typedef void (*web_route_fn)(void *context, const struct http_request *request,
                             struct web_answer *answer);

struct web_route {
    const char *method; // "GET" stands for HEAD too
    const char *path;
    web_route_fn fn;
};

struct web_site {
    const struct web_route *routes;
    size_t route_count;
    void *context;        // of the routes
    bool is_local;        // Host must name this machine: for what a stranger's page must not read
    bool is_origin_known; // Origin, if there is one, must be this site: for what changes something
};

// Answers a request by its route, or says why not: 403, 404 or 405.
void web_site_answer(const struct web_site *site, const struct http_request *request,
                     struct web_answer *answer);
