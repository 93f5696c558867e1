// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_context.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/io_tls_bio.h"
#include "io/io_tls_verify.h"

enum {
    // Bytes of certificates that the other side may send, which are four of RSA with 4096 bits and
    // long names at least. A stranger can make us hold them; OpenSSL's own limit is 100 KiB.
    CHAIN_MAX = 16 * 1024,
    CHAIN_DEPTH_MAX = 9, // intermediate CAs
};

// Of TLS 1.2. TLS 1.3 has no others.
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct protocol {
    uint8_t name[IO_TLS_PROTOCOL_NAME_MAX];
    uint8_t name_len;
    enum io_tls_version least;
    enum io_tls_ask ask;
};

struct io_tls_context {
    atomic_uint user_count; // the opener, and each connection
    enum io_tls_role role;
    enum io_tls_version least;
    enum io_tls_ask ask;
    bool has_certificate;
    struct io_tls_certificate certificate;
    SSL_CTX *ssl;
    BIO_METHOD *bio_method;
    size_t protocol_count;
    struct protocol protocols[IO_TLS_PROTOCOL_MAX];
};

static int version_number(enum io_tls_version version)
{
    return version == IO_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
}

static int verify_mode(enum io_tls_ask ask)
{
    switch (ask) {
    case IO_TLS_ASK_NONE:
        return SSL_VERIFY_NONE;
    case IO_TLS_ASK_CERTIFICATE:
        return SSL_VERIFY_PEER;
    case IO_TLS_NEED_CERTIFICATE:
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    assert(!"no such thing to ask");
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

// --- ALPN ----------------------------------------------------------------------------------------

static bool offers(struct bytes offered, const struct protocol *protocol)
{
    struct rd rd = rd_init(offered); // well-formed: OpenSSL has looked

    while (!rd_is_done(&rd) && rd_ok(&rd)) {
        const struct bytes name = rd_bytes(&rd, rd_u8(&rd));

        if (bytes_equal(name, (struct bytes){protocol->name, protocol->name_len})) {
            return true;
        }
    }
    return false;
}

// Takes the best protocol that the client offers and this version of TLS is enough for, and asks of
// the client what that protocol wants.
static int choose(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                  const unsigned char *offered, unsigned int offered_len, void *argument)
{
    const struct io_tls_context *context = argument;

    for (size_t i = 0; i < context->protocol_count; i++) {
        const struct protocol *protocol = &context->protocols[i];

        if (SSL_version(ssl) >= version_number(protocol->least) &&
            offers((struct bytes){offered, offered_len}, protocol)) {
            SSL_set_verify(ssl, verify_mode(protocol->ask), NULL);
            *out = protocol->name;
            *out_len = protocol->name_len;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL; // no_application_protocol
}

static bool set_protocols(struct io_tls_context *context, const struct io_tls_settings *settings)
{
    uint8_t memory[IO_TLS_PROTOCOL_MAX * (1 + IO_TLS_PROTOCOL_NAME_MAX)];
    struct wr wr = wr_init(memory, sizeof(memory));

    assert(settings->protocol_count <= IO_TLS_PROTOCOL_MAX);
    for (size_t i = 0; i < settings->protocol_count; i++) {
        const struct io_tls_protocol *from = &settings->protocols[i];
        struct protocol *to = &context->protocols[i];
        const struct bytes name = bytes_of_text(from->name);

        assert(name.len >= 1);
        assert(name.len <= IO_TLS_PROTOCOL_NAME_MAX);
        *to = (struct protocol){
            .name_len = (uint8_t)name.len, .least = from->least, .ask = from->ask};
        memcpy(to->name, name.ptr, name.len);
        wr_u8(&wr, to->name_len);
        wr_bytes(&wr, name);
    }
    context->protocol_count = settings->protocol_count;
    assert(wr_ok(&wr));
    if (context->protocol_count == 0) {
        return true;
    }
    if (context->role == IO_TLS_SERVER) {
        SSL_CTX_set_alpn_select_cb(context->ssl, choose, context);
        return true;
    }
    const struct bytes list = wr_done(&wr);
    return SSL_CTX_set_alpn_protos(context->ssl, list.ptr, (unsigned int)list.len) == 0;
}

// --- certificates --------------------------------------------------------------------------------

// The first certificate is our own, those behind it are sent along.
static int use_chain(struct io_tls_context *context, const struct io_tls_pem *pem,
                     STACK_OF(X509) * chain, struct io_tls_error *error)
{
    const X509 *own = sk_X509_value(chain, 0);

    if (SSL_CTX_use_certificate(context->ssl, sk_X509_value(chain, 0)) != 1) {
        io_tls_error_set(error, "%s: this certificate cannot be used: %s", io_tls_pem_name(pem),
                         io_tls_error_reason());
        return -EBADMSG;
    }
    for (int i = 1; i < sk_X509_num(chain); i++) {
        if (SSL_CTX_add1_chain_cert(context->ssl, sk_X509_value(chain, i)) != 1) {
            io_tls_error_set(error, "%s: certificate %d cannot be used: %s", io_tls_pem_name(pem),
                             i + 1, io_tls_error_reason());
            return -EBADMSG;
        }
    }
    io_tls_certificate_read(own, &context->certificate);
    context->has_certificate = true;
    return 0;
}

static int use_key(struct io_tls_context *context, const struct io_tls_settings *settings,
                   bool *is_exposed, struct io_tls_error *error)
{
    EVP_PKEY *key = NULL;
    int result = io_tls_pem_key(&settings->key, &key, is_exposed, error);

    if (result != 0) {
        return result;
    }
    // It is held against the certificate, too.
    if (X509_check_private_key(SSL_CTX_get0_certificate(context->ssl), key) != 1) {
        ERR_clear_error();
        io_tls_error_set(error, "%s: is not the key of the certificate in %s",
                         io_tls_pem_name(&settings->key), io_tls_pem_name(&settings->certificate));
        result = -EBADMSG;
    } else if (SSL_CTX_use_PrivateKey(context->ssl, key) != 1) {
        io_tls_error_set(error, "%s: this key cannot be used: %s", io_tls_pem_name(&settings->key),
                         io_tls_error_reason());
        result = -EBADMSG;
    }
    EVP_PKEY_free(key);
    return result;
}

static void warn(const struct io_tls_context *context, const struct io_tls_settings *settings,
                 bool is_exposed, struct io_tls_error *warning)
{
    const int64_t now_s = time(NULL);
    const bool is_over = now_s > context->certificate.to_s;
    char date[IO_TLS_CERTIFICATE_TIME_MAX + 1];

    if (is_exposed) {
        io_tls_error_set(warning, "%s: every user of this machine may read the key (chmod 600)",
                         io_tls_pem_name(&settings->key));
    } else if (is_over || now_s < context->certificate.from_s) {
        io_tls_certificate_time(is_over ? context->certificate.to_s : context->certificate.from_s,
                                date);
        io_tls_error_set(warning, "%s: the certificate %s %s, others will refuse it",
                         io_tls_pem_name(&settings->certificate),
                         is_over ? "expired at" : "is not valid before", date);
    }
}

static int set_own(struct io_tls_context *context, const struct io_tls_settings *settings,
                   struct io_tls_error *warning, struct io_tls_error *error)
{
    STACK_OF(X509) *chain = NULL;
    bool is_exposed = false;

    if (!io_tls_pem_is_given(&settings->certificate)) {
        return 0;
    }
    int result = io_tls_pem_certificates(&settings->certificate, &chain, error);
    if (result == 0) {
        result = use_chain(context, &settings->certificate, chain, error);
        io_tls_pem_free(chain);
    }
    if (result == 0) {
        result = use_key(context, settings, &is_exposed, error);
    }
    if (result == 0) {
        warn(context, settings, is_exposed, warning);
    }
    return result;
}

// Trusts them; a server tells their names to its clients besides, which may choose by them.
static int set_ca(struct io_tls_context *context, const struct io_tls_settings *settings,
                  struct io_tls_error *error)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl);
    STACK_OF(X509) *certificates = NULL;

    if (settings->trusts_system && SSL_CTX_set_default_verify_paths(context->ssl) != 1) {
        io_tls_error_set(error, "the system's CAs: %s", io_tls_error_reason());
        return -EBADMSG;
    }
    if (!io_tls_pem_is_given(&settings->ca)) {
        return 0;
    }
    int result = io_tls_pem_certificates(&settings->ca, &certificates, error);
    for (int i = 0; result == 0 && i < sk_X509_num(certificates); i++) {
        X509 *certificate = sk_X509_value(certificates, i);

        if (X509_STORE_add_cert(store, certificate) != 1 ||
            (context->role == IO_TLS_SERVER &&
             SSL_CTX_add_client_CA(context->ssl, certificate) != 1)) {
            io_tls_error_set(error, "%s: certificate %d cannot be used: %s",
                             io_tls_pem_name(&settings->ca), i + 1, io_tls_error_reason());
            result = -EBADMSG;
        }
    }
    io_tls_pem_free(certificates);
    return result;
}

// --- the context ---------------------------------------------------------------------------------

static bool set_options(struct io_tls_context *context)
{
    SSL_CTX *ssl = context->ssl;

    SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    // One record for each read, so that a turn of the loop has an end whatever comes.
    SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN |
                              SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_cert_verify_callback(ssl, io_tls_verify_callback, NULL);
    SSL_CTX_set_max_cert_list(ssl, CHAIN_MAX);
    SSL_CTX_set_verify_depth(ssl, CHAIN_DEPTH_MAX);
    SSL_CTX_set_verify(
        ssl, context->role == IO_TLS_CLIENT ? SSL_VERIFY_PEER : verify_mode(context->ask), NULL);
    return SSL_CTX_set_num_tickets(ssl, 0) == 1 && SSL_CTX_set_cipher_list(ssl, ciphers) == 1 &&
           SSL_CTX_set_min_proto_version(ssl, version_number(context->least)) == 1;
}

// A server that is to check certificates knows against what.
static void assert_settings(const struct io_tls_settings *settings)
{
    bool is_asking = settings->ask != IO_TLS_ASK_NONE;

    for (size_t i = 0; i < settings->protocol_count; i++) {
        is_asking |= settings->protocols[i].ask != IO_TLS_ASK_NONE;
    }
    if (settings->role == IO_TLS_SERVER) {
        assert(io_tls_pem_is_given(&settings->certificate));
        assert(!is_asking || io_tls_pem_is_given(&settings->ca));
        assert(!settings->trusts_system);
    }
    assert(io_tls_pem_is_given(&settings->certificate) == io_tls_pem_is_given(&settings->key));
}

static int fill(struct io_tls_context *context, const struct io_tls_settings *settings,
                struct io_tls_error *warning, struct io_tls_error *error)
{
    ERR_clear_error();
    context->bio_method = io_tls_bio_method_open();
    context->ssl =
        SSL_CTX_new(context->role == IO_TLS_SERVER ? TLS_server_method() : TLS_client_method());
    if (context->bio_method == NULL || context->ssl == NULL || !set_options(context) ||
        !set_protocols(context, settings)) {
        io_tls_error_set(error, "TLS cannot be had: %s", io_tls_error_reason());
        return -ENOMEM;
    }
    const int result = set_own(context, settings, warning, error);
    return result == 0 ? set_ca(context, settings, error) : result;
}

int io_tls_context_open(const struct io_tls_settings *settings, struct io_tls_context **out,
                        struct io_tls_error *warning, struct io_tls_error *error)
{
    assert_settings(settings);
    warning->text[0] = '\0';
    struct io_tls_context *context = calloc(1, sizeof(*context));
    if (context == NULL) {
        io_tls_error_set(error, "TLS cannot be had: %s", strerror(ENOMEM));
        return -ENOMEM;
    }
    atomic_init(&context->user_count, 1);
    context->role = settings->role;
    context->least = settings->least;
    context->ask = settings->ask;
    const int result = fill(context, settings, warning, error);
    if (result == 0) {
        *out = context;
    } else {
        io_tls_context_close(context);
    }
    return result;
}

void io_tls_context_close(struct io_tls_context *context)
{
    if (context != NULL && atomic_fetch_sub(&context->user_count, 1) == 1) {
        SSL_CTX_free(context->ssl);
        io_tls_bio_method_close(context->bio_method);
        free(context);
    }
}

const struct io_tls_certificate *io_tls_context_certificate(const struct io_tls_context *context)
{
    return context->has_certificate ? &context->certificate : NULL;
}

enum io_tls_role io_tls_context_role(const struct io_tls_context *context)
{
    return context->role;
}

struct ssl_st *io_tls_context_connection(struct io_tls_context *context, struct io_tls_bio *stream)
{
    SSL *ssl = SSL_new(context->ssl);
    BIO *bio = io_tls_bio_open(context->bio_method, stream);

    if (ssl == NULL || bio == NULL) {
        SSL_free(ssl);
        BIO_free(bio);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_bio(ssl, bio, bio); // both are one, and it is the connection's
    atomic_fetch_add(&context->user_count, 1);
    return ssl;
}
