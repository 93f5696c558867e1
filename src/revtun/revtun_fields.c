// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_fields.h"

#include <assert.h>

#include "base/ascii.h"
#include "base/percent.h"

static bool is_plain(uint8_t c)
{
    return c > ' ' && c < 0x7f && c != '%';
}

static bool is_key(struct bytes text)
{
    if (text.len == 0 || text.len > REVTUN_FIELDS_KEY_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        const bool is_letter = c >= 'a' && c <= 'z';
        if (!is_letter && (i == 0 || ((c < '0' || c > '9') && c != '_'))) {
            return false;
        }
    }
    return true;
}

// Decodes a value to the end of `wr`; false when it is malformed.
static bool decode(struct bytes encoded, struct wr *wr)
{
    uint8_t byte = 0;

    while (encoded.len > 0) {
        const uint8_t c = encoded.ptr[0];
        if ((c != '%' && !is_plain(c)) || !percent_take(&encoded, &byte)) {
            return false;
        }
        wr_u8(wr, byte);
    }
    return wr_ok(wr);
}

// Reads "key=value" as the next field.
static bool field_read(struct bytes text, struct wr *wr, struct revtun_fields *out)
{
    const size_t equals = bytes_index(text, '=');
    const struct bytes key = bytes_first(text, equals);
    const size_t from = wr->len;

    if (equals == text.len || !is_key(key) || out->count == REVTUN_FIELDS_MAX) {
        return false;
    }
    for (size_t i = 0; i < out->count; i++) {
        if (bytes_equal(out->items[i].key, key)) {
            return false;
        }
    }
    if (!decode(bytes_from(text, equals + 1), wr)) {
        return false;
    }
    out->items[out->count++] =
        (struct revtun_field){.key = key, .value = bytes_from(wr_done(wr), from)};
    return true;
}

bool revtun_fields_read(struct bytes line, struct revtun_fields *out)
{
    // What is decoded is never longer than it was, so the text fits if the line does.
    struct wr wr = wr_init(out->text, sizeof out->text);
    size_t end = bytes_index(line, ' ');

    out->count = 0;
    out->verb = bytes_first(line, end);
    if (line.len > REVTUN_STREAM_LINE_MAX || !is_key(out->verb)) {
        return false;
    }
    while (end < line.len) {
        line = bytes_from(line, end + 1);
        end = bytes_index(line, ' ');
        if (!field_read(bytes_first(line, end), &wr, out)) {
            return false;
        }
    }
    return true;
}

bool revtun_fields_find(const struct revtun_fields *fields, const char *key, struct bytes *value)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (bytes_equal_text(fields->items[i].key, key)) {
            *value = fields->items[i].value;
            return true;
        }
    }
    return false;
}

bool revtun_fields_read_hex(struct bytes text, uint8_t *to, size_t len)
{
    if (text.len != 2 * len) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t digit = ascii_hex_digit(text.ptr[i]);
        if (digit == ASCII_NO_DIGIT || (text.ptr[i] >= 'A' && text.ptr[i] <= 'F')) {
            return false;
        }
        to[i / 2] = (uint8_t)(i % 2 == 0 ? digit * 16 : to[i / 2] + digit);
    }
    return true;
}

void revtun_fields_write_verb(struct wr *wr, const char *verb)
{
    assert(is_key(bytes_of_text(verb)));
    wr_text(wr, verb);
}

void revtun_fields_write_key(struct wr *wr, const char *key)
{
    assert(is_key(bytes_of_text(key)));
    wr_u8(wr, ' ');
    wr_text(wr, key);
    wr_u8(wr, '=');
}

void revtun_fields_write_text(struct wr *wr, const char *key, struct bytes value)
{
    revtun_fields_write_key(wr, key);
    for (size_t i = 0; i < value.len; i++) {
        const uint8_t c = value.ptr[i];
        if (is_plain(c)) {
            wr_u8(wr, c);
        } else {
            percent_write(wr, c);
        }
    }
}

void revtun_fields_write_number(struct wr *wr, const char *key, uint64_t value)
{
    revtun_fields_write_key(wr, key);
    wr_decimal(wr, value);
}

void revtun_fields_write_hex(struct wr *wr, const char *key, struct bytes value)
{
    revtun_fields_write_key(wr, key);
    wr_hex(wr, value);
}

void revtun_fields_write_addr(struct wr *wr, const char *key, const struct addr *value)
{
    revtun_fields_write_key(wr, key);
    addr_write(wr, value);
}

void revtun_fields_write_end(struct wr *wr)
{
    wr_text(wr, "\r\n");
}
