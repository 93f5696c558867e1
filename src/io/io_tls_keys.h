// SPDX-License-Identifier: Apache-2.0
// Makes keys and certificates for those who have none: a CA, and servers and clients signed by it.
//
// Keys are of P-256, files of keys for their owner alone (0600), and no file is ever overwritten.
// Who has ca.key.pem can make certificates that are trusted: it belongs on no server.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "io/io_tls_error.h"

#define IO_TLS_KEYS_CA_CERTIFICATE "ca.crt.pem"
#define IO_TLS_KEYS_CA_KEY "ca.key.pem"
#define IO_TLS_KEYS_SERVER_CERTIFICATE "server.crt.pem"
#define IO_TLS_KEYS_SERVER_KEY "server.key.pem"
#define IO_TLS_KEYS_CLIENT_CERTIFICATE "client.crt.pem"
#define IO_TLS_KEYS_CLIENT_KEY "client.key.pem"

enum {
    IO_TLS_KEYS_NAME_MAX = 64,   // names of a certificate
    IO_TLS_KEYS_CA_DAYS = 3650,  // how long a CA is good for, as a rule,
    IO_TLS_KEYS_DAYS = 825,      // and what it signs: more than some systems do not accept
    IO_TLS_KEYS_BEFORE_S = 3600, // that a certificate is good before now: clocks differ
};

enum io_tls_keys_kind {
    IO_TLS_KEYS_CA,     // ca.crt.pem and ca.key.pem
    IO_TLS_KEYS_SERVER, // server.crt.pem and server.key.pem, and a copy of ca.crt.pem
    IO_TLS_KEYS_CLIENT, // client.crt.pem and client.key.pem, likewise
};

struct io_tls_keys {
    enum io_tls_keys_kind kind;
    const char *folder;      // where the files go; it is made (0700) if it is not there
    const char *ca_folder;   // SERVER, CLIENT: where ca.crt.pem and ca.key.pem lie
    const char *common_name; // up to 64 characters
    // SERVER: its DNS names ("*.example.org" too) and IP addresses, by which clients know it.
    const char *const *names;
    size_t name_count; // up to IO_TLS_KEYS_NAME_MAX
    int64_t from_s;    // Unix time; valid from here on
    int64_t to_s;      // up to here, or until the CA is not any more
};

// Makes them. What is wrong stands in `error`: -EEXIST when one of the files is there already
// (nothing is changed then), -EINVAL for a name that can be none, as in io_tls_pem.h for the CA's
// files, -EBADMSG when they do not fit together; as open(2) and write(2).
MUST_USE int io_tls_keys_make(const struct io_tls_keys *keys, struct io_tls_error *error);
