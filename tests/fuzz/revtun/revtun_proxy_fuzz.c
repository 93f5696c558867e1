// SPDX-License-Identifier: Apache-2.0
// Any bytes are read as a PROXY header: every part of a whole one is a part, and what was read is
// read again from what is written of it.
#include "revtun/revtun_proxy.h"

#include <assert.h>

#include "fuzz/fuzz.h"

static void try_rewriting(const struct revtun_proxy *proxy)
{
    uint8_t raw[REVTUN_PROXY_WRITE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);
    struct revtun_proxy again = {0};
    size_t len = 0;

    revtun_proxy_write(&wr, proxy);
    assert(wr_ok(&wr));
    const enum revtun_proxy_outcome outcome = revtun_proxy_read(wr_done(&wr), &again, &len);
    assert(outcome == REVTUN_PROXY_WHOLE);
    assert(len == wr.len);
    assert(again.version == proxy->version);
    const bool is_unknown = proxy->version == REVTUN_PROXY_V2 && proxy->src.family == ADDR_NONE;
    assert(again.is_local == (proxy->is_local || is_unknown));
    assert(addr_equal(&again.src, &proxy->src));
    assert(addr_equal(&again.dst, &proxy->dst));
    assert(bytes_equal(again.authority, proxy->authority));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct revtun_proxy proxy = {0};
    size_t len = 0;

    if (revtun_proxy_read(input, &proxy, &len) != REVTUN_PROXY_WHOLE) {
        assert(len == 0);
        return 0;
    }
    assert(len <= size);
    assert(len <= REVTUN_PROXY_READ_MAX);
    try_rewriting(&proxy);
    for (size_t part = 0; part < len; part++) {
        size_t none = 0;
        const enum revtun_proxy_outcome outcome =
            revtun_proxy_read(bytes_first(input, part), &proxy, &none);
        assert(outcome == REVTUN_PROXY_PART);
    }
    return 0;
}
