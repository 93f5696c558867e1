// SPDX-License-Identifier: Apache-2.0
// A STUN/TURN server for UDP (RFC 8489, RFC 8656): the door of the room turn.
//
// The room decides and touches nothing: datagrams, time and randomness are arguments; answers are
// a verdict for the hot path and commands for the rest. It owns no socket and no memory. Its state
// points into the caller's only from an order to open a socket to its answer, at the request's
// datagram. So the same calls always give the same results.
// It does not promise delivery: UDP does not either.
//
// The caller's turn:
//
//      while (turn_server_deadline(server) <= now.mono_ns) {    // nothing is ever seen expired
//          turn_server_tick(server, now);
//          take and carry out all commands;
//      }
//      verdict = turn_server_from_client(server, now, &tuple, datagram, &forward);
//      TURN_FORWARD:  send forward; TURN_COMMANDS: take and carry out all commands; TURN_DROP: -
//
// Several servers, the shards, may serve one relay, each in a thread of its own; what they share is
// turn_commons.h. A client always speaks to the same shard, and the sockets of an allocation belong
// to its shard. Two things pass from one to the other:
//
//      TURN_HAND_OVER:     bring the data to turn_server_from_shard() of that shard, or lose it
//      TURN_COMMAND_WAKE:  have that shard's turn begin, if it sleeps until its deadline
//
// TURN_COMMAND_BIND and _UNBIND come before all other commands of a call: what a fast path does is
// right before anybody is told. TURN_COMMAND_OPEN is the last command of its call. It is answered
// by turn_server_opened() before any other call, while the datagram that led to it is still there,
// and the commands that follow from that are taken in the same way.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/now.h"
#include "base/pool.h"
#include "crypto/crypto_random.h"
#include "stun/stun_icmp.h"
#include "turn/turn_command.h"
#include "turn/turn_commons.h"
#include "turn/turn_config.h"
#include "turn/turn_policy.h"
#include "turn/turn_stats.h"

enum {
    TURN_SERVER_SEED_LEN = CRYPTO_RANDOM_SEED_LEN,
    TURN_SERVER_TICK_MAX = 1024,
    TURN_FORWARD_HEAD_MAX = 56, // bytes: a Data indication's with an ICMP error of an IPv6 peer
};

struct turn_server;

enum turn_verdict {
    TURN_DROP,      // nothing to do; counted
    TURN_COMMANDS,  // commands are waiting
    TURN_FORWARD,   // send what `out` says, at once
    TURN_HAND_OVER, // another shard goes on with what `out` says: turn_server_from_shard()
};

// A packet to send: head, payload and padding as one datagram. Or, with TURN_HAND_OVER, data for a
// client of another shard; then only shard, relayed, peer, allocation and payload are written.
struct turn_forward {
    bool is_to_peer;            // through the allocation's socket; else to the client
    bool is_unfragmented;       // with DF set (RFC 8656 section 18.9); to peers only
    uint8_t head_len;           // bytes of `head` to send in front
    uint8_t padding_len;        // zero bytes to send behind, 0 to 3
    struct pool_ref allocation; // whose packet it is
    struct addr peer;           // is_to_peer, and TURN_HAND_OVER: where it goes
    uint32_t shard;             // TURN_HAND_OVER: whose client that is
    struct addr relayed;        // TURN_HAND_OVER: where the data comes from
    struct turn_tuple tuple;    // otherwise: to tuple.client, from tuple.server
    struct bytes payload;       // borrowed from the datagram that came in
    uint8_t head[TURN_FORWARD_HEAD_MAX];
};

// How an opening of a relayed socket went.
enum turn_opened {
    TURN_OPENED,         // it is bound, and receives
    TURN_PORT_REFUSED,   // this port is not to be had (in use, forbidden): try another
    TURN_SYSTEM_REFUSED, // no port is to be had now (no descriptors, no memory)
};

// Bytes of memory that a server of this configuration needs for all its life.
size_t turn_server_size(const struct turn_config *config);

// Makes a server in `memory`: zeroed, aligned for uint64_t, turn_server_size() bytes. The seed is
// secret and unpredictable; all of the server's randomness comes from it.
struct turn_server *turn_server_init(void *memory, const struct turn_config *config,
                                     const uint8_t seed[TURN_SERVER_SEED_LEN]);

// Wipes all of its memory: keys, names, tokens and who spoke to whom. Relayed sockets are the
// caller's to close.
void turn_server_deinit(struct turn_server *server);

// A datagram has come from a client. Its source port is not 0.
// *out is written with TURN_FORWARD and TURN_HAND_OVER only.
MUST_USE enum turn_verdict turn_server_from_client(struct turn_server *server, struct now now,
                                                   const struct turn_tuple *tuple,
                                                   struct bytes datagram, struct turn_forward *out);

// A datagram has come from a peer, on an allocation's relayed socket. A reference to an allocation
// that is gone is no error. TURN_DROP or TURN_FORWARD.
MUST_USE enum turn_verdict turn_server_from_peer(struct turn_server *server, struct now now,
                                                 struct pool_ref allocation,
                                                 const struct addr *peer, struct bytes datagram,
                                                 struct turn_forward *out);

// Another shard has handed data over: `from` and `to` are its turn_forward's relayed and peer. That
// nobody is there any more is no error. TURN_DROP or TURN_FORWARD, to a client.
MUST_USE enum turn_verdict turn_server_from_shard(struct turn_server *server, struct now now,
                                                  const struct addr *from, const struct addr *to,
                                                  struct bytes data, struct turn_forward *out);

// An ICMP error has come for a packet that an allocation sent to a peer. Only errors that RFC 8656
// section 11.5 names are passed on: destination unreachable, time exceeded, packet too big.
// TURN_DROP or TURN_FORWARD.
MUST_USE enum turn_verdict turn_server_icmp(struct turn_server *server, struct pool_ref allocation,
                                            const struct addr *peer, const struct stun_icmp *icmp,
                                            struct turn_forward *out);

// Takes the next command. False, with *out untouched, when there is none: all that were taken are
// carried out then, and other shards may have the ports whose sockets were closed.
MUST_USE bool turn_server_take(struct turn_server *server, struct turn_command *out);

// The answer to TURN_COMMAND_OPEN; commands are waiting afterwards.
void turn_server_opened(struct turn_server *server, struct now now, struct pool_ref allocation,
                        enum turn_opened opened);

// Has the server follow another policy from now on: whole, before the next datagram. Of the old one
// nothing is needed any more; one that the server had inside is wiped. Allocations stay as they
// are, but their requests are judged by the new one: who is no user any more gets 401, and keeps
// what he has until it expires. Permissions and channels whose peers are denied are deleted: no
// data passes for them from here on, commands tell the fast path, and what they do not tell at once
// turn_server_tick() goes on with. `policy` may follow the old one (asserted, turn_policy.h) and is
// borrowed until the next one is adopted.
void turn_server_adopt(struct turn_server *server, struct now now,
                       const struct turn_policy *policy);

// Deletes what was replaced in other shards and lets expire what is due, as far as the commands
// that follow from it have room, and no more than TURN_SERVER_TICK_MAX things; then the deadline is
// still due, and the caller comes again.
void turn_server_tick(struct turn_server *server, struct now now);

// When turn_server_tick() is due (monotonic ns), or NEVER. 0 as soon as another shard has replaced
// something of this one's, which then is told by TURN_COMMAND_WAKE.
uint64_t turn_server_deadline(const struct turn_server *server);

const struct turn_stats *turn_server_stats(const struct turn_server *server);

// What is held now, by this shard unless it says otherwise.
struct turn_gauges {
    uint32_t allocations; // those that were replaced and are to be deleted included
    uint32_t permissions;
    uint32_t channels;
    uint32_t timers;
    uint32_t reservations; // of the whole relay
    uint32_t ports_in_use; // likewise; the resting ones included
};
struct turn_gauges turn_server_gauges(const struct turn_server *server, struct now now);
