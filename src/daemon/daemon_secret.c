// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_secret.h"

#include <assert.h>

#include "crypto/crypto_wipe.h"
#include "io/io_random.h"

enum { RANDOM_MAX = 32 }; // bytes

struct bytes daemon_secret_make(uint8_t *out, size_t len)
{
    uint8_t random[RANDOM_MAX];
    struct wr wr = wr_init(out, len);

    assert(len % 2 == 0);
    assert(len / 2 <= sizeof random);
    io_random_fill(random, len / 2);
    wr_hex(&wr, (struct bytes){random, len / 2});
    crypto_wipe(random, sizeof random);
    assert(wr_ok(&wr));
    return wr_done(&wr);
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

void daemon_secret_wipe(const struct conf *conf, char *const *environment)
{
    const struct conf_table *table = conf->table;

    for (size_t i = 0; i < conf->value_count; i++) {
        const struct conf_value *value = &conf->values[i];
        if (value->option->is_secret && value->place.source == CONF_COMMAND_LINE) {
            wipe(value->text);
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        if (table->options[i].is_secret && table->options[i].environment != NULL) {
            wipe_variable(environment, table->options[i].environment);
        }
    }
}
