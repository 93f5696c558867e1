// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/conf_file.h"
#include "host.h"
#include "relay/relay_options.h"

static struct conf conf;
static uint8_t memory[RELAY_ERRORS_TEXT_MAX];

static struct bytes written(const char *file)
{
    struct wr wr = wr_init(memory, sizeof memory);

    conf_init(&conf, &relay_options_table);
    conf_file_read(&conf, bytes_of_text(file), "relay.conf");
    relay_errors_write(&wr, &conf.errors, "program");
    assert_true(wr_ok(&wr));
    return wr_done(&wr);
}

static void writes_a_line_for_each_mistake(void **state)
{
    (void)state;
    assert_int_equal(written("realm = a\n").len, 0);
    host_expect_text(
        written("realm\n\nrealm = \"a\n"),
        "program: this line is neither 'key = value' nor a '# comment' (relay.conf, line 1)\n"
        "program: --realm: the value begins with a double quote but does not end with one "
        "(relay.conf, line 3)\n");
}

static void counts_what_was_left_off_and_fits_its_room(void **state)
{
    static char file[(CONF_ERROR_MAX + 3) * 1024];
    size_t len = 0;

    (void)state;
    for (int i = 0; i < CONF_ERROR_MAX + 3; i++) {
        len += (size_t)sprintf(file + len, "%0900d = x\n", i);
    }
    const struct bytes text = written(file);
    static const char end[] = "program: and 3 more\n";
    assert_memory_equal(text.ptr + text.len - strlen(end), end, strlen(end));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_line_for_each_mistake),
        cmocka_unit_test(counts_what_was_left_off_and_fits_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
