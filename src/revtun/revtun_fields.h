// SPDX-License-Identifier: Apache-2.0
// One control line of version 2 as words: `verb key=value key=value`.
//
//   line   = verb *( SP key "=" value )
//   verb   = key = a-z *( a-z / 0-9 / "_" )
//   value  = *( 0x21-0x24 / 0x26-0x7e / "%" hexdigit hexdigit )    all but SP, '%' and controls
//
// Values are bytes; what is not visible ASCII, and '%', is percent-encoded. No key comes twice.
#pragma once

#include "base/addr.h"
#include "base/bytes.h"
#include "revtun/revtun_stream.h"

enum {
    REVTUN_FIELDS_MAX = 32,     // keys of one line
    REVTUN_FIELDS_KEY_MAX = 32, // bytes of a key or verb
};

struct revtun_field {
    struct bytes key;   // borrowed from the line
    struct bytes value; // decoded, in `text` below
};

// Not to be copied: the fields point into it.
struct revtun_fields {
    struct bytes verb; // borrowed from the line
    size_t count;
    struct revtun_field items[REVTUN_FIELDS_MAX];
    uint8_t text[REVTUN_STREAM_LINE_MAX];
};

// Reads a line without its end. False when it is malformed or has too many keys; *out is then
// undefined.
MUST_USE bool revtun_fields_read(struct bytes line, struct revtun_fields *out);

// The value of a key; false, with *value untouched, when the line has no such key.
MUST_USE bool revtun_fields_find(const struct revtun_fields *fields, const char *key,
                                 struct bytes *value);

// Reads exactly `len` bytes, two hexadecimal digits each, in lower case as they are written. False
// when the text is anything else; `to` is then undefined.
MUST_USE bool revtun_fields_read_hex(struct bytes text, uint8_t *to, size_t len);

// Writing: the verb, then each field with the space before it, then the end. A key alone, " key=",
// is for values that are written piece by piece, of characters that need no encoding.
void revtun_fields_write_verb(struct wr *wr, const char *verb);
void revtun_fields_write_key(struct wr *wr, const char *key);
void revtun_fields_write_text(struct wr *wr, const char *key, struct bytes value);
void revtun_fields_write_number(struct wr *wr, const char *key, uint64_t value);
void revtun_fields_write_hex(struct wr *wr, const char *key, struct bytes value);
void revtun_fields_write_addr(struct wr *wr, const char *key, const struct addr *value);
void revtun_fields_write_end(struct wr *wr);
