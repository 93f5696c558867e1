// SPDX-License-Identifier: Apache-2.0
// https://protobuf.dev/programming-guides/encoding/
#include "telemetry/wire.h"

#include <assert.h>
#include <string.h>

static uint64_t varint(struct rd *rd)
{
    uint64_t value = 0;

    for (uint32_t shift = 0; shift < 64; shift += 7) {
        const uint8_t byte = rd_u8(rd);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    assert(!"a varint has ten bytes at most");
    return 0;
}

static uint64_t fixed(struct rd *rd, uint32_t len)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < len; i++) {
        value |= (uint64_t)rd_u8(rd) << (8 * i);
    }
    return value;
}

bool wire_next(struct bytes *message, struct wire_field *out)
{
    struct rd rd = rd_init(*message);

    if (message->len == 0) {
        return false;
    }
    const uint64_t tag = varint(&rd);
    *out = (struct wire_field){.number = (uint32_t)(tag >> 3), .type = (uint32_t)tag & 7};
    switch (out->type) {
    case 0:
        out->value = varint(&rd);
        break;
    case 1:
        out->value = fixed(&rd, 8);
        break;
    case 2:
        out->bytes = rd_bytes(&rd, (size_t)varint(&rd));
        break;
    case 5:
        out->value = fixed(&rd, 4);
        break;
    default:
        assert(!"no such type");
    }
    assert(rd_ok(&rd));
    assert(out->number > 0);
    *message = bytes_from(*message, message->len - rd.left);
    return true;
}

uint32_t wire_count(struct bytes message, uint32_t number)
{
    struct wire_field field;
    uint32_t count = 0;

    while (wire_next(&message, &field)) {
        count += field.number == number;
    }
    return count;
}

struct wire_field wire_at(struct bytes message, uint32_t number, uint32_t nth)
{
    struct wire_field field = {0};

    do {
        const bool is_there = wire_next(&message, &field);
        assert(is_there);
    } while (field.number != number || nth-- > 0);
    return field;
}

struct bytes wire_bytes(struct bytes message, uint32_t number)
{
    const struct wire_field field = wire_at(message, number, 0);

    assert(wire_count(message, number) == 1);
    assert(field.type == 2);
    return field.bytes;
}

uint64_t wire_value(struct bytes message, uint32_t number)
{
    const struct wire_field field = wire_at(message, number, 0);

    assert(wire_count(message, number) == 1);
    assert(field.type != 2);
    return field.value;
}

static double as_double(uint64_t bits)
{
    double value = 0;

    memcpy(&value, &bits, sizeof value);
    return value;
}

double wire_double(struct bytes message, uint32_t number)
{
    assert(wire_at(message, number, 0).type == 1);
    return as_double(wire_value(message, number));
}

bool wire_is_text(struct bytes message, uint32_t number, const char *text)
{
    return bytes_equal_text(wire_bytes(message, number), text);
}

uint64_t wire_packed(struct bytes packed, uint32_t nth)
{
    struct rd rd = rd_init(bytes_from(packed, (size_t)nth * 8));
    const uint64_t value = fixed(&rd, 8);

    assert(rd_ok(&rd));
    return value;
}

double wire_packed_double(struct bytes packed, uint32_t nth)
{
    return as_double(wire_packed(packed, nth));
}

struct bytes wire_attribute(struct bytes message, uint32_t number, const char *key)
{
    struct bytes value = {0};
    uint32_t found = 0;

    for (uint32_t i = 0; i < wire_count(message, number); i++) {
        const struct bytes pair = wire_at(message, number, i).bytes;
        if (wire_is_text(pair, 1, key)) {
            value = wire_bytes(pair, 2);
            found++;
        }
    }
    assert(found == 1);
    return value;
}
