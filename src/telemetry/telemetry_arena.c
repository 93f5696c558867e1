// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_arena.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = alignof(max_align_t) };

int telemetry_arena_open(struct telemetry_arena *arena, size_t size)
{
    *arena = (struct telemetry_arena){.ptr = malloc(size), .size = size};
    return arena->ptr != NULL ? 0 : -ENOMEM;
}

void telemetry_arena_close(struct telemetry_arena *arena)
{
    free(arena->ptr);
    *arena = (struct telemetry_arena){0};
}

void telemetry_arena_reset(struct telemetry_arena *arena)
{
    arena->used = 0;
    arena->is_failed = false;
}

void *telemetry_arena_take(struct telemetry_arena *arena, size_t count, size_t len)
{
    const size_t left = arena->size - arena->used;
    size_t wanted = 0;

    assert(arena->used % ALIGNMENT == 0);
    if (__builtin_mul_overflow(count, len, &wanted) || wanted > left ||
        left - wanted < ALIGNMENT - 1) {
        arena->is_failed = true;
        return NULL;
    }
    void *place = arena->ptr + arena->used;
    arena->used += (wanted + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return place;
}

char *telemetry_arena_text(struct telemetry_arena *arena, const void *ptr, size_t len)
{
    char *text = telemetry_arena_take(arena, len + 1, 1);

    if (text != NULL) {
        if (len > 0) {
            memcpy(text, ptr, len);
        }
        text[len] = '\0';
    }
    return text;
}
