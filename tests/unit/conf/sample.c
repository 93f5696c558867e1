// SPDX-License-Identifier: Apache-2.0
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { POSITIONAL_COUNT = 2 }; // options at the end of the table

static const struct conf_option options[] = {
    {
        .name = "help",
        .short_name = 'h',
        .is_outside_file = true,
        .group = "Program",
        .help = "Prints this text.",
    },
    {
        .name = "version",
        .short_name = 'V',
        .is_outside_file = true,
        .group = "Program",
        .help = "Prints the version.",
    },
    {
        .name = "config",
        .environment = "SAMPLE_CONFIG",
        .placeholder = "FILE",
        .is_outside_file = true,
        .group = "Program",
        .help = "Reads options from a file_name too, one per line, as `key = value`.",
    },
    {
        .name = "is-quiet",
        .environment = "SAMPLE_IS_QUIET",
        .group = "Program",
        .help = "Says less.",
    },
    {
        .name = "listen-port",
        .environment = "LISTEN_PORT",
        .placeholder = "PORT",
        .default_text = "3478",
        .group = "Addresses",
        .help = "Port for clients.",
    },
    {
        .name = "realm",
        .short_name = 'r',
        .environment = "SAMPLE_REALM",
        .placeholder = "NAME",
        .default_note = "the host's name",
        .group = "Access",
        .help = "Realm of users.",
    },
    {
        .name = "user",
        .environment = "SAMPLE_USER",
        .placeholder = "NAME:PASSWORD",
        .is_secret = true,
        .is_repeated = true,
        .is_reloaded = true,
        .group = "Access",
        .help = "Adds a user.",
    },
    {
        .name = "allow-peer",
        .environment = "SAMPLE_ALLOW_PEER",
        .placeholder = "CIDR",
        .is_repeated = true,
        .group = "Access",
        .help = "Allows peers.",
    },
    {
        .name = "token",
        .environment = "SAMPLE_TOKEN",
        .placeholder = "TOKEN",
        .is_secret = true,
        .is_positional = true,
        .group = "Portal",
        .help = "Token of the portal.",
    },
    {
        .name = "name",
        .default_note = "none",
        .placeholder = "NAME",
        .is_positional = true,
        .group = "Portal",
        .help = "Name in the portal.",
    },
};

const struct conf_table sample_table = {options, COUNT_OF(options) - POSITIONAL_COUNT};
const struct conf_table sample_positional_table = {options, COUNT_OF(options)};

static void expect_text(struct bytes text, const char *expected)
{
    char copy[CONF_ERROR_TEXT_MAX + 1];

    assert_true(text.len < sizeof copy);
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    copy[text.len] = '\0';
    assert_string_equal(copy, expected);
}

void sample_expect_values(const struct conf *conf, const char *name, const char *const *texts)
{
    const struct conf_value *value = conf_next(conf, name, NULL);

    for (size_t i = 0; texts[i] != NULL; i++) {
        assert_non_null(value);
        expect_text(value->text, texts[i]);
        value = conf_next(conf, name, value);
    }
    assert_null(value);
}

void sample_expect_errors(const struct conf_errors *errors, const char *const *lines)
{
    size_t count = 0;

    for (; lines[count] != NULL && count < errors->count; count++) {
        uint8_t memory[CONF_ERROR_TEXT_MAX];
        struct wr wr = wr_init(memory, sizeof memory);
        conf_error_write(errors, count, &wr);
        assert_true(wr_ok(&wr));
        expect_text(wr_done(&wr), lines[count]);
    }
    assert_null(lines[count]);
    assert_int_equal(errors->count, count);
}
