// SPDX-License-Identifier: Apache-2.0
#include "http/http_authority.h"

#include "base/addr.h"
#include "base/ascii.h"

// Takes an address of IPv6 in brackets, or else all up to a colon, off the front.
static bool host_take(struct bytes *text, struct http_authority *out)
{
    struct addr addr = {0};

    out->is_ip6 = text->len > 0 && text->ptr[0] == '[';
    const size_t end = bytes_index(*text, out->is_ip6 ? ']' : ':');
    out->host = bytes_from(bytes_first(*text, end), out->is_ip6);
    if (out->is_ip6 && end == text->len) {
        return false;
    }
    *text = bytes_from(*text, end + out->is_ip6);
    if (out->is_ip6) {
        return addr_read(out->host, &addr) && addr.family == ADDR_IP6;
    }
    return out->host.len > 0 && ascii_has_only(out->host, "-._");
}

bool http_authority_read(struct bytes text, struct http_authority *out)
{
    struct http_authority made = {0};
    uint64_t port = 0;

    if (!host_take(&text, &made)) {
        return false;
    }
    if (text.len > 0) {
        if (text.ptr[0] != ':' || !bytes_to_number(bytes_from(text, 1), UINT16_MAX, &port) ||
            port == 0) {
            return false;
        }
        made.port = (uint16_t)port;
    }
    *out = made;
    return true;
}
