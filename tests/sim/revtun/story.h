// SPDX-License-Identifier: Apache-2.0
// One seeded world from its beginning to its end. At last all becomes well, and then whoever waits
// must be served; then all leave, and nothing may be left.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sim/revtun/cover.h"

// Ends the program with a message when something is wrong.
void story_run(uint64_t seed, bool is_verbose, struct cover *cover);
