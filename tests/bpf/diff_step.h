// SPDX-License-Identifier: Apache-2.0
// What clients ask of the server between packets, and time, which passes.
#pragma once

#include "bpf/diff_world.h"

// A random one.
void diff_step(struct diff_world *world);
