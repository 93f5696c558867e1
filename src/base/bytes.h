// SPDX-License-Identifier: Apache-2.0
// Borrowed bytes, and the two cursors through which all wire formats are read and written.
//
// The room base holds values and containers: no system header, no memory of its own, no clock.
//
// Both cursors carry a sticky failure bit: once a read or write does not fit, every later one is
// a no-op (reads answer zero or an empty span). So a codec is the list of its fields, and asks
// rd_ok() or wr_ok() once at the end. They keep counts, never end pointers.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

// A borrowed span; ptr may be NULL only when len is 0.
struct bytes {
    const uint8_t *ptr;
    size_t len; // bytes
};

// The span of a string literal, without its terminator; usable in static initialisers.
// (clang-format would take the braces for a block.)
// clang-format off
#define BYTES_LITERAL(text) {(const uint8_t *)(text), sizeof(text) - 1}
// clang-format on

// The span of a C string, without its terminator; NULL gives an empty span.
struct bytes bytes_of_text(const char *text);

// Equal length and content. Not for secrets: it stops at the first difference.
bool bytes_equal(struct bytes a, struct bytes b);

// Equal to a C string.
bool bytes_equal_text(struct bytes a, const char *text);

// The position of the first `byte` in `span`, or span.len if it has none.
size_t bytes_index(struct bytes span, uint8_t byte);

// The part of `span` from `from` on; empty when `from` is at or past its end.
struct bytes bytes_from(struct bytes span, size_t from);

// The first `len` bytes of `span`, or all of it when it is shorter.
struct bytes bytes_first(struct bytes span, size_t len);

// Without the spaces and tabs (and a CR) at either end.
struct bytes bytes_trim(struct bytes span);

// Reads an unsigned decimal number that fills the span: digits only, no sign, no spaces.
// False, with *out untouched, when it is empty, has another character, or exceeds `max`.
MUST_USE bool bytes_to_number(struct bytes text, uint64_t max, uint64_t *out);

// --- rd: reads from the front of a span --------------------------------------------------------

struct rd {
    const uint8_t *ptr; // next unread byte
    size_t left;        // bytes not read yet
    bool is_failed;     // a read went past the end; sticky
};

struct rd rd_init(struct bytes span);
bool rd_ok(const struct rd *rd);
// Nothing failed and nothing is left.
bool rd_is_done(const struct rd *rd);

// Big-endian integers; zero on failure.
uint8_t rd_u8(struct rd *rd);
uint16_t rd_u16(struct rd *rd);
uint32_t rd_u32(struct rd *rd);
uint64_t rd_u64(struct rd *rd);

// The next `len` bytes as a borrowed span; an empty span on failure.
struct bytes rd_bytes(struct rd *rd, size_t len);
// Copies the next `len` bytes to `to`; `to` is untouched on failure.
void rd_copy(struct rd *rd, uint8_t *to, size_t len);
void rd_skip(struct rd *rd, size_t len);

// --- wr: appends to memory that the caller owns -------------------------------------------------

struct wr {
    uint8_t *ptr;   // start of the memory
    size_t len;     // bytes written
    size_t room;    // bytes still free behind them
    bool is_failed; // a write did not fit; sticky, and nothing of it was written
};

struct wr wr_init(uint8_t *ptr, size_t room);
bool wr_ok(const struct wr *wr);
// What was written so far.
struct bytes wr_done(const struct wr *wr);

void wr_u8(struct wr *wr, uint8_t value);
void wr_u16(struct wr *wr, uint16_t value);
void wr_u32(struct wr *wr, uint32_t value);
void wr_u64(struct wr *wr, uint64_t value);
void wr_bytes(struct wr *wr, struct bytes span);
void wr_zero(struct wr *wr, size_t len);
// Overwrites two bytes that were written before, at `offset`; fails when they were not.
void wr_u16_at(struct wr *wr, size_t offset, uint16_t value);

// Text, for messages and keys: a C string, an unsigned decimal, one lower-case hexadecimal digit
// pair per byte.
void wr_text(struct wr *wr, const char *text);
void wr_decimal(struct wr *wr, uint64_t value);
void wr_hex(struct wr *wr, struct bytes span);
