// SPDX-License-Identifier: Apache-2.0
#include "io/io_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "io/io_route.h"
#include "io/io_udp.h"

enum { CAPACITY = 256 };

static struct addr list[CAPACITY];
static size_t count;

static bool is_listed(const struct addr *addr)
{
    for (size_t i = 0; i < count; i++) {
        if (addr_equal(&list[i], addr)) {
            return true;
        }
    }
    return false;
}

static int fill(void **state)
{
    (void)state;
    count = CAPACITY + 1;
    return io_host_list(list, CAPACITY, &count);
}

static void lists_loopback(void **state)
{
    const struct addr loopback = addr_ip4((const uint8_t[]){127, 0, 0, 1}, 0);

    (void)state;
    assert_true(is_listed(&loopback));
}

static void lists_the_address_of_the_default_route(void **state)
{
    static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        struct addr source = {0};
        if (io_route_source(families[i], &source) == 0) { // depends on where the test runs
            assert_true(is_listed(&source));
        }
    }
}

// fe80::/10: it is of this host, but to bind it takes an interface too.
static bool is_link_local(const struct addr *addr)
{
    return addr->family == ADDR_IP6 && addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80;
}

static void lists_addresses_that_are_this_hosts_and_without_ports(void **state)
{
    (void)state;
    assert_in_range(count, 1, CAPACITY);
    for (size_t i = 0; i < count; i++) {
        struct io_udp udp = {.fd = -1};

        assert_int_not_equal(list[i].family, ADDR_NONE);
        assert_int_equal(list[i].port, 0);
        assert_false(addr_is_unspecified(&list[i]));
        if (!is_link_local(&list[i])) {
            assert_int_equal(io_udp_open(&(struct io_udp_options){.local = list[i]}, &udp), 0);
            io_udp_close(&udp);
        }
    }
}

static void lists_as_many_as_there_is_room_for(void **state)
{
    struct addr few[CAPACITY];
    size_t few_count = 0;

    (void)state;
    for (size_t room = 0; room <= count; room++) {
        memset(few, 0xee, sizeof few);
        const int error = io_host_list(few, room, &few_count);
        assert_int_equal(error, room < count ? -ENOSPC : 0);
        assert_int_equal(few_count, room);
        assert_memory_equal(few, list, room * sizeof *few);
        assert_int_equal(few[room].zero, 0xee); // nothing behind the room
    }
}

static void finds_the_interface_of_an_address(void **state)
{
    const struct addr loopback = addr_ip4((const uint8_t[]){127, 0, 0, 1}, 3478);
    const struct addr nobodys = addr_ip4((const uint8_t[]){192, 0, 2, 77}, 0);
    char name[IO_HOST_LINK_LEN] = "unchanged";

    (void)state;
    assert_int_equal(io_host_link(&nobodys, name), -ENOENT);
    assert_string_equal(name, "unchanged");
    assert_int_equal(io_host_link(&loopback, name), 0);
    assert_string_equal(name, "lo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_loopback),
        cmocka_unit_test(finds_the_interface_of_an_address),
        cmocka_unit_test(lists_the_address_of_the_default_route),
        cmocka_unit_test(lists_addresses_that_are_this_hosts_and_without_ports),
        cmocka_unit_test(lists_as_many_as_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
