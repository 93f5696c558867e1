// SPDX-License-Identifier: Apache-2.0
// The plan of a measurement: what is tried, in which order.
#pragma once

#include "probe/probe_config.h"
#include "probe/probe_report.h"

enum { PROBE_BENCH_WRONG_MAX = 320 };

// Measures all parts that the configuration names. False, with a sentence in `wrong`, when that
// cannot be done.
MUST_USE bool probe_bench_run(const struct probe_config *config, struct probe_report *report,
                              char wrong[PROBE_BENCH_WRONG_MAX]);
