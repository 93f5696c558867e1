// SPDX-License-Identifier: Apache-2.0
// The relay's directory of certificates and keys (tunnel_folder.h), with what is wrong in its log.
#pragma once

#include "base/bytes.h"
#include "io/io_tls_context.h"
#include "tunnel/tunnel_folder.h"

enum { TUNNEL_CERTIFICATES_TOLD_MAX = 32 + IO_TLS_ERROR_MAX }; // bytes

// 0, or -errno, which is logged; then `told`, if it is there, has a line that says why, too.
MUST_USE int tunnel_certificates_open(struct bytes directory, enum tunnel_folder_relay relay,
                                      struct wr *told, struct io_tls_context **out);

// Says in the log if the files cannot be read any more, now that root is given up: a reload would
// find that out too late.
void tunnel_certificates_check(struct bytes directory, enum tunnel_folder_relay relay);
