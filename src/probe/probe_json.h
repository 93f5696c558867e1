// SPDX-License-Identifier: Apache-2.0
// The results as JSON: one object with all that was sent and came.
#pragma once

#include <stdio.h>

#include "probe/probe_inquiry.h"

void probe_json_print(const struct probe_inquiry *inquiry, FILE *out);
