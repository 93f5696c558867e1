// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_load.h"

#include <stdio.h>
#include <string.h>

#include "conf/conf_args.h"
#include "conf/conf_env.h"
#include "conf/conf_file.h"
#include "crypto/crypto_wipe.h"
#include "relay/relay_errors.h"
#include "relay/relay_file.h"
#include "relay/relay_options.h"
#include "relay/relay_secret.h"

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

void relay_load_close(struct relay_load *load)
{
    // Those of the file go with it; those of the environment may have been overridden.
    relay_secret_wipe(&load->conf, load->environment);
    crypto_wipe(load->unescaped, sizeof load->unescaped);
    relay_file_free(&load->text);
    load->conf.value_count = 0;
}

void relay_load_errors_write(const struct relay_load *load, struct wr *wr)
{
    relay_errors_write(wr, &load->conf.errors, relay_options_program.name);
}
