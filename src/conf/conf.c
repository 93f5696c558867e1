// SPDX-License-Identifier: Apache-2.0
#include "conf/conf.h"

#include <assert.h>
#include <string.h>

#include "conf/conf_section.h"

static size_t index_of(const struct conf *conf, const struct conf_option *option)
{
    assert(option >= conf->table->options);
    size_t index = (size_t)(option - conf->table->options);
    assert(index < conf->table->count);
    return index;
}

void conf_init(struct conf *conf, const struct conf_table *table)
{
    conf_option_check(table);
    memset(conf, 0, sizeof *conf);
    conf->table = table;
    conf->reading = CONF_COMMAND_LINE;
    for (size_t i = 0; i < table->count; i++) {
        const struct conf_option *option = &table->options[i];
        conf->defaults[i] = (struct conf_value){
            .option = option,
            .place = {.source = CONF_DEFAULT},
            .text = bytes_of_text(option->default_text),
        };
    }
}

// The option that the program means: its own table has it.
static const struct conf_option *known(const struct conf *conf, const char *name)
{
    const struct conf_option *option = conf_option_find(conf->table, bytes_of_text(name));
    assert(option != NULL);
    return option;
}

const struct conf_value *conf_next(const struct conf *conf, const char *name,
                                   const struct conf_value *last)
{
    const struct conf_option *option = known(conf, name);
    size_t index = index_of(conf, option);
    size_t from = 0;

    assert(last == NULL || last->option == option);
    if (!conf->given[index].is_given) {
        bool has_default = option->default_text != NULL && last == NULL;
        return has_default ? &conf->defaults[index] : NULL;
    }
    if (last != NULL) {
        from = (size_t)(last - conf->values) + 1;
    }
    for (size_t i = from; i < conf->value_count; i++) {
        if (conf->values[i].option == option && conf->values[i].section == 0) {
            return &conf->values[i];
        }
    }
    return NULL;
}

const struct conf_value *conf_find(const struct conf *conf, const char *name)
{
    return conf_next(conf, name, NULL);
}

bool conf_flag(const struct conf *conf, const char *name)
{
    struct conf_errors errors = {0};
    bool is_set = false;

    assert(known(conf, name)->placeholder == NULL);
    // Not given is false; and conf_add() lets no other text than these into a flag.
    (void)conf_value_bool(&errors, conf_find(conf, name), &is_set);
    assert(errors.count == 0);
    return is_set;
}

bool conf_is_given(const struct conf *conf, const char *name)
{
    return conf->given[index_of(conf, known(conf, name))].is_given;
}

void conf_hold(struct conf *conf, const struct conf_option *option)
{
    struct conf_given *given = &conf->given[index_of(conf, option)];
    size_t count = 0;

    for (size_t i = 0; i < conf->value_count; i++) {
        if (conf->values[i].option != option) {
            conf->values[count++] = conf->values[i];
        }
    }
    conf->value_count = count;
    given->is_given = true;
    given->strongest = CONF_COMMAND_LINE;
}

static void add_twice(struct conf *conf, const struct conf_value *value, size_t first_number)
{
    conf_error_add(&conf->errors, &(struct conf_error){
                                      .wrong = CONF_WRONG_TWICE,
                                      .place = value->place,
                                      .first_number = first_number,
                                      .option = value->option,
                                  });
}

// Records that a source names an option; false, with an error, when it may not do so again.
static bool note_given(struct conf *conf, const struct conf_value *value)
{
    struct conf_given *given = &conf->given[index_of(conf, value->option)];

    if (given->first.source == value->place.source && !value->option->is_repeated) {
        add_twice(conf, value, given->first.number);
        return false;
    }
    if (given->first.source != value->place.source) {
        given->first = value->place;
    }
    if (!given->is_given) {
        given->is_given = true;
        given->strongest = value->place.source;
    }
    return true;
}

// What is below a heading is overridden by nothing, and overrides nothing. False, with an error,
// when it is there twice.
static bool note_in_section(struct conf *conf, const struct conf_value *value)
{
    const struct conf_value *first =
        conf_section_next(conf, value->section, value->option->name, NULL);

    assert(value->section <= conf->section_count);
    assert(value->option->is_of_section);
    if (first == NULL || value->option->is_repeated) {
        return true;
    }
    add_twice(conf, value, first->place.number);
    return false;
}

static bool is_counted(struct conf *conf, const struct conf_value *value)
{
    if (value->section != 0) {
        return note_in_section(conf, value);
    }
    const struct conf_given *given = &conf->given[index_of(conf, value->option)];
    return note_given(conf, value) && given->strongest == value->place.source;
}

void conf_add(struct conf *conf, const struct conf_value *value)
{
    bool is_set = false;

    assert(value->place.source != CONF_DEFAULT);
    assert(value->place.source <= conf->reading);
    conf->reading = value->place.source;
    // A flag is read at once, so that a program can ask for it without a second thought.
    if (value->option->placeholder == NULL && !conf_value_bool(&conf->errors, value, &is_set)) {
        return;
    }
    if (!is_counted(conf, value)) {
        return;
    }
    if (conf->value_count == CONF_VALUE_MAX) {
        conf_error_add(&conf->errors, &(struct conf_error){
                                          .wrong = CONF_WRONG_ROOM,
                                          .place = value->place,
                                          .option = value->option,
                                          .wanted = {.max = CONF_VALUE_MAX},
                                      });
        return;
    }
    conf->values[conf->value_count++] = *value;
}
