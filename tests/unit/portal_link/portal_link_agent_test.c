// SPDX-License-Identifier: Apache-2.0
#include "portal_link/portal_link_agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void finds_variables_of_os_release(void **state)
{
    const struct bytes text =
        bytes_of_text("NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n"
                      "EMPTY=\nQUOTE=\"\nLAST=end");

    (void)state;
    assert_true(bytes_equal_text(portal_link_agent_find(text, "NAME"), "Debian GNU/Linux"));
    assert_true(bytes_equal_text(portal_link_agent_find(text, "VERSION_ID"), "12"));
    assert_true(bytes_equal_text(portal_link_agent_find(text, "ID"), "debian"));
    assert_true(bytes_equal_text(portal_link_agent_find(text, "LAST"), "end"));
    assert_true(bytes_equal_text(portal_link_agent_find(text, "QUOTE"), "\""));
    assert_int_equal(portal_link_agent_find(text, "EMPTY").len, 0);
    assert_int_equal(portal_link_agent_find(text, "NONE").len, 0);
    assert_int_equal(portal_link_agent_find((struct bytes){0}, "ID").len, 0);
}

static void names_system_relay_and_kernel(void **state)
{
    uint8_t text[PORTAL_LINK_AGENT_MAX + 1] = {0};
    struct wr wr = wr_init(text, PORTAL_LINK_AGENT_MAX);

    (void)state;
    portal_link_agent_write(&wr);
    assert_true(wr_ok(&wr));
    const char *relay = strstr((char *)text, " relay/" FAIRLEAD_VERSION " (");
    assert_non_null(relay);
    assert_ptr_equal(strchr((char *)text, ' '), relay); // one word stands before it
    assert_non_null(memchr(text, '/', (size_t)(relay - (char *)text)));
    assert_non_null(strstr(relay, "; "));
    assert_int_equal(text[wr.len - 1], ')');
    for (size_t i = 0; i < wr.len; i++) {
        assert_in_range(text[i], ' ', '~');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_variables_of_os_release),
        cmocka_unit_test(names_system_relay_and_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
