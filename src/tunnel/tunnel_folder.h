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
// Likewise a server for the control port of a relay, where the version is chosen by ALPN: 1, and 2
// besides if it has that. Who speaks 2 may show a certificate, or none.
MUST_USE int tunnel_folder_open_relay(struct bytes folder, bool has_second,
                                      struct io_tls_context **out, struct io_tls_error *warning,
                                      struct io_tls_error *wrong);
