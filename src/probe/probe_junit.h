// SPDX-License-Identifier: Apache-2.0
// The results as JUnit's XML, for programs that show tests.
#pragma once

#include <stdio.h>

#include "probe/probe_inquiry.h"

void probe_junit_print(const struct probe_inquiry *inquiry, FILE *out);
