// SPDX-License-Identifier: Apache-2.0
// Datagrams that wait until a turn is over, so that those of one flow leave together.
//
// A flow is a socket, a destination, a source and the fields of the IP header. What is put for a
// flow leaves in its order. Datagrams of one length, of which the last may be shorter, leave as one
// train (io_udp_send_train()), what does not fit begins the next. Where the system refuses a train,
// its datagrams leave one by one, and the next IO_UDP_OUTBOX_REST trains of that length to that
// destination do so at once.
//
// Between flows there is no order: that of a datagram put first may leave last.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "io/io_udp.h"

enum {
    IO_UDP_OUTBOX_HEAD_MAX = 56,      // bytes of a head
    IO_UDP_OUTBOX_MESSAGE_MAX = 1024, // that wait; one more sends them all
    IO_UDP_OUTBOX_FLOW_MAX = 512,
    // Bytes of a train. With the headers of Ethernet, VLAN, IPv6 and UDP it stays below 65,536,
    // more than which no device takes at once.
    IO_UDP_OUTBOX_TRAIN_LEN_MAX = 65400,
    IO_UDP_OUTBOX_REST = 256, // trains that are not tried after one was refused
};

// Of these datagrams, with `to` and `udp` as they were put, the system sent none: `error` as
// io_udp_send() returns it.
typedef void (*io_udp_outbox_unsent_fn)(void *context, const struct io_udp *udp,
                                        const struct addr *to, uint32_t count, int error);

struct io_udp_outbox {
    io_udp_outbox_unsent_fn unsent; // set by the caller, after opening
    void *context;
    uint32_t message_count; // that wait
    uint32_t flow_count;    // that have a train waiting
    struct io_udp_outbox_memory *memory;
};

// Gets the memory, less than 256 KiB. 0 or -ENOMEM.
MUST_USE int io_udp_outbox_open(struct io_udp_outbox *outbox);
// What waits is forgotten. Closing twice does nothing.
void io_udp_outbox_close(struct io_udp_outbox *outbox);

// Takes a datagram as io_udp_send() does. Head, addresses and fields are copied; the socket and the
// payload are borrowed until the next flush. It may send what waits, this one included.
void io_udp_outbox_put(struct io_udp_outbox *outbox, struct io_udp *udp,
                       const struct io_udp_message *message);
// Sends all that waits.
void io_udp_outbox_flush(struct io_udp_outbox *outbox);
