// SPDX-License-Identifier: Apache-2.0
// Memory for the tree of one message, got once: handed out piece by piece, given back all together.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

struct telemetry_arena {
    uint8_t *ptr;
    size_t size;
    size_t used;
    bool is_failed; // something did not fit since the last reset; sticky
};

// Gets `size` bytes. 0 or -ENOMEM.
MUST_USE int telemetry_arena_open(struct telemetry_arena *arena, size_t size);
// Closing twice, or what is all zero, does nothing.
void telemetry_arena_close(struct telemetry_arena *arena);

// Takes everything back.
void telemetry_arena_reset(struct telemetry_arena *arena);

// Memory for `count` things of `len` bytes, aligned for any of them, with unspecified content; NULL
// when it does not fit, which is remembered.
void *telemetry_arena_take(struct telemetry_arena *arena, size_t count, size_t len);

// A copy of so many bytes as a C string; NULL as above.
char *telemetry_arena_text(struct telemetry_arena *arena, const void *ptr, size_t len);
