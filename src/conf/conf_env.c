// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_env.h"

#include <assert.h>

// The value of a variable; empty when it is not set. The first counts, as with getenv().
static struct bytes value_of(char *const *environment, const char *name)
{
    for (size_t i = 0; environment[i] != NULL; i++) {
        struct bytes entry = bytes_of_text(environment[i]);
        size_t equals = bytes_index(entry, '=');
        if (equals < entry.len && bytes_equal_text(bytes_first(entry, equals), name)) {
            return bytes_from(entry, equals + 1);
        }
    }
    return (struct bytes){0};
}

// Bytes up to the next comma that has no backslash before it, or all.
static size_t element_len(struct bytes list)
{
    size_t at = 0;

    while (at < list.len && list.ptr[at] != ',') {
        at += list.ptr[at] == '\\' && at + 1 < list.len ? 2 : 1;
    }
    return at;
}

static bool is_well_escaped(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\\') {
            continue;
        }
        i++;
        if (i == text.len || (text.ptr[i] != '\\' && text.ptr[i] != ',')) {
            return false;
        }
    }
    return true;
}

// Writes a well escaped value to scratch memory; false when it does not fit.
static bool unescape(struct bytes text, struct wr *scratch, struct bytes *out)
{
    size_t from = scratch->len;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\') {
            i++;
        }
        wr_u8(scratch, text.ptr[i]);
    }
    if (!wr_ok(scratch)) {
        return false;
    }
    *out = bytes_from(wr_done(scratch), from);
    return true;
}

// Adds one value of a list, or what is wrong with it.
static void read_element(struct conf *conf, const struct conf_option *option, size_t number,
                         struct bytes text, struct wr *scratch)
{
    struct conf_place place = {.source = CONF_ENVIRONMENT, .number = number};
    struct conf_error error = {.place = place, .option = option};
    struct bytes plain = text;

    if (text.len == 0) {
        error.wrong = CONF_WRONG_EMPTY;
        conf_error_add(&conf->errors, &error);
    } else if (!is_well_escaped(text)) {
        error.wrong = CONF_WRONG_ESCAPE;
        conf_error_add(&conf->errors, &error);
    } else if (bytes_index(text, '\\') < text.len && !unescape(text, scratch, &plain)) {
        error.wrong = CONF_WRONG_ROOM;
        conf_error_add(&conf->errors, &error);
    } else {
        conf_add(conf, &(struct conf_value){.option = option, .place = place, .text = plain});
    }
}

static void read_list(struct conf *conf, const struct conf_option *option, struct bytes list,
                      struct wr *scratch)
{
    size_t number = 1;

    for (;;) {
        size_t len = element_len(list);
        read_element(conf, option, number, bytes_trim(bytes_first(list, len)), scratch);
        if (len == list.len) {
            return;
        }
        list = bytes_from(list, len + 1);
        number++;
    }
}

void conf_env_read(struct conf *conf, char *const *environment, struct wr *scratch)
{
    assert(conf->reading >= CONF_ENVIRONMENT);
    for (size_t i = 0; i < conf->table->count; i++) {
        const struct conf_option *option = &conf->table->options[i];
        struct bytes text = {0};

        if (option->environment != NULL) {
            text = value_of(environment, option->environment);
        }
        if (text.len == 0) {
            continue;
        }
        if (option->is_repeated) {
            read_list(conf, option, text, scratch);
        } else {
            conf_add(conf, &(struct conf_value){
                               .option = option, .place = {CONF_ENVIRONMENT, 1}, .text = text});
        }
    }
}
