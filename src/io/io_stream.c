// SPDX-License-Identifier: Apache-2.0
#include "io/io_stream.h"

#include "io/io_fd.h"
#include "io/io_tcp.h"

void io_stream_close(struct io_stream *stream)
{
    struct io_stream taken = io_stream_take(stream);

    if (taken.tls != NULL) {
        io_tls_channel_close(taken.tls);
    } else {
        io_fd_close(&taken.fd);
    }
}

void io_stream_reset(struct io_stream *stream)
{
    struct io_stream taken = io_stream_take(stream);

    if (taken.tls != NULL) {
        io_tls_channel_reset(taken.tls);
    } else {
        io_tcp_reset(&taken.fd);
    }
}
