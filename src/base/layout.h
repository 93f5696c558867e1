// SPDX-License-Identifier: Apache-2.0
// How parts are laid out in the caller's memory: one after the other, each on a cache line of its
// own.
#pragma once

#include <stddef.h>

enum { LAYOUT_ALIGNMENT = 64 }; // bytes: a cache line

// Reserves `len` bytes at *end, which stays a multiple of the alignment. Returns where they begin.
static inline size_t layout_place(size_t *end, size_t len)
{
    const size_t at = *end;

    *end = (at + len + LAYOUT_ALIGNMENT - 1) / LAYOUT_ALIGNMENT * LAYOUT_ALIGNMENT;
    return at;
}
