// SPDX-License-Identifier: Apache-2.0
// Any bytes are read as an access list: what is kept is well-formed, what is wrong is told.
#include "revtun/revtun_access.h"

#include <assert.h>

#include "fuzz/fuzz.h"

enum { CAPACITY = 8 };

static void try_mistakes(const struct revtun_access_mistakes *mistakes, size_t line_max)
{
    assert(mistakes->count > 0);
    assert(mistakes->count <= REVTUN_ACCESS_MISTAKE_MAX);
    for (size_t i = 0; i < mistakes->count; i++) {
        uint8_t raw[512];
        struct wr wr = wr_init(raw, sizeof raw);
        assert(mistakes->items[i].line > 0);
        assert(mistakes->items[i].line <= line_max);
        revtun_access_mistake_write(&wr, &mistakes->items[i]);
        assert(wr_ok(&wr));
        for (size_t k = 0; k < wr.len; k++) {
            assert(raw[k] >= ' ');
            assert(raw[k] < 0x7f);
        }
    }
}

static void try_entry(const struct revtun_access *access, const struct revtun_access_entry *entry)
{
    assert(entry->tunnel_max > 0);
    assert(revtun_pattern_is_list(entry->names, revtun_pattern_is_of_names));
    // Nothing to check but that they come to an end.
    (void)revtun_access_may_name(entry, bytes_of_text("web"));
    (void)revtun_access_may_port(entry, 12101);
    (void)revtun_access_may_hosts(entry, bytes_of_text("a.test,*.b.test"));
    assert(entry->hosts.len == 0 || revtun_access_may_hosts(entry, entry->hosts));
    if (entry->kind == REVTUN_ACCESS_TOKEN) {
        assert(revtun_access_find_token(access, entry->id) == entry);
    } else if (entry->kind == REVTUN_ACCESS_CERT) {
        assert(revtun_access_find_cert(access, entry->hash) == entry);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct revtun_access_entry entries[CAPACITY];
    static struct revtun_access_mistakes mistakes;
    struct revtun_access access = {.entries = entries, .capacity = CAPACITY};
    const struct bytes text = {data, size};

    if (!revtun_access_read(text, &access, &mistakes)) {
        assert(access.count == 0);
        try_mistakes(&mistakes, revtun_access_count_max(text));
        return 0;
    }
    assert(mistakes.count == 0);
    assert(access.count <= revtun_access_count_max(text));
    for (size_t i = 0; i < access.count; i++) {
        try_entry(&access, &entries[i]);
    }
    return 0;
}
