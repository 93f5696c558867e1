// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_end.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "io/io_tls_bio.h"
#include "io/io_tls_certificate.h"

#define NAME(kind, name) [IO_TLS_END_##kind] = (name),
static const char *const names[] = {IO_TLS_END_KINDS(NAME)};
#undef NAME
_Static_assert(COUNT_OF(names) == IO_TLS_END_KIND_COUNT, "each kind has a name");

const char *io_tls_end_name(enum io_tls_end_kind kind)
{
    assert(kind < IO_TLS_END_KIND_COUNT);
    return names[kind];
}

void io_tls_end_set(struct io_tls_end *end, enum io_tls_end_kind kind, const char *format, ...)
{
    va_list arguments;

    end->kind = kind;
    va_start(arguments, format);
    const int len = vsnprintf(end->text, sizeof(end->text), format, arguments);
    va_end(arguments);
    assert(len >= 0);
}

void io_tls_end_of_system(struct io_tls_end *end, int error)
{
    assert(error > 0);
    end->error = error;
    io_tls_end_set(end, IO_TLS_END_SYSTEM, "%s%s", strerror(error),
                   end->was_open ? "" : ", in the handshake");
}

// --- certificates --------------------------------------------------------------------------------

static void set_time(struct io_tls_end *end, const struct io_tls_certificate *certificate)
{
    const int64_t now_s = time(NULL);
    const bool is_over = now_s > certificate->to_s;
    char date[IO_TLS_CERTIFICATE_TIME_MAX + 1];
    char today[IO_TLS_CERTIFICATE_TIME_MAX + 1];

    io_tls_certificate_time(is_over ? certificate->to_s : certificate->from_s, date);
    io_tls_certificate_time(now_s, today);
    io_tls_end_set(end, IO_TLS_END_CERTIFICATE_TIME,
                   "the certificate of '%s' %s %s; this machine's clock says %s",
                   io_tls_certificate_label(certificate),
                   is_over ? "expired at" : "is not valid before", date, today);
}

static void set_host(struct io_tls_end *end, const struct io_tls_certificate *certificate,
                     const char *host)
{
    char list[IO_TLS_END_TEXT_MAX + 1] = "";
    size_t len = 0;

    for (const char *name = io_tls_certificate_next(certificate, NULL);
         name != NULL && len < sizeof(list); name = io_tls_certificate_next(certificate, name)) {
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len > 0 ? ", " : "", name);
    }
    if (len == 0) {
        io_tls_end_set(end, IO_TLS_END_WRONG_HOST,
                       "the certificate of '%s' names no host (subjectAltName), and is not for %s",
                       io_tls_certificate_label(certificate), host);
    } else {
        io_tls_end_set(end, IO_TLS_END_WRONG_HOST, "the certificate is not for %s but for %s", host,
                       list);
    }
}

void io_tls_end_of_certificate(struct io_tls_end *end, struct x509_store_ctx_st *store,
                               const char *host)
{
    const int error = X509_STORE_CTX_get_error(store);
    const X509 *x509 = X509_STORE_CTX_get_current_cert(store);
    struct io_tls_certificate certificate;

    io_tls_certificate_read(x509 != NULL ? x509 : X509_STORE_CTX_get0_cert(store), &certificate);
    const char *label = io_tls_certificate_label(&certificate);
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        set_time(end, &certificate);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        set_host(end, &certificate, host != NULL ? host : "this host");
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        io_tls_end_set(end, IO_TLS_END_UNKNOWN_CA,
                       "the certificate of '%s' is signed by itself, and not trusted here", label);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        io_tls_end_set(end, IO_TLS_END_UNKNOWN_CA,
                       "the certificate of '%s' is signed by '%s', which is not trusted here",
                       label, certificate.issuer_name);
        break;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        io_tls_end_set(end, IO_TLS_END_UNKNOWN_CA,
                       "the certificate of '%s' is not signed by the '%s' that is trusted here, "
                       "but by another of that name",
                       label, certificate.issuer_name);
        break;
    default:
        io_tls_end_set(end, IO_TLS_END_BAD_CERTIFICATE, "the certificate of '%s' is refused: %s",
                       label, X509_verify_cert_error_string(error));
        break;
    }
}

// --- other failures ------------------------------------------------------------------------------

// Quotes what came instead of TLS: an HTTP request, an SSH banner, a text of a relay.
static void set_not_tls(struct io_tls_end *end, struct io_tls_bio *stream)
{
    uint8_t quoted[IO_TLS_BIO_FIRST_MAX + 1];

    io_tls_bio_peek(stream);
    for (size_t i = 0; i < stream->first_len; i++) {
        const uint8_t byte = stream->first[i];
        quoted[i] = byte >= ' ' && byte <= '~' ? byte : '.';
    }
    quoted[stream->first_len] = '\0';
    io_tls_end_set(end, IO_TLS_END_NOT_TLS, "what came is not TLS; it begins with \"%s\"",
                   (const char *)quoted);
}

// What the other side means by its alert (RFC 8446 section 6.2), as far as there is more to say
// than its name.
static const char *alert_words(uint8_t alert)
{
    switch (alert) {
    case SSL_AD_HANDSHAKE_FAILURE:
        return "handshake failure: it may want a certificate, or another cipher";
    case SSL_AD_BAD_CERTIFICATE:
        return "it finds our certificate bad";
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
        return "it takes no certificates of this kind, or for this use";
    case SSL_AD_CERTIFICATE_REVOKED:
        return "our certificate is revoked";
    case SSL_AD_CERTIFICATE_EXPIRED:
        return "our certificate has expired, or its clock is wrong";
    case SSL_AD_CERTIFICATE_UNKNOWN:
        return "it does not accept our certificate";
    case SSL_AD_UNKNOWN_CA:
        return "it does not trust the CA of our certificate";
    case SSL_AD_ACCESS_DENIED:
        return "access denied";
    case SSL_AD_PROTOCOL_VERSION:
        return "it speaks no version of TLS that we do";
    case SSL_AD_UNRECOGNIZED_NAME:
        return "it does not know the host name";
    case TLS13_AD_CERTIFICATE_REQUIRED:
        return "it wants a certificate, and got none";
    case SSL_AD_NO_APPLICATION_PROTOCOL:
        return "it speaks no protocol (ALPN) that we do";
    default:
        return SSL_alert_desc_string_long(alert);
    }
}

// `reason` is libssl's, or 0: then the words are for `code`.
static void set_reason(struct io_tls_end *end, int reason, unsigned long code)
{
    const char *words = code != 0 ? ERR_reason_error_string(code) : NULL;

    switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        io_tls_end_set(end, IO_TLS_END_NO_CERTIFICATE, "the other side showed no certificate");
        break;
    case SSL_R_EXCESSIVE_MESSAGE_SIZE:
        io_tls_end_set(end, IO_TLS_END_BROKEN,
                       "a message of the handshake is too long: a certificate of more than 16 kB?");
        break;
    case SSL_R_NO_APPLICATION_PROTOCOL:
        io_tls_end_set(end, IO_TLS_END_PROTOCOL,
                       "the other side offered no protocol (ALPN) that is spoken here");
        break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_VERSION_TOO_HIGH:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_INAPPROPRIATE_FALLBACK:
        io_tls_end_set(end, IO_TLS_END_VERSION,
                       "the other side speaks no version of TLS that is spoken here");
        break;
    default:
        io_tls_end_set(end, IO_TLS_END_BROKEN, "TLS went wrong: %s",
                       words != NULL ? words : "OpenSSL does not tell why");
        break;
    }
}

static void set_error(struct io_tls_end *end, unsigned long code)
{
    const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;

    if (reason > SSL_AD_REASON_OFFSET) {
        end->alert = (uint8_t)(reason - SSL_AD_REASON_OFFSET);
        io_tls_end_set(end, IO_TLS_END_ALERT, "the other side refused: %s (alert %u)",
                       alert_words(end->alert), end->alert);
    } else {
        set_reason(end, reason, code);
    }
}

void io_tls_end_of_error(struct io_tls_end *end, unsigned long code)
{
    const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;

    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG) {
        io_tls_end_set(end, IO_TLS_END_NOT_TLS, "what came is not TLS, but plain HTTP perhaps");
    } else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        io_tls_end_set(end, IO_TLS_END_CUT,
                       "the other side closed the connection in the handshake");
    } else {
        set_error(end, code);
    }
}

void io_tls_end_of_failure(struct io_tls_end *end, struct io_tls_bio *stream)
{
    const unsigned long code = ERR_peek_error();
    const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;

    ERR_clear_error();
    if (!io_tls_bio_is_tls(stream)) {
        set_not_tls(end, stream);
    } else if (code == 0 && stream->error != 0) {
        io_tls_end_of_system(end, stream->error);
    } else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        io_tls_end_set(end, IO_TLS_END_CUT, "the other side closed the connection %s",
                       end->was_open            ? "without saying so in TLS"
                       : stream->first_len == 0 ? "before the handshake"
                                                : "in the middle of the handshake");
    } else {
        set_error(end, code);
    }
}
