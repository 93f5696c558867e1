// SPDX-License-Identifier: Apache-2.0
// A TLS connection that is open, without a loop: its owner reads and writes when the socket is
// ready, as he does with one that has no TLS.
//
// It is taken out of an io_tls, and may be taken to another thread. As long as nothing is read and
// nothing waits to be written, it holds no buffers.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/macro.h"
#include "io/io_tls.h"

enum io_tls_channel_outcome {
    IO_TLS_CHANNEL_DONE,
    IO_TLS_CHANNEL_WAITS, // until the socket is ready, whatever for: TLS may write so as to read
    IO_TLS_CHANNEL_ENDED, // of reading: the other side has said so (close_notify)
    IO_TLS_CHANNEL_LOST,  // it was cut, or reset, or what came is wrong
};

struct io_tls_channel;

// Takes the connection out of an open one of which nothing waits to be sent; `tls` has ended then,
// without a call of `ended`. NULL: no memory; all is as before.
MUST_USE struct io_tls_channel *io_tls_channel_take(struct io_tls *tls);
// Closes it without a word of TLS; or resets it, so that the other side loses what it has not read.
// Nothing happens to NULL.
void io_tls_channel_close(struct io_tls_channel *channel);
void io_tls_channel_reset(struct io_tls_channel *channel);

// Its socket, to be watched; it belongs to the channel.
int io_tls_channel_fd(const struct io_tls_channel *channel);

// Reads as much as has come, up to `room` bytes; *got is set in any case. DONE with nothing: there
// may be more, but others have their turn. What has come before ENDED and LOST is read first.
enum io_tls_channel_outcome io_tls_channel_read(struct io_tls_channel *channel, uint8_t *buffer,
                                                size_t room, size_t *got);
// How many bytes were taken off the socket and not read; the system does not tell of them again.
size_t io_tls_channel_pending(const struct io_tls_channel *channel);

// Writes all (DONE), or the first *put bytes of it. After WAITS the rest, or what begins with it,
// is to be written next. *put is set in any case.
enum io_tls_channel_outcome io_tls_channel_write(struct io_tls_channel *channel, struct bytes bytes,
                                                 size_t *put);
// Says that nothing more is written (close_notify): DONE, WAITS for another call, LOST.
enum io_tls_channel_outcome io_tls_channel_shut(struct io_tls_channel *channel);

// Of what was lost: -errno, or -EPROTO for what is not of the system, such as an end without
// close_notify.
int io_tls_channel_error(const struct io_tls_channel *channel);
