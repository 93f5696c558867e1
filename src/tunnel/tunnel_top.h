// SPDX-License-Identifier: Apache-2.0
// Two samples, one after the other, as a table for people or as JSON: the servers, the busiest
// first, with what they carry a second.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "tunnel/tunnel_sample.h"

struct tunnel_top_view {
    uint32_t columns; // longer lines are cut off
    uint32_t row_max; // servers that are shown
};

// Bytes that hold whatever is written of so many servers.
size_t tunnel_top_text_max(size_t row_count);

// Both sort the rows of `now`; those of `before`, which may be all zero, tell what has grown.
void tunnel_top_table_write(struct wr *wr, struct tunnel_sample *now,
                            const struct tunnel_sample *before, const struct tunnel_top_view *view);
// One line.
void tunnel_top_json_write(struct wr *wr, struct tunnel_sample *now,
                           const struct tunnel_sample *before, uint32_t row_max);
