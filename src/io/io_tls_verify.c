// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_verify.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/addr.h"
#include "base/bytes.h"

static bool set_host(SSL *ssl, const struct io_tls_wanted *wanted)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    struct addr address;

    if (addr_read(bytes_of_text(wanted->host), &address)) {
        return !wanted->checks_host || X509_VERIFY_PARAM_set1_ip_asc(param, wanted->host) == 1;
    }
    if (wanted->checks_host) {
        // RFC 9525 sections 6.2 and 6.3
        X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                                   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (X509_VERIFY_PARAM_set1_host(param, wanted->host, 0) != 1) {
            return false;
        }
    }
    return SSL_set_tlsext_host_name(ssl, wanted->host) == 1;
}

int io_tls_verify_init(struct io_tls_verify *verify, struct ssl_st *ssl,
                       const struct io_tls_wanted *wanted, struct io_tls_end *end)
{
    *verify = (struct io_tls_verify){.end = end};
    if (SSL_set_app_data(ssl, verify) != 1) {
        return -ENOMEM;
    }
    if (wanted == NULL) {
        return 0;
    }
    assert(!wanted->checks_host || wanted->host != NULL);
    if (wanted->pin != NULL) {
        verify->has_pin = true;
        memcpy(verify->pin, wanted->pin, sizeof(verify->pin));
    }
    if (wanted->host != NULL && !set_host(ssl, wanted)) {
        ERR_clear_error();
        return -EINVAL;
    }
    return 0;
}

static bool is_pinned(const struct io_tls_verify *verify, const X509 *x509)
{
    uint8_t pin[IO_TLS_CERTIFICATE_PIN_LEN];
    uint8_t text[2 * sizeof(pin) + 1];
    struct wr wr = wr_init(text, sizeof(text));

    io_tls_certificate_pin(x509, pin);
    if (memcmp(pin, verify->pin, sizeof(pin)) == 0) { // it is public
        return true;
    }
    wr_hex(&wr, (struct bytes){pin, sizeof(pin)});
    wr_u8(&wr, '\0');
    assert(wr_ok(&wr));
    io_tls_end_set(verify->end, IO_TLS_END_WRONG_PIN,
                   "the certificate is not of the pinned key, but of one whose pin is %s",
                   (const char *)text);
    return false;
}

static void set_reason(const struct io_tls_verify *verify, X509_STORE_CTX *store)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);
    const char *host = X509_VERIFY_PARAM_get0_host(param, 0);
    char *address = X509_VERIFY_PARAM_get1_ip_asc(param);

    io_tls_end_of_certificate(verify->end, store, host != NULL ? host : address);
    OPENSSL_free(address);
}

int io_tls_verify_callback(struct x509_store_ctx_st *store, void *unused)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct io_tls_verify *verify = SSL_get_app_data(ssl);
    bool is_good = false;

    (void)unused;
    if (verify->has_pin) {
        is_good = is_pinned(verify, X509_STORE_CTX_get0_cert(store));
        X509_STORE_CTX_set_error(store, is_good ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
    } else {
        is_good = X509_verify_cert(store) == 1;
        if (!is_good) {
            set_reason(verify, store);
        }
    }
    verify->has_failed = !is_good;
    return is_good;
}
