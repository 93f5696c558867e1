// SPDX-License-Identifier: Apache-2.0
// Allocations: a client's 5-tuple, its relayed port, and what hangs on the two (RFC 8656 section
// 6).
//
//      OPENING --turn_allocation_opened()--> LIVE --turn_allocation_delete()--> gone
//         \---------------turn_allocation_delete()------------------------------^
//
// An allocation relays at one port, for IPv4, for IPv6 or for both.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/chain.h"
#include "base/now.h"
#include "base/pool.h"
#include "base/table.h"
#include "stun/stun_attr.h"
#include "stun/stun_header.h"
#include "turn/turn_command.h"
#include "turn/turn_life.h"
#include "turn/turn_manner.h"
#include "turn/turn_outbox.h"

struct turn_server;

enum turn_allocation_state {
    TURN_ALLOCATION_OPENING, // its sockets are being bound; no answer has been given yet
    TURN_ALLOCATION_LIVE,
};

// A set of families.
enum {
    TURN_ALLOCATION_IP4 = 1,
    TURN_ALLOCATION_IP6 = 2,
};

struct turn_allocation {
    struct turn_tuple tuple;
    uint64_t user;                       // the name's keyed hash: who may use it (441)
    struct stun_transaction transaction; // of the Allocate that made it, to know a retransmission
    uint32_t granted_s;                  // the lifetime that it was granted then
    uint32_t holding;                    // its name in the commons; POOL_NONE: none yet
    uint32_t first_permission;           // head of its chain, or POOL_NONE
    uint32_t first_channel;
    uint8_t token[STUN_ATTR_RESERVATION_LEN]; // the reservation that it was given, if has_token
    uint16_t permission_count;
    uint16_t channel_count;
    uint16_t port;          // relayed; 0 while OPENING
    uint8_t families;       // that are bound now: TURN_ALLOCATION_IP4 and _IP6
    uint8_t granted;        // families that its client was granted
    uint8_t refused_family; // the family that it asked for and did not get, or ADDR_NONE
    uint8_t state;          // enum turn_allocation_state
    uint8_t manner;         // enum turn_manner_kind
    bool has_token;
    uint16_t refused_code; // why: an error code of STUN
    uint16_t zero[3];
    struct turn_usage usage;
    uint64_t started_ns; // monotonic: when it became LIVE
    struct turn_name name;
};

struct turn_allocation_store {
    struct pool pool;
    struct table by_tuple;
    uint32_t *by_port; // by relayed port: the index of its LIVE allocation plus one, or 0
    // Ports of deleted ones: nobody may have them before what this call orders is carried out.
    uint16_t leaving[TURN_OUTBOX_MAX];
    uint32_t leaving_count;
};

size_t turn_allocation_store_size(uint32_t capacity);
void turn_allocation_store_init(struct turn_allocation_store *store, void *memory,
                                uint32_t capacity);

struct turn_allocation *turn_allocation_at(const struct turn_server *server, uint32_t index);
// The index of a client's allocation, or POOL_NONE.
uint32_t turn_allocation_find(const struct turn_server *server, const struct turn_tuple *tuple);
// The index of the LIVE allocation that relays at a port, or POOL_NONE.
uint32_t turn_allocation_find_port(const struct turn_server *server, uint16_t port);
// TURN_ALLOCATION_IP4 or _IP6, of an enum addr_family.
uint8_t turn_allocation_family_bit(uint8_t family);
bool turn_allocation_has_family(const struct turn_allocation *allocation, uint8_t family);
// The address that peers of a family see.
struct addr turn_allocation_relayed(const struct turn_server *server,
                                    const struct turn_allocation *allocation, uint8_t family);
const struct turn_manner *turn_allocation_manner(const struct turn_allocation *allocation);

// Makes an OPENING allocation of a user, without families, port and timer yet. POOL_NONE when all
// are in use. The tuple has none yet.
uint32_t turn_allocation_create(struct turn_server *server, const struct turn_tuple *tuple,
                                uint64_t user);
// It becomes LIVE, owns the taken port from now on, and expires after `lifetime_s`. Its families
// are set.
void turn_allocation_opened(struct turn_server *server, uint32_t index, uint16_t port,
                            struct now now, uint32_t lifetime_s);
// Moves the expiry of a LIVE one.
void turn_allocation_refresh(struct turn_server *server, uint32_t index, struct now now,
                             uint32_t lifetime_s);
// Orders the socket of one of its families closed, at a port, and forgets the family.
void turn_allocation_close(struct turn_server *server, uint32_t index, uint8_t family,
                           uint16_t port);
// Frees it with its permissions and channels; of a LIVE one the sockets are ordered closed, `event`
// is reported, and its port is leaving.
void turn_allocation_delete(struct turn_server *server, uint32_t index, enum turn_event event);
// The port of what was deleted last in this call, or 0: the server's own new one may have it, whose
// socket is ordered opened after that one is closed.
uint16_t turn_allocation_leaving_port(const struct turn_server *server);
// It does, and leaves no more.
void turn_allocation_keep_port(struct turn_server *server);
// Gives the leaving ports back: their sockets are closed.
void turn_allocation_free_ports(struct turn_server *server);
