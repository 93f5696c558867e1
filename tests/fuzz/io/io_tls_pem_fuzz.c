// SPDX-License-Identifier: Apache-2.0
// Certificates and keys as PEM, of which nothing is ever asked at the terminal.
#include "fuzz/fuzz.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "io/io_tls_pem.h"

static void assert_words(const struct io_tls_error *error)
{
    assert(strncmp(error->text, "the PEM text: ", 14) == 0);
    assert(strchr(error->text, '\n') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    // An empty text is a text, too.
    const struct io_tls_pem pem = {.text = {data != NULL ? data : (const uint8_t *)"", size}};
    struct io_tls_error error = {""};
    STACK_OF(X509) *certificates = NULL;
    EVP_PKEY *key = NULL;
    bool is_exposed = true;

    if (io_tls_pem_certificates(&pem, &certificates, &error) == 0) {
        assert(sk_X509_num(certificates) > 0);
        io_tls_pem_free(certificates);
    } else {
        assert(certificates == NULL);
        assert_words(&error);
    }
    assert(ERR_peek_error() == 0);
    if (io_tls_pem_key(&pem, &key, &is_exposed, &error) == 0) {
        assert(key != NULL);
        assert(!is_exposed);
        EVP_PKEY_free(key);
    } else {
        assert(key == NULL);
        assert_words(&error);
    }
    assert(ERR_peek_error() == 0);
    return 0;
}
