// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_refusal.h"

#include <stddef.h>

const char *revtun_refusal_words(enum revtun_refusal refusal)
{
    switch (refusal) {
#define REVTUN_REFUSAL_WORDS(NAME, name, words)                                                    \
    case REVTUN_REFUSAL_##NAME:                                                                    \
        return words;
        REVTUN_REFUSALS(REVTUN_REFUSAL_WORDS)
#undef REVTUN_REFUSAL_WORDS
    case REVTUN_REFUSAL_NONE:
    case REVTUN_REFUSAL_END:
        break;
    }
    return NULL;
}
