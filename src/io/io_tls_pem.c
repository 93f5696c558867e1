// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_tls_pem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_fd.h"

// What is in a file, or the caller's text.
struct content {
    struct bytes text;
    uint8_t *memory; // of a file
    bool is_exposed;
};

bool io_tls_pem_is_given(const struct io_tls_pem *pem)
{
    return pem->path != NULL || pem->text.ptr != NULL;
}

const char *io_tls_pem_name(const struct io_tls_pem *pem)
{
    return pem->path != NULL ? pem->path : "the PEM text";
}

// It may have been a key.
static void forget(struct content *content)
{
    OPENSSL_clear_free(content->memory, IO_TLS_PEM_MAX + 1);
    content->memory = NULL;
}

static int system_error(const struct io_tls_pem *pem, int error, struct io_tls_error *words)
{
    io_tls_error_set(words, "%s: %s", io_tls_pem_name(pem), strerror(error));
    return -error;
}

// Reads up to one byte more than there may be.
static int read_all(int fd, uint8_t *memory, size_t *len)
{
    while (*len <= IO_TLS_PEM_MAX) {
        const ssize_t got = read(fd, memory + *len, IO_TLS_PEM_MAX + 1 - *len);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? errno : 0;
        }
        *len += (size_t)got;
    }
    return EFBIG;
}

// Only regular files have an end that comes without waiting for it: a pipe would hold up who reads
// it, and some devices have none. 0, or an errno.
static int open_file(const struct io_tls_pem *pem, int *fd, struct stat *status)
{
    *fd = open(pem->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return *fd < 0 || fstat(*fd, status) != 0 ? errno : 0;
}

static int load_file(const struct io_tls_pem *pem, struct content *out, struct io_tls_error *words)
{
    struct content content = {.memory = NULL};
    struct stat status = {.st_mode = 0};
    IO_FD_AUTO int fd = -1;
    int error = open_file(pem, &fd, &status);

    if (error == 0 && S_ISDIR(status.st_mode)) {
        error = EISDIR;
    }
    if (error != 0) {
        return system_error(pem, error, words);
    }
    if (!S_ISREG(status.st_mode)) {
        io_tls_error_set(words, "%s: is no regular file", io_tls_pem_name(pem));
        return -EINVAL;
    }
    content.is_exposed = (status.st_mode & 0006) != 0;
    content.memory = OPENSSL_malloc(IO_TLS_PEM_MAX + 1);
    if (content.memory == NULL) {
        return system_error(pem, ENOMEM, words);
    }
    content.text.ptr = content.memory;
    error = read_all(fd, content.memory, &content.text.len);
    if (error != 0) {
        forget(&content);
        return system_error(pem, error, words);
    }
    *out = content;
    return 0;
}

static int load(const struct io_tls_pem *pem, struct content *out, struct io_tls_error *words)
{
    assert(io_tls_pem_is_given(pem));
    if (pem->text.ptr == NULL) {
        return load_file(pem, out, words);
    }
    if (pem->text.len > IO_TLS_PEM_MAX) {
        return system_error(pem, EFBIG, words);
    }
    *out = (struct content){.text = pem->text};
    return 0;
}

// OpenSSL asks for a passphrase by this, and at the terminal without it.
// NOLINTNEXTLINE(readability-non-const-parameter): pem_password_cb
static int never_ask(char *buffer, int size, int is_writing, void *was_asked)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    *(bool *)was_asked = true;
    return -1;
}

static bool is_end_of_pem(void)
{
    const unsigned long code = ERR_peek_last_error();

    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static int parse_certificates(const char *name, BIO *bio, STACK_OF(X509) * certificates,
                              struct io_tls_error *words)
{
    bool was_asked = false;

    for (;;) {
        ERR_clear_error();
        X509 *certificate = PEM_read_bio_X509(bio, NULL, never_ask, &was_asked);

        if (certificate == NULL) {
            break;
        }
        if (sk_X509_push(certificates, certificate) == 0) {
            X509_free(certificate);
            io_tls_error_set(words, "%s: %s", name, strerror(ENOMEM));
            return -ENOMEM;
        }
    }
    if (!is_end_of_pem()) {
        io_tls_error_set(words, "%s: certificate %d cannot be read: %s", name,
                         sk_X509_num(certificates) + 1, io_tls_error_reason());
        return -EBADMSG;
    }
    ERR_clear_error();
    if (sk_X509_num(certificates) == 0) {
        io_tls_error_set(words, "%s: holds no certificate (-----BEGIN CERTIFICATE-----)", name);
        return -EBADMSG;
    }
    return 0;
}

int io_tls_pem_certificates(const struct io_tls_pem *pem, struct stack_st_X509 **out,
                            struct io_tls_error *error)
{
    struct content content = {.memory = NULL};
    int result = load(pem, &content, error);

    if (result != 0) {
        return result;
    }
    BIO *bio = BIO_new_mem_buf(content.text.ptr, (int)content.text.len);
    STACK_OF(X509) *certificates = sk_X509_new_null();
    if (bio == NULL || certificates == NULL) {
        result = system_error(pem, ENOMEM, error);
    } else {
        result = parse_certificates(io_tls_pem_name(pem), bio, certificates, error);
    }
    if (result == 0) {
        *out = certificates;
    } else {
        io_tls_pem_free(certificates);
    }
    BIO_free(bio);
    forget(&content);
    return result;
}

void io_tls_pem_free(struct stack_st_X509 *certificates)
{
    sk_X509_pop_free(certificates, X509_free);
}

static int parse_key(const char *name, struct bytes text, EVP_PKEY **out,
                     struct io_tls_error *words)
{
    static const char mark[] = "PRIVATE KEY-----"; // of each of its forms
    bool was_asked = false;

    if (text.len == 0 || memmem(text.ptr, text.len, mark, sizeof(mark) - 1) == NULL) {
        io_tls_error_set(words, "%s: holds no private key (-----BEGIN PRIVATE KEY-----)", name);
        return -EBADMSG;
    }
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    EVP_PKEY *key = NULL;

    ERR_clear_error();
    if (bio != NULL) {
        key = PEM_read_bio_PrivateKey(bio, NULL, never_ask, &was_asked);
        BIO_free(bio);
    }
    if (key != NULL) {
        ERR_clear_error(); // of the forms that it is not
        *out = key;
        return 0;
    }
    if (was_asked) {
        io_tls_error_set(words,
                         "%s: the key is encrypted, and nobody is asked for its passphrase "
                         "(openssl pkey -in FILE -out NEW writes it without)",
                         name);
    } else {
        io_tls_error_set(words, "%s: the private key cannot be read: %s", name,
                         io_tls_error_reason());
    }
    ERR_clear_error();
    return -EBADMSG;
}

int io_tls_pem_key(const struct io_tls_pem *pem, struct evp_pkey_st **out, bool *is_exposed,
                   struct io_tls_error *error)
{
    struct content content = {.memory = NULL};
    int result = load(pem, &content, error);

    if (result == 0) {
        result = parse_key(io_tls_pem_name(pem), content.text, out, error);
        if (result == 0) {
            *is_exposed = content.is_exposed;
        }
        forget(&content);
    }
    return result;
}
