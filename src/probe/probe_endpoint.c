// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_endpoint.h"

bool probe_endpoint_read(struct bytes text, struct addr *out)
{
    struct addr addr = {0};
    uint64_t port = PROBE_ENDPOINT_PORT;
    size_t at = text.len;

    if (text.len > 0 && text.ptr[0] == '[') {
        size_t end = bytes_index(text, ']');
        if (end == text.len) {
            return false;
        }
        at = end + 1;
        if (!addr_read(bytes_from(bytes_first(text, end), 1), &addr)) {
            return false;
        }
    } else if (!addr_read(text, &addr)) {
        at = bytes_index(text, ':');
        if (!addr_read(bytes_first(text, at), &addr)) {
            return false;
        }
    }
    struct bytes tail = bytes_from(text, at);
    if (tail.len > 0 && (tail.ptr[0] != ':' ||
                         !bytes_to_number(bytes_from(tail, 1), UINT16_MAX, &port) || port == 0)) {
        return false;
    }
    *out = addr_with_port(addr, (uint16_t)port);
    return true;
}

void probe_endpoint_take(struct conf *conf, struct addr *out)
{
    const struct conf_value *value = conf_find(conf, "server");

    if (value == NULL) {
        conf_error_missing(&conf->errors, conf_option_find(conf->table, bytes_of_text("server")));
    } else if (!probe_endpoint_read(value->text, out)) {
        conf_error_value(&conf->errors, value, "is not an address, with or without a port");
    }
}
