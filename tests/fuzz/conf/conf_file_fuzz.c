// SPDX-License-Identifier: Apache-2.0
// Any bytes are read as a file; values are parts of it, and places are lines of it.
#include "conf/conf_file.h"

#include <assert.h>

#include "fuzz/conf/conf_checks.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conf conf;
    size_t line_count = 1;

    conf_init(&conf, &conf_checks_table);
    conf_file_read(&conf, (struct bytes){data, size}, "fuzz.conf");
    conf_checks(&conf);

    for (size_t i = 0; i < size; i++) {
        line_count += data[i] == '\n' ? 1 : 0;
    }
    for (size_t i = 0; i < conf.value_count; i++) {
        const struct conf_value *value = &conf.values[i];
        assert(value->place.source == CONF_FILE);
        assert(value->place.number >= 1);
        assert(value->place.number <= line_count);
        assert(!value->option->is_outside_file);
        assert(value->section <= conf.section_count);
        assert(value->section == 0 || value->option->is_of_section);
        assert(value->text.len <= CONF_FILE_LINE_MAX);
        assert(bytes_index(value->text, '\n') == value->text.len);
        assert(bytes_index(value->text, '\0') == value->text.len);
        if (value->text.len > 0) {
            assert(value->text.ptr >= data);
            assert(value->text.ptr + value->text.len <= data + size);
        }
    }
    return 0;
}
