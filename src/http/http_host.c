// SPDX-License-Identifier: Apache-2.0
#include "http/http_host.h"

#include "base/addr.h"
#include "base/ascii.h"
#include "http/http_authority.h"

static bool is_localhost(const struct http_authority *authority)
{
    return ascii_is_same(authority->host, "localhost");
}

bool http_host_is_local(struct bytes host)
{
    struct http_authority authority;
    struct addr addr = {0};

    return http_authority_read(host, &authority) &&
           (is_localhost(&authority) ||
            (addr_read(authority.host, &addr) && addr_is_loopback(&addr)));
}

bool http_host_is_origin(struct bytes host, struct bytes origin)
{
    static const struct bytes scheme = BYTES_LITERAL("http://");
    struct http_authority authority;
    struct addr addr = {0};

    return bytes_equal(bytes_first(origin, scheme.len), scheme) &&
           bytes_equal(bytes_from(origin, scheme.len), host) &&
           http_authority_read(host, &authority) &&
           (is_localhost(&authority) || addr_read(authority.host, &addr));
}
