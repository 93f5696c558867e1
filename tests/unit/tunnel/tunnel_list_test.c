// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_list.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct thing {
    char name;
    struct tunnel_link link;
};

static void assert_names(const struct tunnel_list *list, const char *names)
{
    struct thing *one = tunnel_list_first(list);

    for (; *names != '\0'; names++) {
        assert_non_null(one);
        assert_int_equal(one->name, *names);
        one = tunnel_list_next(&one->link);
    }
    assert_null(one);
}

static void things_come_and_go(void **state)
{
    struct tunnel_list list = {0};
    struct thing things[3] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}};

    (void)state;
    for (unsigned gone = 0; gone < 3; gone++) {
        assert_names(&list, "");
        for (int i = 0; i < 3; i++) {
            tunnel_list_add(&list, &things[i].link, &things[i]);
        }
        assert_names(&list, "cba");
        tunnel_list_remove(&things[gone].link);
        tunnel_list_remove(&things[gone].link); // it is in none
        assert_names(&list, gone == 0 ? "cb" : gone == 1 ? "ca" : "ba");
        tunnel_list_add(&list, &things[gone].link, &things[gone]);
        for (int i = 0; i < 3; i++) {
            tunnel_list_remove(&things[i].link);
        }
    }
    assert_names(&list, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(things_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
