// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_name.h"

#include <string.h>

static const uint8_t ellipsis[] = {0xe2, 0x80, 0xa6};

// The bytes of UTF-8 behind a character's first one.
static bool is_continued(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

struct turn_name turn_name_of(struct bytes username)
{
    struct turn_name name = {.len = (uint8_t)username.len};
    size_t kept_len = TURN_NAME_MAX - sizeof ellipsis;

    if (username.len == 0) {
        return name;
    }
    if (username.len <= TURN_NAME_MAX) {
        memcpy(name.text, username.ptr, username.len);
        return name;
    }
    while (kept_len > 0 && is_continued(username.ptr[kept_len])) {
        kept_len--;
    }
    memcpy(name.text, username.ptr, kept_len);
    memcpy(name.text + kept_len, ellipsis, sizeof ellipsis);
    name.len = (uint8_t)(kept_len + sizeof ellipsis);
    return name;
}

struct bytes turn_name_bytes(const struct turn_name *name)
{
    return (struct bytes){name->text, name->len};
}
