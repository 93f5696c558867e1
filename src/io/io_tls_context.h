// SPDX-License-Identifier: Apache-2.0
// What the TLS connections of one kind have in common: role, certificate, whom they trust.
//
// OpenSSL's headers are included by io_tls and its parts alone. TLS 1.2 and 1.3, with forward
// secrecy and authenticated encryption; no renegotiation, no tickets and no other resumption, no
// compression, no early data. Security level and configuration of the system's OpenSSL hold.
//
// A context never changes. To change certificates, open another one for new connections and close
// the old one: it goes with its last connection. Any thread may use it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "io/io_tls_certificate.h"
#include "io/io_tls_error.h"
#include "io/io_tls_pem.h"

enum {
    IO_TLS_PROTOCOL_MAX = 8,      // protocols of a context
    IO_TLS_PROTOCOL_NAME_MAX = 32 // bytes of a name
};

enum io_tls_role {
    IO_TLS_SERVER,
    IO_TLS_CLIENT,
};

enum io_tls_version {
    IO_TLS_1_2,
    IO_TLS_1_3,
};

// What a server asks of its clients. A certificate that comes is always checked.
enum io_tls_ask {
    IO_TLS_ASK_NONE,        // no certificate
    IO_TLS_ASK_CERTIFICATE, // one if there is one
    IO_TLS_NEED_CERTIFICATE,
};

// An application's protocol, by its ALPN name (RFC 7301).
struct io_tls_protocol {
    const char *name;
    enum io_tls_version least; // it is not spoken over less
    enum io_tls_ask ask;       // of a server: of the clients that speak it
};

struct io_tls_settings {
    enum io_tls_role role;
    // Its own certificate with the chain behind it, and its key. A server has them, a client may.
    struct io_tls_pem certificate;
    struct io_tls_pem key;
    // The CAs by which the other side's certificates must be signed. A client without them trusts
    // the pins that its connections are given, or the system's CAs if trusts_system.
    struct io_tls_pem ca;
    bool trusts_system;
    enum io_tls_version least;
    enum io_tls_ask ask; // of a server: of clients without ALPN
    // What a client offers, the best first, or what a server takes, the best first. A server speaks
    // with clients that know no ALPN, and refuses those that offer only other protocols
    // (no_application_protocol). None: ALPN is not looked at.
    const struct io_tls_protocol *protocols;
    size_t protocol_count; // up to IO_TLS_PROTOCOL_MAX
};

struct io_tls_context;

// Reads files, and may wait for them. What is wrong stands in `error`, and the result is -ENOMEM,
// or as in io_tls_pem.h, or -EBADMSG for what does not fit together. What is only unwise stands in
// `warning` after success, or it is empty: a key that others may read, a certificate that is not
// valid now. The settings are not needed any more afterwards.
MUST_USE int io_tls_context_open(const struct io_tls_settings *settings,
                                 struct io_tls_context **out, struct io_tls_error *warning,
                                 struct io_tls_error *error);
// It goes with its last connection. Nothing happens to NULL.
void io_tls_context_close(struct io_tls_context *context);

// Its own certificate; NULL when there is none.
const struct io_tls_certificate *io_tls_context_certificate(const struct io_tls_context *context);

// --- for io_tls ----------------------------------------------------------------------------------

struct ssl_st;
struct bio_st;
struct io_tls_bio;

enum io_tls_role io_tls_context_role(const struct io_tls_context *context);

// A connection's state over `stream`. It keeps the context until that is closed once more for it.
// NULL: no memory.
MUST_USE struct ssl_st *io_tls_context_connection(struct io_tls_context *context,
                                                  struct io_tls_bio *stream);
