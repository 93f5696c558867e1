// SPDX-License-Identifier: Apache-2.0
// Why a TLS connection has ended, as a kind and in words.
//
// The words are for a line of the log, from our point of view; what they quote of the other side is
// printable. An alert is the other side's word: it need not be true.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

enum { IO_TLS_END_TEXT_MAX = 255 }; // bytes

// Kind, name for counters.
#define IO_TLS_END_KINDS(X)                                                                        \
    /* the good end: close_notify came, or was sent as we wanted */                                \
    X(CLOSED, "closed")                                                                            \
    /* the other side has closed without a word: in the handshake, or without close_notify */      \
    X(CUT, "cut")                                                                                  \
    /* the system's error: a reset, say */                                                         \
    X(SYSTEM, "system")                                                                            \
    /* by io_tls_expire() */                                                                       \
    X(EXPIRED, "expired")                                                                          \
    /* what came is not TLS */                                                                     \
    X(NOT_TLS, "not_tls")                                                                          \
    /* no version of TLS in common */                                                              \
    X(VERSION, "version")                                                                          \
    /* no protocol of ALPN in common */                                                            \
    X(PROTOCOL, "protocol")                                                                        \
    /* the other side showed no certificate */                                                     \
    X(NO_CERTIFICATE, "no_certificate")                                                            \
    /* its certificate, or one of a CA above it, is not valid now */                               \
    X(CERTIFICATE_TIME, "certificate_time")                                                        \
    /* it is signed by nobody who is trusted */                                                    \
    X(UNKNOWN_CA, "unknown_ca")                                                                    \
    /* it is for another host */                                                                   \
    X(WRONG_HOST, "wrong_host")                                                                    \
    /* it is of another key than the pinned one */                                                 \
    X(WRONG_PIN, "wrong_pin")                                                                      \
    /* it is not good for any other reason */                                                      \
    X(BAD_CERTIFICATE, "bad_certificate")                                                          \
    /* the other side refused, or failed: its alert came */                                        \
    X(ALERT, "alert")                                                                              \
    /* something else that is against the protocol, or no memory */                                \
    X(BROKEN, "broken")

// clang-format off
#define IO_TLS_END_ENUM(kind, name) IO_TLS_END_##kind,
enum io_tls_end_kind { IO_TLS_END_KINDS(IO_TLS_END_ENUM) IO_TLS_END_KIND_COUNT };
#undef IO_TLS_END_ENUM
// clang-format on

struct io_tls_end {
    enum io_tls_end_kind kind;
    bool was_open; // the handshake had been finished
    uint8_t alert; // ALERT: its AlertDescription
    int error;     // SYSTEM: of errno, positive
    char text[IO_TLS_END_TEXT_MAX + 1];
};

// A short name of the kind, for counters: "unknown_ca".
const char *io_tls_end_name(enum io_tls_end_kind kind);

// --- for io_tls ----------------------------------------------------------------------------------

struct x509_store_ctx_st;
struct io_tls_bio;

// What stands for the text is cut off at its end.
void io_tls_end_set(struct io_tls_end *end, enum io_tls_end_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);
// A system's error; `error` is positive. was_open is set already, as for the others.
void io_tls_end_of_system(struct io_tls_end *end, int error);
// What is wrong with the certificate that `store` has refused; `host` is what it should have been
// for, or NULL.
void io_tls_end_of_certificate(struct io_tls_end *end, struct x509_store_ctx_st *store,
                               const char *host);
// What an error of OpenSSL's means that came in the handshake of somebody who has no stream of
// ours, as far as it tells by itself.
void io_tls_end_of_error(struct io_tls_end *end, unsigned long code);
// What OpenSSL's last call over `stream` has failed of; forgets OpenSSL's errors.
void io_tls_end_of_failure(struct io_tls_end *end, struct io_tls_bio *stream);
