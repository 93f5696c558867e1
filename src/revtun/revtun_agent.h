// SPDX-License-Identifier: Apache-2.0
// The server's side of version 1: keeps a control connection to a relay, hears of clients there,
// and says what is to be connected when.
//
//            CONNECT          up               both addresses
//      WAITING --> CONNECTING --> GREETING ----------------------> SERVING
//         ^             |             |                               |
//         |             |             |  full, silent, no greeting    |  no line ends
//         |             |             '---------> CLOSING <-----------'
//         |   down      v                            |
//         '--------------------------------- from each of these, or STOPPED: not again
//
// Timers: WAITING, until it connects again; GREETING, until the relay must have said where it
// listens. Between attempts it waits from half a second on, half as much again each time, up to
// 30 s; each is made shorter or longer by up to its half, so that the servers of a relay that comes
// back do not all come at once. After ten seconds of serving that begins anew.
//
// Version 1 does not say for whom a reverse connection is, so each announcement is one to be
// dialled, and none is dialled for a former control connection: by then the port may be another
// server's. Announcements beyond the limit of connections are owed, and a number.
//
// In the caller's memory. It knows no socket: commands say what to do, and events what became of
// it. All commands are to be taken after each event.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/now.h"
#include "revtun/revtun_line.h"
#include "revtun/revtun_stream.h"

#define REVTUN_AGENT_WAIT_FIRST_NS (SECOND_NS / 2)
#define REVTUN_AGENT_WAIT_MAX_NS (30 * SECOND_NS)
#define REVTUN_AGENT_STEADY_NS (10 * SECOND_NS)
#define REVTUN_AGENT_GREETING_NS (30 * SECOND_NS)

enum { REVTUN_AGENT_OWED_MAX = 65536 };

enum revtun_agent_retry {
    REVTUN_AGENT_RETRY_NEVER,
    REVTUN_AGENT_RETRY_LOST, // once it has served: what never worked needs a person
    REVTUN_AGENT_RETRY_ALWAYS,
};

struct revtun_agent_config {
    enum revtun_agent_retry retry;
    uint32_t connection_max; // reverse connections at a time; at least 1
};

enum revtun_agent_state {
    REVTUN_AGENT_WAITING,
    REVTUN_AGENT_CONNECTING,
    REVTUN_AGENT_GREETING,
    REVTUN_AGENT_SERVING,
    REVTUN_AGENT_CLOSING,
    REVTUN_AGENT_STOPPED,
};

// Why a control connection has ended.
enum revtun_agent_why {
    REVTUN_AGENT_LOST,    // revtun_agent_down() came by itself: the caller knows why
    REVTUN_AGENT_FULL,    // the relay has no pair of ports left
    REVTUN_AGENT_SILENT,  // it has not said in time where it listens
    REVTUN_AGENT_STRANGE, // what it says is no address, or no line: this is no relay
};

enum revtun_agent_command_type {
    REVTUN_AGENT_ABANDON, // dials that are not connected yet: they are for nobody any more
    REVTUN_AGENT_STOP,    // it is over, see `why`
    REVTUN_AGENT_WAIT,    // it is going to connect again, in `wait_ns`; see `why`
    REVTUN_AGENT_CLOSE,   // the control connection; revtun_agent_down() is to follow
    REVTUN_AGENT_CONNECT, // to the relay; revtun_agent_up() or _down() is to follow
    REVTUN_AGENT_PUBLISH, // clients can connect to `address`
    REVTUN_AGENT_CROWDED, // clients wait, since there are as many connections as may be; told once
    REVTUN_AGENT_DIAL,    // `address`, for a client; revtun_agent_ended() is to follow
};

struct revtun_agent_command {
    enum revtun_agent_command_type type;
    enum revtun_agent_why why;
    uint64_t wait_ns;
    struct revtun_line_address address; // borrowed until the next event
};

// Where one of the relay's ports is.
struct revtun_agent_place {
    bool is_known;
    uint8_t text_len;
    uint16_t port;
    uint8_t text[REVTUN_CONFIG_HOST_MAX]; // the host
};

struct revtun_agent {
    struct revtun_agent_config config;
    enum revtun_agent_state state;
    enum revtun_agent_why why; // of CLOSING, and of the last end
    uint32_t pending;          // a bit for each type of command that is to be taken
    bool has_served;
    bool is_crowded_told; // of this control connection
    uint32_t connection_count;
    uint32_t owed_count;     // announcements that are still to be dialled
    uint64_t interval_ns;    // of the last wait, without the chance in it; 0: there was none
    uint64_t wait_ns;        // of this one
    uint64_t deadline_ns;    // of WAITING and GREETING
    uint64_t served_from_ns; // of SERVING
    struct revtun_agent_place public;
    struct revtun_agent_place reverse;
    struct revtun_stream stream;
};

// The first command is REVTUN_AGENT_CONNECT.
void revtun_agent_init(struct revtun_agent *agent, const struct revtun_agent_config *config);

// The control connection is there, and the relay's certificate is good.
void revtun_agent_up(struct revtun_agent *agent, uint64_t now_ns);
// Bytes came there.
void revtun_agent_read(struct revtun_agent *agent, uint64_t now_ns, struct bytes bytes);
// It has ended, or could not be made. `random`: any number, each as likely as the other.
void revtun_agent_down(struct revtun_agent *agent, uint64_t now_ns, uint32_t random);
// A connection that was to be dialled has ended, or could not be made.
void revtun_agent_ended(struct revtun_agent *agent);

void revtun_agent_tick(struct revtun_agent *agent, uint64_t now_ns);
uint64_t revtun_agent_deadline(const struct revtun_agent *agent);

// False, with *out untouched, when there is nothing to do.
MUST_USE bool revtun_agent_take(struct revtun_agent *agent, struct revtun_agent_command *out);
