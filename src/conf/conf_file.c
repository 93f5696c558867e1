// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_file.h"

#include <assert.h>

#include "conf/conf_section.h"
#include "conf/conf_suggest.h"

static const struct bytes byte_order_mark = BYTES_LITERAL("\xef\xbb\xbf");

static void add_error(struct conf *conf, size_t number, enum conf_wrong wrong,
                      const struct conf_option *option)
{
    conf_error_add(&conf->errors, &(struct conf_error){
                                      .wrong = wrong,
                                      .place = {CONF_FILE, number},
                                      .option = option,
                                      .wanted = {.max = CONF_FILE_LINE_MAX},
                                  });
}

// Takes the quotes off a value that begins with one; false when none closes it.
static bool unquote(struct bytes *text)
{
    if (text->ptr[0] != '"') {
        return true;
    }
    if (text->len < 2 || text->ptr[text->len - 1] != '"') {
        return false;
    }
    *text = bytes_first(bytes_from(*text, 1), text->len - 2);
    return true;
}

static void read_value(struct conf *conf, size_t number, const struct conf_option *option,
                       struct bytes text)
{
    const size_t section = conf->section_count;

    if (section > 0 && !option->is_of_section) {
        add_error(conf, number, CONF_WRONG_IN_SECTION, option);
    } else if (option->is_outside_file) {
        add_error(conf, number, CONF_WRONG_IN_FILE, option);
    } else if (text.len == 0) {
        add_error(conf, number, CONF_WRONG_NO_VALUE, option);
    } else if (!unquote(&text)) {
        add_error(conf, number, CONF_WRONG_QUOTE, option);
    } else if (!conf->is_section_lost) {
        conf_add(conf, &(struct conf_value){
                           .option = option,
                           .place = {CONF_FILE, number},
                           .section = section,
                           .text = text,
                       });
    }
}

// "[NAME]". False: it is none.
static bool read_heading(struct conf *conf, size_t number, struct bytes line)
{
    if (!conf->table->has_sections || line.len < 3 || line.ptr[0] != '[' ||
        line.ptr[line.len - 1] != ']') {
        return false;
    }
    const struct bytes name = bytes_trim(bytes_first(bytes_from(line, 1), line.len - 2));
    if (name.len == 0) {
        return false;
    }
    conf_section_begin(conf, name, number);
    return true;
}

static void read_line(struct conf *conf, size_t number, struct bytes line)
{
    if (line.len > CONF_FILE_LINE_MAX) {
        add_error(conf, number, CONF_WRONG_LENGTH, NULL);
        return;
    }
    if (bytes_index(line, '\0') < line.len) {
        add_error(conf, number, CONF_WRONG_BYTE, NULL);
        return;
    }
    line = bytes_trim(line);
    if (line.len == 0 || line.ptr[0] == '#' || read_heading(conf, number, line)) {
        return;
    }
    size_t equals = bytes_index(line, '=');
    struct bytes key = bytes_trim(bytes_first(line, equals));
    if (equals == line.len || key.len == 0 || conf_option_name_len(key) < key.len) {
        add_error(conf, number, CONF_WRONG_LINE, NULL);
        return;
    }
    const struct conf_option *option = conf_option_find(conf->table, key);
    if (option == NULL) {
        conf_error_add(&conf->errors, &(struct conf_error){
                                          .wrong = CONF_WRONG_NAME,
                                          .place = {CONF_FILE, number},
                                          .nearest = conf_suggest(conf->table, key),
                                          .given = key,
                                      });
        return;
    }
    read_value(conf, number, option, bytes_trim(bytes_from(line, equals + 1)));
}

void conf_file_read(struct conf *conf, struct bytes text, const char *name)
{
    size_t number = 0;

    assert(conf->reading >= CONF_FILE);
    conf->errors.file_name = name;
    if (bytes_equal(bytes_first(text, byte_order_mark.len), byte_order_mark)) {
        text = bytes_from(text, byte_order_mark.len);
    }
    while (text.len > 0) {
        size_t len = bytes_index(text, '\n');
        struct bytes line = bytes_first(text, len);

        number++;
        if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
            line.len--;
        }
        read_line(conf, number, line);
        text = bytes_from(text, len + 1);
    }
}
