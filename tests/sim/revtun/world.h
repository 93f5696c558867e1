// SPDX-License-Identifier: Apache-2.0
// A world around a reverse relay's core: who is in it, and what is to happen.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sim/revtun/cover.h"
#include "sim/revtun/oracle.h"
#include "support/rng.h"

enum {
    WORLD_SERVERS = 6,
    WORLD_EVENTS = 4096, // that are to happen at a time
    WORLD_CALM_S = 400,  // how long the end lasts, in which nothing fails
};

#define MS UINT64_C(1000000)

enum world_kind {
    SERVER_COMES,
    SERVER_LEAVES,
    SERVER_SPEAKS,
    SERVER_STOPS,
    SERVER_GOES_ON,
    SERVER_READS, // one line that announces a client
    DIAL,         // a reverse connection arrives
    CROWD_COMES,  // one client mostly
    CLIENT_COMES,
    CLIENT_GOES, // it is reset, or its session ends
    STRAY,       // a reverse connection of nobody
    RELOAD,      // the relay goes on with another configuration
};

struct world_event {
    uint64_t at_ns;
    enum world_kind kind;
    size_t who;    // the server, or the client's place among the oracle's
    uint64_t life; // of the server: its control connection
    uint32_t pair; // DIAL
};

struct world_server {
    struct addr addr;   // of its control connection
    struct addr dialer; // of its reverse connections
    bool is_up;
    uint64_t conn;
    struct pool_ref control;
    uint32_t pair; // as its greeting told
    bool is_stopped;
    uint32_t unread_count; // lines that came while it was stopped
    unsigned fail_percent; // of its dials
};

struct world {
    uint64_t seed;
    bool is_verbose;
    struct cover *cover;
    struct rng rng;
    struct revtun_config config;
    struct revtun_relay *relay;
    struct oracle oracle;
    bool has_come[ORACLE_COMMANDS]; // of what the oracle expects
    struct now now;
    uint64_t next_conn;
    struct world_server servers[WORLD_SERVERS];
    struct pool_ref refs[ORACLE_CLIENTS]; // of the oracle's clients
    struct world_event events[WORLD_EVENTS];
    size_t event_count;
    uint64_t pause_ns; // between clients, at most
    bool is_calm;
};

// Prints what is wrong, what was expected and how to see it again; ends the program.
void world_fail(const struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
// Prints an event, if that is wanted.
void world_note(const struct world *w, const char *what, uint64_t number);

// From 0 to bound - 1; 0 of 0.
uint64_t world_below(struct world *w, uint64_t bound);

// Has something happen in so many nanoseconds. What more there is to say of it may be added.
struct world_event *world_plan(struct world *w, uint64_t in_ns, enum world_kind kind, size_t who);
// Likewise, in the life of a server's connection, which may be over before.
struct world_event *world_plan_life(struct world *w, uint64_t in_ns, enum world_kind kind,
                                    size_t server);

// Chooses what may change while a relay lives.
void world_choose_terms(struct world *w, struct revtun_config *config);

// An address in 192.0.NETWORK.0/24; one in 2001:db8:0:NETWORK::/64; the first in the form of the
// second.
struct addr world_host(uint8_t network, uint8_t number);
struct addr world_host6(uint8_t network, uint8_t number);
struct addr world_mapped(const struct addr *ip4);
// One of a few.
struct addr world_any_host(struct world *w);
