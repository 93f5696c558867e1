// SPDX-License-Identifier: Apache-2.0
// Phoenix's messages in JSON, in the form of its serializer version 1: one object per frame.
//
//     {"topic":"relay","event":"phx_join","payload":{"stamp_secret":"..."},"ref":0}
#pragma once

#include "base/bytes.h"
#include "phoenix/phoenix_message.h"

enum { PORTAL_LINK_FRAME_DEPTH_MAX = 16 }; // objects and arrays within one another

enum portal_link_frame_outcome {
    PORTAL_LINK_FRAME_READ,
    PORTAL_LINK_FRAME_DEEP,    // nested beyond the limit
    PORTAL_LINK_FRAME_UNKNOWN, // not JSON, or a key twice in one object
    PORTAL_LINK_FRAME_STRANGE, // JSON, but no message: no topic, no event
};

struct json_t;

struct portal_link_frame {
    struct json_t *root;            // what the message borrows from
    struct phoenix_message message; // a ref that is no whole number from 0 on is none
};

// Reads one frame. Unless it is _READ, *out is untouched.
MUST_USE enum portal_link_frame_outcome portal_link_frame_read(struct bytes text,
                                                               struct portal_link_frame *out);
// Once, for each that was read.
void portal_link_frame_free(struct portal_link_frame *frame);

// What can stand in a join as it is, since it is written so: printable ASCII without quotes and
// backslashes.
bool portal_link_frame_is_plain(struct bytes secret);

// Writes a push to `topic`; a join has the secret. Both are plain.
void portal_link_frame_write(struct wr *wr, const struct phoenix_push *push, struct bytes topic,
                             struct bytes secret);
