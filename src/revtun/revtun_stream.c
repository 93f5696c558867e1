// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_stream.h"

#include <assert.h>
#include <string.h>

void revtun_stream_init(struct revtun_stream *stream)
{
    stream->len = 0;
    stream->is_whole = false;
    stream->is_long = false;
}

// Moves what *received has up to its first LF, or all of it; false when there is no room for it.
static bool move_to_lf(struct revtun_stream *stream, struct bytes *received)
{
    const size_t lf = bytes_index(*received, '\n');
    const size_t len = lf < received->len ? lf + 1 : received->len;

    if (len > sizeof stream->held - stream->len) {
        return false;
    }
    if (len > 0) {
        memcpy(stream->held + stream->len, received->ptr, len);
        stream->len += len;
    }
    *received = bytes_from(*received, len);
    return true;
}

static bool has_ended(const struct revtun_stream *stream)
{
    return stream->len >= 2 && stream->held[stream->len - 2] == '\r' &&
           stream->held[stream->len - 1] == '\n';
}

enum revtun_stream_outcome revtun_stream_take(struct revtun_stream *stream, struct bytes *received,
                                              struct bytes *line)
{
    assert(stream->len <= sizeof stream->held);
    if (stream->is_whole) {
        stream->len = 0;
        stream->is_whole = false;
    }
    while (!stream->is_long && received->len > 0) {
        stream->is_long = !move_to_lf(stream, received);
        if (!stream->is_long && has_ended(stream)) {
            stream->is_whole = true;
            *line = (struct bytes){stream->held, stream->len - 2};
            return REVTUN_STREAM_LINE;
        }
    }
    return stream->is_long ? REVTUN_STREAM_LONG : REVTUN_STREAM_PART;
}
