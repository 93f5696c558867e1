// SPDX-License-Identifier: Apache-2.0
// ClientHellos as OpenSSL sends them, and others in all forms.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

enum {
    HELLOS_TLS13_LEN = 517, // bytes
    HELLOS_TLS12_LEN = 177, // bytes
    HELLOS_HEAD_LEN = 5,    // bytes of a record before what it carries
};

// OpenSSL 3.0: SNI Shop.Example.Test, ALPN h2 and http/1.1.
extern const uint8_t hellos_tls13[HELLOS_TLS13_LEN];
// The same limited to TLS 1.2: SNI a.test, no ALPN.
extern const uint8_t hellos_tls12[HELLOS_TLS12_LEN];

// Writes a message (its head and body) as records of at most `record_len` bytes each.
void hellos_write_records(struct wr *wr, struct bytes message, size_t record_len);

// Writes a whole ClientHello in one record, with these extensions.
void hellos_write(struct wr *wr, struct bytes extensions);
// Writes one extension.
void hellos_write_extension(struct wr *wr, uint16_t type, struct bytes value);
// Writes the extension server_name with one host.
void hellos_write_host(struct wr *wr, const char *host);
