// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_channel.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "io/io_fd.h"
#include "io/io_tcp.h"

enum { ROUND_MAX = 8 }; // calls of OpenSSL for one of ours

struct io_tls_channel {
    struct io_tls_bio stream;
    struct ssl_st *ssl;
    struct io_tls_context *shared;
};

struct io_tls_channel *io_tls_channel_take(struct io_tls *tls)
{
    struct io_tls_channel *channel = calloc(1, sizeof *channel);

    assert(io_tls_is_open(tls));
    assert(io_tls_queued(tls) == 0);
    if (channel != NULL) {
        io_tls_give(tls, &channel->stream, &channel->ssl, &channel->shared);
    }
    return channel;
}

static void release(struct io_tls_channel *channel)
{
    SSL_free(channel->ssl);
    io_tls_context_close(channel->shared);
    free(channel);
}

void io_tls_channel_close(struct io_tls_channel *channel)
{
    if (channel != NULL) {
        io_fd_close(&channel->stream.fd);
        release(channel);
    }
}

void io_tls_channel_reset(struct io_tls_channel *channel)
{
    if (channel != NULL) {
        io_tcp_reset(&channel->stream.fd);
        release(channel);
    }
}

int io_tls_channel_fd(const struct io_tls_channel *channel)
{
    return channel->stream.fd;
}

// Why a call of OpenSSL did nothing. DONE: for no reason that lasts.
static enum io_tls_channel_outcome judge(struct io_tls_channel *channel, int result)
{
    switch (SSL_get_error(channel->ssl, result)) {
    case SSL_ERROR_WANT_READ: // or a message of TLS's own has come
        return channel->stream.is_dry ? IO_TLS_CHANNEL_WAITS : IO_TLS_CHANNEL_DONE;
    case SSL_ERROR_WANT_WRITE:
        return IO_TLS_CHANNEL_WAITS;
    case SSL_ERROR_ZERO_RETURN:
        return IO_TLS_CHANNEL_ENDED;
    default:
        ERR_clear_error();
        return IO_TLS_CHANNEL_LOST;
    }
}

enum io_tls_channel_outcome io_tls_channel_read(struct io_tls_channel *channel, uint8_t *buffer,
                                                size_t room, size_t *got)
{
    enum io_tls_channel_outcome outcome = IO_TLS_CHANNEL_DONE;

    assert(room > 0);
    *got = 0;
    for (int i = 0; i < ROUND_MAX && *got < room && outcome == IO_TLS_CHANNEL_DONE; i++) {
        size_t len = 0;

        ERR_clear_error();
        const int result = SSL_read_ex(channel->ssl, buffer + *got, room - *got, &len);
        *got += len;
        outcome = result == 1 ? IO_TLS_CHANNEL_DONE : judge(channel, result);
    }
    // Whatever it is, it is met again by the next call.
    return *got > 0 ? IO_TLS_CHANNEL_DONE : outcome;
}

size_t io_tls_channel_pending(const struct io_tls_channel *channel)
{
    return (size_t)SSL_pending(channel->ssl);
}

enum io_tls_channel_outcome io_tls_channel_write(struct io_tls_channel *channel, struct bytes bytes,
                                                 size_t *put)
{
    *put = 0;
    while (*put < bytes.len) {
        size_t len = 0;

        ERR_clear_error();
        const int result = SSL_write_ex(channel->ssl, bytes.ptr + *put, bytes.len - *put, &len);
        *put += len;
        if (result != 1) {
            const enum io_tls_channel_outcome outcome = judge(channel, result);
            return outcome == IO_TLS_CHANNEL_WAITS ? outcome : IO_TLS_CHANNEL_LOST;
        }
    }
    return IO_TLS_CHANNEL_DONE;
}

enum io_tls_channel_outcome io_tls_channel_shut(struct io_tls_channel *channel)
{
    ERR_clear_error();
    const int result = SSL_shutdown(channel->ssl);

    if (result >= 0) { // 0: the other side has not said so yet
        return IO_TLS_CHANNEL_DONE;
    }
    const enum io_tls_channel_outcome outcome = judge(channel, result);
    return outcome == IO_TLS_CHANNEL_WAITS ? outcome : IO_TLS_CHANNEL_LOST;
}

int io_tls_channel_error(const struct io_tls_channel *channel)
{
    return channel->stream.error != 0 ? -channel->stream.error : -EPROTO;
}
