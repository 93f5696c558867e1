// SPDX-License-Identifier: Apache-2.0
// A WebSocket client (RFC 6455) over TCP or TLS: one connection at a time, in a thread of its own.
//
// The room web promises: nobody else includes libwebsockets, and nothing that the far side sends
// takes more memory than a limit here says. It knows what HTTP and WebSocket are, and not what they
// are for.
//
// All of it is the business of one thread, except web_socket_wake(). That thread may be held up by
// the look-up of a name, for as long as the system's resolver takes, and then for TCP_S.
//
// Limits: WEB_SOCKET_TEXT_MAX for a message; TCP_S for TCP to all addresses of the name at once,
// and again for each of TCP and TLS to the one that was first; CONNECT_S from there on, until the
// far side has agreed to speak WebSocket. The certificate is verified for the host's name,
// redirections are not followed, and no proxy is used.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "web/web_queue.h"
#include "web/web_race.h"
#include "web/web_trouble.h"

enum {
    WEB_SOCKET_TEXT_MAX = 64 * 1024,          // bytes of a message that comes
    WEB_SOCKET_SEND_MAX = WEB_QUEUE_TEXT_MAX, // bytes of one that is sent
    WEB_SOCKET_QUEUE_MAX = WEB_QUEUE_MAX,     // messages that wait to be sent
    WEB_SOCKET_HOST_MAX = 110,     // bytes of the host's name: libwebsockets has room for that
    WEB_SOCKET_PATH_MAX = 1500,    // bytes of path and query, likewise
    WEB_SOCKET_HEADERS_MAX = 6144, // bytes of headers of the caller
    WEB_SOCKET_REASON_MAX = 255,   // bytes
    WEB_SOCKET_TYPE_MAX = 63,      // bytes
    WEB_SOCKET_TCP_S = 5,
    WEB_SOCKET_CONNECT_S = 15,
};

// Where to connect. Strings end with NUL.
struct web_socket_target {
    bool is_tls;
    const char *address; // a name or an IP address, without brackets
    const char *host;    // for Host, and for the certificate
    uint16_t port;
    const char *path; // with its query; begins with '/'
    // Whole header lines, each with its CR LF. The caller's until the next call of anything here.
    struct bytes headers;
};

enum web_socket_end_kind {
    WEB_SOCKET_FAILED,  // there was no connection, or no answer of HTTP on it
    WEB_SOCKET_REFUSED, // by an HTTP status other than 101
    WEB_SOCKET_CLOSED,  // by the far side, or for what it has sent
};

struct web_socket_end {
    enum web_socket_end_kind kind;
    uint16_t status;        // HTTP status (REFUSED), or the code of the close frame (CLOSED) or 0
    uint64_t retry_after_s; // REFUSED: what Retry-After asks for, or NEVER
    char content_type[WEB_SOCKET_TYPE_MAX + 1]; // REFUSED: or empty
    // In words, as far as it is known; printable ASCII. What CLOSED it says itself; all else is
    // ours (web_trouble.h).
    char reason[WEB_SOCKET_REASON_MAX + 1];
};

// What happens to a connection. They are called while web_socket_turn() runs, and may call anything
// here but web_socket_turn() and web_socket_close().
struct web_socket_events {
    void (*opened)(void *context);
    // A text message, which is whole and valid UTF-8.
    void (*received)(void *context, struct bytes text);
    // Once for each web_socket_connect(), unless it is hung up before.
    void (*ended)(void *context, const struct web_socket_end *end);
};

struct lws_context;
struct lws;
struct web_socket_timers;

struct web_socket {
    struct lws_context *context;
    struct web_socket_timers *timers;
    const struct web_socket_events *events;
    void *events_context;
    struct lws *wsi;  // the connection, or NULL
    bool is_starting; // web_socket_connect() has not returned yet
    bool is_end_due;  // it has failed before it returned: the next turn tells
    bool is_opened;
    struct web_trouble_way way;
    char host[WEB_SOCKET_HOST_MAX + 1]; // that a certificate is to be for
    uint32_t leftover_count;            // connections that were hung up, and still close
    struct bytes headers;
    struct web_socket_end end; // as far as it is known
    struct web_queue queue;
    uint32_t text_len; // bytes of the message that is coming
    uint8_t text[WEB_SOCKET_TEXT_MAX];
};

// `ca_path` is a file of the certificates to trust instead of the system's (PEM), or NULL. 0,
// -ENOMEM, or -EINVAL for certificates that cannot be read. It does not move until it is closed.
//
// Of the environment OpenSSL reads SSL_CERT_FILE and SSL_CERT_DIR now, and openssl.cnf; nothing
// changes it, and no proxy is taken from it.
MUST_USE int web_socket_open(struct web_socket *socket, const struct web_socket_events *events,
                             void *context, const char *ca_path);
// Wipes what was to be sent. It takes a second at most. Closing twice, or what is all zero, does
// nothing.
void web_socket_close(struct web_socket *socket);

// Begins to connect; there is no connection (asserted). Its end is told in any case.
void web_socket_connect(struct web_socket *socket, const struct web_socket_target *target);
// Sends a text message of up to WEB_SOCKET_SEND_MAX bytes, which is copied and wiped behind. False:
// there are WEB_SOCKET_QUEUE_MAX that the connection has not taken yet.
MUST_USE bool web_socket_send(struct web_socket *socket, struct bytes text);
// Closes the connection, with a close frame if it is open; nothing more is told of it. Nothing
// happens when there is none.
void web_socket_hang_up(struct web_socket *socket);
// Waits until what was hung up is closed, a second at most.
void web_socket_linger(struct web_socket *socket);

// Waits until something has happened, web_socket_wake() was called, or `deadline_ns` has come
// (monotonic; NEVER: none), and handles it.
void web_socket_turn(struct web_socket *socket, uint64_t deadline_ns);
// Ends the waiting, of this turn or the next. From any thread, while it is open.
void web_socket_wake(struct web_socket *socket);
