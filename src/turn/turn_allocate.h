// SPDX-License-Identifier: Apache-2.0
// Answers the Allocate request (RFC 8656 section 7.2).
//
//      turn_allocate() --OPEN--> turn_allocate_opened() --OPEN for the second family--> ...
//                                        |  a port is refused: close, rest, --OPEN another--> ...
//                                        '- all families are bound: success
#pragma once

#include <stdint.h>

#include "base/now.h"
#include "base/pool.h"
#include "stun/stun_error.h"
#include "turn/turn_ports.h"
#include "turn/turn_request.h"
#include "turn/turn_server.h"

enum { TURN_ALLOCATE_TRIES = 8 }; // ports that the system may refuse before the client gets 508

// The one allocation whose sockets are being bound, between TURN_COMMAND_OPEN and
// turn_server_opened(). The ports are taken, and belong to it meanwhile.
struct turn_allocate_opening {
    bool is_open;
    bool is_reserved;          // the port came from a reservation: there is no other
    uint8_t families;          // to bind: TURN_ALLOCATION_IP4 and _IP6
    uint8_t family;            // enum addr_family, of the socket that is being bound
    uint32_t allocation;       // index
    uint32_t lifetime_s;       // to be granted
    uint32_t tries;            // ports that the system refused so far
    enum turn_ports_wish wish; // what port to take if it refuses this one
    uint16_t port;
    uint32_t reservation;  // the place of the one that it is to have, or POOL_NONE
    struct bytes username; // borrowed from the request's datagram, for the report
    struct turn_response_to to;
};

// STUN_ERROR_NONE when it has answered, or when it has ordered a socket, whose opening it answers.
MUST_USE enum stun_error_code turn_allocate(struct turn_server *server,
                                            const struct turn_request *request);

// Goes on when it is known whether the system gives the port.
void turn_allocate_opened(struct turn_server *server, struct now now, enum turn_opened opened);
