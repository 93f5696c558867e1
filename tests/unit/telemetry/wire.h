// SPDX-License-Identifier: Apache-2.0
// Protobuf's wire format, read without any schema: what a test knows of the standard's field
// numbers it says itself. It dies of what is malformed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct wire_field {
    uint32_t number;
    uint32_t type;      // 0 varint, 1 fixed64, 2 bytes, 5 fixed32
    uint64_t value;     // of all but type 2
    struct bytes bytes; // of type 2
};

// Takes the next field off the front; false at the end.
bool wire_next(struct bytes *message, struct wire_field *out);

// How many fields of that number there are.
uint32_t wire_count(struct bytes message, uint32_t number);
// The nth of them (from 0), which must be there.
struct wire_field wire_at(struct bytes message, uint32_t number, uint32_t nth);
// The bytes of the only one, which must be of type 2; and the value of the only one.
struct bytes wire_bytes(struct bytes message, uint32_t number);
uint64_t wire_value(struct bytes message, uint32_t number);
double wire_double(struct bytes message, uint32_t number);
bool wire_is_text(struct bytes message, uint32_t number, const char *text);
// The nth of packed numbers of 64 bits.
uint64_t wire_packed(struct bytes packed, uint32_t nth);
double wire_packed_double(struct bytes packed, uint32_t nth);

// Among KeyValues of that field number, the AnyValue of a key, which must be there once.
struct bytes wire_attribute(struct bytes message, uint32_t number, const char *key);
