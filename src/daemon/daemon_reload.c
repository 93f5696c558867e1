// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_reload.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "crypto/crypto_wipe.h"
#include "io/io_random.h"
#include "log/log.h"

// Of all values of an option as they were written. Two are taken for equal by mistake once in 2^64.
static uint64_t digest_of(const struct daemon_reload *reload, const struct conf *conf,
                          const struct conf_option *option)
{
    const struct conf_value *value = NULL;
    uint64_t digest = 0;

    while ((value = conf_next(conf, option->name, value)) != NULL) {
        const uint64_t one = siphash(&reload->key, value->text);
        const uint64_t both[] = {digest, one};
        digest = siphash(&reload->key, (struct bytes){(const uint8_t *)both, sizeof both});
    }
    return digest;
}

// Secrets outside the file are wiped when the first reading is over.
static bool is_wiped(const struct conf *conf, size_t index)
{
    const struct conf_given *given = &conf->given[index];

    return conf->table->options[index].is_secret && given->is_given &&
           given->strongest != CONF_FILE;
}

void daemon_reload_init(struct daemon_reload *reload, const struct daemon_load *load)
{
    const struct conf_table *table = load->conf.table;
    uint8_t seed[SIPHASH_KEY_LEN];

    memset(reload, 0, sizeof *reload);
    io_random_fill(seed, sizeof seed);
    reload->key = siphash_key_read(seed);
    crypto_wipe(seed, sizeof seed);
    reload->sources = load->sources;
    reload->table = table;
    for (size_t i = 0; i < table->count; i++) {
        reload->digests[i] = digest_of(reload, &load->conf, &table->options[i]);
        reload->is_held[i] = is_wiped(&load->conf, i);
    }
    if (load->path[0] != '\0' && access(load->path, R_OK) != 0) {
        LOG_INFO("the configuration file cannot be reloaded by this user",
                 LOG_TEXT("file", load->path), LOG_ERROR_NUMBER("error", -errno));
    }
}

bool daemon_reload_is_held(const struct daemon_reload *reload, const char *name)
{
    const struct conf_option *option = conf_option_find(reload->table, bytes_of_text(name));

    assert(option != NULL);
    return reload->is_held[option - reload->table->options];
}

static void compare(struct daemon_reload *reload)
{
    for (size_t i = 0; i < reload->table->count; i++) {
        const struct conf_option *option = &reload->table->options[i];
        reload->takes_restart[i] =
            !option->is_reloaded && !reload->is_held[i] &&
            digest_of(reload, &reload->load.conf, option) != reload->digests[i];
    }
}

bool daemon_reload_read(struct daemon_reload *reload, daemon_load_fn judge, void *context)
{
    memset(reload->takes_restart, 0, sizeof reload->takes_restart);
    if (!daemon_load_reopen(&reload->load, reload->table, &reload->sources, reload->is_held, judge,
                            context)) {
        return false;
    }
    compare(reload);
    return true;
}

static void log_mistakes(const struct conf_errors *errors, const char *program)
{
    static uint8_t text[DAEMON_ERRORS_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    daemon_errors_write(&wr, errors, program);
    for (struct bytes left = wr_done(&wr); left.len > 0;) {
        const size_t end = bytes_index(left, '\n');
        LOG_ERROR("the configuration is wrong", LOG_BYTES("mistake", bytes_first(left, end)));
        left = bytes_from(left, end + 1);
    }
}

void daemon_reload_log(const struct daemon_reload *reload, const char *program)
{
    log_mistakes(&reload->load.conf.errors, program);
    for (size_t i = 0; i < reload->table->count; i++) {
        if (reload->takes_restart[i]) {
            LOG_WARN("what has changed here counts from the next start on",
                     LOG_TEXT("option", reload->table->options[i].name));
        }
    }
}

void daemon_reload_write(const struct daemon_reload *reload, const char *program, struct wr *wr)
{
    daemon_errors_write(wr, &reload->load.conf.errors, program);
    for (size_t i = 0; i < reload->table->count; i++) {
        if (reload->takes_restart[i]) {
            wr_text(wr, "--");
            wr_text(wr, reload->table->options[i].name);
            wr_text(wr, " has changed, which counts from the next start on\n");
        }
    }
}

void daemon_reload_end(struct daemon_reload *reload)
{
    daemon_load_close(&reload->load);
}
