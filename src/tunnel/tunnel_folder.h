// SPDX-License-Identifier: Apache-2.0
// A directory of certificates and keys, whose files have the original's names:
//
//     ca.crt.pem                      the CA of all certificates
//     server.crt.pem, server.key.pem  of who accepts connections
//     client.crt.pem, client.key.pem  of who makes them
#pragma once

#include "base/bytes.h"
#include "io/io_tls_context.h"

// A context of that role, which shows its certificate, and takes only certificates of the CA. 0, or
// -errno, with words in *wrong; or -ENAMETOOLONG. What is only unwise stands in *warning.
MUST_USE int tunnel_folder_open(struct bytes folder, enum io_tls_role role,
                                struct io_tls_context **out, struct io_tls_error *warning,
                                struct io_tls_error *wrong);

// What a relay speaks in TLS.
enum tunnel_folder_relay {
    TUNNEL_FOLDER_FIRST,  // version 1
    TUNNEL_FOLDER_BOTH,   // both versions
    TUNNEL_FOLDER_SEALED, // both, and data connections of version 2
};

// Likewise a server for the control port of a relay, where what is spoken is chosen by ALPN. Who
// speaks version 2 may show a certificate, or none.
MUST_USE int tunnel_folder_open_relay(struct bytes folder, enum tunnel_folder_relay relay,
                                      struct io_tls_context **out, struct io_tls_error *warning,
                                      struct io_tls_error *wrong);
