// SPDX-License-Identifier: Apache-2.0
// The whole state of a spoke, for its files only.
#pragma once

#include "base/table.h"
#include "revtun/revtun_fields.h"
#include "revtun/revtun_spoke.h"
#include "revtun/revtun_stream.h"

enum {
    REVTUN_SPOKE_OUT_MAX = 8,                     // commands of one event
    REVTUN_SPOKE_OUT_TEXT_MAX = 1536,             // bytes: the longest line that an agent writes
    REVTUN_SPOKE_NOWHERE = REVTUN_SPOKE_LINK_MAX, // no link
};

// FREE must be 0.
enum revtun_spoke_link_state {
    REVTUN_SPOKE_LINK_FREE,
    REVTUN_SPOKE_LINK_DIALLED,
    REVTUN_SPOKE_LINK_HELLO,
    REVTUN_SPOKE_LINK_OPEN,
    REVTUN_SPOKE_LINK_CLOSING,
};

// A control connection.
struct revtun_spoke_link {
    enum revtun_spoke_link_state state;
    struct revtun_stream stream;
    struct revtun_secrets secrets;
    uint8_t sid[REVTUN_MESSAGE_SID_LEN];
    uint64_t ping_ns;
    uint64_t dead_ns;
    uint64_t since_ns; // HELLO, OPEN: it is in that state
    uint64_t heard_ns;
    uint64_t said_ns;
    uint64_t ping_count;
    uint64_t end_ns;      // of a drain; NEVER
    uint32_t stand_count; // standing connections
    uint32_t loose_count; // calls that go when it does: standing, or dialled for a client
    bool is_tls;          // data connections
    bool is_crowded_told;
};

// What a service has at the relay.
enum revtun_spoke_bond_state {
    REVTUN_SPOKE_BOND_NONE,  // nothing, and it is asked for at ask_ns
    REVTUN_SPOKE_BOND_ASKED, // on `link`, by `rid`
    REVTUN_SPOKE_BOND_BOUND, // on `link`
    REVTUN_SPOKE_BOND_GIVEN_UP,
};

struct revtun_spoke_bond {
    enum revtun_spoke_bond_state state;
    uint32_t link;
    uint64_t rid;
    uint64_t ask_ns;
    bool was_bound;
};

enum revtun_spoke_call_state {
    REVTUN_SPOKE_CALL_DIALLED, // for a client
    REVTUN_SPOKE_CALL_STANDS,
    REVTUN_SPOKE_CALL_RUNS, // it has a client
};

struct revtun_spoke_call {
    uint64_t id; // on its link; RUNS: nobody's any more
    uint32_t link;
    enum revtun_spoke_call_state state;
    uint8_t preface[REVTUN_PREFACE_LEN];
};
_Static_assert(sizeof(struct revtun_spoke_call) % 8 == 0, "as pools want it");

enum revtun_spoke_phase {
    REVTUN_SPOKE_PHASE_SERVING,
    REVTUN_SPOKE_PHASE_FADING,  // nothing new is begun; it stops with its last client
    REVTUN_SPOKE_PHASE_STOPPED, // or is left
};

struct revtun_spoke {
    struct revtun_spoke_config config;
    enum revtun_spoke_phase phase;
    struct revtun_spoke_link links[REVTUN_SPOKE_LINK_MAX];
    uint32_t main;        // the link on which services are bound, or is to be; or NOWHERE
    uint64_t connect_ns;  // when the main link is made; NEVER
    uint64_t interval_ns; // of the last wait, without the chance in it; 0: there was none
    uint64_t rid_serial;
    uint64_t draw_serial;
    bool was_bound;     // some service, once
    bool is_retry_told; // by the relay's last bye
    uint64_t retry_s;
    // Why the main link has ended, or the spoke.
    enum revtun_spoke_why why;
    enum revtun_message_code code;
    uint32_t text_len;
    uint8_t text[REVTUN_MESSAGE_TEXT_MAX];
    struct revtun_spoke_bond bonds[REVTUN_SPOKE_SERVICE_MAX];
    struct pool calls;
    struct table calls_by_id; // those that are DIALLED or STAND
    uint32_t session_count;
    struct revtun_fields fields;      // of the line that was read last
    struct revtun_fields head_fields; // of the head
    uint32_t out_count;               // commands since the list was last empty
    uint32_t out_taken;
    struct revtun_spoke_command out[REVTUN_SPOKE_OUT_MAX];
    uint8_t out_texts[REVTUN_SPOKE_OUT_MAX][REVTUN_SPOKE_OUT_TEXT_MAX];
};

// A number, each as likely as the other.
uint32_t revtun_spoke_draw(struct revtun_spoke *spoke);
// About so long: made shorter or longer by up to its half. Up to 4 hours.
uint64_t revtun_spoke_about(struct revtun_spoke *spoke, uint64_t time_ns);
