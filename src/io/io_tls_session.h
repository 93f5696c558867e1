// SPDX-License-Identifier: Apache-2.0
// What is known of a TLS connection that is open: what both sides have agreed upon, and who the
// other one is.
#pragma once

#include "base/bytes.h"
#include "base/macro.h"
#include "io/io_tls.h"
#include "io/io_tls_certificate.h"

// "TLSv1.3", "TLS_AES_256_GCM_SHA384"; they stay as long as it does.
const char *io_tls_session_version(const struct io_tls *tls);
const char *io_tls_session_cipher(const struct io_tls *tls);
// The protocol agreed upon by ALPN; empty: none. It stays as long as the connection.
struct bytes io_tls_session_alpn(const struct io_tls *tls);
// The other side's certificate. False, with *out untouched, when it has shown none.
MUST_USE bool io_tls_session_certificate(const struct io_tls *tls, struct io_tls_certificate *out);
// `len` bytes that both sides know and nobody else (RFC 8446 section 7.5), of this connection, the
// label and the context. -EPROTO before TLS 1.3, where it would take extensions to be safe.
MUST_USE int io_tls_session_export(const struct io_tls *tls, const char *label,
                                   struct bytes context, uint8_t *out, size_t len);
