// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_words.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// AlertDescriptions that are about our certificate (RFC 8446 section 6.2).
static bool is_about_certificate(uint8_t alert)
{
    enum { FIRST = 42, LAST = 46, UNKNOWN_CA = 48, ACCESS_DENIED = 49, REQUIRED = 116 };

    return (alert >= FIRST && alert <= LAST) || alert == UNKNOWN_CA || alert == ACCESS_DENIED ||
           alert == REQUIRED;
}

static void tell_alert(const struct tunnel_words_whom *whom, const struct io_tls_end *end,
                       char out[TUNNEL_WORDS_MAX])
{
    if (is_about_certificate(end->alert)) {
        snprintf(out, TUNNEL_WORDS_MAX,
                 "the %s at %s does not accept our certificate, %s/client.crt.pem (%s); it must be "
                 "signed by the CA that the %s knows, and be valid now",
                 whom->who, whom->where, whom->folder, end->text, whom->who);
    } else {
        snprintf(out, TUNNEL_WORDS_MAX, "the %s at %s refuses us: %s", whom->who, whom->where,
                 end->text);
    }
}

static void tell_cut(const struct tunnel_words_whom *whom, const struct io_tls_end *end,
                     char out[TUNNEL_WORDS_MAX])
{
    snprintf(out, TUNNEL_WORDS_MAX,
             end->was_open ? "the connection to the %s at %s was cut"
                           : "the %s at %s hung up before TLS was agreed upon; perhaps it is "
                             "something else, or it is too busy",
             whom->who, whom->where);
}

// Words about its certificate, and what to do.
static void tell_certificate(const struct tunnel_words_whom *whom, const struct io_tls_end *end,
                             const char *advice, char out[TUNNEL_WORDS_MAX])
{
    snprintf(out, TUNNEL_WORDS_MAX, "the certificate of the %s at %s is not good: %s; %s",
             whom->who, whom->where, end->text, advice);
}

static void tell_unknown_ca(const struct tunnel_words_whom *whom, const struct io_tls_end *end,
                            char out[TUNNEL_WORDS_MAX])
{
    snprintf(out, TUNNEL_WORDS_MAX,
             "the certificate of the %s at %s is not good: %s; %s/ca.crt.pem must be the CA that "
             "has signed it",
             whom->who, whom->where, end->text, whom->folder);
}

// Something else is there. A relay says in plain text that nobody serves.
static void tell_not_tls(const struct tunnel_words_whom *whom, const struct io_tls_end *end,
                         char out[TUNNEL_WORDS_MAX])
{
    if (strstr(end->text, "no controller li") != NULL) {
        snprintf(out, TUNNEL_WORDS_MAX,
                 "at %s there is a relay, and no %s at the moment: it says \"no controller "
                 "linked\"",
                 whom->where, whom->who);
    } else {
        snprintf(out, TUNNEL_WORDS_MAX, "what answers at %s is no %s, which would speak TLS: %s",
                 whom->where, whom->who, end->text);
    }
}

void tunnel_words_of_end(const struct tunnel_words_whom *whom, const struct io_tls_end *end,
                         char out[TUNNEL_WORDS_MAX])
{
    switch (end->kind) {
    case IO_TLS_END_CLOSED:
        snprintf(out, TUNNEL_WORDS_MAX, "the %s at %s has closed the connection", whom->who,
                 whom->where);
        return;
    case IO_TLS_END_CUT:
        tell_cut(whom, end, out);
        return;
    case IO_TLS_END_EXPIRED:
        snprintf(out, TUNNEL_WORDS_MAX,
                 "the %s at %s does not answer; perhaps it is something else", whom->who,
                 whom->where);
        return;
    case IO_TLS_END_NOT_TLS:
        tell_not_tls(whom, end, out);
        return;
    case IO_TLS_END_CERTIFICATE_TIME:
        tell_certificate(whom, end, "it has to be renewed there, or a clock is wrong", out);
        return;
    case IO_TLS_END_UNKNOWN_CA:
        tell_unknown_ca(whom, end, out);
        return;
    case IO_TLS_END_WRONG_HOST:
        tell_certificate(whom, end,
                         whom->by_option == NULL ? "it is somebody else's" : whom->by_option, out);
        return;
    case IO_TLS_END_NO_CERTIFICATE:
    case IO_TLS_END_WRONG_PIN:
    case IO_TLS_END_BAD_CERTIFICATE:
        tell_certificate(whom, end, "another one has to be made there", out);
        return;
    case IO_TLS_END_ALERT:
        tell_alert(whom, end, out);
        return;
    case IO_TLS_END_SYSTEM:
    case IO_TLS_END_VERSION:
    case IO_TLS_END_PROTOCOL:
    case IO_TLS_END_BROKEN:
    case IO_TLS_END_KIND_COUNT:
        break;
    }
    snprintf(out, TUNNEL_WORDS_MAX, "the connection to the %s at %s was lost: %s", whom->who,
             whom->where, end->text);
}
