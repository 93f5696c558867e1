// SPDX-License-Identifier: Apache-2.0
// Certificates and keys out of PEM (RFC 7468), from files or from memory.
//
// Nothing is ever asked at the terminal: an encrypted key is an error. Failures are -errno with
// words that begin with the file's path: as of open(2) and read(2), -EISDIR, -EINVAL for what is
// no regular file, which might be waited for, -EFBIG beyond IO_TLS_PEM_MAX, -EBADMSG when the
// content is not what it should be, -ENOMEM.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "io/io_tls_error.h"

enum { IO_TLS_PEM_MAX = 1 << 20 }; // bytes; a system's list of CAs has 220,000

struct io_tls_pem {
    const char *path;  // of the file; with a text: only what errors call it. NULL: there is none
    struct bytes text; // when its ptr is not NULL this is taken, and no file is read
};

struct evp_pkey_st;
struct stack_st_X509;

bool io_tls_pem_is_given(const struct io_tls_pem *pem);
// What errors call it.
const char *io_tls_pem_name(const struct io_tls_pem *pem);

// All the certificates in it, one at least, in their order. The caller frees them, by
// io_tls_pem_free().
MUST_USE int io_tls_pem_certificates(const struct io_tls_pem *pem, struct stack_st_X509 **out,
                                     struct io_tls_error *error);
// Frees certificates; nothing happens to NULL.
void io_tls_pem_free(struct stack_st_X509 *certificates);

// The first private key in it. *is_exposed: it is a file that users who are neither its owner nor
// of its group may read or write.
MUST_USE int io_tls_pem_key(const struct io_tls_pem *pem, struct evp_pkey_st **out,
                            bool *is_exposed, struct io_tls_error *error);
