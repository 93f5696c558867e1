// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_spoke_options.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "daemon/daemon_file.h"

static const char *const own[] = {
    "token", "token-file", "cert",           "key",  "ca",   "name",
    "port",  "host",       "proxy-protocol", "pool", "take",
};

bool tunnel_spoke_options_are_given(const struct conf *conf)
{
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        if (conf_is_given(conf, own[i])) {
            return true;
        }
    }
    return false;
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

// --- what the service is -------------------------------------------------------------------------

static void read_name(struct conf *conf, const struct tunnel_place *target, struct bytes *out)
{
    static char text[REVTUN_NAME_MAX + 1];
    struct bytes name = {0};

    if (conf_value_text(&conf->errors, conf_find(conf, "name"), 1, REVTUN_NAME_MAX, &name)) {
        if (!revtun_pattern_is_name(name)) {
            conf_error_value(&conf->errors, conf_find(conf, "name"),
                             "is no name of a-z, 0-9 and hyphens, which begin and end none");
            return;
        }
        memcpy(text, name.ptr, name.len);
    } else {
        snprintf(text, sizeof text, "port-%u", target->port);
    }
    *out = bytes_of_text(text);
}

static bool read_host(struct conf_errors *errors, const struct conf_value *value, struct wr *wr)
{
    uint8_t lower[REVTUN_HOST_MAX];

    if (value->text.len > sizeof lower) {
        conf_error_value(errors, value, "is too long for a host");
        return false;
    }
    for (size_t i = 0; i < value->text.len; i++) {
        lower[i] = ascii_lower(value->text.ptr[i]);
    }
    const struct bytes host = {lower, value->text.len};
    if (!revtun_pattern_is_of_hosts(host)) {
        conf_error_value(errors, value, "is no host, and no pattern as *.example.org");
        return false;
    }
    if (wr->len > 0) {
        wr_text(wr, ",");
    }
    wr_bytes(wr, host);
    return true;
}

static void read_hosts(struct conf *conf, struct revtun_spoke_service *out)
{
    static uint8_t text[REVTUN_MESSAGE_HOSTS_MAX];
    struct wr wr = wr_init(text, sizeof text);
    const struct conf_value *value = NULL;

    out->kind = REVTUN_MESSAGE_KIND_TCP;
    while ((value = conf_next(conf, "host", value)) != NULL) {
        if (!read_host(&conf->errors, value, &wr)) {
            return;
        }
        if (!wr_ok(&wr)) {
            conf_error_value(&conf->errors, value, "is one too many: all take 1024 bytes at most");
            return;
        }
        out->kind = REVTUN_MESSAGE_KIND_SNI;
    }
    out->hosts = wr_done(&wr);
    if (out->kind == REVTUN_MESSAGE_KIND_SNI && conf_is_given(conf, "port")) {
        conf_error_value(&conf->errors, conf_find(conf, "port"),
                         "is not for services with --host, which share a port");
    }
}

void tunnel_spoke_options_read(struct conf *conf, struct tunnel_spoke_config *out)
{
    static const char *const versions[] = {"off", "v1", "v2"};
    struct conf_errors *errors = &conf->errors;
    struct revtun_spoke_service *service = &out->services[0];
    size_t version = REVTUN_PROXY_NO;
    uint64_t pool = 0;

    read_credential(conf, out);
    read_name(conf, &out->targets[0].place, &service->name);
    read_hosts(conf, service);
    if (service->kind == REVTUN_MESSAGE_KIND_TCP) {
        conf_value_port(errors, conf_find(conf, "port"), &service->port);
    }
    conf_value_word(errors, conf_find(conf, "proxy-protocol"), versions, COUNT_OF(versions),
                    &version);
    conf_value_number(errors, conf_find(conf, "pool"), 0, REVTUN_MESSAGE_POOL_MAX, &pool);
    service->is_taken = conf_flag(conf, "take");
    service->max = out->core.session_max;
    out->targets[0].proxy = (enum revtun_proxy_version)version;
    out->core.pool = (uint32_t)pool;
    out->core.service_count = 1;
    if (conf_is_given(conf, "keys")) {
        conf_error_value(errors, conf_find(conf, "keys"),
                         "is for relays of version 1, which know no tokens and names");
    }
}
