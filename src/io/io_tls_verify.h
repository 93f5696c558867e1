// SPDX-License-Identifier: Apache-2.0
// Whether the other side's certificate is good, during the handshake.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "io/io_tls_certificate.h"
#include "io/io_tls_end.h"

// Whom a client wants at the other end.
struct io_tls_wanted {
    // A name, which is sent (SNI), or an IP address, which is not; or NULL.
    const char *host;
    bool checks_host; // the certificate must be for `host`, not only of a trusted CA
    // The SHA-256 of the key that the certificate must be of (io_tls_certificate's pin), or NULL.
    // Nothing else of the certificate is looked at then: neither CA, nor host, nor date (as RFC
    // 7671 section 5.1 for DANE-EE).
    const uint8_t *pin;
};

// Of one connection.
struct io_tls_verify {
    bool has_pin;
    uint8_t pin[IO_TLS_CERTIFICATE_PIN_LEN];
    bool has_failed;
    struct io_tls_end *end; // when it has failed: why
};

struct ssl_st;
struct x509_store_ctx_st;

// Prepares a connection; neither moves as long as there is one. `wanted` is copied; NULL for a
// server. -EINVAL: the host can be no name; -ENOMEM.
MUST_USE int io_tls_verify_init(struct io_tls_verify *verify, struct ssl_st *ssl,
                                const struct io_tls_wanted *wanted, struct io_tls_end *end);
// For SSL_CTX_set_cert_verify_callback().
int io_tls_verify_callback(struct x509_store_ctx_st *store, void *unused);
