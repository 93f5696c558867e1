// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_spoke_options.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "daemon/daemon_file.h"
#include "tunnel/tunnel_data.h"
#include "tunnel/tunnel_services.h"

enum { DRAIN_MAX_S = 7 * 86400 };

static const char *const own[] = {
    "token", "token-file",     "cert", "key",  "ca",   "name",          "port",
    "host",  "proxy-protocol", "pool", "data", "take", "drain-timeout",
};

bool tunnel_spoke_options_are_given(const struct conf *conf)
{
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        if (conf_is_given(conf, own[i])) {
            return true;
        }
    }
    return tunnel_services_are_second(conf);
}

static void require(struct conf *conf, const char *name)
{
    if (!conf_is_given(conf, name)) {
        conf_error_missing(&conf->errors, conf_option_find(conf->table, bytes_of_text(name)));
    }
}

// --- who we are ----------------------------------------------------------------------------------

static void read_token(struct conf_errors *errors, const struct conf_value *value,
                       struct bytes text, struct tunnel_spoke_config *out)
{
    switch (revtun_token_read(text, &out->token)) {
    case REVTUN_TOKEN_OK:
        out->has_token = true;
        return;
    case REVTUN_TOKEN_NONE:
        conf_error_value(errors, value,
                         "is no token: that is one word that begins with flt1., as the relay's "
                         "operator has it");
        return;
    case REVTUN_TOKEN_DAMAGED:
        conf_error_value(errors, value, "is a token with a slip in it: copy all of it once more");
        return;
    }
}

// The first line of a file, whatever comes behind it.
static struct bytes first_line(struct bytes text)
{
    return bytes_trim(bytes_first(text, bytes_index(text, '\n')));
}

static bool path_of(struct conf *conf, const char *name, char path[PATH_MAX])
{
    struct bytes text = {0};

    if (!conf_value_text(&conf->errors, conf_find(conf, name), 1, PATH_MAX - 1, &text)) {
        return false;
    }
    memcpy(path, text.ptr, text.len);
    path[text.len] = '\0';
    return true;
}

static void read_token_file(struct conf *conf, struct tunnel_spoke_config *out)
{
    char path[PATH_MAX];
    struct bytes text = {0};

    if (!path_of(conf, "token-file", path)) {
        return;
    }
    if (daemon_file_read(path, &text) != 0) {
        conf_error_value(&conf->errors, conf_find(conf, "token-file"), "cannot be read");
        return;
    }
    read_token(&conf->errors, conf_find(conf, "token-file"), first_line(text), out);
    daemon_file_free(&text);
}

static void read_credential(struct conf *conf, struct tunnel_spoke_config *out)
{
    static char ca[PATH_MAX];
    static char certificate[PATH_MAX];
    static char key[PATH_MAX];
    const struct conf_value *token = conf_find(conf, "token");

    out->ca = path_of(conf, "ca", ca) ? ca : NULL;
    if (conf_is_given(conf, "cert") || conf_is_given(conf, "key")) {
        require(conf, "cert");
        require(conf, "key");
        out->certificate = path_of(conf, "cert", certificate) ? certificate : NULL;
        out->key = path_of(conf, "key", key) ? key : NULL;
        return;
    }
    if (conf_is_given(conf, "token-file")) {
        read_token_file(conf, out);
    } else if (token != NULL) {
        read_token(&conf->errors, token, token->text, out);
    } else {
        require(conf, "token");
    }
}

// --- all of them ---------------------------------------------------------------------------------

void tunnel_spoke_options_read(struct conf *conf, struct tunnel_spoke_config *out)
{
    size_t data = REVTUN_MESSAGE_DATA_ANY;
    uint64_t drain_s = 0;
    uint64_t pool = 0;

    read_credential(conf, out);
    conf_value_number(&conf->errors, conf_find(conf, "pool"), 0, REVTUN_MESSAGE_POOL_MAX, &pool);
    conf_value_word(&conf->errors, conf_find(conf, "data"), tunnel_data_words,
                    TUNNEL_DATA_WORD_COUNT, &data);
    conf_value_number(&conf->errors, conf_find(conf, "drain-timeout"), 0, DRAIN_MAX_S, &drain_s);
    out->drain_timeout_s = (uint32_t)drain_s;
    out->core.pool = (uint32_t)pool;
    out->core.data = (enum revtun_message_data)data;
    tunnel_services_read(conf, out);
    if (conf_is_given(conf, "keys")) {
        conf_error_value(&conf->errors, conf_find(conf, "keys"),
                         "is for relays of version 1, which know no tokens and names");
    }
}
