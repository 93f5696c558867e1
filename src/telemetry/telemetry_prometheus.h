// SPDX-License-Identifier: Apache-2.0
// Counters as Prometheus reads them: its text format, version 0.0.4.
//
//      # HELP relay_responses_total Responses sent.
//      # TYPE relay_responses_total counter
//      relay_responses_total{message_type="allocate",response_class="success"} 7
//
// Names are OpenTelemetry's, translated as its collector does: what is no letter, digit or
// underscore becomes an underscore, the unit is appended, then _total if it is a counter. Times are
// in seconds, whatever the table's unit is.
#pragma once

#include "base/bytes.h"
#include "base/metric.h"

#define TELEMETRY_PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

// Writes all of `families`, whose numbers are in the struct `counters`. A family without series is
// left out. The cursor fails if there is not enough room.
void telemetry_prometheus_write(struct wr *wr, const struct metric_family *families, size_t count,
                                const void *counters);

// A kind's name there.
const char *telemetry_prometheus_type(enum metric_kind kind);

// The name of a family there, without what a histogram's series have behind it.
void telemetry_prometheus_name_write(struct wr *wr, const struct metric_family *family);
