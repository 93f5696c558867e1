// SPDX-License-Identifier: Apache-2.0
#include "http/http_status.h"

#include <assert.h>
#include <stddef.h>

const char *http_status_phrase(enum http_status status)
{
    switch (status) {
    case HTTP_STATUS_OK:
        return "OK";
    case HTTP_STATUS_MOVED:
        return "Moved Permanently";
    case HTTP_STATUS_BAD_REQUEST:
        return "Bad Request";
    case HTTP_STATUS_FORBIDDEN:
        return "Forbidden";
    case HTTP_STATUS_NOT_FOUND:
        return "Not Found";
    case HTTP_STATUS_METHOD_NOT_ALLOWED:
        return "Method Not Allowed";
    case HTTP_STATUS_CONTENT_TOO_LARGE:
        return "Content Too Large";
    case HTTP_STATUS_URI_TOO_LONG:
        return "URI Too Long";
    case HTTP_STATUS_EXPECTATION_FAILED:
        return "Expectation Failed";
    case HTTP_STATUS_FIELDS_TOO_LARGE:
        return "Request Header Fields Too Large";
    case HTTP_STATUS_INTERNAL_ERROR:
        return "Internal Server Error";
    case HTTP_STATUS_NOT_IMPLEMENTED:
        return "Not Implemented";
    case HTTP_STATUS_UNAVAILABLE:
        return "Service Unavailable";
    case HTTP_STATUS_VERSION_NOT_SUPPORTED:
        return "HTTP Version Not Supported";
    }
    assert(!"a status that we never answer with");
    return NULL;
}
