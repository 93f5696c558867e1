// SPDX-License-Identifier: Apache-2.0
#include "io/io_sockaddr.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void writes_what_it_reads(void **state)
{
    const struct addr addrs[] = {
        addr_ip4((const uint8_t[]){192, 0, 2, 1}, 3478),
        addr_ip6((const uint8_t[16]){0xfe, 0x80, [15] = 9}, 65535),
    };
    static const uint32_t scopes[] = {0, 7};
    static const socklen_t lens[] = {sizeof(struct sockaddr_in), sizeof(struct sockaddr_in6)};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(addrs); i++) {
        struct sockaddr_storage name = {0};
        struct addr addr = {0};
        uint32_t scope = 77;

        assert_int_equal(io_sockaddr_write(&addrs[i], scopes[i], &name), lens[i]);
        assert_true(io_sockaddr_read(&name, lens[i], &addr, &scope));
        assert_true(addr_equal(&addr, &addrs[i]));
        assert_int_equal(scope, scopes[i]);
        assert_true(io_sockaddr_read(&name, sizeof(name), &addr, NULL));
        assert_false(io_sockaddr_read(&name, lens[i] - 1, &addr, &scope));
        assert_false(io_sockaddr_read(&name, 0, &addr, &scope));
    }
}

static void puts_bytes_where_the_system_has_them(void **state)
{
    const struct addr addr = addr_ip4((const uint8_t[]){192, 0, 2, 1}, 0x1234);
    const uint8_t expected[] = {0x12, 0x34, 192, 0, 2, 1};
    struct sockaddr_storage name = {0};

    (void)state;
    assert_int_equal(io_sockaddr_write(&addr, 0, &name), sizeof(struct sockaddr_in));
    assert_int_equal(name.ss_family, AF_INET);
    assert_memory_equal((const uint8_t *)&name + 2, expected, sizeof(expected));
}

static void refuses_other_families(void **state)
{
    struct sockaddr_storage name = {.ss_family = AF_UNIX};
    struct addr addr = addr_ip4((const uint8_t[]){192, 0, 2, 1}, 1);
    const struct addr before = addr;

    (void)state;
    assert_false(io_sockaddr_read(&name, sizeof(name), &addr, NULL));
    assert_true(addr_equal(&addr, &before));
    assert_int_equal(io_sockaddr_write(&(struct addr){0}, 0, &name), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(puts_bytes_where_the_system_has_them),
        cmocka_unit_test(refuses_other_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
