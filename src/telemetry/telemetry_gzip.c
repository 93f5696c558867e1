// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_gzip.h"

#include <assert.h>
#include <limits.h>
#include <zlib.h>

enum {
    WINDOW_BITS = 15 + 16, // zlib's way to ask for gzip's head
    MEMORY_LEVEL = 8,      // zlib's default
};

bool telemetry_gzip_write(struct bytes plain, struct wr *out)
{
    z_stream stream = {
        .next_in = (Bytef *)(uintptr_t)plain.ptr,
        .avail_in = (uInt)plain.len,
        .next_out = out->ptr + out->len,
        .avail_out = (uInt)out->room,
    };

    assert(plain.len <= UINT_MAX);
    assert(out->room <= UINT_MAX);
    if (!wr_ok(out) || deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                                    Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    const bool is_whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    const size_t len = stream.total_out;
    IGNORE(deflateEnd(&stream)); // it complains of what is not whole
    if (is_whole) {
        out->len += len;
        out->room -= len;
    }
    return is_whole;
}
