// SPDX-License-Identifier: Apache-2.0
// The ICMP errors that came back for datagrams which a socket that has_errors has sent.
//
// They wait in a queue of the socket, beside its datagrams, and its watch is told IO_ERROR until
// the queue is empty; the level-triggered loop spins if nobody empties it. So its callback does
//
//     take the datagrams by io_udp_batch_receive(), whatever the events;
//     if (events & IO_ERROR) {
//         uint32_t count = 0;
//         while (count < IO_UDP_ERROR_TURN_MAX && io_udp_error_read(udp, &error)) {
//             count++;
//             use the error;
//         }
//         if (count == IO_UDP_ERROR_TURN_MAX) {
//             io_udp_error_clear(udp);
//         }
//     }
//
// Data come first, and a flood of ICMP costs a turn no more than IO_UDP_ERROR_TURN_MAX reads. The
// clearing is not optional: the queue counts against the receive buffer, so that what is left in it
// takes the room of datagrams. ICMP may be lost on any way, so nobody may rely on it anyway.
//
// An error need not be true. The kernel finds the socket by what the ICMP message quotes and looks
// no further, so whoever knows or guesses the socket's port can make up an error of any peer.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "io/io_udp.h"

enum { IO_UDP_ERROR_TURN_MAX = 32 }; // errors to read in one turn, half a batch of datagrams

enum io_udp_error_origin {
    IO_UDP_ERROR_LOCAL, // this host refused to send, and io_udp_send() has returned it already
    IO_UDP_ERROR_ICMP4,
    IO_UDP_ERROR_ICMP6,
};

struct io_udp_error {
    struct addr peer; // where the datagram went; port 0 only if IO_UDP_ERROR_LOCAL
    uint32_t scope;   // the interface, if `peer` is link-local
    enum io_udp_error_origin origin;
    int error;    // errno's number for it
    uint8_t type; // of the ICMP message, any that the kernel tells; 0 if IO_UDP_ERROR_LOCAL
    uint8_t code; // likewise
    // Bytes of an IP packet that would have passed, when the packet was too big: ICMPv4 type 3 code
    // 4 (where old routers say 0), ICMPv6 type 2, or EMSGSIZE of this host. Else 0.
    uint32_t mtu;
};

// Takes one error from the queue, without waiting. False, with *out untouched, when it is empty.
// Entries that tell of no datagram to a peer are passed over.
MUST_USE bool io_udp_error_read(const struct io_udp *udp, struct io_udp_error *out);

// Throws away all that is in the queue and the error that waits at the socket for it, in a few
// system calls, however many there are.
void io_udp_error_clear(const struct io_udp *udp);
