// SPDX-License-Identifier: Apache-2.0
// A data connection in TLS: its handshake, and then bytes between it and a service, both ways,
// until both sides have ended, as io_pump does it without TLS.
//
// What one side has ended, the other is told once it has all; what is lost on one side is lost on
// the other: a service by a reset, the relay by an end without close_notify. Nothing is read of
// which there is no room on the other side: 64 KiB are kept towards the relay, one record towards
// the service, and nothing while it is idle.
#pragma once

#include "io/io_tls.h"
#include "tunnel/tunnel_timers.h"

enum {
    TUNNEL_SEAL_HANDSHAKE_S = 10,
    TUNNEL_SEAL_CLOSING_S = 2,
    TUNNEL_SEAL_SILENCE_S = 300, // of one that one side has ended
    TUNNEL_SEAL_END_S = 5,
};

struct tunnel_seal;

// The callee may free the seal in the last one, and abort it in each.
struct tunnel_seal_events {
    // The handshake is over: the relay is the right one.
    void (*opened)(struct tunnel_seal *seal);
    // These came before it was joined to a service.
    void (*received)(struct tunnel_seal *seal, struct bytes bytes);
    // It is over, and all is closed. `why` is of the TLS connection.
    void (*ended)(struct tunnel_seal *seal, const struct io_tls_end *why);
};

// The caller sets the first four, zeroes all else, and does not move it.
struct tunnel_seal {
    struct io_loop *loop;
    struct tunnel_timers *timers;
    const struct tunnel_seal_events *events;
    void *context;
    struct io_tls tls;
    struct tunnel_timer timer;
    struct io_watch service; // its fd is the service's, once it is joined
    bool is_joined;
    bool is_relay_done;   // it has ended its side
    bool is_service_done; // likewise
    bool is_told;         // the service, that the relay's side has ended
    bool is_ending;       // by tunnel_seal_end()
    uint32_t held_from;
    uint32_t held_len;
    uint8_t *held; // from the relay, what the service does not take yet; or NULL
};

// Begins; the descriptor is a connected one and taken over. 0 or as io_tls_connect().
MUST_USE int tunnel_seal_connect(struct tunnel_seal *seal, struct io_tls_context *certificates,
                                 const struct io_tls_wanted *wanted, int fd);
// Sends to the relay. False: it cannot be, and is as good as lost.
MUST_USE bool tunnel_seal_send(struct tunnel_seal *seal, struct bytes bytes);
// Joins an open one to a service, whose connected non-blocking socket is taken over. `head` is sent
// there first. False: no memory; all is closed, and `ended` is not called.
MUST_USE bool tunnel_seal_join(struct tunnel_seal *seal, int service_fd, struct bytes head);
// Sends what waits, and then ends; `ended` follows.
void tunnel_seal_end(struct tunnel_seal *seal);
// Closes all at once; `ended` is not called. Nothing happens when it is over.
void tunnel_seal_abort(struct tunnel_seal *seal);
