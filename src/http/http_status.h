// SPDX-License-Identifier: Apache-2.0
// The status codes of RFC 9110 that we answer with, and their phrases.
#pragma once

enum http_status {
    HTTP_STATUS_OK = 200,
    HTTP_STATUS_MOVED = 301,
    HTTP_STATUS_BAD_REQUEST = 400,
    HTTP_STATUS_FORBIDDEN = 403,
    HTTP_STATUS_NOT_FOUND = 404,
    HTTP_STATUS_METHOD_NOT_ALLOWED = 405,
    HTTP_STATUS_CONTENT_TOO_LARGE = 413,
    HTTP_STATUS_URI_TOO_LONG = 414,
    HTTP_STATUS_EXPECTATION_FAILED = 417,
    HTTP_STATUS_FIELDS_TOO_LARGE = 431,
    HTTP_STATUS_INTERNAL_ERROR = 500,
    HTTP_STATUS_NOT_IMPLEMENTED = 501,
    HTTP_STATUS_UNAVAILABLE = 503,
    HTTP_STATUS_VERSION_NOT_SUPPORTED = 505,
};

// Its reason phrase, such as "Not Found".
const char *http_status_phrase(enum http_status status);
