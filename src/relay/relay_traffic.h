// SPDX-License-Identifier: Apache-2.0
// The packets of one worker: receives them, asks its TURN server, and sends what follows.
#pragma once

#include "base/now.h"
#include "io/io_loop.h"
#include "io/io_udp.h"
#include "io/io_udp_batch.h"
#include "io/io_udp_outbox.h"
#include "relay/relay_mailbox.h"
#include "relay/relay_offload.h"
#include "relay/relay_refusals.h"
#include "relay/relay_socket.h"
#include "relay/relay_spans.h"
#include "relay/relay_stats.h"
#include "turn/turn_server.h"

// A socket for clients.
struct relay_listener {
    struct io_watch watch; // first, so that the loop's callback finds the whole
    struct io_udp udp;
};

// What it works with is its worker's; the caller sets it before relay_traffic_open(), and the
// server, the sockets and the offload before the first packet.
struct relay_traffic {
    uint32_t worker; // its number among all
    struct turn_server *server;
    struct relay_socket_table *sockets;
    struct relay_offload *offload;
    struct relay_spans *spans;       // the worker's
    struct relay_refusals *refusals; // its own
    struct relay_mailbox *mailboxes; // of all workers, by number; its own is open
    struct io_udp *to_clients[2];    // what sends to clients, IPv4 and IPv6
    struct io_udp_batch batch;       // shared by all sockets: each callback empties it
    struct io_udp_outbox outbox;     // empty between callbacks
    struct relay_stats stats;        // without those of `batch`: see relay_traffic_stats()
    uint64_t relayed;                // packets, of which stats.waits has the waiting times
};

// Logs how the allocations end that there are now, since the relay ends.
void relay_traffic_part(struct relay_traffic *traffic);

// Gets the memory for packets. 0 or -errno.
MUST_USE int relay_traffic_open(struct relay_traffic *traffic);
// Closing twice, or what was never opened, does nothing.
void relay_traffic_close(struct relay_traffic *traffic);

// Callbacks of the loop: of a struct relay_listener and of a relayed socket. The watch's context is
// the struct relay_traffic.
void relay_traffic_from_clients(struct io_watch *watch, uint32_t events);
void relay_traffic_from_peers(struct io_watch *watch, uint32_t events);

// Takes on what other workers have handed over, which lies in the own mailbox, taken.
void relay_traffic_from_workers(struct relay_traffic *traffic);

// Has the server follow another policy.
void relay_traffic_adopt(struct relay_traffic *traffic, const struct turn_policy *policy);

// Reads the clock, counts how long what was relayed since the last call has waited, and lets expire
// what is due, as turn_server.h asks before any other call.
struct now relay_traffic_settle(struct relay_traffic *traffic);

// What the sockets have counted so far.
struct relay_stats relay_traffic_stats(const struct relay_traffic *traffic);
