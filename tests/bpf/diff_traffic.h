// SPDX-License-Identifier: Apache-2.0
// Generated frames: most of them sound ones of channels that are or were open, others for
// somebody else, out of order, or damaged.
#pragma once

#include "bpf/diff_world.h"

// Makes one, and has it judged.
void diff_traffic(struct diff_world *world);
