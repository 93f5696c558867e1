// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_certificates.h"

#include <errno.h>

#include "log/log.h"

static const char *advice_words(int error)
{
    switch (error) {
    case -ENOENT:
        return "fairlead-tunnel keys makes some; --keys says where they lie";
    case -EACCES:
        return "let the user that the relay runs as read the files; a relay that was started as "
               "root is root no more when it reloads";
    default:
        return "look at the file that is named";
    }
}

int tunnel_certificates_open(struct bytes directory, enum tunnel_folder_relay relay,
                             struct wr *told, struct io_tls_context **out)
{
    struct io_tls_error warning;
    struct io_tls_error wrong;
    const int error = tunnel_folder_open_relay(directory, relay, out, &warning, &wrong);

    if (error != 0) {
        LOG_ERROR("the certificates cannot be used", LOG_TEXT("reason", wrong.text),
                  LOG_TEXT("advice", advice_words(error)));
        if (told != NULL) {
            wr_text(told, "certificates: ");
            wr_text(told, wrong.text);
            wr_text(told, "\n");
        }
        return error;
    }
    if (warning.text[0] != '\0') {
        LOG_WARN("the certificates are unwise", LOG_TEXT("reason", warning.text));
    }
    return 0;
}

void tunnel_certificates_check(struct bytes directory, enum tunnel_folder_relay relay)
{
    struct io_tls_context *context = NULL;
    struct io_tls_error warning;
    struct io_tls_error wrong;
    const int error = tunnel_folder_open_relay(directory, relay, &context, &warning, &wrong);

    if (error == 0) {
        io_tls_context_close(context);
        return;
    }
    LOG_WARN("the certificates cannot be read again, and a reload will fail",
             LOG_TEXT("reason", wrong.text), LOG_TEXT("advice", advice_words(error)));
}
