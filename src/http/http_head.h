// SPDX-License-Identifier: Apache-2.0
// The head of a response.
#pragma once

#include "base/bytes.h"
#include "http/http_status.h"

struct http_head {
    enum http_status status;
    const char *date;   // as RFC 9110 section 5.6.7 has it
    const char *type;   // Content-Type
    const char *fields; // further lines, each ended by CRLF; ""
    size_t body_len;    // bytes
};

// Writes it with its empty line. It says that the connection ends, that nobody is to keep the
// response, and that its type is not to be guessed.
void http_head_write(struct wr *wr, const struct http_head *head);
