// SPDX-License-Identifier: Apache-2.0
// A connected stream of bytes, to be handed from one owner to another: a socket, or TLS over one.
#pragma once

#include <stdbool.h>

#include "io/io_tls_channel.h"

struct io_stream {
    int fd;                     // -1: there is none
    struct io_tls_channel *tls; // NULL: plain; else fd is its
};

#define IO_STREAM_NONE ((struct io_stream){.fd = -1})

static inline struct io_stream io_stream_plain(int fd)
{
    return (struct io_stream){.fd = fd};
}

static inline struct io_stream io_stream_sealed(struct io_tls_channel *channel)
{
    return (struct io_stream){.fd = io_tls_channel_fd(channel), .tls = channel};
}

static inline bool io_stream_is_there(const struct io_stream *stream)
{
    return stream->fd >= 0;
}

// Hands it out; there is none any more.
static inline struct io_stream io_stream_take(struct io_stream *stream)
{
    const struct io_stream taken = *stream;

    *stream = IO_STREAM_NONE;
    return taken;
}

// Closes it, or resets it so that what is on its way is lost. There is none any more; nothing
// happens if there was none before.
void io_stream_close(struct io_stream *stream);
void io_stream_reset(struct io_stream *stream);
