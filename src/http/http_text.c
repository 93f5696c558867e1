// SPDX-License-Identifier: Apache-2.0
#include "http/http_text.h"

#include "base/ascii.h"

bool http_text_is_token(struct bytes text)
{
    return text.len > 0 && ascii_has_only(text, "!#$%&'*+-.^_`|~");
}

bool http_text_is_visible(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f) {
            return false;
        }
    }
    return true;
}
