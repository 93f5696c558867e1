// SPDX-License-Identifier: Apache-2.0
// The life of one world.
#pragma once

#include "sim/revtun/hub/world.h"

void story_run(uint64_t seed, bool is_verbose, struct cover *cover);
