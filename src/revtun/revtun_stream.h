// SPDX-License-Identifier: Apache-2.0
// Lines of version 2 out of a stream whose bytes come in pieces of any size.
//
// A line ends with CR LF; a CR or LF alone is a byte like others (revtun_fields refuses both).
#pragma once

#include "base/bytes.h"

enum { REVTUN_STREAM_LINE_MAX = 4096 }; // bytes of a line with its end

struct revtun_stream {
    size_t len;    // bytes of `held`
    bool is_whole; // what is held has been handed out
    bool is_long;  // a line was too long; sticky
    uint8_t held[REVTUN_STREAM_LINE_MAX];
};

enum revtun_stream_outcome {
    REVTUN_STREAM_LINE, // a line; there may be more
    REVTUN_STREAM_PART, // all is read, and no line has ended
    REVTUN_STREAM_LONG, // the line is too long: there is no way to find the next one
};

void revtun_stream_init(struct revtun_stream *stream);

// Takes the next line off the front of *received, which then begins behind it. *line is without
// its end and borrowed until the next call; it is untouched unless REVTUN_STREAM_LINE.
enum revtun_stream_outcome revtun_stream_take(struct revtun_stream *stream, struct bytes *received,
                                              struct bytes *line);
