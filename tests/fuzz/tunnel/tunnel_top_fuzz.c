// SPDX-License-Identifier: Apache-2.0
// Whatever `top` reads of a control socket is shown without going beyond the room for it, and its
// lines keep to the terminal.
#include "tunnel/tunnel_top.h"

#include <assert.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"

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
    static const struct daemon_sample_kinds kinds = {tunnel_sample_kinds, TUNNEL_SAMPLE_KINDS};
    static const struct daemon_query_view view = {.columns = 60, .row_max = 4};
    const size_t half = size / 2;
    struct daemon_sample now;
    struct daemon_sample before = {.row_count = 0};

    if (!daemon_sample_read((struct bytes){data, size}, &kinds, &now)) {
        return 0;
    }
    IGNORE(daemon_sample_read((struct bytes){data + half, size - half}, &kinds, &before));
    const size_t room = tunnel_top_text_max(now.row_count) + 32 * size;
    uint8_t *memory = malloc(room);
    assert(memory != NULL);
    struct wr wr = wr_init(memory, room);
    tunnel_top_table_write(&wr, &now, &before, &view);
    assert(wr_ok(&wr));
    check_lines(wr_done(&wr), view.columns);
    wr = wr_init(memory, room);
    tunnel_top_json_write(&wr, &now, &before, view.row_max);
    assert(wr_ok(&wr));
    free(memory);
    daemon_sample_free(&now);
    daemon_sample_free(&before);
    return 0;
}
