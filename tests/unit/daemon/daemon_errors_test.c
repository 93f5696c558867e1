// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/conf_file.h"
#include "host.h"

static const struct conf_option options[] = {
    {.name = "realm", .placeholder = "NAME", .group = "All", .help = "The only option."},
};
static const struct conf_table table = {options, COUNT_OF(options)};

static struct conf conf;
static uint8_t memory[DAEMON_ERRORS_TEXT_MAX];

static struct bytes written(const char *file)
{
    struct wr wr = wr_init(memory, sizeof memory);

    conf_init(&conf, &table);
    conf_file_read(&conf, bytes_of_text(file), "daemon.conf");
    daemon_errors_write(&wr, &conf.errors, "program");
    assert_true(wr_ok(&wr));
    return wr_done(&wr);
}

static void writes_a_line_for_each_mistake(void **state)
{
    (void)state;
    assert_int_equal(written("realm = a\n").len, 0);
    host_expect_text(
        written("realm\n\nrealm = \"a\n"),
        "program: this line is neither 'key = value' nor a '# comment' (daemon.conf, line 1)\n"
        "program: --realm: the value begins with a double quote but does not end with one "
        "(daemon.conf, line 3)\n");
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
