// SPDX-License-Identifier: Apache-2.0
// Families of metrics as a table for people, in Markdown: a line for each, with its name as
// Prometheus has it, and its labels with all their values.
//
//      | name | type | what it is | labels |
//      |---|---|---|---|
//      | `relay_active_users` | gauge | Users with allocations. |  |
#pragma once

#include "base/bytes.h"
#include "base/metric.h"

// Writes head and lines. `version` is a label's value that is told as "the version". The cursor
// fails if there is not enough room.
void telemetry_markdown_write(struct wr *wr, const struct metric_family *families, size_t count,
                              const char *version);
