// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_place.h"

#include <stdio.h>
#include <string.h>

static bool host_copy(struct bytes host, struct tunnel_place *out)
{
    if (host.len == 0 || host.len > TUNNEL_NAMES_HOST_MAX) {
        return false;
    }
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] <= ' ' || host.ptr[i] == 0x7f) {
            return false;
        }
    }
    memcpy(out->host, host.ptr, host.len);
    out->host[host.len] = '\0';
    return true;
}

static bool port_read(struct bytes text, uint16_t *out)
{
    uint64_t port = 0;

    if (!bytes_to_number(text, UINT16_MAX, &port) || port == 0) {
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

// The port behind a host: nothing, or a colon and the port.
static bool rest_read(struct bytes rest, struct tunnel_place *out)
{
    return rest.len == 0 || (rest.ptr[0] == ':' && port_read(bytes_from(rest, 1), &out->port));
}

static bool read(struct bytes text, struct tunnel_place *out)
{
    const size_t colon = bytes_index(text, ':');
    const bool is_ip6 = bytes_index(bytes_from(text, colon + 1), ':') < text.len - colon - 1;
    struct bytes host = text;
    struct bytes rest = {0};

    if (text.len > 0 && text.ptr[0] == '[') {
        const size_t end = bytes_index(text, ']');
        host = bytes_from(bytes_first(text, end), 1);
        rest = bytes_from(text, end + 1);
        return end < text.len && host_copy(host, out) && rest_read(rest, out);
    }
    if (colon < text.len && !is_ip6) {
        host = bytes_first(text, colon);
        rest = bytes_from(text, colon);
    } else if (out->host[0] != '\0' && port_read(text, &out->port)) {
        return true;
    }
    return host_copy(host, out) && rest_read(rest, out);
}

bool tunnel_place_read(struct bytes text, struct tunnel_place *out)
{
    struct tunnel_place place = *out;

    if (!read(text, &place) || place.port == 0) {
        return false;
    }
    *out = place;
    return true;
}

void tunnel_place_of(struct conf_errors *errors, const struct conf_value *value,
                     struct tunnel_place *out)
{
    if (value != NULL && !tunnel_place_read(value->text, out)) {
        conf_error_value(errors, value, "is not HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080");
    }
}

void tunnel_place_host_of(struct conf_errors *errors, const struct conf_value *value,
                          struct tunnel_place *out)
{
    if (value != NULL && !host_copy(value->text, out)) {
        conf_error_value(errors, value, "is no name or address of a host");
    }
}

void tunnel_place_write(const struct tunnel_place *place, char out[TUNNEL_PLACE_TEXT_MAX])
{
    snprintf(out, TUNNEL_PLACE_TEXT_MAX, strchr(place->host, ':') != NULL ? "[%s]:%u" : "%s:%u",
             place->host, place->port);
}
