// SPDX-License-Identifier: Apache-2.0
// TLS of an agent of version 2: what it offers, and whom it believes to be the relay.
#pragma once

#include "io/io_tls.h"
#include "tunnel/tunnel_spoke.h"

#define TUNNEL_SPOKE_TLS_PROTOCOL "tlsrelay/2"
#define TUNNEL_SPOKE_TLS_DATA_PROTOCOL "tlsrelay-data/2"

// For control connections, or for data connections. False, which is told: it cannot be.
MUST_USE bool tunnel_spoke_tls_open(const struct tunnel_side *side,
                                    const struct tunnel_spoke_config *config, bool is_data,
                                    struct io_tls_context **out);

// Borrows from the configuration.
struct io_tls_wanted tunnel_spoke_tls_wanted(const struct tunnel_spoke_config *config);
