// SPDX-License-Identifier: Apache-2.0
// Any bytes are read as a request: all that is handed out lies within them, and a request that was
// whole is a part as long as a byte of it is missing.
#include "http/http_request.h"

#include <assert.h>

#include "fuzz/fuzz.h"
#include "http/http_host.h"
#include "http/http_text.h"

static bool is_within(struct bytes part, struct bytes all)
{
    static const uint8_t root = '/';

    return part.len == 0 || (part.len == 1 && *part.ptr == root) ||
           (part.ptr >= all.ptr && part.len <= (size_t)(all.ptr + all.len - part.ptr));
}

static void check(const struct http_request *request, struct bytes all)
{
    const struct bytes parts[] = {request->method, request->path,   request->query,
                                  request->host,   request->origin, request->body};

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        assert(is_within(parts[i], all));
    }
    assert(http_text_is_token(request->method));
    assert(request->path.len > 0);
    assert(http_text_is_visible(request->path));
    assert(http_text_is_visible(request->host));
    // Nothing to check but that they do not read too far.
    (void)http_host_is_local(request->host);
    (void)http_host_is_origin(request->host, request->origin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes all = {data, size};
    struct http_request request = {0};
    struct http_request part = {0};
    const enum http_request_outcome outcome = http_request_read(all, &request);

    if (outcome == HTTP_REQUEST_PART) {
        assert(size < HTTP_REQUEST_MAX);
        return 0;
    }
    if (outcome != HTTP_REQUEST_WHOLE) {
        assert(http_status_phrase((enum http_status)outcome) != NULL);
        return 0;
    }
    check(&request, all);
    for (size_t len = 0; len < size; len++) {
        const enum http_request_outcome shorter = http_request_read(bytes_first(all, len), &part);
        if (shorter == HTTP_REQUEST_WHOLE) {
            assert(bytes_equal(part.body, request.body)); // what followed it was left alone
            break;
        }
        assert(shorter == HTTP_REQUEST_PART);
    }
    return 0;
}
