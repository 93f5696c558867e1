// SPDX-License-Identifier: Apache-2.0
// TCP sockets: listening, connecting, and the ways to end one.
//
// All of them are non-blocking and closed on exec, send at once what they are given (TCP_NODELAY),
// and find out within 44 s that their peer is gone (keepalive). Accepted ones have the options of
// their listener, which costs no system call.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macro.h"

enum {
    IO_TCP_KEEPALIVE_IDLE_S =
        20, // shorter than the time for which any NAT should remember (RFC 5382)
    IO_TCP_KEEPALIVE_INTERVAL_S = 8,
    IO_TCP_KEEPALIVE_COUNT = 3,
};

// The zero value leaves to the system what it can decide.
struct io_tcp_options {
    // Ends a connection (ETIMEDOUT) of which sent bytes are unacknowledged for so long; else that
    // takes the system 15 minutes. A peer that is there, but has not read for so long, counts as
    // well.
    uint32_t unacknowledged_ms;
    // Bytes received that the kernel holds at most. It is a limit of speed, too: what a window of
    // so many bytes brings in a round trip. The system's own limit begins low and grows as bytes
    // are read, so that what nobody reads is small without this.
    uint32_t receive_len;
    bool is_ip6_alone; // listening at an IPv6 address: takes no IPv4
    uint32_t backlog;  // listening: connections that wait to be accepted; 0: as many as may be
};

// Listens at an address, and writes to *bound the one with the port that the system chose if it was
// 0. An unspecified IPv6 address takes IPv4 too, unless the options say otherwise. -EADDRINUSE,
// -EADDRNOTAVAIL, -EACCES and the like as bind(2).
MUST_USE int io_tcp_listen(const struct addr *at, const struct io_tcp_options *options, int *out,
                           struct addr *bound);

// Takes a connection and says from where it comes, IPv4-mapped addresses as IPv4. -EAGAIN when
// there is none, others as accept(2).
MUST_USE int io_tcp_accept(int listen_fd, int *out, struct addr *from);
// An error of io_tcp_accept() that says what has happened to that connection only: the next one may
// be well. All others are about this process or system, which lacks something.
bool io_tcp_is_passing(int error);

// Begins to connect, from an address if it is not NULL. When *out is writable, or at once, ask
// io_tcp_error() how that has ended. What is known at once, such as -ENETUNREACH, is returned.
MUST_USE int io_tcp_connect(const struct addr *to, const struct addr *from,
                            const struct io_tcp_options *options, int *out);
// Gives a connection another unacknowledged_ms than its listener's; 0: what the system has. As
// setsockopt(2).
MUST_USE int io_tcp_set_unacknowledged(int fd, uint32_t unacknowledged_ms);
// The address of our end, IPv4-mapped ones as IPv4: where a client has connected to. As
// getsockname(2).
MUST_USE int io_tcp_local(int fd, struct addr *out);
// What has happened to the socket, as -errno, once; 0 when it is well, -EINPROGRESS while it is
// still connecting.
MUST_USE int io_tcp_error(int fd);

// Bytes that the peer has not acknowledged yet, or that have not been sent; 0 when that cannot be
// told.
size_t io_tcp_unacknowledged_len(int fd);

// Closes the socket, if it is one, by a reset: what is unsent is lost, and the peer is told that
// something is missing. Sets it to -1.
void io_tcp_reset(int *fd);
