// SPDX-License-Identifier: Apache-2.0
#include "log/log_level.h"

#include <assert.h>

static const char *const words[] = {
    [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARN] = "warn",   [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_TRACE] = "trace",
};

static uint8_t lower(uint8_t letter)
{
    return letter >= 'A' && letter <= 'Z' ? (uint8_t)(letter - 'A' + 'a') : letter;
}

static bool is_word(struct bytes text, struct bytes word)
{
    if (text.len != word.len) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (lower(text.ptr[i]) != word.ptr[i]) {
            return false;
        }
    }
    return true;
}

bool log_level_read(struct bytes word, enum log_level *out)
{
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (is_word(word, bytes_of_text(words[i]))) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

const char *log_level_text(enum log_level level)
{
    assert((size_t)level < COUNT_OF(words));
    return words[level];
}
