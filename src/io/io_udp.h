// SPDX-License-Identifier: Apache-2.0
// A bound, non-blocking UDP socket of one address family. It is received from by io_udp_batch.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/addr.h"
#include "base/bytes.h"

enum { IO_UDP_PADDING_MAX = 3 }; // bytes: what brings ChannelData to a multiple of four

struct io_udp_options {
    struct addr local;    // port 0: the kernel chooses one; the IP may be unspecified
    bool has_destination; // learn each datagram's destination, if `local` is unspecified
    bool has_ip_fields;   // learn each datagram's TTL and TOS, or what IPv6 calls them
    bool has_errors;      // keep ICMP errors, as io_udp_error.h says
    bool has_trains;      // take datagrams of one length in trains, if the kernel can
    bool is_shared;       // one of several at this address, as io_udp_group.h says
    // Bytes wanted: as far as the system's limit allows, if this process may not pass it; 0:
    // default
    uint32_t receive_buffer_len;
    uint32_t send_buffer_len; // likewise
};

// A train that the system refused, as io_udp_outbox.h keeps it in mind.
struct io_udp_refusal {
    struct addr to;
    uint32_t segment_len;
    uint32_t rest; // trains of this length or longer that are not tried; 0: none was refused
};

struct io_udp {
    int fd;
    struct addr local; // as bound: never port 0
    bool is_df;        // the socket sends with DF (IPv4) or without fragmenting (IPv6) now
    bool has_errors;   // as opened
    uint32_t receive_buffer_len; // bytes that the system gave
    // What the kernel has dropped at this socket since it was opened, for want of room in its
    // receive buffer, as far as a received datagram has told. It begins anew at 2^32.
    uint32_t drop_count;
    uint32_t arrival_len; // bytes of what arrives, on a moving average; trains count as one
    struct io_udp_refusal refusal;
};

// Opens and binds. IPv6 sockets take no IPv4; no other socket has the address (no SO_REUSEADDR)
// unless both say is_shared.
// -EADDRINUSE: the port is taken. -EADDRNOTAVAIL: the address is not this host's.
// -EACCES: a privileged port. -EMFILE or -ENFILE: no descriptors left. -EAFNOSUPPORT: no such
// family here. *out is untouched unless 0.
MUST_USE int io_udp_open(const struct io_udp_options *options, struct io_udp *out);
// Closing twice does nothing.
void io_udp_close(struct io_udp *udp);

// A datagram to send: head, payload and padding go out behind one another, without being copied.
struct io_udp_message {
    const struct addr *to;
    const struct addr *from; // source IP on a wildcard socket; NULL: the kernel chooses
    uint32_t scope;          // of the datagram that it answers, else 0
    bool is_df;              // set DF; never fragment
    uint8_t ttl;             // IPv4's TTL or IPv6's hop limit; 0: the host's default
    uint8_t tos;             // IPv4's TOS or IPv6's traffic class: DSCP and, in the low bits, ECN
    struct bytes head;
    struct bytes payload;
    uint32_t padding_len; // zero bytes behind, up to IO_UDP_PADDING_MAX
};

// Sends one datagram. All that can come back is for the caller to count, none is fatal:
// -EAGAIN: the send buffer is full. -ENOBUFS: the device's queue is. -ENETUNREACH, -EHOSTUNREACH:
// no way there. -EPERM: a firewall. -EACCES: a broadcast address. -EMSGSIZE: too long for one
// datagram, or for the link with DF. -EINVAL: `to` has port 0, or the families differ. `from` that
// is not this host's: -EINVAL or -ENETUNREACH, by kernel and family. An ICMP error of an earlier
// datagram, which the system tells here with one of these numbers or with -ECONNREFUSED and the
// like, costs no datagram on a socket that has_errors: it is sent at the next of a few tries.
MUST_USE int io_udp_send(struct io_udp *udp, const struct io_udp_message *message);

// A span as a piece of what sendmsg(2) sends.
struct iovec io_udp_part(struct bytes span);

// Many payloads to send as datagrams of their own by one system call (UDP_SEGMENT of udp(7)): what
// `parts` hold is cut into datagrams of segment_len bytes, of which the last may be shorter.
struct io_udp_train {
    struct iovec *parts; // the bytes, which lie in up to UIO_MAXIOV pieces
    size_t part_count;
    uint16_t segment_len;
};

enum { IO_UDP_TRAIN_MAX = 64 }; // datagrams: what kernels before 6.9 send at once

// Sends a train: to whom and how says `message`, whose head, payload and padding are not used.
// -errno as io_udp_send(), for all of it. -EINVAL, -EMSGSIZE or -EIO besides, if the kernel does
// not send trains, not such long segments by this way (a train is never fragmented), or not by this
// device: one by one they may be sent.
MUST_USE int io_udp_send_train(struct io_udp *udp, const struct io_udp_message *message,
                               const struct io_udp_train *train);
