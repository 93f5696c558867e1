// SPDX-License-Identifier: Apache-2.0
// A world in which the hub meets its agents' machine: what each of meeting*.c needs of the others.
//
// The programs around both are played here: control connections with a way in each direction that
// is slow, comes in pieces and breaks, data connections, and clients.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "revtun/revtun_hub.h"
#include "revtun/revtun_spoke.h"
#include "support/rng.h"

enum {
    MEETING_AGENTS = 4,
    MEETING_SERVICES = 3,
    MEETING_WIRES = 1024,
    MEETING_CALLS = 48, // of an agent
    MEETING_CLIENTS = 64,
    MEETING_EVENTS = 4096,
    MEETING_PORT = 12101,
    MEETING_PORTS = 12,
    MEETING_NONE = 0xffff,
};

#define MS UINT64_C(1000000)

enum meeting_kind {
    CONNECTED, // a control connection, or not
    TO_HUB,
    TO_SPOKE,
    HUB_DOWN, // one end learns of the end
    SPOKE_DOWN,
    BREAKS,
    DIALLED, // a service and the hub, or not
    DATA_COMES,
    HEAD_COMES,
    CALL_ENDS, // the agent learns that the hub has reset it
    STAND_ENDS,
    CLIENT_COMES,
    CLIENT_GOES,
    DRAINS,
    RESTARTS,
    MEETING_KINDS,
};

struct meeting_event {
    uint64_t at_ns;
    uint64_t order;
    enum meeting_kind kind;
    size_t who; // a wire, an agent, a client
    uint64_t life;
    struct pool_ref ref;
    uint8_t *bytes;
    size_t len;
};

struct meeting_wire {
    size_t agent;
    uint32_t link; // of the agent's two
    uint64_t conn;
    bool is_up; // for the hub
    bool is_broken;
    bool is_draining; // its hub says that it ends
    struct pool_ref ref;
    uint64_t to_hub_ns, to_spoke_ns;
    size_t unread_len;
};

struct meeting_call {
    struct pool_ref ref; // of the spoke; POOL_NONE: it is free
    uint32_t link;
    bool is_stand;
    bool has_client; // as the hub has it
    bool runs;       // as its agent has it
    uint64_t conn;   // of its data connection, once that is made
    struct pool_ref stand;
    struct addr src; // of its client
    uint8_t preface[REVTUN_PREFACE_LEN];
};

struct meeting_agent {
    struct revtun_spoke *spoke;
    struct revtun_spoke_config config;
    struct revtun_spoke_service services[MEETING_SERVICES];
    struct revtun_token token;
    size_t wires[REVTUN_SPOKE_LINK_MAX]; // MEETING_NONE: it has none
    struct meeting_call calls[MEETING_CALLS];
    uint16_t ports[MEETING_SERVICES]; // that it was told first
    uint64_t connected_ns;            // when it was told to connect, for the last time
    uint64_t connect_count;
};

struct meeting_client {
    uint64_t conn; // 0: it is not there
    struct pool_ref ref;
    struct addr src;
    uint16_t port;
    bool is_joined;
    size_t agent; // once it is joined
    struct pool_ref call;
};

struct meeting {
    uint64_t seed;
    bool is_verbose;
    struct rng rng;
    struct now now;
    bool is_calm;
    bool is_outage; // nobody reaches the hub
    struct revtun_hub *hub;
    struct revtun_hub_config config;
    struct revtun_access access;
    struct revtun_access_entry entries[2];
    char list[512];
    struct meeting_agent agents[MEETING_AGENTS];
    struct meeting_wire wires[MEETING_WIRES];
    size_t wire_count;
    struct meeting_client clients[MEETING_CLIENTS];
    struct meeting_event events[MEETING_EVENTS];
    size_t event_count;
    uint64_t order;
    uint64_t next_conn;
    uint64_t data_conn; // that is just coming
    bool is_data_settled;
    uint64_t line_count, join_count, standing_count, loss_count, restart_count;
};

void meeting_fail(const struct meeting *m, const char *what) __attribute__((noreturn));
void meeting_hold(const struct meeting *m, bool is_true, const char *what);
uint64_t meeting_below(struct meeting *m, uint64_t bound);
// A way takes up to 200 ms.
uint64_t meeting_delay(struct meeting *m);
// In so many of a hundred cases, until it is calm.
bool meeting_fails(struct meeting *m, unsigned percent);
struct meeting_event *meeting_plan(struct meeting *m, uint64_t in_ns, enum meeting_kind kind,
                                   size_t who);

// What the hub wants to be done, and all that is due at it.
void meeting_obey_hub(struct meeting *m);
// Likewise an agent.
void meeting_obey_spoke(struct meeting *m, size_t agent);
// A hub's control connections and clients are gone with it.
void meeting_lose_all(struct meeting *m);
void meeting_happen(struct meeting *m, const struct meeting_event *event);
struct meeting_call *meeting_call(struct meeting *m, size_t agent, struct pool_ref ref);
void meeting_end_client(struct meeting *m, struct meeting_client *client);
void meeting_open_hub(struct meeting *m, struct bytes leases);
