// SPDX-License-Identifier: Apache-2.0
// The path of a URL as that of a file below a directory.
//
//      "/a%20b//c/"   "a b/c/"
//      "/"            ""
//
// Nothing that it says leads out of the directory: neither "..", however it is encoded, nor a slash
// or NUL in disguise. Symbolic links are another matter, of whoever opens the file.
#pragma once

#include "base/bytes.h"

enum http_path_outcome {
    HTTP_PATH_GOOD,
    HTTP_PATH_BAD,     // two digits do not follow a "%", or they stand for a slash or a NUL
    HTTP_PATH_OUTSIDE, // it leads out
    HTTP_PATH_LONG,    // `out` has no room for it
};

// Decodes a path that begins with a slash, as http_request has it. Written is a path without a
// slash at its start, empty segments and those that are "."; one at its end stays. Nothing is
// promised of `out` with any outcome but _GOOD.
MUST_USE enum http_path_outcome http_path_read(struct bytes path, struct wr *out);
