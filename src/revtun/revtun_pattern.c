// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_pattern.h"

#include <assert.h>

static bool is_alphanumeric(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Some of the characters that a name may have, anywhere.
static bool is_part_of_name(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_alphanumeric(text.ptr[i]) && text.ptr[i] != '-') {
            return false;
        }
    }
    return true;
}

bool revtun_pattern_is_name(struct bytes text)
{
    return text.len > 0 && text.len <= REVTUN_NAME_MAX && is_part_of_name(text) &&
           text.ptr[0] != '-' && text.ptr[text.len - 1] != '-';
}

static bool is_label(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_alphanumeric(text.ptr[i]) && text.ptr[i] != '-' && text.ptr[i] != '_') {
            return false;
        }
    }
    return text.len > 0 && text.len <= REVTUN_NAME_MAX && text.ptr[0] != '-' &&
           text.ptr[text.len - 1] != '-';
}

bool revtun_pattern_is_host(struct bytes text)
{
    if (text.len == 0 || text.len > REVTUN_HOST_MAX || text.ptr[text.len - 1] == '.') {
        return false;
    }
    while (text.len > 0) {
        const size_t len = bytes_index(text, '.');
        if (!is_label(bytes_first(text, len))) {
            return false;
        }
        text = bytes_from(text, len + 1);
    }
    return true;
}

// The pattern without the star at its end, which is then cut off; false when it has none.
static bool cut_star(struct bytes *pattern)
{
    if (pattern->len == 0 || pattern->ptr[pattern->len - 1] != '*') {
        return false;
    }
    pattern->len--;
    return true;
}

bool revtun_pattern_is_of_names(struct bytes text)
{
    if (!cut_star(&text)) {
        return revtun_pattern_is_name(text);
    }
    return text.len <= REVTUN_NAME_MAX && is_part_of_name(text) &&
           (text.len == 0 || text.ptr[0] != '-');
}

// "*.a.test" without its star and dot; empty for anything else.
static struct bytes parent_of(struct bytes pattern)
{
    static const struct bytes start = BYTES_LITERAL("*.");

    return bytes_equal(bytes_first(pattern, start.len), start) ? bytes_from(pattern, start.len)
                                                               : (struct bytes){0};
}

bool revtun_pattern_is_of_hosts(struct bytes text)
{
    return bytes_equal_text(text, "*") || revtun_pattern_is_host(text) ||
           revtun_pattern_is_host(parent_of(text));
}

// Reads "N", "N-M" or "*".
static bool ports_read(struct bytes text, uint64_t *first, uint64_t *last)
{
    const size_t dash = bytes_index(text, '-');

    if (bytes_equal_text(text, "*")) {
        *first = 1;
        *last = UINT16_MAX;
        return true;
    }
    if (!bytes_to_number(bytes_first(text, dash), UINT16_MAX, first)) {
        return false;
    }
    if (dash == text.len) {
        *last = *first;
    } else if (!bytes_to_number(bytes_from(text, dash + 1), UINT16_MAX, last)) {
        return false;
    }
    return *first > 0 && *first <= *last;
}

bool revtun_pattern_is_of_ports(struct bytes text)
{
    uint64_t first = 0;
    uint64_t last = 0;

    return ports_read(text, &first, &last);
}

bool revtun_pattern_covers_name(struct bytes pattern, struct bytes name)
{
    assert(revtun_pattern_is_of_names(pattern));
    return cut_star(&pattern) ? bytes_equal(bytes_first(name, pattern.len), pattern)
                              : bytes_equal(name, pattern);
}

bool revtun_pattern_covers_host(struct bytes pattern, struct bytes host)
{
    const struct bytes parent = parent_of(pattern);

    assert(revtun_pattern_is_of_hosts(pattern));
    if (bytes_equal_text(pattern, "*")) {
        return true;
    }
    if (parent.len == 0 || host.len < parent.len + 2) {
        return bytes_equal(host, pattern);
    }
    // "*.b.a.test" ends as "*.a.test" does, and so does "*.a.test" itself.
    return bytes_equal(bytes_from(host, host.len - parent.len), parent) &&
           host.ptr[host.len - parent.len - 1] == '.';
}

bool revtun_pattern_take(struct bytes *list, struct bytes *item)
{
    const size_t len = bytes_index(*list, ',');

    if (list->len == 0) {
        return false;
    }
    *item = bytes_first(*list, len);
    *list = bytes_from(*list, len + 1);
    return true;
}

bool revtun_pattern_is_list(struct bytes list, revtun_pattern_fn is_item)
{
    struct bytes item = {0};

    if (list.len == 0 || list.ptr[list.len - 1] == ',') {
        return false;
    }
    while (revtun_pattern_take(&list, &item)) {
        if (!is_item(item)) {
            return false;
        }
    }
    return true;
}

bool revtun_pattern_take_ports(struct bytes *list, uint64_t *first, uint64_t *last)
{
    struct bytes item = {0};

    while (revtun_pattern_take(list, &item)) {
        if (ports_read(item, first, last)) {
            return true;
        }
    }
    return false;
}

bool revtun_pattern_list_has_port(struct bytes list, uint16_t port)
{
    uint64_t first = 0;
    uint64_t last = 0;

    while (revtun_pattern_take_ports(&list, &first, &last)) {
        if (port >= first && port <= last) {
            return true;
        }
    }
    return false;
}
