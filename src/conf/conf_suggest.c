// SPDX-License-Identifier: Apache-2.0
// Levenshtein distance by rows: row[j] is the distance of the letters of `a` read so far to the
// first j letters of `b`. Names are short, and longer ones are not compared.
#include "conf/conf_suggest.h"

#include <assert.h>

#include "base/ascii.h"

enum {
    NAME_MAX_LEN = 48, // bytes; bounds the work that a long argument can make
    NEAR_MAX = 2,      // steps that a slip of the hand makes
};

static uint8_t fold(uint8_t letter)
{
    return letter == '_' ? '-' : ascii_lower(letter);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance(struct bytes a, struct bytes b)
{
    size_t row[NAME_MAX_LEN + 1];

    assert(a.len <= NAME_MAX_LEN);
    assert(b.len <= NAME_MAX_LEN);
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0]; // of the row before
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];
            size_t change = fold(a.ptr[i - 1]) == fold(b.ptr[j - 1]) ? 0 : 1;
            row[j] = least(least(above, row[j - 1]) + 1, diagonal + change);
            diagonal = above;
        }
    }
    return row[b.len];
}

const struct conf_option *conf_suggest(const struct conf_table *table, struct bytes name)
{
    size_t nearest = least(NEAR_MAX, name.len / 3) + 1;
    const struct conf_option *found = NULL;

    if (name.len > NAME_MAX_LEN) {
        return NULL;
    }
    for (size_t i = 0; i < table->count; i++) {
        struct bytes other = bytes_of_text(table->options[i].name);
        if (other.len > NAME_MAX_LEN) {
            continue;
        }
        size_t steps = distance(name, other);
        if (steps < nearest) {
            nearest = steps;
            found = &table->options[i];
        }
    }
    return found;
}
