// SPDX-License-Identifier: Apache-2.0
// Sockets that share one address and port (SO_REUSEPORT): each datagram comes to one of them.
//
// The first one is opened by io_udp_open() without is_shared, so that nobody else has the port, and
// founds the group; the others are opened with is_shared. They are numbered in the order of their
// opening, from 0. Nobody but this process's user can join, and another process of that user that
// founds a group, too, is refused.
#pragma once

#include <stddef.h>

#include "base/addr.h"
#include "base/macro.h"
#include "io/io_udp.h"

struct sock_filter;

// Whether the address can be had alone just now: 0, or what io_udp_open() says. Somebody may take
// it the moment after.
MUST_USE int io_udp_group_probe(const struct addr *local);

// Lets others join a socket that has its address alone. 0 or -errno.
MUST_USE int io_udp_group_found(const struct io_udp *udp);

// Has a program of classic BPF say who receives a datagram: it returns the number of a socket. Data
// begins behind the UDP header; headers are reached by SKF_NET_OFF. For a number that nobody has
// the kernel chooses by a hash of its own, as it does without a program. It takes no right. Given
// to one socket it holds for all of its group, the later ones too. -EINVAL: no such program, or
// nobody has joined yet.
MUST_USE int io_udp_group_steer(const struct io_udp *udp, const struct sock_filter *program,
                                size_t program_len);
