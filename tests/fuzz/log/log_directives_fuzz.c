// SPDX-License-Identifier: Apache-2.0
// Whatever is read keeps to its limits and lets pass, with each level, all that are more urgent;
// whatever is wrong says so about a part of the text, and changes nothing.
#include "log/log_directives.h"

#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"

static void ask(const struct log_directives *directives, struct bytes target)
{
    bool is_allowed = true;

    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_TRACE; level++) {
        const bool is_next = log_directives_allow(directives, target, (enum log_level)level);
        assert(is_allowed || !is_next);
        is_allowed = is_next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes text = {data, size};
    static struct log_directives directives, before;

    memset(&directives, 0x5a, sizeof directives);
    before = directives;
    const struct log_directives_error wrong = log_directives_read(text, &directives);
    if (wrong.predicate != NULL) {
        assert(memcmp(&directives, &before, sizeof before) == 0);
        assert(wrong.part.len > 0);
        assert(wrong.part.ptr >= data);
        assert(wrong.part.ptr + wrong.part.len <= data + size);
        return 0;
    }
    assert(size <= LOG_DIRECTIVES_TEXT_MAX);
    assert(directives.count <= LOG_DIRECTIVES_MAX);
    for (size_t i = 0; i < directives.count; i++) {
        const struct log_directive *item = &directives.items[i];
        assert(item->target_len > 0);
        ask(&directives, (struct bytes){item->target, item->target_len});
        // Its own target is the longest that fits.
        assert(log_directives_allow(&directives, (struct bytes){item->target, item->target_len},
                                    LOG_LEVEL_TRACE) == (item->level_count > LOG_LEVEL_TRACE));
    }
    ask(&directives, text);
    ask(&directives, (struct bytes){0});
    return 0;
}
