// SPDX-License-Identifier: Apache-2.0
// The door of a fuzz target: libFuzzer, or replay_main.c without it, calls it with one input.
//
// A target asserts what must hold for any input, returns 0, and keeps nothing between two calls.
// The input is a block of exactly `size` bytes, so that a sanitizer sees a read behind its end.
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
