// SPDX-License-Identifier: Apache-2.0
// The series under the names that coturn has for them, so that its dashboards go on.
//
// coturn counts traffic when a session ends; these grow while it lasts. It labels turn_traffic_* by
// realm, and counts what it receives and sends whole; here is one realm, and what is counted is
// application data. Prometheus' rules want other names for counters, so their type is untyped.
#pragma once

#include <stddef.h>

#include "base/metric.h"

extern const struct metric_family relay_coturn_families[];
extern const size_t relay_coturn_family_count;
