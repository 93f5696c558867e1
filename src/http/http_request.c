// SPDX-License-Identifier: Apache-2.0
#include "http/http_request.h"

#include <assert.h>

#include "base/ascii.h"
#include "http/http_text.h"

// A head is lines that end in CRLF, the last of them empty:
//
//     GET /log_filter?directives=info HTTP/1.1      method SP target SP version
//     Host: 127.0.0.1:9999                          name ":" OWS value OWS
//
// It is read anew whenever more of it has come, which its few kilobytes allow.

enum line_outcome {
    LINE_WHOLE,
    LINE_PART,
    LINE_BAD, // it has a control character, or ends in one half of CRLF
};

// What the fields say.
struct fields {
    struct http_request *request;
    bool has_host;
    bool has_length;
    bool has_coding;
    bool has_expectation;
    uint64_t body_len; // at most HTTP_REQUEST_BODY_MAX + 1, which stands for all above
};

static enum line_outcome line_take(struct bytes *rest, struct bytes *out)
{
    for (size_t i = 0; i < rest->len; i++) {
        const uint8_t one = rest->ptr[i];
        if (one == '\r') {
            if (i + 1 == rest->len) {
                return LINE_PART;
            }
            if (rest->ptr[i + 1] != '\n') {
                return LINE_BAD;
            }
            *out = bytes_first(*rest, i);
            *rest = bytes_from(*rest, i + 2);
            return LINE_WHOLE;
        }
        if ((one < ' ' && one != '\t') || one == 0x7f) {
            return LINE_BAD;
        }
    }
    return LINE_PART;
}

static bool is_digit(uint8_t one)
{
    return one >= '0' && one <= '9';
}

static enum http_request_outcome version_read(struct bytes version)
{
    static const struct bytes start = BYTES_LITERAL("HTTP/");

    if (version.len != start.len + 3 || !bytes_equal(bytes_first(version, start.len), start) ||
        !is_digit(version.ptr[5]) || version.ptr[6] != '.' || !is_digit(version.ptr[7])) {
        return HTTP_REQUEST_BAD;
    }
    return version.ptr[5] == '1' ? HTTP_REQUEST_WHOLE : HTTP_REQUEST_VERSION;
}

// The forms "/path?query" and, for proxies, "http://host/path?query". False for any other.
static bool target_read(struct bytes target, struct http_request *out)
{
    static const struct bytes scheme = BYTES_LITERAL("http://");
    static const struct bytes root = BYTES_LITERAL("/");

    if (!http_text_is_visible(target) || bytes_index(target, '#') != target.len) {
        return false;
    }
    if (bytes_equal(bytes_first(target, scheme.len), scheme)) {
        target = bytes_from(target, scheme.len);
        const size_t slash = bytes_index(target, '/');
        out->host = bytes_first(target, slash);
        target = slash < target.len ? bytes_from(target, slash) : root;
        if (out->host.len == 0) {
            return false;
        }
    }
    if (target.len == 0 || target.ptr[0] != '/') {
        return false;
    }
    const size_t mark = bytes_index(target, '?');
    out->path = bytes_first(target, mark);
    out->query = bytes_from(target, mark + 1);
    return true;
}

static enum http_request_outcome first_line_read(struct bytes line, struct http_request *out)
{
    const size_t first = bytes_index(line, ' ');
    const struct bytes rest = bytes_from(line, first + 1);
    const size_t second = bytes_index(rest, ' ');
    const enum http_request_outcome outcome = version_read(bytes_from(rest, second + 1));

    out->method = bytes_first(line, first);
    if (outcome != HTTP_REQUEST_WHOLE) {
        return outcome;
    }
    return http_text_is_token(out->method) && target_read(bytes_first(rest, second), out)
               ? HTTP_REQUEST_WHOLE
               : HTTP_REQUEST_BAD;
}

// A number of any length is a length: what is too large is no mistake of its form.
static bool length_read(struct bytes value, uint64_t *out)
{
    if (value.len == 0) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.ptr[i])) {
            return false;
        }
    }
    if (!bytes_to_number(value, HTTP_REQUEST_BODY_MAX, out)) {
        *out = HTTP_REQUEST_BODY_MAX + 1;
    }
    return true;
}

// False when the line is no field, or one of which there may be only one is there again.
static bool field_read(struct bytes line, struct fields *fields)
{
    const size_t colon = bytes_index(line, ':');
    const struct bytes name = bytes_first(line, colon);
    const struct bytes value = bytes_trim(bytes_from(line, colon + 1));

    if (colon == line.len || !http_text_is_token(name)) {
        return false;
    }
    if (ascii_is_same(name, "host")) {
        const bool is_second = fields->has_host;
        fields->has_host = true;
        if (fields->request->host.len == 0) { // that of the target stands above it
            fields->request->host = value;
        }
        return !is_second && http_text_is_visible(value);
    }
    if (ascii_is_same(name, "content-length")) {
        const bool is_second = fields->has_length;
        fields->has_length = true;
        return !is_second && length_read(value, &fields->body_len);
    }
    fields->has_coding = fields->has_coding || ascii_is_same(name, "transfer-encoding");
    fields->has_expectation = fields->has_expectation || ascii_is_same(name, "expect");
    if (ascii_is_same(name, "origin")) {
        const bool is_second = fields->request->origin.len > 0;
        fields->request->origin = value;
        return !is_second;
    }
    return true;
}

// All that the head says once its lines are read.
static enum http_request_outcome judge(const struct fields *fields, struct bytes version)
{
    if (!fields->has_host && version.ptr[version.len - 1] != '0') {
        return HTTP_REQUEST_BAD;
    }
    if (fields->has_coding) {
        return fields->has_length ? HTTP_REQUEST_BAD : HTTP_REQUEST_CODING;
    }
    if (fields->body_len > HTTP_REQUEST_BODY_MAX) {
        return HTTP_REQUEST_BODY_LONG;
    }
    return fields->has_expectation ? HTTP_REQUEST_EXPECTS : HTTP_REQUEST_WHOLE;
}

static enum http_request_outcome fields_read(struct bytes *rest, struct fields *fields)
{
    struct bytes line = {0};

    for (;;) {
        switch (line_take(rest, &line)) {
        case LINE_WHOLE:
            break;
        case LINE_PART:
            return HTTP_REQUEST_PART;
        case LINE_BAD:
            return HTTP_REQUEST_BAD;
        }
        if (line.len == 0) {
            return HTTP_REQUEST_WHOLE;
        }
        if (!field_read(line, fields)) {
            return HTTP_REQUEST_BAD;
        }
    }
}

// Of a head that has reached its limit nothing more can come.
static enum http_request_outcome unless_full(enum http_request_outcome outcome, size_t head_len,
                                             enum http_request_outcome full)
{
    return outcome == HTTP_REQUEST_PART && head_len >= HTTP_REQUEST_HEAD_MAX ? full : outcome;
}

enum http_request_outcome http_request_read(struct bytes received, struct http_request *out)
{
    struct http_request request = {0};
    struct fields fields = {.request = &request};
    struct bytes rest = bytes_first(received, HTTP_REQUEST_HEAD_MAX);
    struct bytes first = {0};

    switch (line_take(&rest, &first)) {
    case LINE_WHOLE:
        break;
    case LINE_PART:
        return unless_full(HTTP_REQUEST_PART, received.len, HTTP_REQUEST_TARGET_LONG);
    case LINE_BAD:
        return HTTP_REQUEST_BAD;
    }
    enum http_request_outcome outcome = first_line_read(first, &request);
    if (outcome == HTTP_REQUEST_WHOLE) {
        outcome = fields_read(&rest, &fields);
        outcome = unless_full(outcome, received.len, HTTP_REQUEST_HEAD_LONG);
    }
    if (outcome == HTTP_REQUEST_WHOLE) {
        outcome = judge(&fields, first);
    }
    if (outcome != HTTP_REQUEST_WHOLE) {
        return outcome;
    }
    const size_t head_len = bytes_first(received, HTTP_REQUEST_HEAD_MAX).len - rest.len;
    request.body = bytes_first(bytes_from(received, head_len), fields.body_len);
    if (request.body.len < fields.body_len) {
        return HTTP_REQUEST_PART;
    }
    assert(request.path.len > 0);
    assert(request.path.ptr[0] == '/');
    *out = request;
    return HTTP_REQUEST_WHOLE;
}
