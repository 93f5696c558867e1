// SPDX-License-Identifier: Apache-2.0
// A world around a hub: its agents and their control connections, and what is to happen.
#pragma once

#include "sim/revtun/hub/cover.h"
#include "sim/revtun/hub/oracle.h"
#include "sim/revtun/hub/seals.h"
#include "support/revtun_text.h"
#include "support/rng.h"

enum {
    WORLD_AGENTS = 7,
    WORLD_WANTS = 3,
    WORLD_NAMES = 12,    // that one control connection may have bound
    WORLD_EVENTS = 8192, // that are to happen at a time
    WORLD_LIST_MAX = 4096,
    WORLD_FIRST_PORT = 12101,
    WORLD_TLS_PORT = 443,
    WORLD_UNREAD_MAX = 65536, // bytes that an agent may leave unread
};

#define MS UINT64_C(1000000)

enum world_kind {
    AGENT_COMES,
    AGENT_BREAKS, // it loses its control connection, and the hub may not know
    AGENT_ACTS,
    AGENT_STOPS, // and reads no more for a while
    AGENT_GOES_ON,
    WIRE_HEARS,
    WIRE_BINDS, // what its agent wants
    WIRE_ENDS,  // the hub learns of it
    DATA_COMES,
    STANDING_ENDS,
    CROWD_COMES,
    CLIENT_GOES,
    LIST_CHANGES,
    CLOCK_CHANGES,
    HUB_DRAINS,
    HUB_RESTARTS,
    WORLD_KINDS,
};

// What is wrong with a data connection.
enum world_forgery {
    FORGERY_NONE,
    FORGERY_MAC,
    FORGERY_TYPE,   // the other one
    FORGERY_FORM,   // its start, or what is to be 0
    FORGERY_SID,    // another control connection's, with one's own key
    FORGERY_THEFT,  // an id of another agent, with one's own sid and key
    FORGERY_REPLAY, // it comes twice
    FORGERY_KINDS,
};

struct world_event {
    uint64_t at_ns;
    uint64_t order;
    enum world_kind kind;
    uint32_t life; // of the hub
    size_t who;    // an agent, a wire, a client
    size_t want;
    char *text;
    uint64_t id;
    uint8_t type;
    enum world_forgery forgery;
    uint64_t conn;
    struct pool_ref ref;
};

struct world_want {
    const char *name;
    bool is_sni;
    uint16_t port;
    const char *hosts;
    uint32_t max;
    bool is_take;
};

// A program that is an agent.
struct world_agent {
    size_t owner;
    uint32_t secret;
    bool is_liar; // its secret is not the one
    uint64_t instance;
    size_t wire; // or ORACLE_NOBODY
    struct world_want wants[WORLD_WANTS];
    size_t want_count;
    uint32_t pool;
    unsigned cheat_percent, fail_percent;
    bool is_stopped;
    uint64_t next_rid;
};

// A control connection; its number is the oracle's of the link.
struct world_wire {
    uint64_t conn;
    struct pool_ref link;
    size_t agent;
    uint8_t exported[SEALS_EXPORT_LEN];
    uint8_t sid[SEALS_SID_LEN];
    bool is_up;  // for the hub
    bool is_cut; // for its agent
    bool has_flooded;
    uint64_t heard_ns;
    size_t unread_len; // bytes
    char names[WORLD_NAMES][64];
};

struct world {
    uint64_t seed;
    bool is_verbose;
    bool is_over;    // nothing new is planned
    bool is_crowded; // very many clients come
    bool is_ticking; // what is due is due by time alone
    struct cover *cover;
    struct rng rng;
    uint32_t life;
    struct revtun_hub_config config;
    struct revtun_access accesses[2]; // the hub's, and the next one
    struct revtun_access_entry entries[2][ORACLE_OWNERS + 1];
    char lists[2][WORLD_LIST_MAX];
    size_t list; // the hub's
    struct revtun_hub *hub;
    struct oracle oracle;
    bool has_come[ORACLE_EXPECTED];
    uint64_t left_serial; // of the oracle, before an event
    struct now now;
    int64_t wall_offset_s;
    uint64_t next_conn;
    uint64_t next_order;
    uint64_t pause_ns; // between clients, at most
    struct world_agent agents[WORLD_AGENTS];
    struct world_wire wires[ORACLE_LINKS];
    struct pool_ref refs[ORACLE_CLIENTS];
    struct world_event events[WORLD_EVENTS];
    size_t event_count;
};

// Prints what is wrong, what was expected and how to see it again; ends the program.
void world_fail(const struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
void world_note(const struct world *w, const char *what, uint64_t number);

// From 0 to bound - 1; 0 of 0.
uint64_t world_below(struct world *w, uint64_t bound);
bool world_chance(struct world *w, unsigned percent);
void world_set_time(struct world *w, uint64_t mono_ns);

// Has something happen in so many nanoseconds, if the hub lives as long. More may be said of it.
struct world_event *world_plan(struct world *w, uint64_t in_ns, enum world_kind kind, size_t who);
struct world_event *world_next(struct world *w);

// Chooses what owners may have, and gives it to the oracle.
void world_choose_terms(struct world *w);
// Writes that as an access list, for the hub to take.
void world_write_list(struct world *w);
