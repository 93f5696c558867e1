// SPDX-License-Identifier: Apache-2.0
// The parts of what is read as a URL make up all of it, and none of them can end a line or a
// header.
#include "http/http_url.h"

#include <assert.h>

#include "fuzz/fuzz.h"

static void expect_printable(struct bytes part)
{
    for (size_t i = 0; i < part.len; i++) {
        assert(part.ptr[i] > ' ');
        assert(part.ptr[i] <= '~');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes text = {data, size};
    struct http_authority again;
    struct http_url url;

    if (!http_url_read(text, &url)) {
        return 0;
    }
    const size_t prefix_len = bytes_index(text, '/') + 2;
    assert(prefix_len + url.authority_text.len + url.path.len + url.tail.len == size);
    assert(url.authority_text.ptr == data + prefix_len);
    assert(url.authority.host.len > 0);
    expect_printable(url.authority_text);
    expect_printable(url.path);
    const bool is_read = http_authority_read(url.authority_text, &again);
    assert(is_read);
    assert(again.port == url.authority.port);
    assert(bytes_equal(again.host, url.authority.host));
    return 0;
}
