// SPDX-License-Identifier: Apache-2.0
// The core of a reverse relay: the door of the room revtun.
//
// A server behind a NAT keeps a control connection and gets a pair of ports. Whoever connects to
// the public one is a client: the server is told, dials the reverse port, and the two connections
// become a session. revtun_line.h has what is written on the control connection.
//
// The room decides and touches nothing: connections, time and memory are arguments; answers are
// commands. It owns no socket and sees no byte of a client. The same calls always give the same
// results.
//
// Connections are the caller's, who numbers them as he likes: commands name them so. What lasts
// the room names by a reference, which is given when it begins; one that is over is no error, so
// that news may cross.
//
//      while (revtun_relay_deadline(relay) <= now.mono_ns) {
//          revtun_relay_tick(relay, now);
//          take and carry out all commands;
//      }
//      control = revtun_relay_control_up(relay, now, number, &peer);    // or any other event
//      take and carry out all commands, until revtun_relay_take() is false;
//
// Only that something is gone (_control_down(), _gone()) is told before what is due is done, so
// that no command names it any more.
//
// What version 1 asks of a client's connection: it is not read before it is joined. A client that
// closes its sending side while it waits (EPOLLRDHUP) still waits: what it sent lies in its socket,
// and is for the reverse connection that comes. One that is reset (EPOLLHUP, EPOLLERR) is gone.
//
// The timers, all of them, one for each pair:
//      again          5 s after clients began to wait without a break, they are announced again;
//                     then after 5 s, or twice as long as before if nobody came (revtun_queue.h)
//      pending        pending_timeout_ns after its accept, a client that still waits is closed
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/now.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "revtun/revtun_command.h"
#include "revtun/revtun_config.h"
#include "revtun/revtun_stats.h"

enum { REVTUN_RELAY_SEED_LEN = SIPHASH_KEY_LEN };

struct revtun_relay;

// Bytes of memory that a relay of this configuration needs for all its life.
size_t revtun_relay_size(const struct revtun_config *config);

// Makes a relay in `memory`: zeroed, aligned for uint64_t, revtun_relay_size() bytes. The
// configuration is sound (revtun_config_is_sound()). The seed is secret and unpredictable.
struct revtun_relay *revtun_relay_init(void *memory, const struct revtun_config *config,
                                       const uint8_t seed[REVTUN_RELAY_SEED_LEN]);

// Goes on with another configuration, which may follow the former one (asserted,
// revtun_config_may_follow()). Whoever is there stays; what becomes due by it is due at once.
void revtun_relay_adopt(struct revtun_relay *relay, struct now now,
                        const struct revtun_config *config);

// A server has connected to the control port, and proven who it is: never before the handshake is
// over and its certificate is checked. It gets a pair, or is told that there is none, and closed;
// then the reference's index is POOL_NONE.
MUST_USE struct pool_ref revtun_relay_control_up(struct revtun_relay *relay, struct now now,
                                                 uint64_t conn, const struct addr *peer);

// Bytes have come from a server, cut as they like.
void revtun_relay_control_read(struct revtun_relay *relay, struct now now, struct pool_ref control,
                               struct bytes bytes);

// A control connection is gone, however: its pair is free for others, and what it had is closed.
void revtun_relay_control_down(struct revtun_relay *relay, struct now now, struct pool_ref control);

// A client was accepted at the public port of a pair. The reference names it and its session; the
// index is POOL_NONE when it is refused.
MUST_USE struct pool_ref revtun_relay_client(struct revtun_relay *relay, struct now now,
                                             uint32_t pair, uint64_t conn, const struct addr *from);

// A connection was accepted at the reverse port of a pair. It is joined with the client that has
// waited for the longest time, or closed.
void revtun_relay_reverse(struct revtun_relay *relay, struct now now, uint32_t pair, uint64_t conn,
                          const struct addr *from);

// A client that waited was reset, or a session has ended and both its connections are closed. What
// was announced for it serves who comes next.
void revtun_relay_gone(struct revtun_relay *relay, struct now now, struct pool_ref client);

// Takes the next command. False, with *out untouched, when there is none.
MUST_USE bool revtun_relay_take(struct revtun_relay *relay, struct revtun_command *out);

// Does what is due, as far as the commands that follow from it have room; then the deadline is
// still due, and the caller comes again.
void revtun_relay_tick(struct revtun_relay *relay, struct now now);

// When revtun_relay_tick() is due (monotonic ns), or NEVER.
uint64_t revtun_relay_deadline(const struct revtun_relay *relay);

const struct revtun_stats *revtun_relay_stats(const struct revtun_relay *relay);

// What is held now.
struct revtun_gauges {
    uint32_t controls;
    uint32_t pairs_free;
    uint32_t waiting;  // clients without a reverse connection
    uint32_t sessions; // those that END was said to included
};
struct revtun_gauges revtun_relay_gauges(const struct revtun_relay *relay);
