// SPDX-License-Identifier: Apache-2.0
#include "support/exact.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint8_t *exact_room(size_t len)
{
    uint8_t *room = malloc(len);

    assert(room != NULL); // glibc and the sanitizer give memory of no bytes an address too
    memset(room, 0xee, len);
    return room;
}

struct bytes exact_copy(struct bytes span)
{
    uint8_t *room = exact_room(span.len);

    if (span.len > 0) {
        memcpy(room, span.ptr, span.len);
    }
    return (struct bytes){room, span.len};
}

void exact_free(struct bytes copy)
{
    free((void *)copy.ptr);
}
