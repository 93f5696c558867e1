// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_line.h"

#include <assert.h>

bool revtun_line_is_host(struct bytes host)
{
    if (host.len == 0 || host.len > REVTUN_CONFIG_HOST_MAX) {
        return false;
    }
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] <= ' ' || host.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static void address_write(struct wr *wr, const char *word, struct bytes host, uint16_t port)
{
    wr_text(wr, word);
    wr_bytes(wr, host);
    wr_text(wr, ":");
    wr_decimal(wr, port);
    wr_text(wr, "\r\n");
}

void revtun_line_greeting_write(struct wr *wr, struct bytes host, uint16_t public_port,
                                uint16_t reverse_port)
{
    assert(revtun_line_is_host(host));
    address_write(wr, "public_listener ", host, public_port);
    address_write(wr, "reverse_listener ", host, reverse_port);
}

void revtun_line_new_connection_write(struct wr *wr)
{
    wr_text(wr, "new_connection\r\n");
}

void revtun_line_no_available_listeners_write(struct wr *wr)
{
    wr_text(wr, "no_available_listeners\r\n");
}

enum revtun_line_outcome revtun_line_watch(struct revtun_line_watch *watch, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (watch->is_cr && bytes.ptr[i] == '\n') {
            return REVTUN_LINE_COMPLETE;
        }
        watch->is_cr = bytes.ptr[i] == '\r';
        if (++watch->len > REVTUN_LINE_MAX) {
            return REVTUN_LINE_TOO_LONG;
        }
    }
    return REVTUN_LINE_OPEN;
}

static bool address_read(struct bytes text, struct revtun_line_address *out)
{
    size_t colon = text.len;
    uint64_t port = 0;

    while (colon > 0 && text.ptr[colon - 1] != ':') {
        colon--;
    }
    if (colon == 0 || !revtun_line_is_host(bytes_first(text, colon - 1)) ||
        !bytes_to_number(bytes_from(text, colon), UINT16_MAX, &port) || port == 0) {
        return false;
    }
    *out = (struct revtun_line_address){bytes_first(text, colon - 1), (uint16_t)port};
    return true;
}

enum revtun_line_kind revtun_line_read(struct bytes line, struct revtun_line_address *address)
{
    const size_t space = bytes_index(line, ' ');
    const struct bytes verb = bytes_first(line, space);
    const struct bytes rest = bytes_from(line, space + 1);

    if (bytes_equal_text(verb, "public_listener")) {
        return address_read(rest, address) ? REVTUN_LINE_PUBLIC_LISTENER : REVTUN_LINE_BAD_ADDRESS;
    }
    if (bytes_equal_text(verb, "reverse_listener")) {
        return address_read(rest, address) ? REVTUN_LINE_REVERSE_LISTENER : REVTUN_LINE_BAD_ADDRESS;
    }
    if (bytes_equal_text(verb, "new_connection")) {
        return REVTUN_LINE_NEW_CONNECTION;
    }
    if (bytes_equal_text(verb, "no_available_listeners")) {
        return REVTUN_LINE_NO_AVAILABLE_LISTENERS;
    }
    return REVTUN_LINE_UNKNOWN;
}
