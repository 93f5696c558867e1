// SPDX-License-Identifier: Apache-2.0
// What a server of version 1 says: the outcome is that of a search through all of it, wherever it
// is cut. If the first byte is high, the second one is repeated in front very often, so that lines
// become long enough; else each cut is tried.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "revtun/revtun_line.h"

enum { HIGH = 0xf0, REPEATED_FOR_EACH = 1093 }; // the highest is more than a line may have
_Static_assert((UINT8_MAX - HIGH) * REPEATED_FOR_EACH > REVTUN_LINE_MAX, "as it is said");
_Static_assert((UINT8_MAX - HIGH - 1) * REPEATED_FOR_EACH < REVTUN_LINE_MAX, "the next one is not");

static enum revtun_line_outcome search(struct bytes all)
{
    for (size_t i = 0; i < all.len; i++) {
        if (i > 0 && all.ptr[i - 1] == '\r' && all.ptr[i] == '\n') {
            return REVTUN_LINE_COMPLETE;
        }
        if (i == REVTUN_LINE_MAX) {
            return REVTUN_LINE_TOO_LONG;
        }
    }
    return REVTUN_LINE_OPEN;
}

static void check_cut(struct bytes all, size_t cut, enum revtun_line_outcome wanted)
{
    struct revtun_line_watch watch = {0};
    enum revtun_line_outcome outcome = revtun_line_watch(&watch, bytes_first(all, cut));

    if (outcome == REVTUN_LINE_OPEN) {
        outcome = revtun_line_watch(&watch, bytes_from(all, cut));
    }
    assert(outcome == wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const size_t repeated = data[0] > HIGH ? (size_t)(data[0] - HIGH) * REPEATED_FOR_EACH : 0;
    const size_t len = repeated + size - 2;
    uint8_t *text = malloc(len > 0 ? len : 1);
    assert(text != NULL);
    memset(text, data[1], repeated);
    memcpy(text + repeated, data + 2, size - 2);

    const struct bytes all = {text, len};
    const enum revtun_line_outcome wanted = search(all);
    struct revtun_line_watch watch = {0};
    enum revtun_line_outcome outcome = REVTUN_LINE_OPEN;
    for (size_t i = 0; i < len && outcome == REVTUN_LINE_OPEN; i++) {
        outcome = revtun_line_watch(&watch, (struct bytes){text + i, 1});
    }
    assert(outcome == wanted);
    for (size_t cut = repeated > 0 ? len : 0; cut <= len; cut++) {
        check_cut(all, cut, wanted);
    }
    free(text);
    return 0;
}
