// SPDX-License-Identifier: Apache-2.0
// What `fairlead-tunnel top` is told (daemon_sample.h): gauges, and of each server of version 1 and
// each tunnel of an agent of version 2
//
//      server NUMBER{8} ADDR                      the fields of a row, in their order
//      tunnel NUMBER{11} ADDR OWNER NAME HOSTS    likewise
//
#pragma once

#include "daemon/daemon_sample.h"

enum { TUNNEL_SAMPLE_LINE_MAX = 768 }; // bytes of the longest line

enum tunnel_sample_kind {
    TUNNEL_SAMPLE_SERVER,
    TUNNEL_SAMPLE_TUNNEL,
    TUNNEL_SAMPLE_KINDS,
};

// The numbers of a row.
enum tunnel_sample_number {
    TUNNEL_SAMPLE_PORT,     // public; 0: a tunnel that has hosts, or has ended
    TUNNEL_SAMPLE_LINKED_S, // Unix time; with kind, port and texts it tells this from all others
    TUNNEL_SAMPLE_AGE_S,    // since then
    TUNNEL_SAMPLE_SESSIONS, // now
    TUNNEL_SAMPLE_WAITING,  // clients
    TUNNEL_SAMPLE_ENDED,    // sessions
    TUNNEL_SAMPLE_FROM_CLIENTS, // bytes of all its sessions
    TUNNEL_SAMPLE_TO_CLIENTS,
    TUNNEL_SAMPLE_SERVER_NUMBERS,
    // Of a tunnel alone:
    TUNNEL_SAMPLE_STANDING = TUNNEL_SAMPLE_SERVER_NUMBERS, // of its control connection
    TUNNEL_SAMPLE_IS_KEPT,                                 // 1: its control connection is lost
    TUNNEL_SAMPLE_GRACE_MS, // how long it is kept yet; 0 unless it is
    TUNNEL_SAMPLE_TUNNEL_NUMBERS,
};

// The texts of a row. A server has the first one alone.
enum tunnel_sample_text {
    TUNNEL_SAMPLE_ADDR,  // of the control connection; "none" if a tunnel has none now
    TUNNEL_SAMPLE_OWNER, // the agent, as the access list names it
    TUNNEL_SAMPLE_NAME,
    TUNNEL_SAMPLE_HOSTS, // "-" if it has none; a long list is cut off, and ends with ",..."
    TUNNEL_SAMPLE_TEXTS,
};

extern const struct daemon_sample_kind tunnel_sample_kinds[TUNNEL_SAMPLE_KINDS];
