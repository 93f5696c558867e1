// SPDX-License-Identifier: Apache-2.0
// Any strings, ended by NUL bytes, are read as an environment; and any strings without blanks at
// their ends, once escaped and joined by commas, come back as they were.
#include "conf/conf_env.h"

#include <assert.h>
#include <string.h>

#include "fuzz/conf/conf_checks.h"
#include "fuzz/fuzz.h"

static uint8_t scratch_memory[CONF_CHECKS_INPUT_MAX];

static void read_environment(struct conf *conf, char *const *environment)
{
    struct wr scratch = wr_init(scratch_memory, sizeof scratch_memory);

    conf_init(conf, &conf_checks_table);
    conf_env_read(conf, environment, &scratch);
    conf_checks(conf);
}

static void escaped_write(struct wr *wr, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ',' || text.ptr[i] == '\\') {
            wr_u8(wr, '\\');
        }
        wr_u8(wr, text.ptr[i]);
    }
}

static void check_round_trip(struct conf *conf, char **texts)
{
    static char entry[CONF_CHECKS_INPUT_MAX * 2 + 8];
    struct bytes given[CONF_VALUE_MAX];
    struct wr wr = wr_init((uint8_t *)entry, sizeof entry);
    size_t count = 0;

    for (size_t i = 0; texts[i] != NULL && count < COUNT_OF(given); i++) {
        struct bytes text = bytes_trim(bytes_of_text(texts[i]));
        if (text.len > 0) {
            given[count] = text;
            wr_text(&wr, count == 0 ? "W=" : ",");
            escaped_write(&wr, text);
            count++;
        }
    }
    wr_u8(&wr, '\0');
    assert(wr_ok(&wr));
    read_environment(conf, (char *[]){entry, NULL});
    assert(conf->errors.count == 0);
    assert(conf->value_count == count);
    for (size_t i = 0; i < count; i++) {
        assert(bytes_equal(conf->values[i].text, given[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conf conf;
    static char memory[CONF_CHECKS_INPUT_MAX + 1];
    char *texts[CONF_CHECKS_INPUT_MAX / 2];

    if (size > CONF_CHECKS_INPUT_MAX) {
        return 0;
    }
    (void)conf_checks_split(data, size, memory, texts, COUNT_OF(texts));
    read_environment(&conf, texts);
    check_round_trip(&conf, texts);
    return 0;
}
