// SPDX-License-Identifier: Apache-2.0
// One data connection of version 2, from its beginning to its end; see tunnel_calls.h, whose part
// it is.
#pragma once

#include "io/io_pump.h"
#include "tunnel/tunnel_calls.h"
#include "tunnel/tunnel_dial.h"
#include "tunnel/tunnel_seal.h"

enum tunnel_call_state {
    TUNNEL_CALL_DIALS_SERVICE,
    TUNNEL_CALL_DIALS_RELAY,
    TUNNEL_CALL_STANDS,
    TUNNEL_CALL_RUNS,
};

// What is needed until it runs.
struct tunnel_call_setup {
    struct tunnel_seal seal;   // TLS with the relay
    struct tunnel_dial dial;   // of the service, then of the relay, or the other way round
    struct tunnel_timer timer; // of a head
    struct io_watch watch;     // STANDS
    uint8_t preface[REVTUN_PREFACE_LEN];
    uint32_t proxy_len;
    uint8_t proxy[REVTUN_PROXY_WRITE_MAX]; // what the service is told of its client
    uint8_t *received;                     // of a standing connection; NULL: nothing yet
    size_t received_len;
    size_t received_from; // what is the client's begins there
};

struct tunnel_call {
    struct tunnel_calls *calls;
    struct tunnel_link place;
    struct pool_ref ref;
    enum tunnel_call_state state;
    uint32_t link;
    bool is_standing;                // it was to stand by
    bool is_tls;                     // towards the relay
    struct io_stream relay;          // these until it runs, as far as they are there
    int service_fd;                  // or -1
    struct tunnel_call_setup *setup; // NULL when it runs
    struct io_pump pump;             // from the relay (A) to the service (B) and back
};

// One of a command that begins one, in the list; NULL: no memory, which the core is told.
struct tunnel_call *tunnel_call_begin(struct tunnel_calls *calls,
                                      const struct revtun_spoke_command *command);
void tunnel_call_dial_service(struct tunnel_call *call, const struct revtun_spoke_client *client);
void tunnel_call_dial_relay(struct tunnel_call *call);
// It has stood by, and now has a client.
void tunnel_call_serve(struct tunnel_call *call, const struct revtun_spoke_client *client);
// Cuts it, and frees it; the core is not told.
void tunnel_call_forget(struct tunnel_call *call);
