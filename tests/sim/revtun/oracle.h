// SPDX-License-Identifier: Apache-2.0
// A naive reverse relay: it knows by the rules alone, in lists that are searched from end to end,
// which commands each event must bring. They are kept as support/revtun_text.h writes them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "revtun/revtun_relay.h"
#include "support/revtun_text.h"

enum {
    ORACLE_CONTROLS = 128,  // that there may ever be in one world
    ORACLE_CLIENTS = 1024,  // likewise
    ORACLE_COMMANDS = 256,  // of one event
    ORACLE_PAIRS = 8,       // at most
    ORACLE_SAID_MAX = 20000 // bytes that a server says in its life
};

enum oracle_state {
    ORACLE_WAITS,
    ORACLE_JOINED,
    ORACLE_CUT, // its session was told to end
    ORACLE_OVER,
};

struct oracle_client {
    uint64_t conn;
    struct addr from;
    size_t control; // its place among the controls
    uint64_t since_ns;
    enum oracle_state state;
};

struct oracle_control {
    uint64_t conn;
    struct addr peer;
    bool is_up;
    uint32_t pair;
    uint8_t *said; // all that its server has said
    size_t said_len;
    bool is_family_told;
    uint32_t outstanding;
    uint64_t again_ns; // as of the first one that waits
    uint64_t again_wait_ns;
    bool is_answered;
};

struct oracle {
    struct revtun_config config;
    uint32_t free[ORACLE_PAIRS]; // in the order in which they are taken
    uint32_t free_count;
    struct oracle_control controls[ORACLE_CONTROLS];
    size_t control_count;
    struct oracle_client clients[ORACLE_CLIENTS]; // in the order of their coming
    size_t client_count;
    char expected[ORACLE_COMMANDS][REVTUN_TEXT_MAX]; // of the last event
    size_t expected_count;
};

void oracle_begin(struct oracle *oracle, const struct revtun_config *config);
void oracle_end(struct oracle *oracle);

// Each writes what the event must bring.
void oracle_up(struct oracle *oracle, uint64_t conn, const struct addr *peer);
void oracle_read(struct oracle *oracle, uint64_t conn, struct bytes bytes);
void oracle_down(struct oracle *oracle, uint64_t conn);
void oracle_client(struct oracle *oracle, uint64_t now_ns, uint32_t pair, uint64_t conn,
                   const struct addr *from);
void oracle_reverse(struct oracle *oracle, uint32_t pair, uint64_t conn, const struct addr *from);
void oracle_gone(struct oracle *oracle, uint64_t conn);
void oracle_tick(struct oracle *oracle, uint64_t now_ns);

// When something is due by itself, or NEVER.
uint64_t oracle_deadline(const struct oracle *oracle);
struct revtun_gauges oracle_gauges(const struct oracle *oracle);
// A client that was let in; NULL of others.
const struct oracle_client *oracle_find(const struct oracle *oracle, uint64_t conn);
