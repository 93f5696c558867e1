// SPDX-License-Identifier: Apache-2.0
// Which address of a host to connect to: of several, the one that answers first.
//
// All are tried at the same time, so that a family that leads nowhere here costs nothing. The
// connections are closed again: whoever makes the real one may be unable to take one over.
#pragma once

#include <stdint.h>

#include "base/macro.h"

struct addrinfo;

enum {
    WEB_RACE_ADDRESS_LEN = 64, // bytes of an address as text, its scope and its terminator
    WEB_RACE_MAX = 8,          // addresses that are looked at: the first ones of the resolver
};

enum web_race_outcome {
    WEB_RACE_WON,
    WEB_RACE_UNKNOWN,     // the name has no address
    WEB_RACE_UNRESOLVED,  // no name server says whether it has
    WEB_RACE_REFUSED,     // some have refused the connection, and no route leads to the others
    WEB_RACE_UNREACHABLE, // no route leads to any
    WEB_RACE_SILENT,      // none has accepted a connection in time
};

// Looks the name up, which takes as long as the system's resolver does, and has its addresses race
// for up to `timeout_ms`. One that is alone has won.
MUST_USE enum web_race_outcome web_race_run(const char *name, uint16_t port, int timeout_ms,
                                            char out[WEB_RACE_ADDRESS_LEN]);

// The race itself, of at least one address. Not _UNKNOWN or _UNRESOLVED.
MUST_USE enum web_race_outcome web_race_among(const struct addrinfo *list, int timeout_ms,
                                              char out[WEB_RACE_ADDRESS_LEN]);

// The race of one address alone, as it is written in numbers: why nobody could connect to it.
MUST_USE enum web_race_outcome web_race_try(const char *address, uint16_t port, int timeout_ms);
