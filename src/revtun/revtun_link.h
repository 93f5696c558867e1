// SPDX-License-Identifier: Apache-2.0
// A link: the control connection of an agent.
//
//      UP --hello--> OPEN --bye, lost, silent, revoked--> GONE
//       '--------------denied, late, lost-------------------^
//
// One that is gone lasts until its standing connections are closed, and nobody finds it.
//
// A ping's number is how many bytes were said before it, so its pong tells how much has been read.
// While REVTUN_LINK_AHEAD_MAX bytes or more are not known to have been read no client is announced.
// What may be said besides to an agent that reads nothing is less than as much again: that clients
// are gone who were announced, and what is asked for its pool. So an agent that reads what it has
// asked for is never told more than 64 KiB ahead, however many clients wait when it comes back.
#pragma once

#include "base/addr.h"
#include "base/now.h"
#include "base/pool.h"
#include "revtun/revtun_hub.h"
#include "revtun/revtun_message.h"
#include "revtun/revtun_stream.h"

enum {
    REVTUN_LINK_AHEAD_MAX = 32768, // bytes
    REVTUN_LINK_PING_LEN = 8192,   // bytes that are said without a ping, at most
};

enum revtun_link_state {
    REVTUN_LINK_UP = 1,
    REVTUN_LINK_OPEN,
    REVTUN_LINK_GONE,
};

struct revtun_link {
    struct revtun_stream stream;
    uint64_t conn;
    struct addr peer;
    uint32_t account; // POOL_NONE before hello
    struct revtun_secrets secrets;
    uint8_t sid[REVTUN_MESSAGE_SID_LEN];
    uint8_t cert[REVTUN_ACCESS_HASH_LEN];
    uint64_t instance;
    uint64_t up_ns;
    uint64_t heard_ns;
    uint64_t said_ns;
    uint64_t probed_ns;  // when it was pinged since another process wants a name of it; 0: never
    uint64_t said_len;   // bytes that were said to it
    uint64_t read_len;   // of those, what it has read at least, since it has answered a ping behind
    uint64_t pinged_len; // what was said when it was last pinged
    // Of the standing connections that it is ready to keep there are those that were asked for or
    // are there, those that are to be asked for, and those that were missed: refused, ended, or not
    // come. They add up.
    uint32_t stand_count;
    uint32_t wanted_count;
    uint32_t missed_count;
    uint64_t want_ns;  // when those wanted are asked for; NEVER
    uint64_t again_ns; // when those missed are wanted again; NEVER
    uint64_t stale_ns; // when one that was asked for is given up; NEVER
    uint32_t first_stand;
    uint8_t state; // enum revtun_link_state
    bool has_cert;
    bool is_drain_told;
    bool has_withheld; // a client was not announced, since it has too much to read
    uint8_t claim_len; // bytes
    uint8_t claim[REVTUN_NAMES_OWNER_MAX]; // who it says it is, when it is refused
    const char *wrong;                     // what is wrong with that; NULL: nothing is known to be
};

struct revtun_link *revtun_link_at(const struct revtun_hub *hub, uint32_t index);
// The link of a reference that is not gone, or NULL.
struct revtun_link *revtun_link_find(const struct revtun_hub *hub, struct pool_ref ref);
// Whose it is; empty before hello.
struct bytes revtun_link_owner(const struct revtun_hub *hub, const struct revtun_link *link);
// The link that a preface names, or POOL_NONE.
uint32_t revtun_link_of_sid(const struct revtun_hub *hub,
                            const uint8_t sid[REVTUN_MESSAGE_SID_LEN]);

struct pool_ref revtun_link_open(struct revtun_hub *hub, struct now now,
                                 const struct revtun_hub_arrival *arrival);

// Says something to its agent.
void revtun_link_say(struct revtun_hub *hub, struct now now, uint32_t index,
                     const struct revtun_message *message);
void revtun_link_say_unbound(struct revtun_hub *hub, struct now now, uint32_t index, uint64_t rid,
                             struct bytes name, enum revtun_message_code code);
// Refuses a request of its agent; `key` may be NULL.
void revtun_link_say_error(struct revtun_hub *hub, struct now now, uint32_t index,
                           const struct revtun_message_fault *fault, enum revtun_message_code code,
                           uint64_t retry_s);
// Pings it, since its name is wanted by another process.
void revtun_link_probe(struct revtun_hub *hub, struct now now, uint32_t index);
// It has answered a ping with this number.
void revtun_link_acknowledge(struct revtun_hub *hub, uint32_t index, uint64_t n);
// A client may be announced; else one is to be withheld until it has read more.
bool revtun_link_may_announce(const struct revtun_link *link);
// A standing connection was used, or was missed: another one is asked for at once, or later.
void revtun_link_stand_used(struct revtun_hub *hub, struct now now, uint32_t index);
void revtun_link_stand_missed(struct revtun_hub *hub, struct now now, uint32_t index);

// It is lost.
void revtun_link_lose(struct revtun_hub *hub, struct now now, uint32_t index,
                      enum revtun_message_code code);
// Its agent is not let in, though its hello can be read: who it says it is, and what is wrong with
// that, for the log. It is to be ended.
void revtun_link_doubt(struct revtun_hub *hub, uint32_t index, struct bytes claim,
                       const char *wrong);
// Says why, and closes it. Its names are kept.
void revtun_link_end(struct revtun_hub *hub, struct now now, uint32_t index,
                     enum revtun_message_code code);
// Its agent has said good-bye: it is closed, and its names are free.
void revtun_link_bye(struct revtun_hub *hub, struct now now, uint32_t index,
                     enum revtun_message_code code);
void revtun_link_set_timer(struct revtun_hub *hub, uint32_t index);
// Its timer is due.
void revtun_link_expire(struct revtun_hub *hub, struct now now, uint32_t index);
