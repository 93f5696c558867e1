// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/cover.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[] = {
#define COVER_TEXT(NAME, text) text,
    COVER_COMMANDS(COVER_TEXT) COVER_OTHERS(COVER_TEXT)
#undef COVER_TEXT
};

enum {
#define COVER_ONE(NAME, text) +1
    COMMANDS = 0 COVER_COMMANDS(COVER_ONE),
#undef COVER_ONE
};

static void count_if(struct cover *cover, enum cover_item item, bool is_so)
{
    cover->seen[item] += is_so;
}

void cover_command(struct cover *cover, const char *text)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        count_if(cover, (enum cover_item)i, strncmp(text, texts[i], strlen(texts[i])) == 0);
    }
    const bool is_refusal = strncmp(text, "refuse ", 7) == 0;
    count_if(cover, COVER_UNLINKED, is_refusal && strstr(text, "linked") != NULL);
    if (strncmp(text, texts[COVER_REFUSED], strlen(texts[COVER_REFUSED])) == 0) {
        const char *reason = strrchr(text, ' ');
        count_if(cover, COVER_REFUSED_SESSIONS, strcmp(reason, " sessions") == 0);
        count_if(cover, COVER_REFUSED_PAIR_SESSIONS, strcmp(reason, " pair_sessions") == 0);
        count_if(cover, COVER_REFUSED_WAITING, strcmp(reason, " waiting") == 0);
        count_if(cover, COVER_REFUSED_PAIR_WAITING, strcmp(reason, " pair_waiting") == 0);
        count_if(cover, COVER_REFUSED_ADDRESS_WAITING, strcmp(reason, " address_waiting") == 0);
    }
    if (strncmp(text, texts[COVER_AGAIN], strlen(texts[COVER_AGAIN])) == 0) {
        count_if(cover, COVER_MANY_AGAIN, strstr(text, " count 1 ") == NULL);
        count_if(cover, COVER_MOST_AGAIN, strstr(text, " count 16 ") != NULL);
    }
}

bool cover_print(const struct cover *cover)
{
    bool is_complete = true;

    for (size_t i = 0; i < COVER_ITEMS; i++) {
        printf("%10" PRIu64 "  %s\n", cover->seen[i], texts[i]);
        is_complete = is_complete && cover->seen[i] > 0;
    }
    return is_complete;
}
