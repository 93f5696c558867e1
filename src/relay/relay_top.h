// SPDX-License-Identifier: Apache-2.0
// A sample of the relay as a table for a terminal or as JSON, with rates against an earlier one.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "daemon/daemon_query.h"
#include "relay/relay_sample.h"

// Bytes that hold whatever either writes of so many rows.
size_t relay_top_text_max(size_t row_count);

// Both put the rows of `now` in another order: those that relay the most come first. `before` may
// have no rows, then rates are those since the allocations began.
void relay_top_table_write(struct wr *wr, struct daemon_sample *now, struct daemon_sample *before,
                           const struct daemon_query_view *view);
// One line.
void relay_top_json_write(struct wr *wr, struct daemon_sample *now, struct daemon_sample *before,
                          uint32_t row_max);
