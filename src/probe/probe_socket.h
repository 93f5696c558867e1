// SPDX-License-Identifier: Apache-2.0
// Sockets of the load: they send trains in one call, and count what they receive without taking it.
//
// A sink has a filter that refuses each datagram with a mark in its payload; the kernel counts what
// a filter refuses, datagram by datagram, and that count is read. So a received packet costs no
// system call, no copy and no wake-up, and none is lost for want of room. All else is received.
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"

// Opens a UDP socket that does not block, bound to an address (port 0: any), and connected to
// `remote` unless that is NULL. -errno.
MUST_USE int probe_socket_open(const struct addr *local, const struct addr *remote, int *out);

// The address at which a socket is bound.
MUST_USE int probe_socket_local(int fd, struct addr *out);

// Refuses from now on what has the mark `at` bytes behind the UDP header, 4 bytes in network order.
MUST_USE int probe_socket_count(int fd, uint32_t at, uint32_t mark);
// Refuses all datagrams.
MUST_USE int probe_socket_refuse(int fd);
// What the socket has refused since it was opened; it wraps.
MUST_USE int probe_socket_refused(int fd, uint32_t *out);

// Has the kernel say when each datagram came in (SCM_TIMESTAMPNS).
MUST_USE int probe_socket_stamp(int fd);

enum { PROBE_SOCKET_CONTROL_LEN = CMSG_SPACE(sizeof(uint16_t)) };

// Prepares a message to send as datagrams of `segment_len` bytes: `control` is its memory.
void probe_socket_cut(struct msghdr *message, uint8_t control[PROBE_SOCKET_CONTROL_LEN],
                      uint16_t segment_len);
