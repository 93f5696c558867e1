// SPDX-License-Identifier: Apache-2.0
// Characters of UTF-8.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

// The length of the well-formed character at the front of what is not empty, or 0.
size_t utf8_len(struct bytes text);
// It is made of well-formed characters alone; perhaps empty.
bool utf8_is_text(struct bytes text);
// It has one, and that steers terminals: what is below the space, DEL, U+0080 to U+009F.
bool utf8_is_control(struct bytes character);
// It is made of well-formed characters alone, and none steers terminals; perhaps empty.
bool utf8_is_printable(struct bytes text);
