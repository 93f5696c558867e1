// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_args.h"
#include "conf/conf_env.h"
#include "conf/conf_file.h"
#include "crypto/crypto_wipe.h"
#include "daemon/daemon_file.h"
#include "daemon/daemon_secret.h"

const struct conf_value *daemon_load_find(const struct conf *conf, const char *name)
{
    const bool is_known = conf_option_find(conf->table, bytes_of_text(name)) != NULL;

    return is_known ? conf_find(conf, name) : NULL;
}

// A flag that the table need not have.
static bool is_wanted(const struct daemon_load *load, const char *name)
{
    return daemon_load_find(&load->conf, name) != NULL && conf_flag(&load->conf, name);
}

// Reads the file that --config names, if it does.
static void read_file(struct daemon_load *load, int (*read_text)(const char *, struct bytes *))
{
    const struct conf_value *value = daemon_load_find(&load->conf, "config");

    if (value == NULL) {
        return;
    }
    if (value->text.len == 0 || value->text.len >= sizeof load->path) {
        conf_error_value(&load->conf.errors, value, "is not the name of a file");
        return;
    }
    memcpy(load->path, value->text.ptr, value->text.len);
    load->path[value->text.len] = '\0';
    int error = read_text(load->path, &load->text);
    if (error == -ESPIPE) {
        conf_error_value(&load->conf.errors, value, "is a pipe, which cannot be read again");
        return;
    }
    if (error != 0) {
        snprintf(load->file_wrong, sizeof load->file_wrong, "cannot be read: %s", strerror(-error));
        conf_error_value(&load->conf.errors, value, load->file_wrong);
        return;
    }
    conf_file_read(&load->conf, load->text, load->path);
}

static void begin(struct daemon_load *load, const struct conf_table *table,
                  const struct daemon_load_sources *sources)
{
    load->sources = *sources;
    load->text = (struct bytes){0};
    conf_init(&load->conf, table);
    conf_args_read(&load->conf, sources->argc, sources->argv);
}

static void read_environment(struct daemon_load *load)
{
    struct wr unescaped = wr_init(load->unescaped, sizeof load->unescaped);

    conf_env_read(&load->conf, load->sources.environment, &unescaped);
}

enum daemon_load_outcome daemon_load_open(struct daemon_load *load, const struct conf_table *table,
                                          const struct daemon_load_sources *sources,
                                          daemon_load_fn judge, void *context)
{
    begin(load, table, sources);
    if (conf_flag(&load->conf, "help")) {
        return DAEMON_LOAD_HELP;
    }
    if (is_wanted(load, "version")) {
        return DAEMON_LOAD_VERSION;
    }
    read_environment(load);
    read_file(load, daemon_file_read);
    if (!judge(context, &load->conf)) {
        return DAEMON_LOAD_WRONG;
    }
    return is_wanted(load, "check-config") ? DAEMON_LOAD_CHECKED : DAEMON_LOAD_RUN;
}

bool daemon_load_reopen(struct daemon_load *load, const struct conf_table *table,
                        const struct daemon_load_sources *sources,
                        const bool is_held[CONF_OPTION_MAX], daemon_load_fn judge, void *context)
{
    begin(load, table, sources);
    read_environment(load);
    for (size_t i = 0; i < table->count; i++) {
        if (is_held[i]) {
            conf_hold(&load->conf, &table->options[i]);
        }
    }
    read_file(load, daemon_file_read_again);
    return judge(context, &load->conf);
}

void daemon_load_close(struct daemon_load *load)
{
    // Those of the file go with it; those of the environment may have been overridden.
    daemon_secret_wipe(&load->conf, load->sources.environment);
    crypto_wipe(load->unescaped, sizeof load->unescaped);
    daemon_file_free(&load->text);
    load->conf.value_count = 0;
}
