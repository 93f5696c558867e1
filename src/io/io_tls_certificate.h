// SPDX-License-Identifier: Apache-2.0
// What a certificate (RFC 5280) says, as values.
//
// Names come from whoever made the certificate. Here they are UTF-8 without control characters, or
// they are left out, so that no two certificates look alike that are not.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

enum {
    IO_TLS_CERTIFICATE_NAME_MAX = 255,   // bytes of a name
    IO_TLS_CERTIFICATE_NAMES_MAX = 2048, // bytes of all alternative names, with a NUL behind each
    IO_TLS_CERTIFICATE_PIN_LEN = 32,     // bytes
    IO_TLS_CERTIFICATE_TIME_MAX = 31,    // bytes of a time as text
};

struct io_tls_certificate {
    char common_name[IO_TLS_CERTIFICATE_NAME_MAX + 1]; // of the subject, the first; or empty
    char issuer_name[IO_TLS_CERTIFICATE_NAME_MAX + 1]; // of who says to have signed it, likewise
    // Which key it is of: the SHA-256 of its SubjectPublicKeyInfo in DER (RFC 7469 section 2.4).
    uint8_t pin[IO_TLS_CERTIFICATE_PIN_LEN];
    int64_t from_s; // Unix time from which on it is valid,
    int64_t to_s;   // and of the last second in which it is
    // Its subjectAltNames that are DNS names or IP addresses, each with a NUL behind it.
    // Those for which there is no room are left out.
    uint32_t name_count;
    size_t names_len; // bytes of `names` that are used
    char names[IO_TLS_CERTIFICATE_NAMES_MAX];
};

struct x509_st;

void io_tls_certificate_read(const struct x509_st *x509, struct io_tls_certificate *out);
void io_tls_certificate_pin(const struct x509_st *x509, uint8_t out[IO_TLS_CERTIFICATE_PIN_LEN]);

// The name by which a person knows it: the common name, or else the first alternative name, or
// "(no name)".
const char *io_tls_certificate_label(const struct io_tls_certificate *certificate);

// The alternative name behind `last` (NULL: the first), or NULL at the end.
const char *io_tls_certificate_next(const struct io_tls_certificate *certificate, const char *last);

// A time as "2026-01-31 23:59:59 UTC".
void io_tls_certificate_time(int64_t unix_s, char out[IO_TLS_CERTIFICATE_TIME_MAX + 1]);
