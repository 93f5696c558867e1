// SPDX-License-Identifier: Apache-2.0
// Whatever `top` reads of a control socket is shown without going beyond the room for it, and its
// lines keep to the terminal.
#include "relay/relay_sample.h"

#include <assert.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "relay/relay_top.h"

static void check_lines(struct bytes text, uint32_t columns)
{
    while (text.len > 0) {
        const size_t len = bytes_index(text, '\n');
        assert(len <= columns);
        assert(len < text.len);
        text = bytes_from(text, len + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct relay_top_view view = {.columns = 60, .row_max = 4};
    const size_t half = size / 2;
    struct relay_sample now;
    struct relay_sample before = {.row_count = 0};

    if (!relay_sample_read((struct bytes){data, size}, &now)) {
        return 0;
    }
    IGNORE(relay_sample_read((struct bytes){data + half, size - half}, &before));
    const size_t room = relay_top_text_max(now.row_count) + 32 * size;
    uint8_t *memory = malloc(room);
    assert(memory != NULL);
    struct wr wr = wr_init(memory, room);
    relay_top_table_write(&wr, &now, &before, &view);
    assert(wr_ok(&wr));
    check_lines(wr_done(&wr), view.columns);
    wr = wr_init(memory, room);
    relay_top_json_write(&wr, &now, &before, view.row_max);
    assert(wr_ok(&wr));
    free(memory);
    relay_sample_free(&now);
    relay_sample_free(&before);
    return 0;
}
