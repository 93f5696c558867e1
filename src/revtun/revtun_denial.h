// SPDX-License-Identifier: Apache-2.0
// Why a bind is refused: the code and the words that its agent is told, which the log repeats, and
// the counter that it is counted by.
#pragma once

#include "base/bytes.h"
#include "revtun/revtun_message.h"

// X(NAME, counter behind "binds_refused_", code, whose value it is about or NULL, what it counts)
#define REVTUN_DENIALS(X)                                                                          \
    X(NAME, name, DENIED, "name", "the agent may not have the name")                               \
    X(PORT, port, DENIED, "port", "the agent may not have the port")                               \
    X(HOST, host, DENIED, "hosts", "the agent may not have the host")                              \
    X(NAME_TAKEN, name_taken, NAME_TAKEN, NULL, "another process of the agent has the name")       \
    X(PORT_TAKEN, port_taken, PORT_TAKEN, NULL, "the port is another agent's")                     \
    X(HOST_TAKEN, host_taken, HOST_TAKEN, NULL, "the host is another tunnel's")                    \
    X(NO_PORT, no_port, NO_PORT, NULL, "no port is left that the agent may have")                  \
    X(TUNNELS, tunnels, QUOTA, NULL, "the agent has as many tunnels as it may")                    \
    X(HOSTS, hosts, QUOTA, NULL, "the agent has as many hosts as it may")                          \
    X(PACE, pace, BUSY, NULL, "the agent asks too often")                                          \
    X(ENDED, ended, BUSY, NULL, "too many ended tunnels of the agent have clients")                \
    X(ROOM, room, BUSY, NULL, "the relay has no room")                                             \
    X(UNSUPPORTED, unsupported, UNSUPPORTED, NULL, "the relay has no shared port")

enum revtun_denial_kind {
    REVTUN_DENIAL_NONE, // it is granted
#define REVTUN_DENIAL_NAME_OF(NAME, name, code, key, words) REVTUN_DENIAL_##NAME,
    REVTUN_DENIALS(REVTUN_DENIAL_NAME_OF)
#undef REVTUN_DENIAL_NAME_OF
        REVTUN_DENIAL_END,
};

enum { REVTUN_DENIAL_TEXT_MAX = 256 }; // bytes, as the protocol has it

struct revtun_denial {
    enum revtun_denial_kind kind;
    uint64_t retry_s;   // it may help to ask again after so many seconds; 0: it does not
    struct bytes given; // the name or the host that it is about; or empty
    uint64_t number;    // the port, or how many it may have
};

enum revtun_message_code revtun_denial_code(enum revtun_denial_kind kind);
// The key of the field that it is about, or NULL.
const char *revtun_denial_key(enum revtun_denial_kind kind);
// Writes what is refused and why, as words for people: up to REVTUN_DENIAL_TEXT_MAX bytes.
void revtun_denial_write(struct wr *wr, const struct revtun_denial *denial);
