// SPDX-License-Identifier: Apache-2.0
// The way of a packet: between a client's ChannelData or Send and Data indications on one side and
// plain UDP datagrams of peers on the other (RFC 8656 sections 11 and 12), or of another client of
// this relay, at whose relayed address it turns around.
#pragma once

#include "base/bytes.h"
#include "base/pool.h"
#include "stun/stun_icmp.h"
#include "stun/stun_message.h"
#include "turn/turn_server.h"

// Each counts what it drops, and writes *out with TURN_FORWARD and TURN_HAND_OVER only.

MUST_USE enum turn_verdict turn_relay_chandata(struct turn_server *server, struct now now,
                                               const struct turn_tuple *tuple,
                                               struct bytes datagram, struct turn_forward *out);

MUST_USE enum turn_verdict turn_relay_send(struct turn_server *server, struct now now,
                                           const struct turn_tuple *tuple,
                                           const struct stun_message *message,
                                           struct turn_forward *out);

MUST_USE enum turn_verdict turn_relay_from_peer(struct turn_server *server, struct now now,
                                                struct pool_ref allocation, const struct addr *peer,
                                                struct bytes datagram, struct turn_forward *out);

MUST_USE enum turn_verdict turn_relay_from_shard(struct turn_server *server, struct now now,
                                                 const struct addr *from, const struct addr *to,
                                                 struct bytes data, struct turn_forward *out);

// An allocation may exchange data with a peer; `channel` is the peer's, or POOL_NONE.
bool turn_relay_is_permitted(const struct turn_server *server, uint32_t allocation,
                             const struct addr *peer, uint32_t channel);

// An ICMP error that a packet to a peer met (section 11.5).
MUST_USE enum turn_verdict turn_relay_icmp(struct turn_server *server, struct pool_ref allocation,
                                           const struct addr *peer, const struct stun_icmp *icmp,
                                           struct turn_forward *out);
