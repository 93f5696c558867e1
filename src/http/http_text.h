// SPDX-License-Identifier: Apache-2.0
// The few classes of characters that RFC 9110 builds on.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"

// A token (RFC 9110 section 5.6.2): what methods and names of fields are made of; not empty.
bool http_text_is_token(struct bytes text);
// Nothing but visible ASCII; perhaps empty.
bool http_text_is_visible(struct bytes text);
