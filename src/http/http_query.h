// SPDX-License-Identifier: Apache-2.0
// One value out of the query of a URL: "directives=info%2Crelay%3Ddebug&x=1".
#pragma once

#include "base/bytes.h"

enum http_query_outcome {
    HTTP_QUERY_FOUND,
    HTTP_QUERY_ABSENT,
    HTTP_QUERY_BAD,   // a percent without two hexadecimal digits, or a NUL
    HTTP_QUERY_TWICE, // the name is there more than once
    HTTP_QUERY_LONG,  // the value does not fit into `out`
};

// Writes the value of `name` to `out`: %XX becomes a byte, a plus a space. Nothing is promised of
// `out` with any outcome but _FOUND. Names are compared as they stand.
MUST_USE enum http_query_outcome http_query_find(struct bytes query, const char *name,
                                                 struct wr *out);
