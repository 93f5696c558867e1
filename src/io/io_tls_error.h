// SPDX-License-Identifier: Apache-2.0
// Why something about TLS could not be set up, in words for a person.
#pragma once

#include "base/macro.h"

enum { IO_TLS_ERROR_MAX = 511 }; // bytes

struct io_tls_error {
    char text[IO_TLS_ERROR_MAX + 1]; // one line, without a line feed; empty: nothing
};

// Puts the words together; what does not fit is cut off.
void io_tls_error_set(struct io_tls_error *error, const char *format, ...) PRINTF_LIKE(2, 3);
// OpenSSL's own words for what failed in this thread, and forgets it; a text that stays.
const char *io_tls_error_reason(void);
