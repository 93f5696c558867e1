// SPDX-License-Identifier: Apache-2.0
// The results as a table of Markdown: one row for each check.
#pragma once

#include <stdio.h>

#include "probe/probe_inquiry.h"

void probe_markdown_print(const struct probe_inquiry *inquiry, FILE *out);
