// SPDX-License-Identifier: Apache-2.0
// One request of HTTP/1.1 (RFC 9112) out of the bytes of a connection.
//
// The room http reads requests and writes the heads of responses, for a server that serves one
// request per connection. It is strict where leniency has made holes elsewhere: lines end in CRLF,
// no folded lines, no second Host or Content-Length, no transfer coding.
#pragma once

#include <stddef.h>

#include "base/bytes.h"
#include "http/http_status.h"

enum {
    HTTP_REQUEST_HEAD_MAX = 8192, // bytes: a browser sends one, with its cookies, in 2 KiB or so
    HTTP_REQUEST_BODY_MAX = 1024, // bytes: nothing that we serve reads more
    HTTP_REQUEST_MAX = HTTP_REQUEST_HEAD_MAX + HTTP_REQUEST_BODY_MAX,
};

// What has come of reading; from HTTP_REQUEST_BAD on it is refused, and the value is the status to
// refuse it with.
enum http_request_outcome {
    HTTP_REQUEST_WHOLE = 0,
    HTTP_REQUEST_PART = 1, // more is to come, and there is room for it in HTTP_REQUEST_MAX bytes
    HTTP_REQUEST_BAD = HTTP_STATUS_BAD_REQUEST,
    HTTP_REQUEST_BODY_LONG = HTTP_STATUS_CONTENT_TOO_LARGE,
    HTTP_REQUEST_TARGET_LONG = HTTP_STATUS_URI_TOO_LONG,
    HTTP_REQUEST_EXPECTS = HTTP_STATUS_EXPECTATION_FAILED, // no Expect is met
    HTTP_REQUEST_HEAD_LONG = HTTP_STATUS_FIELDS_TOO_LARGE,
    HTTP_REQUEST_CODING = HTTP_STATUS_NOT_IMPLEMENTED, // Transfer-Encoding
    HTTP_REQUEST_VERSION = HTTP_STATUS_VERSION_NOT_SUPPORTED,
};

// All spans are borrowed from what was read.
struct http_request {
    struct bytes method;
    struct bytes path;   // as it was sent, from its slash on
    struct bytes query;  // behind the question mark; empty if there is none
    struct bytes host;   // with its port; empty if there is none
    struct bytes origin; // of the page that a browser asks for; empty if it says none
    struct bytes body;
};

// Reads a request from all that has been received. What follows it is left alone.
enum http_request_outcome http_request_read(struct bytes received, struct http_request *out);
