// SPDX-License-Identifier: Apache-2.0
// A stream socket as OpenSSL reads and writes it (a BIO).
//
// OpenSSL's own kind raises SIGPIPE, and does not remember how a stream began, by which one tells
// what is not TLS at all.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/macro.h"

enum { IO_TLS_BIO_FIRST_MAX = 16 }; // bytes

struct bio_st;
struct bio_method_st;

// In the caller's memory; it does not move while there is a BIO over it.
struct io_tls_bio {
    int fd;      // borrowed
    int error;   // errno of the read or write that failed last, 0 before
    bool is_dry; // the last read found nothing
    uint8_t first_len;
    uint8_t first[IO_TLS_BIO_FIRST_MAX]; // how what came begins
};

// How such BIOs work; it outlives them. NULL: no memory.
MUST_USE struct bio_method_st *io_tls_bio_method_open(void);
void io_tls_bio_method_close(struct bio_method_st *method);

// A BIO over `stream`, whose fd is set and the rest zero. NULL: no memory.
MUST_USE struct bio_st *io_tls_bio_open(const struct bio_method_st *method,
                                        struct io_tls_bio *stream);

// From now on it reads and writes that one.
void io_tls_bio_move(struct bio_st *bio, struct io_tls_bio *stream);

// Whether what came can be the beginning of TLS: a record with a handshake or an alert (RFC 8446
// section 5.1). True as long as nothing has come.
bool io_tls_bio_is_tls(const struct io_tls_bio *stream);

// Adds to `first` what has come and was not read yet, which stays there; for words about it.
void io_tls_bio_peek(struct io_tls_bio *stream);
