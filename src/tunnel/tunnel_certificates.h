// SPDX-License-Identifier: Apache-2.0
// The relay's directory of certificates and keys (tunnel_folder.h), with what is wrong in its log.
#pragma once

#include "base/bytes.h"
#include "io/io_tls_context.h"
#include "tunnel/tunnel_folder.h"

// 0, or -errno, which is logged.
MUST_USE int tunnel_certificates_open(struct bytes directory, enum tunnel_folder_relay relay,
                                      struct io_tls_context **out);
