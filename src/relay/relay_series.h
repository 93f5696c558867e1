// SPDX-License-Identifier: Apache-2.0
// Where the numbers of the relay's series lie: in struct relay_snapshot.
#pragma once

#include <stddef.h>

#include "base/metric.h"
#include "relay/relay_snapshot.h"

#define RELAY_SERIES_AT(field) offsetof(struct relay_snapshot, field)
