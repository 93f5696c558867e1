// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/hub/cover.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[] = {
#define COVER_TEXT(NAME, text) text,
    COVER_TEXTS(COVER_TEXT) COVER_OTHERS(COVER_TEXT)
#undef COVER_TEXT
};

enum {
#define COVER_ONE(NAME, text) +1
    TEXTS = 0 COVER_TEXTS(COVER_ONE),
#undef COVER_ONE
};

void cover_command(struct cover *cover, const char *text)
{
    cover->commands++;
    for (size_t i = 0; i < TEXTS; i++) {
        cover->seen[i] += strstr(text, texts[i]) != NULL;
    }
}

bool cover_print(const struct cover *cover)
{
    bool is_complete = true;

    for (size_t i = 0; i < COVER_ITEMS; i++) {
        printf("%10" PRIu64 "  %.*s\n", cover->seen[i], (int)strcspn(texts[i], "\r"), texts[i]);
        is_complete = is_complete && cover->seen[i] > 0;
    }
    return is_complete;
}
