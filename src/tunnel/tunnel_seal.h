// SPDX-License-Identifier: Apache-2.0
// The agent's side of a data connection in TLS, until it is one: its handshake, with a limit of
// TUNNEL_SEAL_HANDSHAKE_S. Then it is a stream as one without TLS is (io_stream.h).
#pragma once

#include "io/io_stream.h"
#include "io/io_tls.h"
#include "tunnel/tunnel_timers.h"

enum { TUNNEL_SEAL_HANDSHAKE_S = 10 };

struct tunnel_seal;

// The handshake is over, the relay is the right one, and the stream is the callee's; or there is
// none, for what stands in `why` (else NULL). The callee may free the seal.
typedef void (*tunnel_seal_fn)(struct tunnel_seal *seal, struct io_stream stream, const char *why);

// The caller sets the first four, zeroes all else, and does not move it.
struct tunnel_seal {
    struct io_loop *loop;
    struct tunnel_timers *timers;
    tunnel_seal_fn on_end;
    void *context;
    struct io_tls tls;
    struct tunnel_timer timer;
};

// Begins; the descriptor is a connected one and taken over. 0; or as io_tls_connect(), and the
// descriptor is the caller's still.
MUST_USE int tunnel_seal_connect(struct tunnel_seal *seal, struct io_tls_context *certificates,
                                 const struct io_tls_wanted *wanted, int fd);
// Closes it; `on_end` is not called. Nothing happens when it is over, or was not begun.
void tunnel_seal_abort(struct tunnel_seal *seal);
