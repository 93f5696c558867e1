// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_session.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

const char *io_tls_session_version(const struct io_tls *tls)
{
    return SSL_get_version(tls->ssl);
}

const char *io_tls_session_cipher(const struct io_tls *tls)
{
    return SSL_get_cipher_name(tls->ssl);
}

struct bytes io_tls_session_alpn(const struct io_tls *tls)
{
    const unsigned char *name = NULL;
    unsigned int len = 0;

    SSL_get0_alpn_selected(tls->ssl, &name, &len);
    return (struct bytes){name, len};
}

bool io_tls_session_certificate(const struct io_tls *tls, struct io_tls_certificate *out)
{
    const X509 *x509 = SSL_get0_peer_certificate(tls->ssl);

    if (x509 != NULL) {
        io_tls_certificate_read(x509, out);
    }
    return x509 != NULL;
}

int io_tls_session_export(const struct io_tls *tls, const char *label, struct bytes context,
                          uint8_t *out, size_t len)
{
    if (SSL_version(tls->ssl) < TLS1_3_VERSION) {
        return -EPROTO;
    }
    const int result = SSL_export_keying_material(tls->ssl, out, len, label, strlen(label),
                                                  context.ptr, context.len, 1);
    ERR_clear_error();
    return result == 1 ? 0 : -ENOMEM;
}
