// SPDX-License-Identifier: Apache-2.0
// The relay's core of version 2: agents that prove themselves, and bind names (docs/
// tunnel-protocol.md).
//
// It stands beside revtun_relay.h, which has version 1, and is used in the same manner: events in,
// commands out, connections are the caller's and numbered by him. What it needs of TLS it is told:
// the exporter's bytes, the certificate's hash. It sees no byte of a client.
//
//      while (revtun_hub_deadline(hub) <= now.mono_ns) {
//          revtun_hub_tick(struct revtun_hub *hub, struct now now);
//          take and carry out all commands;
//      }
//      any event; take and carry out all commands, until revtun_hub_take() is false;
//
// What is much is told by ticks that are due at once, a little each time: so the deadline may be
// due after any event. That something is gone (_link_down(), _standing_gone(), _gone()) may be told
// while something is due: it may be what a command has met with.
//
// The timers, all of them:
//      of a control connection     hello 5 s after it is up; ping_s of saying nothing; dead_s of
//                                  hearing nothing; the end of a drain; what is to be told; of a
//                                  standing connection ttl_s after it was asked for, and ping_s
//                                  after it was missed
//      of a tunnel                 grace_s after its control connection was lost; what it has left
//                                  when it has ended
//      of a client that waits      ttl_s after it was announced, or has come to a name that is
//                                  bound; or it is to be announced again
//
// What is due at once is done in this order: tunnels, clients, control connections.
//
// How much is said to an agent that does not read is limited here, as revtun_link.h has it, but for
// answers to its own requests. So the caller ends a control connection for which it holds 64 KiB or
// more, and reads none from which it could be asked for more while it holds half of that: an agent
// that asks and does not read is not heard then, and ends by itself.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/now.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "revtun/revtun_access.h"
#include "revtun/revtun_command.h"
#include "revtun/revtun_hub_stats.h"
#include "revtun/revtun_names.h"
#include "revtun/revtun_preface.h"
#include "revtun/revtun_secrets.h"

enum {
    REVTUN_HUB_SEED_LEN = SIPHASH_KEY_LEN,
    REVTUN_HUB_HOST_MAX = 255,   // bytes
    REVTUN_HUB_PROGRAM_MAX = 64, // bytes
    REVTUN_HUB_COUNT_MAX = 1 << 20,
    REVTUN_HUB_BYTES_MIN = 4096, // a line
};

// All counts are at least 1 and at most REVTUN_HUB_COUNT_MAX, but max_standing may be 0.
struct revtun_hub_config {
    struct bytes host;             // told to agents before ":PORT": IPv6 in brackets; copied
    struct bytes program;          // told to agents: program and version; copied
    uint16_t first_port;           // of tunnels of kind tcp; not 0
    uint16_t port_count;           // at least 1
    uint16_t tls_port;             // shared by tunnels of kind sni; 0: there are none
    enum revtun_message_data data; // how data connections must be made
    uint32_t lease_s;              // that a port stays its name's own
    uint32_t grace_s;              // that a name is kept without a control connection
    uint32_t ping_s;
    uint32_t dead_s; // more than ping_s
    uint32_t ttl_s;
    uint32_t max_links;           // control connections
    uint32_t max_links_per_agent; // of those
    uint32_t max_services;        // tunnels
    uint32_t max_ended_per_agent; // of those, beyond what the access list lets one agent have: they
                                  // have ended, and last while they carry clients
    uint32_t max_hosts;           // patterns of hosts
    uint32_t binds_per_second;    // requests for names, of one agent that may have fewer tunnels
    uint32_t bytes_per_second;    // of lines of one agent, before it is read more slowly; at least
                                  // REVTUN_HUB_BYTES_MIN
    uint32_t max_standing;        // standing connections
    uint32_t max_sessions;        // clients from their accept to the end of their session
    uint32_t max_waiting;         // those of them that wait
    uint32_t max_waiting_per_name;
    uint32_t max_waiting_per_address;
};

struct revtun_hub;

// Numbers that a good day does not meet: all but host, program and ports.
struct revtun_hub_config revtun_hub_config_default(void);
bool revtun_hub_config_is_sound(const struct revtun_hub_config *config);

// Bytes of memory that a hub of this configuration needs for all its life.
size_t revtun_hub_size(const struct revtun_hub_config *config);

// Makes a hub in `memory`: zeroed, aligned for uint64_t, revtun_hub_size() bytes. The configuration
// is sound; the access list is borrowed until revtun_hub_adopt(struct revtun_hub *hub, struct now
// now, const struct revtun_access *access); the seed is secret.
struct revtun_hub *revtun_hub_init(void *memory, const struct revtun_hub_config *config,
                                   const struct revtun_access *access,
                                   const uint8_t seed[REVTUN_HUB_SEED_LEN]);

// Goes on with another access list: who is not on it any more, or may not have any more what he
// has, loses it with all connections. A lower number of tunnels or of clients takes nothing away:
// it counts for who comes.
void revtun_hub_adopt(struct revtun_hub *hub, struct now now, const struct revtun_access *access);

// Says to all agents that this relay ends in `in_s` seconds; then control connections are closed.
// Clients are served until then.
void revtun_hub_drain(struct revtun_hub *hub, struct now now, uint32_t in_s);

// The leases of ports, which the caller reads from its file before the first event, and writes.
struct revtun_names *revtun_hub_names(struct revtun_hub *hub);

// A TLS handshake is over, which has chosen `tlsrelay/2`.
struct revtun_hub_arrival {
    uint64_t conn;
    struct addr peer;
    const uint8_t *exported; // REVTUN_SECRETS_EXPORT_LEN bytes, borrowed for the call
    const uint8_t *sid;      // REVTUN_MESSAGE_SID_LEN random bytes, likewise
    const uint8_t *cert;     // SHA-256 of the public key of a certificate that the relay's CA has
                             // signed, REVTUN_ACCESS_HASH_LEN bytes; NULL: there is none
};

// The reference's index is POOL_NONE when there is no room: the connection is closed then.
MUST_USE struct pool_ref revtun_hub_link_up(struct revtun_hub *hub, struct now now,
                                            const struct revtun_hub_arrival *arrival);

// Bytes have come from an agent. Takes at most one line off them: to be called again, with all
// commands carried out and all that is due done in between, until nothing is left.
void revtun_hub_link_read(struct revtun_hub *hub, struct now now, struct pool_ref link,
                          struct bytes *received);

// For how long an agent is not to be read, whose control connections have said more than they may;
// 0: it may be. Nothing breaks if it is read all the same, but that others wait.
uint64_t revtun_hub_link_rest_ns(const struct revtun_hub *hub, struct now now,
                                 struct pool_ref link);

// A control connection is gone, however. Its names are kept for a while.
void revtun_hub_link_down(struct revtun_hub *hub, struct now now, struct pool_ref link);

// A client was accepted. Its `host` is what it asked for at the shared TLS port; empty at a port of
// its own. All is borrowed for the call.
struct revtun_hub_client {
    uint64_t conn;
    struct addr from;
    struct addr dst;   // where it has connected to; its port is looked up if `host` is empty
    struct bytes host; // a host (revtun_pattern.h): asserted
};

// The reference names it and its session; the index is POOL_NONE when it is reset.
MUST_USE struct pool_ref revtun_hub_client(struct revtun_hub *hub, struct now now,
                                           const struct revtun_hub_client *client);

// A data connection has come, with these 64 bytes. It is joined, or stands by (the reference says
// so: an index other than POOL_NONE), or is reset.
MUST_USE struct pool_ref revtun_hub_data(struct revtun_hub *hub, struct now now, uint64_t conn,
                                         const uint8_t raw[REVTUN_PREFACE_LEN], bool is_tls);

// A standing connection has ended by itself; or has said something, and is closed.
void revtun_hub_standing_gone(struct revtun_hub *hub, struct now now, struct pool_ref standing);

// A client that waited was reset, or a session has ended and both its connections are closed.
void revtun_hub_gone(struct revtun_hub *hub, struct now now, struct pool_ref client);

// Whose tunnel a client has come to; borrowed until the next call. False, with *out untouched, when
// it is not known any more, or was cut off.
struct revtun_hub_tunnel {
    struct pool_ref tunnel; // as revtun_hub_look() has it
    struct bytes owner;
    struct bytes name;
};
MUST_USE bool revtun_hub_tunnel_of(const struct revtun_hub *hub, struct pool_ref client,
                                   struct revtun_hub_tunnel *out);

// As in revtun_relay.h.
MUST_USE bool revtun_hub_take(struct revtun_hub *hub, struct revtun_command *out);
void revtun_hub_tick(struct revtun_hub *hub, struct now now);
uint64_t revtun_hub_deadline(const struct revtun_hub *hub);
const struct revtun_hub_stats *revtun_hub_stats(const struct revtun_hub *hub);

// What is held now.
struct revtun_hub_gauges {
    uint32_t links;
    uint32_t agents;
    uint32_t services; // tunnels, bound and kept, and those that have ended but for their sessions
    uint32_t waiting;
    uint32_t sessions;
    uint32_t standing; // asked for, and there
};
struct revtun_hub_gauges revtun_hub_gauges(const struct revtun_hub *hub);
