// SPDX-License-Identifier: Apache-2.0
#include "io/io_route.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/io_udp.h"

// Whether a socket can be bound to it, which is what "an address of this host" means.
static bool is_of_this_host(const struct addr *addr)
{
    struct io_udp udp;

    if (io_udp_open(&(struct io_udp_options){.local = *addr}, &udp) != 0) {
        return false;
    }
    io_udp_close(&udp);
    return true;
}

static void finds_an_address_of_this_host_or_says_why_not(void **state)
{
    static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        struct addr source = {.family = ADDR_NONE};
        const int error = io_route_source(families[i], &source);

        if (error == 0) { // whether there is a route depends on where the test runs
            assert_int_equal(source.family, families[i]);
            assert_int_equal(source.port, 0);
            assert_false(addr_is_unspecified(&source));
            assert_false(addr_is_link_local(&source));
            assert_true(is_of_this_host(&source));
        } else {
            assert_true(error == -ENETUNREACH || error == -EADDRNOTAVAIL ||
                        error == -EAFNOSUPPORT || error == -EHOSTUNREACH);
            assert_int_equal(source.family, ADDR_NONE);
        }
    }
}

static void finds_the_address_for_a_target(void **state)
{
    const struct addr target = addr_ip4((const uint8_t[]){127, 0, 0, 9}, 3478);
    const struct addr loopback = addr_ip4((const uint8_t[]){127, 0, 0, 1}, 0);
    struct addr source;

    (void)state;
    assert_int_equal(io_route_source_to(&target, &source), 0);
    assert_true(addr_same_ip(&source, &loopback) || addr_same_ip(&source, &target));
    assert_int_equal(source.port, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_an_address_of_this_host_or_says_why_not),
        cmocka_unit_test(finds_the_address_for_a_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
