// SPDX-License-Identifier: Apache-2.0
#include "portal_link/portal_link_url.h"

#include <assert.h>

#include "fuzz/fuzz.h"

static void expect_inside(struct bytes part, struct bytes whole)
{
    assert(part.len == 0 || part.ptr >= whole.ptr);
    assert(part.len == 0 || part.ptr + part.len <= whole.ptr + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes text = {data, size};
    const struct portal_link_self self = {.name = bytes_first(text, PORTAL_LINK_URL_NAME_MAX),
                                          .ip4 = {.family = ADDR_IP4},
                                          .ip6 = {.family = ADDR_IP6},
                                          .port = 3478};
    uint8_t target[WEB_SOCKET_PATH_MAX + 1];
    struct wr wr = wr_init(target, sizeof target);
    struct portal_link_url url;

    if (!portal_link_url_read(text, &url)) {
        return 0;
    }
    expect_inside(url.host, text);
    expect_inside(url.path, text);
    assert(url.host.len >= 1);
    assert(url.host.len <= WEB_SOCKET_HOST_MAX);
    assert(url.port != 0);
    portal_link_url_target_write(&wr, &url, &self);
    assert(wr_ok(&wr));
    assert(target[0] == '/');
    for (size_t i = 0; i + 1 < wr.len; i++) { // nothing that would end the line of a request
        assert(target[i] > ' ');
        assert(target[i] <= '~');
    }
    assert(target[wr.len - 1] == '\0');
    return 0;
}
