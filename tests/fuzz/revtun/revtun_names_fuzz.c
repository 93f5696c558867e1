// SPDX-License-Identifier: Apache-2.0
// Any bytes are read as leases, and what was read is written so that it is read again.
#include "revtun/revtun_names.h"

#include <assert.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"

enum { PORT_COUNT = 32, WALL_S = 5000 };

static struct revtun_names *make(void)
{
    const struct revtun_names_config config = {
        .first_port = 100, .port_count = PORT_COUNT, .lease_s = 1000, .key = {1, 2}};
    void *memory = calloc(1, revtun_names_size(PORT_COUNT));

    assert(memory != NULL);
    return revtun_names_init(memory, &config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct revtun_names *names = make();
    struct revtun_names *again = make();
    uint8_t raw[PORT_COUNT * REVTUN_NAMES_LINE_MAX];
    uint8_t raw_again[PORT_COUNT * REVTUN_NAMES_LINE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);
    struct wr wr_again = wr_init(raw_again, sizeof raw_again);

    const struct revtun_names_dropped dropped =
        revtun_names_read(names, (struct bytes){data, size}, WALL_S);
    assert((dropped.count > 0) == (dropped.first_line > 0));
    revtun_names_write(names, WALL_S, &wr);
    assert(wr_ok(&wr));
    const struct revtun_names_dropped none = revtun_names_read(again, wr_done(&wr), WALL_S);
    assert(none.count == 0);
    assert(revtun_names_count(again) == revtun_names_count(names));
    revtun_names_write(again, WALL_S, &wr_again);
    assert(bytes_equal(wr_done(&wr), wr_done(&wr_again)));
    free(names);
    free(again);
    return 0;
}
