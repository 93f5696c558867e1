// SPDX-License-Identifier: Apache-2.0
// The world in which a conversation is held: sockets and time, lent by whoever starts it.
//
// A program lends UDP sockets and its clock, a test lends a server in memory and a clock that
// jumps. All that a conversation does to the outside goes through these functions.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/now.h"

struct talk_datagram {
    uint32_t socket; // at which it came in
    struct addr from;
    struct bytes bytes; // borrowed until the next call of the world
};

struct talk_world {
    void *self; // first argument of all functions

    // Opens a UDP socket for datagrams to and from `remote`'s family; at address `at` (port 0) or,
    // when that is ADDR_NONE, at the one from which `remote` is reached. False when there is none:
    // this host has no such address. `out_local` is where it is bound.
    bool (*open)(void *self, const struct addr *at, const struct addr *remote, uint32_t *out_socket,
                 struct addr *out_local);
    void (*close)(void *self, uint32_t socket);
    // Sends one datagram; that the system does not take it is like a loss.
    void (*send)(void *self, uint32_t socket, const struct addr *to, struct bytes datagram);
    // Waits for the next datagram at any open socket. False when none has come by `until_ns`,
    // monotonic; what has come already is handed out even if that is past.
    bool (*receive)(void *self, uint64_t until_ns, struct talk_datagram *out);
    struct now (*now)(void *self);
};
