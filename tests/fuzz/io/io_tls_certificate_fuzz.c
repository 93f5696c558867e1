// SPDX-License-Identifier: Apache-2.0
// A certificate of a stranger, in DER.
#include "fuzz/fuzz.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "io/io_tls_certificate.h"

static void assert_clean(const char *name)
{
    struct bytes text = bytes_of_text(name);

    assert(text.len <= IO_TLS_CERTIFICATE_NAME_MAX);
    while (text.len > 0) {
        const size_t len = utf8_len(text);

        assert(len > 0);
        assert(!utf8_is_control(bytes_first(text, len)));
        text = bytes_from(text, len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const unsigned char *der = data;
    X509 *x509 = d2i_X509(NULL, &der, (long)size);
    struct io_tls_certificate read;
    char text[IO_TLS_CERTIFICATE_TIME_MAX + 1];
    uint32_t count = 0;

    ERR_clear_error();
    if (x509 == NULL) {
        return 0;
    }
    io_tls_certificate_read(x509, &read);
    assert_clean(read.common_name);
    assert_clean(read.issuer_name);
    for (const char *name = io_tls_certificate_next(&read, NULL); name != NULL;
         name = io_tls_certificate_next(&read, name)) {
        assert(name[0] != '\0');
        assert_clean(name);
        count++;
    }
    assert(count == read.name_count);
    assert(io_tls_certificate_label(&read)[0] != '\0');
    io_tls_certificate_time(read.from_s, text);
    assert(strlen(text) > 0);
    X509_free(x509);
    return 0;
}
