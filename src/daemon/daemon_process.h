// SPDX-License-Identifier: Apache-2.0
// What is told to Prometheus of the process, as all its clients tell it.
#pragma once

#include <stddef.h>

#include "base/metric.h"

// The offsets are in struct io_process.
extern const struct metric_family daemon_process_families[];
extern const size_t daemon_process_family_count;
