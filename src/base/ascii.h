// SPDX-License-Identifier: Apache-2.0
// Characters of ASCII, as protocols have them: whatever the locale, and with no other letters.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

// The letter in lower case; what is none as it is.
uint8_t ascii_lower(uint8_t character);
bool ascii_is_digit(uint8_t character);
bool ascii_is_alphanumeric(uint8_t character);
// Nothing but letters, digits and the characters in `others`; perhaps empty.
bool ascii_has_only(struct bytes text, const char *others);
// The same as `word`, which is in lower case, whatever the case of `text`.
bool ascii_is_same(struct bytes text, const char *word);

enum { ASCII_NO_DIGIT = 16 };

// What a hexadecimal digit stands for, in either case; ASCII_NO_DIGIT for what is none.
uint8_t ascii_hex_digit(uint8_t character);
