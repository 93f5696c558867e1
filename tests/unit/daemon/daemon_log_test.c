// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "log/log.h"
#include "outlet.h"

static void writes_what_the_configuration_wants(void **state)
{
    const struct daemon_config config = {.log_format = LOG_LINE_JSON,
                                         .log_filter = BYTES_LITERAL("warn")};

    (void)state;
    outlet_open(STDOUT_FILENO);
    daemon_log_open(&config);
    LOG_INFO("unseen");
    LOG_WARN("seen");
    const char *text = outlet_close();
    assert_memory_equal(text, "{\"", 2);
    assert_non_null(strstr(text, "\"seen\""));
    assert_null(strstr(text, "unseen"));
}

static void filters_anew(void **state)
{
    const struct daemon_config config = {.log_filter = BYTES_LITERAL("error,daemon_log=debug")};

    (void)state;
    daemon_log_filter(&config);
    assert_true(log_is_on("daemon_log.c", LOG_LEVEL_DEBUG));
    assert_false(log_is_on("daemon_web.c", LOG_LEVEL_WARN));
    log_filter_set_level(LOG_LEVEL_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_the_configuration_wants),
        cmocka_unit_test(filters_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
