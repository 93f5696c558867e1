// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_load.h"

#include <stdio.h>
#include <string.h>

#include "conf/conf_args.h"
#include "conf/conf_env.h"
#include "conf/conf_file.h"
#include "crypto/crypto_wipe.h"
#include "relay/relay_file.h"
#include "relay/relay_options.h"

// Reads the file that --config names, if it does.
static void read_file(struct relay_load *load)
{
    const struct conf_value *value = conf_find(&load->conf, "config");

    if (value == NULL) {
        return;
    }
    if (value->text.len == 0 || value->text.len >= sizeof load->path) {
        conf_error_value(&load->conf.errors, value, "is not the name of a file");
        return;
    }
    memcpy(load->path, value->text.ptr, value->text.len);
    load->path[value->text.len] = '\0';
    int error = relay_file_read(load->path, &load->text);
    if (error != 0) {
        snprintf(load->file_wrong, sizeof load->file_wrong, "cannot be read: %s", strerror(-error));
        conf_error_value(&load->conf.errors, value, load->file_wrong);
        return;
    }
    conf_file_read(&load->conf, load->text, load->path);
}

enum relay_load_outcome relay_load_open(struct relay_load *load, int argc, char *const *argv,
                                        char *const *environment, struct relay_config *out)
{
    struct wr unescaped = wr_init(load->unescaped, sizeof load->unescaped);

    load->environment = environment;
    load->text = (struct bytes){0};
    conf_init(&load->conf, &relay_options_table);
    conf_args_read(&load->conf, argc, argv);
    if (conf_flag(&load->conf, "help")) {
        return RELAY_LOAD_HELP;
    }
    if (conf_flag(&load->conf, "version")) {
        return RELAY_LOAD_VERSION;
    }
    conf_env_read(&load->conf, environment, &unescaped);
    read_file(load);
    if (!relay_config_read(&load->conf, out)) {
        return RELAY_LOAD_WRONG;
    }
    return conf_flag(&load->conf, "check-config") ? RELAY_LOAD_CHECKED : RELAY_LOAD_RUN;
}

// What is borrowed here is the process's own and may be written to; its types do not say so.
static void wipe(struct bytes secret)
{
    if (secret.len > 0) {
        crypto_wipe((void *)(uintptr_t)secret.ptr, secret.len);
    }
}

// Every variable of that name, since only the first one counts but all hold what was secret.
static void wipe_variable(char *const *environment, const char *name)
{
    for (size_t i = 0; environment[i] != NULL; i++) {
        struct bytes entry = bytes_of_text(environment[i]);
        size_t equals = bytes_index(entry, '=');
        if (bytes_equal_text(bytes_first(entry, equals), name)) {
            wipe(bytes_from(entry, equals + 1));
        }
    }
}

void relay_load_close(struct relay_load *load)
{
    const struct conf_table *table = load->conf.table;

    // Those of the file go with it; those of the environment may have been overridden.
    for (size_t i = 0; i < load->conf.value_count; i++) {
        const struct conf_value *value = &load->conf.values[i];
        if (value->option->is_secret && value->place.source == CONF_COMMAND_LINE) {
            wipe(value->text);
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        if (table->options[i].is_secret && table->options[i].environment != NULL) {
            wipe_variable(load->environment, table->options[i].environment);
        }
    }
    crypto_wipe(load->unescaped, sizeof load->unescaped);
    relay_file_free(&load->text);
    load->conf.value_count = 0;
}

void relay_load_errors_write(const struct relay_load *load, struct wr *wr)
{
    const struct conf_errors *errors = &load->conf.errors;

    for (size_t i = 0; i < errors->count; i++) {
        wr_text(wr, "fairlead-relay: ");
        conf_error_write(errors, i, wr);
        wr_text(wr, "\n");
    }
    if (errors->left_off > 0) {
        wr_text(wr, "fairlead-relay: and ");
        wr_decimal(wr, errors->left_off);
        wr_text(wr, " more\n");
    }
}
