// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls_error.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void io_tls_error_set(struct io_tls_error *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const int len = vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    assert(len >= 0);
}

const char *io_tls_error_reason(void)
{
    // The first error is where it began; those behind it say who was told of it.
    const unsigned long code = ERR_get_error();
    const char *reason = NULL;

    if (ERR_SYSTEM_ERROR(code)) {
        reason = strerror(ERR_GET_REASON(code));
    } else {
        reason = ERR_reason_error_string(code);
    }
    ERR_clear_error();
    return reason != NULL ? reason : "for no reason that OpenSSL tells";
}
