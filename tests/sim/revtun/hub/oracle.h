// SPDX-License-Identifier: Apache-2.0
// A naive relay of version 2: it knows from docs/tunnel-protocol.md alone, in lists that are
// searched from end to end, which commands each event must bring.
//
// Most are expected word by word, as judge.c writes them, where a `*` stands for a word that is the
// relay's to choose. What the relay may choose the time of, within limits, is looked at as it
// comes: that a client waits, that a standing connection is wanted, and pings.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "revtun/revtun_hub.h"

enum {
    ORACLE_TOKENS = 3,
    ORACLE_OWNERS = 5, // tokens, then certificates
    ORACLE_ANY = ORACLE_OWNERS,
    ORACLE_LINKS = 192,   // that there may ever be in one life of a relay
    ORACLE_SERVICES = 24, // at a time
    ORACLE_CLIENTS = 768, // that there may ever be
    ORACLE_PORTS = 6,
    ORACLE_STANDS = 8,          // of one control connection
    ORACLE_STANDS_ENOUGH = 512, // for all, so that there is always room
    ORACLE_IDS = 4096,
    ORACLE_EXPECTED = 3072,
    ORACLE_TEXT_MAX = 640,  // bytes of an expected command
    ORACLE_LIST_MAX = 4,    // patterns of a list
    ORACLE_HOST_MAX = 256,  // bytes, with the terminator
    ORACLE_NOBODY = 0xffff, // no link, no service
};

// What an owner may have. Lists end with NULL or a port 0.
struct oracle_terms {
    bool is_listed;
    uint32_t secret; // which of its secrets is on the list
    const char *names[ORACLE_LIST_MAX + 1];
    uint16_t ports[ORACLE_LIST_MAX + 1][2]; // first, last
    const char *hosts[ORACLE_LIST_MAX + 1];
    uint32_t tunnels;
    uint32_t hosts_max;
    uint32_t connections; // 0: no limit
};

enum oracle_link_state { ORACLE_UP = 1, ORACLE_OPEN, ORACLE_DOWN };

struct oracle_stand {
    uint64_t id;
    uint64_t asked_ns;
    bool is_there;
    uint64_t conn;
    uint8_t preface[REVTUN_PREFACE_LEN];
};

struct oracle_link {
    uint64_t conn;
    enum oracle_link_state state;
    struct addr peer;
    size_t cert;    // whose certificate it has shown, or ORACLE_NOBODY
    size_t owner;   // ORACLE_NOBODY before hello
    char claim[80]; // whom it says it is, when it is not let in
    uint64_t instance;
    uint64_t up_ns, heard_ns, said_ns;
    uint64_t probed_ns; // 0: never
    bool is_probed_now; // a ping is to come
    uint64_t said_len, read_len, pinged_len;
    uint32_t wanted, missed; // standing connections
    uint64_t again_ns;
    uint64_t room_ns; // since when there is room for those wanted; NEVER
    struct oracle_stand stands[ORACLE_STANDS];
    size_t stand_count;
};

enum oracle_service_state { ORACLE_NONE, ORACLE_BOUND, ORACLE_KEPT, ORACLE_ENDED };

struct oracle_service {
    enum oracle_service_state state;
    size_t owner;
    char name[64];
    size_t link;
    uint16_t port;
    char hosts[ORACLE_LIST_MAX][ORACLE_HOST_MAX];
    size_t host_count;
    uint32_t max;
    uint64_t grace_ns;
    uint64_t instance; // of the process that has bound it
};

enum oracle_client_state { ORACLE_WAITS, ORACLE_JOINED, ORACLE_CUT, ORACLE_OVER };

struct oracle_client {
    uint64_t conn;
    struct addr from, dst;
    char host[ORACLE_HOST_MAX];
    enum oracle_client_state state;
    size_t service;
    uint64_t since_ns, until_ns;
    uint64_t id; // 0: the agent does not know it
    bool was_told;
};

// Whose a port is: by the time when it was left, the lowest first.
struct oracle_lease {
    enum { ORACLE_FREE, ORACLE_RESTS, ORACLE_TAKEN } state;
    size_t owner;
    char name[64];
    int64_t released_s;
    uint64_t left;
};

struct oracle {
    struct revtun_hub_config config;
    struct oracle_terms terms[ORACLE_OWNERS + 1];
    uint64_t paid_ns[ORACLE_OWNERS]; // when all requests for names are as if never made
    uint32_t secrets[ORACLE_OWNERS]; // with which those who are here have proven themselves
    struct now now;
    uint64_t drain_ns;
    struct oracle_link links[ORACLE_LINKS];
    size_t link_count;
    struct oracle_service services[ORACLE_SERVICES];
    struct oracle_client clients[ORACLE_CLIENTS];
    size_t client_count;
    struct oracle_lease leases[ORACLE_PORTS];
    uint64_t left_serial;
    struct {
        size_t link;
        uint64_t id;
    } ids[ORACLE_IDS]; // that were ever told
    size_t id_count;
    struct revtun_hub_stats stats;
    uint64_t resumed_count;  // names that came back to the same process
    uint64_t recalled_count; // clients that were announced more than once
    char expected[ORACLE_EXPECTED][ORACLE_TEXT_MAX];
    size_t expected_count;
};

extern const char *const oracle_owner_names[ORACLE_OWNERS];

// A relay that has just begun. What was leased still is, if it is not the first one.
void oracle_begin(struct oracle *oracle, const struct revtun_hub_config *config, struct now now);

// --- what happens: each writes what must come of it ----------------------------------------------

enum oracle_verb {
    ORACLE_SAYS_MALFORMED,
    ORACLE_SAYS_UNKNOWN,
    ORACLE_SAYS_BAD, // a field is wrong: `key`
    ORACLE_SAYS_HELLO,
    ORACLE_SAYS_BIND,
    ORACLE_SAYS_UNBIND,
    ORACLE_SAYS_REFUSE,
    ORACLE_SAYS_PING,
    ORACLE_SAYS_PONG,
    ORACLE_SAYS_BYE,
};

// What a line says that an agent has written.
struct oracle_line {
    enum oracle_verb verb;
    uint64_t rid;
    const char *key;
    bool is_hello; // ORACLE_SAYS_BAD: of hello
    size_t owner;  // as whom it says hello
    uint32_t secret;
    bool is_cert, is_forged;
    uint64_t instance;
    uint32_t pool; // 0 without the capability
    const char *name;
    bool is_sni, is_take;
    uint16_t port;
    const char *hosts; // with commas
    uint32_t max;
    uint64_t number;  // of ping, pong; the id of refuse
    const char *code; // of bye
};

bool oracle_up(struct oracle *oracle, uint64_t conn, const struct addr *peer, size_t cert);
void oracle_heard(struct oracle *oracle, size_t link);
void oracle_line(struct oracle *oracle, size_t link, const struct oracle_line *line);
void oracle_down(struct oracle *oracle, size_t link);
// True when it is let in.
bool oracle_client(struct oracle *oracle, uint64_t conn, const struct addr *from,
                   const struct addr *dst, const char *host);
void oracle_client_gone(struct oracle *oracle, size_t client);
// A data connection whose preface is authentic for a link, or ORACLE_NOBODY. True when it stands by
// from now on.
bool oracle_data(struct oracle *oracle, uint64_t conn, size_t link,
                 const uint8_t raw[REVTUN_PREFACE_LEN], bool is_tls);
void oracle_standing_gone(struct oracle *oracle, uint64_t conn);
// The terms are others: as oracle->terms are now.
void oracle_adopt(struct oracle *oracle);
void oracle_drain(struct oracle *oracle, uint32_t in_s);
void oracle_tick(struct oracle *oracle);
// When something must happen by itself, or NEVER. Something may before.
uint64_t oracle_deadline(const struct oracle *oracle);

// --- what the relay says of its own accord: NULL, or what is wrong with it -----------------------

const char *oracle_see_announcement(struct oracle *oracle, size_t link, const char *line);
const char *oracle_see_standby(struct oracle *oracle, size_t link, uint64_t id);
const char *oracle_see_ping(struct oracle *oracle, size_t link);
// A client was given a standing connection, with a head of this line.
const char *oracle_see_standing(struct oracle *oracle, uint64_t client, uint64_t conn,
                                const char *line);
// All of a line that was said.
void oracle_see_line(struct oracle *oracle, size_t link, size_t len);
// What ought to have been said by now: NULL, or what was not.
const char *oracle_missed(struct oracle *oracle);

// --- what is -------------------------------------------------------------------------------------

struct revtun_hub_gauges oracle_gauges(const struct oracle *oracle);
size_t oracle_link_of(const struct oracle *oracle, uint64_t conn);
size_t oracle_client_of(const struct oracle *oracle, uint64_t conn);
struct oracle_stand *oracle_stand_of(struct oracle *oracle, uint64_t conn, size_t *link);
bool oracle_matches(const char *pattern, const char *text);
// The line that tells of a client, without its end.
void oracle_announcement(const struct oracle *oracle, size_t client, char text[ORACLE_TEXT_MAX]);
