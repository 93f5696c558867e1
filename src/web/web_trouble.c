// SPDX-License-Identifier: Apache-2.0
#include "web/web_trouble.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "io/io_clock.h"

enum { TRY_MS = 1000 };

const char *web_trouble_of_race(enum web_race_outcome outcome)
{
    switch (outcome) {
    case WEB_RACE_WON:
        break;
    case WEB_RACE_UNKNOWN:
        return "the name is not found";
    case WEB_RACE_UNRESOLVED:
        return "no name server answers";
    case WEB_RACE_REFUSED:
        return "connection refused: nothing listens at that port";
    case WEB_RACE_UNREACHABLE:
        return "no route leads there";
    case WEB_RACE_SILENT:
        return "no answer to TCP in time";
    }
    assert(!"an outcome that is no trouble");
    return "";
}

static const char *of_tcp(const struct web_trouble_way *way)
{
    if (io_clock_now().mono_ns >= way->end_ns) {
        return web_trouble_of_race(WEB_RACE_SILENT);
    }
    const enum web_race_outcome outcome = web_race_try(way->address, way->port, TRY_MS);
    return outcome == WEB_RACE_WON ? "TCP failed, but did not when it was tried again"
                                   : web_trouble_of_race(outcome);
}

static bool begins(const char *text, const char *with)
{
    return text != NULL && strncmp(text, with, strlen(with)) == 0;
}

const char *web_trouble_of_way(const struct web_trouble_way *way, const char *text)
{
    switch (way->stage) {
    case WEB_TROUBLE_TCP:
        return of_tcp(way);
    case WEB_TROUBLE_TLS:
        return begins(text, "Timed out") ? "no answer to TLS in time"
                                         : "the other side closed the connection in the handshake";
    case WEB_TROUBLE_HTTP:
        if (begins(text, "HS: ")) { // of WebSocket's handshake
            return "the answer agrees to something else than WebSocket";
        }
        return begins(text, "problems parsing")
                   ? "the answer is not HTTP"
                   : "the other side closed the connection without an answer";
    }
    assert(!"a stage that there is not");
    return "";
}

const char *web_trouble_of_status(uint16_t status)
{
    enum {
        NOT_FOUND = 404,
        PROXY_AUTHENTICATION_REQUIRED = 407,
        BAD_GATEWAY = 502,
        GATEWAY_TIMEOUT = 504,
    };

    if (status >= 200 && status <= 299) {
        return "a web server answers, which knows no WebSocket there";
    }
    if (status >= 300 && status <= 399) {
        return "it redirects to elsewhere, which is not followed";
    }
    switch (status) {
    case NOT_FOUND:
        return "it has nothing at that path";
    case PROXY_AUTHENTICATION_REQUIRED:
        return "a proxy stands between, and wants a password";
    case BAD_GATEWAY:
    case GATEWAY_TIMEOUT:
        return "a proxy stands in front, and does not reach it";
    default:
        return "";
    }
}
