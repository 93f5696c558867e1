// SPDX-License-Identifier: Apache-2.0
#include "http/http_url.h"

#include "base/ascii.h"

// Takes "SCHEME://" off the front.
static bool scheme_take(struct bytes *text, enum http_url_scheme *out)
{
    static const char *const prefixes[] = {
        [HTTP_URL_HTTP] = "http://",
        [HTTP_URL_HTTPS] = "https://",
        [HTTP_URL_WS] = "ws://",
        [HTTP_URL_WSS] = "wss://",
    };

    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        const size_t len = bytes_of_text(prefixes[i]).len;
        if (ascii_is_same(bytes_first(*text, len), prefixes[i])) {
            *text = bytes_from(*text, len);
            *out = (enum http_url_scheme)i;
            return true;
        }
    }
    return false;
}

// Takes all up to the first of these characters off the front.
static struct bytes take_until(struct bytes *text, const char *marks)
{
    const struct bytes ends = bytes_of_text(marks);
    size_t len = 0;

    while (len < text->len && bytes_index(ends, text->ptr[len]) == ends.len) {
        len++;
    }
    const struct bytes taken = bytes_first(*text, len);
    *text = bytes_from(*text, len);
    return taken;
}

bool http_url_read(struct bytes text, struct http_url *out)
{
    struct http_url made = {0};

    if (!scheme_take(&text, &made.scheme)) {
        return false;
    }
    made.authority_text = take_until(&text, "/?#");
    made.path = take_until(&text, "?#");
    made.tail = text;
    if (!http_authority_read(made.authority_text, &made.authority) ||
        !ascii_has_only(made.path, "/-._~%!$&'()*+,;=:@")) {
        return false;
    }
    *out = made;
    return true;
}

bool http_url_is_tls(const struct http_url *url)
{
    return url->scheme == HTTP_URL_HTTPS || url->scheme == HTTP_URL_WSS;
}
