// SPDX-License-Identifier: Apache-2.0
#include "portal_link/portal_link_url.h"

#include <assert.h>

#include "base/ascii.h"
#include "base/percent.h"
#include "http/http_url.h"

enum { DEFAULT_PORT = 443 };

_Static_assert(PORTAL_LINK_URL_PATH_MAX + 3 * PORTAL_LINK_URL_NAME_MAX + 200 <= WEB_SOCKET_PATH_MAX,
               "the longest path and name, with all the rest, are no longer than a request's");

bool portal_link_url_read(struct bytes text, struct portal_link_url *out)
{
    struct http_url url;

    if (!http_url_read(text, &url) || url.authority.host.len > WEB_SOCKET_HOST_MAX ||
        (url.authority.is_ip6 && http_url_is_tls(&url))) {
        return false;
    }
    while (url.path.len > 0 && url.path.ptr[url.path.len - 1] == '/') {
        url.path.len--;
    }
    if (url.path.len > PORTAL_LINK_URL_PATH_MAX) {
        return false;
    }
    *out = (struct portal_link_url){
        .is_tls = http_url_is_tls(&url),
        .host = url.authority.host,
        .is_ip6 = url.authority.is_ip6,
        .port = url.authority.port != 0 ? url.authority.port : DEFAULT_PORT,
        .path = url.path,
    };
    return true;
}

// application/x-www-form-urlencoded, as the portal's own clients write it.
static void form_write(struct wr *wr, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        if (ascii_is_alphanumeric(c) || c == '*' || c == '-' || c == '.' || c == '_') {
            wr_u8(wr, c);
        } else if (c == ' ') {
            wr_u8(wr, '+');
        } else {
            percent_write(wr, c);
        }
    }
}

static void address_write(struct wr *wr, const char *name, const struct addr *addr)
{
    uint8_t text[ADDR_TEXT_MAX];
    struct wr plain = wr_init(text, sizeof text);

    if (addr->family == ADDR_NONE) {
        return;
    }
    addr_ip_write(&plain, addr);
    assert(wr_ok(&plain));
    wr_text(wr, name);
    form_write(wr, wr_done(&plain));
    wr_u8(wr, '&');
}

void portal_link_url_target_write(struct wr *wr, const struct portal_link_url *url,
                                  const struct portal_link_self *self)
{
    assert(self->name.len <= PORTAL_LINK_URL_NAME_MAX);
    wr_bytes(wr, url->path);
    wr_text(wr, "/relay/websocket?");
    if (self->name.len > 0) {
        wr_text(wr, "name=");
        form_write(wr, self->name);
        wr_u8(wr, '&');
    }
    address_write(wr, "ipv4=", &self->ip4);
    address_write(wr, "ipv6=", &self->ip6);
    wr_text(wr, "port=");
    wr_decimal(wr, self->port);
    wr_u8(wr, '\0');
    assert(wr_ok(wr));
}
