// SPDX-License-Identifier: Apache-2.0
// The relay's directory of certificates and keys (tunnel_folder.h), with what is wrong in its log.
#pragma once

#include "base/bytes.h"
#include "io/io_tls_context.h"

// For a relay of version 1, or of both. 0, or -errno, which is logged.
MUST_USE int tunnel_certificates_open(struct bytes directory, bool has_second,
                                      struct io_tls_context **out);
