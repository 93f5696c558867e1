// SPDX-License-Identifier: Apache-2.0
// What a check needs before it can ask what it is there for: a nonce, an allocation, a peer.
//
// What the server does not do for these is another check's finding: this one is skipped.
#pragma once

#include "talk/talk.h"

// Realm and nonce, by an Allocate that proves nothing. Also for a new nonce.
void talk_need_nonce(struct talk *talk);
// An allocation for the client that speaks, and a nonce before: of IPv4, or of IPv6 if that is how
// the server is reached and no other address of this host is known.
void talk_need_allocation(struct talk *talk);
// Another user of the server; the client that speaks is that user then, and has a nonce.
void talk_need_other_user(struct talk *talk);
// A socket of a peer, of the family of the relayed address; before there is one, of the family that
// talk_need_allocation() asks for.
void talk_need_peer(struct talk *talk, uint32_t peer);
// A peer, and the server's permission for it.
void talk_need_permission(struct talk *talk, uint32_t peer);
// A peer, and a channel bound to it.
void talk_need_channel(struct talk *talk, uint32_t peer, uint16_t number);
// The step before has been answered with success; `what` says what is missing if not.
void talk_need_success(struct talk *talk, const char *what);
// Likewise with that error code: that another one came is another check's finding.
void talk_need_error(struct talk *talk, uint16_t code, const char *what);
// It holds, or `why` it cannot be tried.
void talk_need_that(struct talk *talk, bool holds, const char *why);

// What was sent to a permitted peer did not arrive. Skips if it never could: permissions are for an
// address, so that a server may grant one for the sake of its own relayed ports there (two clients
// of one relay), and forbid all other ports of that address to channels and data.
void talk_need_way(struct talk *talk, uint32_t peer);

// Gives back all allocations, after the verdict.
void talk_need_no_more(struct talk *talk);
