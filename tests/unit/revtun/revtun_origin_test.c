// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static struct addr read_addr(const char *text, uint16_t port)
{
    struct addr addr = {0};

    assert_true(addr_read(bytes_of_text(text), &addr));
    return addr_with_port(addr, port);
}

static void tells_one_host_from_another(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool is_same;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.2", "::ffff:192.0.2.1", false},
        {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
        {"2001:db8:0:1::", "2001:db8:0:0:ffff:ffff:ffff:ffff", false},
        {"2001:db8::1", "192.0.2.1", false},
        {"::1", "127.0.0.1", false},
        {"c000:201::", "192.0.2.1", false}, // the same bytes
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct addr a = read_addr(cases[i].a, 1);
        const struct addr b = read_addr(cases[i].b, 2);
        const struct addr of_a = revtun_origin_of(&a);
        const struct addr of_b = revtun_origin_of(&b);
        assert_int_equal(addr_equal(&of_a, &of_b), cases[i].is_same);
        assert_int_equal(of_a.port, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_one_host_from_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
