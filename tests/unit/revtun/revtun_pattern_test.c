// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct bytes text(const char *of)
{
    return bytes_of_text(of);
}

static void knows_names(void **state)
{
    static const char *const good[] = {"a", "web", "web-1", "0", "a--b"};
    static const char *const bad[] = {"", "-", "-a", "a-", "A", "a_b", "a.b", "a b", "*"};
    char longest[REVTUN_NAME_MAX + 2] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(revtun_pattern_is_name(text(good[i])));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(revtun_pattern_is_name(text(bad[i])));
    }
    memset(longest, 'a', REVTUN_NAME_MAX);
    assert_true(revtun_pattern_is_name(text(longest)));
    longest[REVTUN_NAME_MAX] = 'a';
    assert_false(revtun_pattern_is_name(text(longest)));
}

static void knows_hosts(void **state)
{
    static const char *const good[] = {"a", "a.test", "_x.a-b.test", "192.0.2.1",
                                       "xn--bcher-kva.ch"};
    static const char *const bad[] = {"",        ".",      "a.",     ".a",  "a..b", "-a.test",
                                      "a-.test", "A.test", "*.test", "a b", "a/b",  "[::1]"};
    char longest[REVTUN_HOST_MAX + 2] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(revtun_pattern_is_host(text(good[i])));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(revtun_pattern_is_host(text(bad[i])));
    }
    for (size_t i = 0; i < REVTUN_HOST_MAX; i++) {
        longest[i] = i % 64 == 63 ? '.' : 'a';
    }
    assert_true(revtun_pattern_is_host(text(longest)));
    longest[REVTUN_HOST_MAX] = 'a';
    assert_false(revtun_pattern_is_host(text(longest)));
}

static void covers_names(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool is_covered;
    } rows[] = {
        {"web", "web", true},     {"web", "web1", false},  {"web", "we", false},
        {"web*", "web", true},    {"web*", "web1", true},  {"web*", "we", false},
        {"web-*", "web-1", true}, {"web-*", "web", false}, {"*", "a", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(revtun_pattern_is_of_names(text(rows[i].pattern)));
        assert_int_equal(revtun_pattern_covers_name(text(rows[i].pattern), text(rows[i].name)),
                         rows[i].is_covered);
    }
    assert_false(revtun_pattern_is_of_names(text("")));
    assert_false(revtun_pattern_is_of_names(text("a*b")));
    assert_false(revtun_pattern_is_of_names(text("**")));
    assert_false(revtun_pattern_is_of_names(text("-*")));
}

static void covers_hosts(void **state)
{
    static const struct {
        const char *pattern, *host;
        bool is_covered;
    } rows[] = {
        {"a.test", "a.test", true},
        {"a.test", "b.a.test", false},
        {"*.a.test", "a.test", false},
        {"*.a.test", "b.a.test", true},
        {"*.a.test", "c.b.a.test", true},
        {"*.a.test", "ba.test", false},
        {"*.a.test", "xa.test", false},
        {"*.a.test", "a.test.b", false},
        {"*.a.test", "*.a.test", true},
        {"*.a.test", "*.b.a.test", true},
        {"*.b.a.test", "*.a.test", false},
        {"a.test", "*.a.test", false},
        {"*.a.test", "*", false},
        {"*", "*", true},
        {"*", "*.test", true},
        {"*", "a", true},
    };
    static const char *const bad[] = {"", "*.", "**", "a.*", "*a.test", "*.*", "*.*.test"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(revtun_pattern_is_of_hosts(text(rows[i].pattern)));
        assert_int_equal(revtun_pattern_covers_host(text(rows[i].pattern), text(rows[i].host)),
                         rows[i].is_covered);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(revtun_pattern_is_of_hosts(text(bad[i])));
    }
}

static void reads_ports(void **state)
{
    static const char *const bad[] = {"",        "0",  "0-5", "5-4", "65536",
                                      "1-65536", "1-", "-1",  "a",   "1 "};
    const struct bytes list = text("12101,12110-12120,65535");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(revtun_pattern_is_of_ports(text(bad[i])));
    }
    assert_true(revtun_pattern_is_list(list, revtun_pattern_is_of_ports));
    for (unsigned port = 0; port <= UINT16_MAX; port++) {
        assert_int_equal(revtun_pattern_list_has_port(list, (uint16_t)port),
                         port == 12101 || (port >= 12110 && port <= 12120) || port == 65535);
    }
    assert_true(revtun_pattern_list_has_port(text("*"), 1));
    assert_false(revtun_pattern_list_has_port(text("*"), 0));
    assert_false(revtun_pattern_list_has_port((struct bytes){0}, 1));
}

static void reads_lists(void **state)
{
    struct bytes list = text("a,,b");
    struct bytes item = {0};

    (void)state;
    assert_true(revtun_pattern_take(&list, &item));
    assert_true(bytes_equal_text(item, "a"));
    assert_true(revtun_pattern_take(&list, &item));
    assert_int_equal(item.len, 0);
    assert_true(revtun_pattern_take(&list, &item));
    assert_true(bytes_equal_text(item, "b"));
    assert_false(revtun_pattern_take(&list, &item));
    assert_true(revtun_pattern_is_list(text("a,b"), revtun_pattern_is_name));
    assert_false(revtun_pattern_is_list(text(""), revtun_pattern_is_name));
    assert_false(revtun_pattern_is_list(text("a,"), revtun_pattern_is_name));
    assert_false(revtun_pattern_is_list(text(",a"), revtun_pattern_is_name));
    assert_false(revtun_pattern_is_list(text("a,,b"), revtun_pattern_is_name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_names),  cmocka_unit_test(knows_hosts),
        cmocka_unit_test(covers_names), cmocka_unit_test(covers_hosts),
        cmocka_unit_test(reads_ports),  cmocka_unit_test(reads_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
