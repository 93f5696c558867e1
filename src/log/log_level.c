// SPDX-License-Identifier: Apache-2.0
#include "log/log_level.h"

#include <assert.h>

#include "base/ascii.h"

static const char *const words[] = {
    [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARN] = "warn",   [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_TRACE] = "trace",
};

bool log_level_read(struct bytes word, enum log_level *out)
{
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (ascii_is_same(word, words[i])) {
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
