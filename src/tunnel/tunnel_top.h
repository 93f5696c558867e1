// SPDX-License-Identifier: Apache-2.0
// Two samples, one after the other, as a table for people or as JSON: the servers and the tunnels
// of agents, the busiest first, with what they carry a second.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "daemon/daemon_query.h"
#include "tunnel/tunnel_sample.h"

// Bytes that hold whatever is written of so many rows.
size_t tunnel_top_text_max(size_t row_count);

// Both put the rows of `before`, of which there may be none, in another order; they tell what has
// grown.
void tunnel_top_table_write(struct wr *wr, struct daemon_sample *now, struct daemon_sample *before,
                            const struct daemon_query_view *view);
// One line.
void tunnel_top_json_write(struct wr *wr, struct daemon_sample *now, struct daemon_sample *before,
                           uint32_t row_max);
