// SPDX-License-Identifier: Apache-2.0
// Messages to the server, right and wrong: begun, given attributes, proven, spoilt.
//
//      struct wr *wr = talk_request(talk, STUN_REFRESH);
//      stun_attr_u32_write(wr, STUN_ATTR_LIFETIME, 0);
//      talk_request_seal(talk, TALK_PROOF);
//      talk->message[...] ^= ...;                           // if need be
#pragma once

#include "talk/talk.h"

// What a request proves itself by. They are appended in this order.
enum talk_proof {
    TALK_NOTHING = 0,
    TALK_USERNAME = 1 << 0,
    TALK_USERHASH = 1 << 1,
    TALK_REALM = 1 << 2,
    TALK_NONCE = 1 << 3,
    TALK_ALGORITHMS = 1 << 4, // the server's own offer
    TALK_ALGORITHM_MD5 = 1 << 5,
    TALK_ALGORITHM_SHA256 = 1 << 6, // the key is then made by SHA-256
    TALK_INTEGRITY = 1 << 7,
    TALK_INTEGRITY_SHA256 = 1 << 8,
    TALK_FINGERPRINT = 1 << 9,
    // As all servers know it.
    TALK_PROOF = TALK_USERNAME | TALK_REALM | TALK_NONCE | TALK_INTEGRITY,
    // As RFC 8489 has it.
    TALK_PROOF_SHA256 = TALK_USERNAME | TALK_REALM | TALK_NONCE | TALK_ALGORITHMS |
                        TALK_ALGORITHM_SHA256 | TALK_INTEGRITY_SHA256,
};

// Begins a request; attributes go to what is returned.
struct wr *talk_request(struct talk *talk, uint16_t method);
struct wr *talk_request_indication(struct talk *talk, uint16_t method);
struct wr *talk_request_of_class(struct talk *talk, uint16_t method, enum stun_class class);
// Appends proofs. What follows them is to be written before talk_request_end().
void talk_request_prove(struct talk *talk, unsigned proof);
// Ends it: it stands in talk->message then, where it can be spoilt.
void talk_request_end(struct talk *talk);
// Both.
void talk_request_seal(struct talk *talk, unsigned proof);

// REQUESTED-TRANSPORT UDP, of every good Allocate.
void talk_request_udp(struct wr *wr);
// XOR-PEER-ADDRESS of a peer that is open, and of any address.
void talk_request_peer(struct talk *talk, uint32_t peer);
void talk_request_addr(struct talk *talk, const struct addr *addr);
