// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_section.h"

#include <assert.h>

static void add_error(struct conf *conf, struct bytes name, size_t number, const char *predicate)
{
    conf_error_add(&conf->errors, &(struct conf_error){
                                      .wrong = CONF_WRONG_SECTION,
                                      .place = {.source = CONF_FILE, .number = number},
                                      .given = name,
                                      .wanted = {.predicate = predicate},
                                  });
}

void conf_section_begin(struct conf *conf, struct bytes name, size_t number)
{
    assert(conf->table->has_sections);
    for (size_t i = 0; i < conf->section_count; i++) {
        if (bytes_equal(conf->sections[i].name, name)) {
            add_error(conf, name, number, "is there twice");
        }
    }
    if (conf->section_count == CONF_SECTION_MAX) {
        add_error(conf, name, number, "is one section too many: there are 32 at most");
        conf->is_section_lost = true;
        return;
    }
    conf->sections[conf->section_count++] = (struct conf_section){.name = name, .number = number};
}

const struct conf_value *conf_section_next(const struct conf *conf, size_t section,
                                           const char *name, const struct conf_value *last)
{
    const struct conf_option *option = conf_option_find(conf->table, bytes_of_text(name));
    const size_t from = last == NULL ? 0 : (size_t)(last - conf->values) + 1;

    assert(option != NULL);
    assert(section >= 1);
    assert(last == NULL || last->option == option);
    for (size_t i = from; i < conf->value_count; i++) {
        if (conf->values[i].option == option && conf->values[i].section == section) {
            return &conf->values[i];
        }
    }
    return NULL;
}

const struct conf_value *conf_section_find(const struct conf *conf, size_t section,
                                           const char *name)
{
    const struct conf_value *value = conf_section_next(conf, section, name, NULL);

    return value != NULL ? value : conf_find(conf, name);
}

void conf_section_error(struct conf *conf, size_t section, const char *predicate)
{
    assert(section >= 1);
    assert(section <= conf->section_count);
    const struct conf_section *one = &conf->sections[section - 1];
    add_error(conf, one->name, one->number, predicate);
}

_Static_assert(CONF_SECTION_MAX == 32, "as the message says");
