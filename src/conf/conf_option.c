// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_option.h"

#include <assert.h>

#include "base/ascii.h"

static void check_alone(const struct conf_option *option)
{
    bool is_flag = option->placeholder == NULL;

    assert(option->name != NULL && option->name[0] != '\0' && option->name[0] != '-');
    assert(conf_option_name_len(bytes_of_text(option->name)) == bytes_of_text(option->name).len);
    assert(option->group != NULL);
    assert(option->help != NULL);
    assert(option->help[0] != '.'); // scdoc 1.11 would swallow it
    assert(option->short_name == 0 || !option->is_secret);
    assert(!is_flag || !option->is_repeated);
    assert(!is_flag || !option->is_secret);
    assert(!is_flag || !option->is_positional);
    assert(option->short_name != '-');
    assert(!option->is_secret || option->default_text == NULL);
}

static void check_pair(const struct conf_option *a, const struct conf_option *b)
{
    assert(!bytes_equal_text(bytes_of_text(a->name), b->name));
    assert(a->short_name == 0 || a->short_name != b->short_name);
    assert(a->environment == NULL || b->environment == NULL ||
           !bytes_equal_text(bytes_of_text(a->environment), b->environment));
}

void conf_option_check(const struct conf_table *table)
{
    assert(table->options != NULL);
    assert(table->count > 0);
    assert(table->count <= CONF_OPTION_MAX);
    for (size_t i = 0; i < table->count; i++) {
        check_alone(&table->options[i]);
        for (size_t j = 0; j < i; j++) {
            check_pair(&table->options[i], &table->options[j]);
        }
    }
}

const struct conf_option *conf_option_find(const struct conf_table *table, struct bytes name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (bytes_equal_text(name, table->options[i].name)) {
            return &table->options[i];
        }
    }
    return NULL;
}

const struct conf_option *conf_option_find_short(const struct conf_table *table, char short_name)
{
    assert(short_name != 0);
    for (size_t i = 0; i < table->count; i++) {
        if (table->options[i].short_name == short_name) {
            return &table->options[i];
        }
    }
    return NULL;
}

const struct conf_option *conf_option_find_positional(const struct conf_table *table, size_t index)
{
    size_t before = 0; // positional options passed

    for (size_t i = 0; i < table->count; i++) {
        const struct conf_option *option = &table->options[i];
        if (!option->is_positional) {
            continue;
        }
        if (before == index || option->is_repeated) {
            return option;
        }
        before++;
    }
    return NULL;
}

size_t conf_option_name_len(struct bytes text)
{
    size_t len = 0;

    while (len < text.len) {
        uint8_t c = text.ptr[len];
        if (!ascii_is_alphanumeric(c) && c != '-' && c != '_') {
            break;
        }
        len++;
    }
    return len;
}
