// SPDX-License-Identifier: Apache-2.0
#include "http/http_path.h"

#include <assert.h>

#include "base/percent.h"

// Decodes a segment; *is_last: no slash follows it.
static enum http_path_outcome segment_read(struct bytes segment, bool is_last, struct wr *out)
{
    const size_t from = out->len;
    uint8_t byte = 0;

    while (segment.len > 0) {
        if (!percent_take(&segment, &byte) || byte == '/' || byte == '\0') {
            return HTTP_PATH_BAD;
        }
        wr_u8(out, byte);
    }
    const struct bytes written = bytes_from(wr_done(out), from);
    if (!wr_ok(out)) {
        return HTTP_PATH_LONG;
    }
    if (bytes_equal_text(written, "..")) {
        return HTTP_PATH_OUTSIDE;
    }
    if (bytes_equal_text(written, ".")) {
        out->len--;
        out->room++;
    } else if (written.len > 0 && !is_last) {
        wr_u8(out, '/');
    }
    return wr_ok(out) ? HTTP_PATH_GOOD : HTTP_PATH_LONG;
}

enum http_path_outcome http_path_read(struct bytes path, struct wr *out)
{
    enum http_path_outcome outcome = HTTP_PATH_GOOD;

    assert(path.len > 0);
    assert(path.ptr[0] == '/');
    while (outcome == HTTP_PATH_GOOD && path.len > 0) {
        path = bytes_from(path, 1);
        const struct bytes segment = bytes_first(path, bytes_index(path, '/'));
        path = bytes_from(path, segment.len);
        outcome = segment_read(segment, path.len == 0, out);
    }
    return outcome;
}
