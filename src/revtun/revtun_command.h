// SPDX-License-Identifier: Apache-2.0
// What a relay's core asks of whoever owns the connections.
//
// Commands name connections by the numbers that the caller gave them.
#pragma once

#include "base/addr.h"
#include "base/bytes.h"
#include "base/pool.h"
#include "revtun/revtun_message.h"
#include "revtun/revtun_refusal.h"

enum revtun_command_type {
    REVTUN_COMMAND_SEND,   // write to a control connection
    REVTUN_COMMAND_CLOSE,  // end a control connection
    REVTUN_COMMAND_REFUSE, // answer a data connection, and close it
    REVTUN_COMMAND_RESET,  // close a data connection at once, with a reset
    REVTUN_COMMAND_JOIN,   // carry bytes between two data connections
    REVTUN_COMMAND_END,    // end a session
    REVTUN_COMMAND_REPORT, // something happened that an operator may want to read
};

// The lines are written in one piece. What a control connection cannot take any more ends it: the
// caller says so by revtun_relay_control_down().
struct revtun_command_send {
    uint64_t control;
    struct bytes text; // borrowed until the next call other than revtun_relay_take()
};

// What was sent before is delivered, then TLS is closed, then TCP. The core knows it no more.
struct revtun_command_close {
    uint64_t control;
};

// The text is written, then the sending side is closed. What the other end has sent is to be read
// and thrown away for a moment, lest the reset for unread bytes overtake the text.
struct revtun_command_refuse {
    uint64_t conn;
    struct bytes text; // may be empty; as long-lived as the program
};

struct revtun_command_reset {
    uint64_t conn;
};

// Nothing has been read from either. The session is over when revtun_relay_gone() says so.
struct revtun_command_join {
    struct pool_ref session; // what revtun_relay_client() gave for the client
    uint64_t client;
    uint64_t reverse;
    uint32_t pair;      // of version 1
    struct addr from;   // the client
    uint64_t waited_ns; // for its reverse connection
    struct bytes head;  // to be written to `reverse` first; may be empty; as long-lived as a text
};

// What is on its way is delivered, then both connections are closed; revtun_relay_gone() follows.
struct revtun_command_end {
    struct pool_ref session;
    uint64_t client; // its connection's number
};

enum revtun_event {
    REVTUN_EVENT_LINKED,       // a control connection has got `pair`
    REVTUN_EVENT_FULL,         // a control connection was closed: all pairs are taken
    REVTUN_EVENT_SPOKE,        // a control connection was closed: its server has sent a line
    REVTUN_EVENT_LOST,         // a control connection is gone, and all that it had is closed
    REVTUN_EVENT_REFUSED,      // a client met a limit: `refusal`
    REVTUN_EVENT_TIMED_OUT,    // a client was closed: no reverse connection came for it
    REVTUN_EVENT_AGAIN,        // clients wait too long: `count` are announced once more
    REVTUN_EVENT_FOREIGN,      // a reverse connection came from elsewhere, and was reset
    REVTUN_EVENT_OTHER_FAMILY, // one came from an address that cannot be compared: it was let in,
                               // and is told once for each control connection
    // Of version 2 alone:
    REVTUN_EVENT_AGENT_UP,     // an agent, `owner`, has proven itself
    REVTUN_EVENT_AGENT_DOWN,   // a control connection has ended with `code`. Without an `owner` it
                               // has proven nothing: `name` is who it claims to be, if it has said
                               // so, and `detail` what is wrong with that
    REVTUN_EVENT_BOUND,        // `owner` has bound `name` to `port`, or to hosts if that is 0
    REVTUN_EVENT_UNBOUND,      // it has lost it, with `code`
    REVTUN_EVENT_BIND_REFUSED, // `owner` has asked for `name`, and got `code`: `detail`
    REVTUN_EVENT_DENIED,       // a client was reset: its agent has refused it
    REVTUN_EVENT_NOBODY,       // a client was reset: no tunnel has `port`, or the host `name`
    REVTUN_EVENT_FORGED,       // a data connection had no preface that is good now, and was reset
};

struct revtun_command_report {
    enum revtun_event event;
    uint64_t control; // its connection's number; if it is about one
    uint32_t pair;    // POOL_NONE: about none
    struct addr from; // of the connection that it is about; ADDR_NONE: about none
    struct addr peer; // of the control connection, for REVTUN_EVENT_FOREIGN and _OTHER_FAMILY
    enum revtun_refusal refusal;
    uint32_t count;         // REVTUN_EVENT_AGAIN
    uint32_t waiting_count; // REVTUN_EVENT_LOST, _SPOKE: clients that waited
    uint32_t session_count; // REVTUN_EVENT_LOST, _SPOKE: sessions that END is said to
    // Of version 2: as long-lived as a text.
    struct bytes owner;  // the agent; empty if it is not known
    struct bytes name;   // of its tunnel; empty: about none
    struct bytes detail; // words for people; empty: there are none
    uint16_t port;       // REVTUN_EVENT_BOUND; _BIND_REFUSED, if it was asked for; _NOBODY
    // Its tunnel, as revtun_hub_look() has it: REVTUN_EVENT_BOUND, _REFUSED, _TIMED_OUT, _DENIED.
    // Of others it says nothing.
    struct pool_ref tunnel;
    enum revtun_message_code code;
};

struct revtun_command {
    enum revtun_command_type type;
    union {
        struct revtun_command_send send;
        struct revtun_command_close close;
        struct revtun_command_refuse refuse;
        struct revtun_command_reset reset;
        struct revtun_command_join join;
        struct revtun_command_end end;
        struct revtun_command_report report;
    };
};
