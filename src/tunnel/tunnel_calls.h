// SPDX-License-Identifier: Apache-2.0
// The data connections of version 2: what revtun_spoke wants to be connected for clients.
//
//      of a client that waits      service --> relay, preface --> pump
//      standing                    relay, preface --> head --> service --> pump
//
// The service comes first where a client waits, so that the relay hears at once when it is not
// there, and a connection that was made does not wait for its preface. Where the relay wants data
// connections in TLS, tunnel_seal does what the pump does elsewhere.
#pragma once

#include "io/io_tls.h"
#include "revtun/revtun_proxy.h"
#include "revtun/revtun_spoke.h"
#include "tunnel/tunnel_place.h"
#include "tunnel/tunnel_side.h"

enum { TUNNEL_CALLS_HEAD_S = 10 }; // from the first byte of a head to its last

struct tunnel_call;

// What a service is told, and where it is.
struct tunnel_calls_target {
    struct tunnel_place place;
    enum revtun_proxy_version proxy;
};

struct tunnel_calls {
    struct tunnel_side *side;
    struct revtun_spoke *core;
    // Carries out what the core has said since, unless that is being done.
    void (*settle)(void *context);
    void *context;
    struct io_tls_context *certificates;                // for data connections in TLS
    struct io_tls_wanted wanted;                        // likewise: the relay
    const struct tunnel_calls_target *targets;          // by service
    struct tunnel_host hosts[REVTUN_SPOKE_SERVICE_MAX]; // of the targets
    struct tunnel_host relays[REVTUN_SPOKE_LINK_MAX];   // by link: whom it is connected to
    struct tunnel_call **calls;                         // by index, or NULL
    struct tunnel_list list;
    uint64_t quiet_ns; // until then no further failed connection is told
};

// The caller has set the first seven, and zeroed all else. -ENOMEM.
MUST_USE int tunnel_calls_open(struct tunnel_calls *calls, uint32_t target_count,
                               uint32_t call_max);
// Cuts all.
void tunnel_calls_close(struct tunnel_calls *calls);

// A link is connected to this address, where its data connections go.
void tunnel_calls_follow(struct tunnel_calls *calls, uint32_t link, const struct addr *relay);

// The commands of the same name.
void tunnel_calls_dial(struct tunnel_calls *calls, const struct revtun_spoke_command *command);
void tunnel_calls_stand(struct tunnel_calls *calls, const struct revtun_spoke_command *command);
void tunnel_calls_serve(struct tunnel_calls *calls, const struct revtun_spoke_command *command);
void tunnel_calls_drop(struct tunnel_calls *calls, const struct revtun_spoke_command *command);
void tunnel_calls_abandon(struct tunnel_calls *calls, uint32_t link);

// The program ends: those that run go on, others are cut.
void tunnel_calls_end(struct tunnel_calls *calls);
bool tunnel_calls_is_idle(const struct tunnel_calls *calls);

// Tells of a connection that has failed, one in a while of many.
void tunnel_calls_complain(struct tunnel_calls *calls, const char *format, ...) PRINTF_LIKE(2, 3);
