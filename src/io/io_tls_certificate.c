// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_certificate.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/utf8.h"

static void read_common_name(const X509_NAME *name, char out[IO_TLS_CERTIFICATE_NAME_MAX + 1])
{
    const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *text = NULL;

    if (index < 0) {
        return;
    }
    const int len =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
    if (len >= 0) {
        const struct bytes value = {text, (size_t)len};

        if (value.len <= IO_TLS_CERTIFICATE_NAME_MAX && utf8_is_printable(value)) {
            memcpy(out, value.ptr, value.len);
            out[value.len] = '\0';
        }
        OPENSSL_free(text);
    }
}

static void add_name(struct io_tls_certificate *out, struct bytes name)
{
    if (name.len == 0 || name.len > IO_TLS_CERTIFICATE_NAME_MAX || !utf8_is_printable(name) ||
        name.len + 1 > IO_TLS_CERTIFICATE_NAMES_MAX - out->names_len) {
        return;
    }
    memcpy(out->names + out->names_len, name.ptr, name.len);
    out->names[out->names_len + name.len] = '\0';
    out->names_len += name.len + 1;
    out->name_count++;
}

static void add_address(struct io_tls_certificate *out, struct bytes address)
{
    char text[INET6_ADDRSTRLEN];
    const int family = address.len == sizeof(struct in_addr) ? AF_INET : AF_INET6;

    if ((family == AF_INET || address.len == sizeof(struct in6_addr)) &&
        inet_ntop(family, address.ptr, text, sizeof(text)) != NULL) {
        add_name(out, bytes_of_text(text));
    }
}

static void read_names(const X509 *x509, struct io_tls_certificate *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) { // -1 of NULL
        int type = 0;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

        if (type == GEN_DNS || type == GEN_IPADD) {
            const struct bytes name = {ASN1_STRING_get0_data(value),
                                       (size_t)ASN1_STRING_length(value)};

            (type == GEN_DNS ? add_name : add_address)(out, name);
        }
    }
    GENERAL_NAMES_free(names);
}

static int64_t time_of(const ASN1_TIME *time)
{
    struct tm broken;

    return ASN1_TIME_to_tm(time, &broken) == 1 ? timegm(&broken) : 0;
}

void io_tls_certificate_read(const struct x509_st *x509, struct io_tls_certificate *out)
{
    *out = (struct io_tls_certificate){
        .from_s = time_of(X509_get0_notBefore(x509)),
        .to_s = time_of(X509_get0_notAfter(x509)),
    };
    read_common_name(X509_get_subject_name(x509), out->common_name);
    read_common_name(X509_get_issuer_name(x509), out->issuer_name);
    read_names(x509, out);
    io_tls_certificate_pin(x509, out->pin);
}

void io_tls_certificate_pin(const struct x509_st *x509, uint8_t out[IO_TLS_CERTIFICATE_PIN_LEN])
{
    unsigned char *der = NULL;
    const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
    // What was parsed can be written again, and SHA-256 is always there.
    const int is_done = len > 0 ? EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL) : 0;

    assert(is_done == 1);
    OPENSSL_free(der);
}

const char *io_tls_certificate_label(const struct io_tls_certificate *certificate)
{
    if (certificate->common_name[0] != '\0') {
        return certificate->common_name;
    }
    return certificate->name_count > 0 ? certificate->names : "(no name)";
}

const char *io_tls_certificate_next(const struct io_tls_certificate *certificate, const char *last)
{
    const char *next = last == NULL ? certificate->names : last + strlen(last) + 1;

    return next < certificate->names + certificate->names_len ? next : NULL;
}

void io_tls_certificate_time(int64_t unix_s, char out[IO_TLS_CERTIFICATE_TIME_MAX + 1])
{
    const time_t time = unix_s;
    struct tm broken;

    if (gmtime_r(&time, &broken) == NULL ||
        strftime(out, IO_TLS_CERTIFICATE_TIME_MAX + 1, "%Y-%m-%d %H:%M:%S UTC", &broken) == 0) {
        // Farther away than a calendar reaches.
        IGNORE(snprintf(out, IO_TLS_CERTIFICATE_TIME_MAX + 1, "%" PRId64, unix_s));
    }
}
