// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_bio.h"

#include <assert.h>
#include <errno.h>
#include <openssl/bio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    // ContentType and the first byte of the version, of a TLS record's head
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_MAJOR = 3,
};

static bool is_try_again(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static void keep_first(struct io_tls_bio *stream, struct bytes came)
{
    const struct bytes some = bytes_first(came, sizeof(stream->first) - stream->first_len);

    if (some.len > 0) {
        memcpy(stream->first + stream->first_len, some.ptr, some.len);
        stream->first_len = (uint8_t)(stream->first_len + some.len);
    }
}

static int read_some(BIO *bio, char *buffer, size_t room, size_t *got)
{
    struct io_tls_bio *stream = BIO_get_data(bio);
    const ssize_t len = recv(stream->fd, buffer, room, 0);

    BIO_clear_retry_flags(bio);
    stream->is_dry = len <= 0;
    if (len > 0) {
        *got = (size_t)len;
        keep_first(stream, (struct bytes){(const uint8_t *)buffer, (size_t)len});
        return 1;
    }
    if (len == 0) {
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    } else if (is_try_again(errno)) {
        BIO_set_retry_read(bio);
    } else {
        stream->error = errno;
    }
    return 0;
}

static int write_some(BIO *bio, const char *buffer, size_t len, size_t *put)
{
    struct io_tls_bio *stream = BIO_get_data(bio);
    const ssize_t sent = send(stream->fd, buffer, len, MSG_NOSIGNAL);

    BIO_clear_retry_flags(bio);
    if (sent >= 0) {
        *put = (size_t)sent;
        return 1;
    }
    if (is_try_again(errno)) {
        BIO_set_retry_write(bio);
    } else {
        stream->error = errno;
    }
    return 0;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH: // nothing waits here
        return 1;
    case BIO_CTRL_EOF:
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    default:
        return 0;
    }
}

struct bio_method_st *io_tls_bio_method_open(void)
{
    // There are 128 numbers for kinds in all; nobody looks for this one by its number.
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_START | BIO_TYPE_SOURCE_SINK, "io_tls_bio");

    if (method != NULL && (BIO_meth_set_read_ex(method, read_some) != 1 ||
                           BIO_meth_set_write_ex(method, write_some) != 1 ||
                           BIO_meth_set_ctrl(method, control) != 1)) {
        BIO_meth_free(method);
        method = NULL;
    }
    return method;
}

void io_tls_bio_method_close(struct bio_method_st *method)
{
    BIO_meth_free(method);
}

struct bio_st *io_tls_bio_open(const struct bio_method_st *method, struct io_tls_bio *stream)
{
    BIO *bio = BIO_new(method);

    assert(stream->fd >= 0);
    if (bio != NULL) {
        BIO_set_data(bio, stream);
        BIO_set_init(bio, 1);
    }
    return bio;
}

void io_tls_bio_move(struct bio_st *bio, struct io_tls_bio *stream)
{
    BIO_set_data(bio, stream);
}

bool io_tls_bio_is_tls(const struct io_tls_bio *stream)
{
    return stream->first_len == 0 ||
           ((stream->first[0] == RECORD_HANDSHAKE || stream->first[0] == RECORD_ALERT) &&
            (stream->first_len == 1 || stream->first[1] == RECORD_MAJOR));
}

void io_tls_bio_peek(struct io_tls_bio *stream)
{
    uint8_t next[IO_TLS_BIO_FIRST_MAX];
    const ssize_t len = recv(stream->fd, next, sizeof(next), MSG_PEEK | MSG_DONTWAIT);

    if (len > 0) {
        keep_first(stream, (struct bytes){next, (size_t)len});
    }
}
