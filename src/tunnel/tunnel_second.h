// SPDX-License-Identifier: Apache-2.0
// Version 2 of the relay beside version 1, in the broker's thread: asks revtun_hub what to do with
// whoever comes, and does that.
//
//      agent ---> control port --> tunnel_previews --> tunnel_controls --.
//      agent ---> control port --> tunnel_previews --> data connections -+--> revtun_hub
//                                    |                                   |
//                                    '--> tunnel_sealed (those in TLS) --+
//      client --> tunnel ports --------------------> clients that wait --+         |
//      client --> shared port ---> tunnel_previews --'                         tunnel_crew
//
// Control connections, workers, and the number of clients in all are those of both versions.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "io/io_accept.h"
#include "revtun/revtun_hub.h"
#include "revtun/revtun_outbox.h"
#include "tunnel/tunnel_access.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_conns.h"
#include "tunnel/tunnel_leases.h"
#include "tunnel/tunnel_means.h"
#include "tunnel/tunnel_previews.h"
#include "tunnel/tunnel_sealed.h"

struct tunnel_second {
    struct tunnel_means means;
    void *memory;                    // of the hub
    struct revtun_hub *hub;          // NULL: there is version 1 alone
    struct revtun_hub_config limits; // without its texts
    struct tunnel_access *access;    // the list that counts, of the two
    struct tunnel_access accesses[2];
    struct tunnel_leases leases;
    enum revtun_message_data data; // how data connections are made
    struct tunnel_previews *previews;
    struct tunnel_sealed sealed; // if they may be in TLS
    struct io_accept_at *ports;  // of tunnels
    uint32_t port_count;
    struct io_accept_at shared_port;
    struct tunnel_conns clients;  // that wait
    struct tunnel_conns standing; // data connections that stand by, and the one that has just come
    struct pool_ref *links;       // by the control connection's number: what the hub calls it
    uint32_t broken[REVTUN_OUTBOX_MAX]; // control connections that could not take a line
    uint32_t broken_count;
    const char *lost_why;   // while a control connection is told to be lost: why
    struct addr data_from;  // while a data connection is told of: its address
    uint64_t crowded_count; // clients that were reset, since there were too many of both versions
    bool is_draining;
};

// Opens it, if the configuration wants version 2, and logs what cannot be. It is all zero before,
// and does not move until it is closed, which is due in any case. 0 or -errno.
MUST_USE int tunnel_second_open(struct tunnel_second *second, const struct tunnel_config *config,
                                const struct tunnel_means *means);
// The crew is stopped, and the listeners are closed.
void tunnel_second_close(struct tunnel_second *second);
bool tunnel_second_is_open(const struct tunnel_second *second);

// A connection was accepted at the control port.
void tunnel_second_come(struct tunnel_second *second, int fd, const struct addr *from);

// What tunnel_controls has told of a connection that speaks version 2.
void tunnel_second_up(struct tunnel_second *second, uint32_t number, const struct addr *peer);
bool tunnel_second_has(const struct tunnel_second *second, uint32_t number);
void tunnel_second_received(struct tunnel_second *second, uint32_t number, struct bytes bytes);
void tunnel_second_down(struct tunnel_second *second, uint32_t number, const char *reason);

// A session of the crew, at or above session_base, has ended.
void tunnel_second_ended(struct tunnel_second *second, struct pool_ref ref,
                         const struct tunnel_session *session);

// Goes on with another access list, which is moved here: who is not on it any more loses all.
void tunnel_second_adopt(struct tunnel_second *second, struct tunnel_access *access);

// From now on nobody new is served. Agents are told that the relay ends in `in_s` seconds; their
// data connections for clients that wait may still come.
void tunnel_second_drain(struct tunnel_second *second, uint32_t in_s);
// Says good-bye to all agents.
void tunnel_second_leave(struct tunnel_second *second);

// Ports that any agent could get.
uint32_t tunnel_second_ports_free(const struct tunnel_second *second, struct now now);
// Clients that wait or have a session.
uint32_t tunnel_second_busy(const struct tunnel_second *second);

// Does what is due. When it is to be called next (monotonic ns), or NEVER.
uint64_t tunnel_second_tick(struct tunnel_second *second, struct now now);
