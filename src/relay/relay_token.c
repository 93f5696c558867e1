// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_token.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/crypto_wipe.h"
#include "daemon/daemon_file.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// True: it is the name of a file, which is written to `path`.
static bool is_path(struct bytes text, char path[PATH_MAX])
{
    struct stat status;

    if (text.len == 0 || text.len >= PATH_MAX) {
        return false;
    }
    memcpy(path, text.ptr, text.len);
    path[text.len] = '\0';
    return path[0] == '/' || (stat(path, &status) == 0 && !S_ISDIR(status.st_mode));
}

// What would be right, or NULL when it is.
static const char *take(struct bytes text, struct relay_token *out)
{
    out->len = 0;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        if (is_blank(c)) {
            continue;
        }
        if (c <= ' ' || c > '~') {
            return "has a character that no token has";
        }
        if (out->len == sizeof out->text) {
            return "is longer than 4096 bytes";
        }
        out->text[out->len++] = c;
    }
    return out->len == 0 ? "is empty" : NULL;
}

bool relay_token_read(struct conf *conf, struct relay_token *out)
{
    const struct conf_value *value = conf_find(conf, "token");
    char path[PATH_MAX];
    struct bytes file = {0};
    const char *wrong = NULL;

    out->len = 0;
    if (value == NULL) {
        return false;
    }
    if (is_path(value->text, path)) {
        const int error = daemon_file_read(path, &file);
        if (error != 0) {
            snprintf(out->wrong, sizeof out->wrong, "names a file that cannot be read: %s",
                     strerror(-error));
            conf_error_value(&conf->errors, value, out->wrong);
            return false;
        }
        wrong = take(file, out);
        daemon_file_free(&file);
    } else {
        wrong = take(value->text, out);
    }
    crypto_wipe(path, sizeof path); // it may have been the token
    if (wrong != NULL) {
        conf_error_value(&conf->errors, value, wrong);
    }
    return wrong == NULL;
}

void relay_token_wipe(struct relay_token *token)
{
    crypto_wipe(token->text, sizeof token->text);
    token->len = 0;
}
