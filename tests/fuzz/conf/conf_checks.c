// SPDX-License-Identifier: Apache-2.0
#include "fuzz/conf/conf_checks.h"

#include <assert.h>
#include <string.h>

static const struct conf_option options[] = {
    {.name = "flag",
     .environment = "F",
     .short_name = 'f',
     .is_of_section = true,
     .group = "G",
     .help = "H."},
    {.name = "port",
     .environment = "P",
     .placeholder = "PORT",
     .default_text = "3478",
     .group = "G",
     .help = "H."},
    {.name = "words",
     .environment = "W",
     .placeholder = "WORD",
     .is_repeated = true,
     .is_of_section = true,
     .group = "G",
     .help = "H."},
    {.name = "secret",
     .environment = "S",
     .placeholder = "SECRET",
     .is_secret = true,
     .is_repeated = true,
     .group = "G",
     .help = "H."},
    {.name = "config",
     .environment = "C",
     .placeholder = "FILE",
     .is_outside_file = true,
     .group = "G",
     .help = "H."},
    {.name = "rest",
     .environment = "R",
     .placeholder = "REST",
     .is_positional = true,
     .group = "G",
     .help = "H."},
};

const struct conf_table conf_checks_table = {options, COUNT_OF(options), .has_sections = true};

static void check_errors(const struct conf_errors *errors)
{
    assert(errors->count <= CONF_ERROR_MAX);
    assert(errors->left_off == 0 || errors->count == CONF_ERROR_MAX);
    for (size_t i = 0; i < errors->count; i++) {
        const struct conf_error *error = &errors->items[i];
        uint8_t memory[CONF_ERROR_TEXT_MAX];
        struct wr wr = wr_init(memory, sizeof memory);

        assert(error->option == NULL || !error->option->is_secret || error->given.len == 0);
        conf_error_write(errors, i, &wr);
        assert(wr_ok(&wr));
        for (size_t j = 0; j < wr.len; j++) {
            assert(memory[j] >= ' ');
            assert(memory[j] <= '~');
        }
    }
}

static void check_readers(const struct conf_value *value)
{
    static const char *const words[] = {"human", "json"};
    struct conf_errors errors = {0};
    uint64_t number = 0;
    uint16_t port = 0;
    struct addr addr = {0};
    struct cidr cidr = {0};
    bool is_set = false;
    size_t word = 0;
    struct bytes text = {0};
    size_t good_count = 0;

    good_count += conf_value_number(&errors, value, 1, 100, &number) ? 1 : 0;
    assert(number <= 100);
    good_count += conf_value_duration(&errors, value, 1, 100, &number) ? 1 : 0;
    assert(number <= 100);
    good_count += conf_value_port(&errors, value, &port) ? 1 : 0;
    good_count += conf_value_addr(&errors, value, ADDR_IP6, &addr) ? 1 : 0;
    assert(addr.family != ADDR_IP4);
    good_count += conf_value_cidr(&errors, value, &cidr) ? 1 : 0;
    good_count += conf_value_bool(&errors, value, &is_set) ? 1 : 0;
    good_count += conf_value_word(&errors, value, words, COUNT_OF(words), &word) ? 1 : 0;
    assert(word < COUNT_OF(words));
    good_count += conf_value_text(&errors, value, 1, 8, &text) ? 1 : 0;
    assert(text.len <= 8);
    assert(good_count + errors.count == 8);
    check_errors(&errors);
}

void conf_checks(struct conf *conf)
{
    size_t value_count = 0;

    check_errors(&conf->errors);
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        size_t count = 0;
        for (const struct conf_value *value = conf_find(conf, options[i].name); value != NULL;
             value = conf_next(conf, options[i].name, value)) {
            assert(value->option == &options[i]);
            assert(value->text.len == 0 || value->text.ptr != NULL);
            check_readers(value);
            count += value->place.source != CONF_DEFAULT ? 1 : 0;
        }
        assert(count <= 1 || options[i].is_repeated);
        value_count += count;
    }
    for (size_t i = 0; i < conf->value_count; i++) {
        value_count += conf->values[i].section > 0 ? 1 : 0;
    }
    assert(value_count == conf->value_count);
    (void)conf_flag(conf, "flag"); // asserts by itself
}

size_t conf_checks_split(const uint8_t *data, size_t size, char *memory, char **texts,
                         size_t text_max)
{
    size_t count = 0;

    assert(text_max > 0);
    if (size > 0) {
        memcpy(memory, data, size);
    }
    memory[size] = '\0';
    for (size_t at = 0; at < size && count + 1 < text_max; at += strlen(memory + at) + 1) {
        texts[count++] = memory + at;
    }
    texts[count] = NULL;
    return count;
}
