// SPDX-License-Identifier: Apache-2.0
// The counts lie in a file of memory here, in the place of the program's map.
#define _GNU_SOURCE
#include "xdp/xdp_usage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static const struct relay_abi_settings settings = {.lowest_port = 50000, .highest_port = 50009};

static void reads_and_clears_each_port_by_itself(void **state)
{
    const int fd = memfd_create("usages", MFD_CLOEXEC);
    struct xdp_usage usage;

    (void)state;
    assert_int_equal(xdp_usage_entry_count(&settings), 20);
    assert_int_equal(ftruncate(fd, 20 * sizeof(struct relay_abi_usage)), 0);
    assert_int_equal(xdp_usage_open(fd, &settings, &usage), 0);
    assert_int_equal(close(fd), 0);
    for (uint32_t i = 0; i < 20; i++) { // as the program counts
        usage.entries[i] = (struct relay_abi_usage){.packets = 100 + i, .bytes = 1000 + i};
    }
    xdp_usage_clear(&usage, 50004);
    for (uint16_t port = 50000; port <= 50009; port++) {
        const uint32_t place = 2U * (uint32_t)(port - 50000);
        const struct relay_abi_usage up = xdp_usage_at(&usage, port, RELAY_ABI_FROM_CLIENT);
        const struct relay_abi_usage down = xdp_usage_at(&usage, port, RELAY_ABI_FROM_PEER);
        const bool is_cleared = port == 50004;
        assert_int_equal(up.packets, is_cleared ? 0 : 100 + place);
        assert_int_equal(up.bytes, is_cleared ? 0 : 1000 + place);
        assert_int_equal(down.packets, is_cleared ? 0 : 101 + place);
        assert_int_equal(down.bytes, is_cleared ? 0 : 1001 + place);
    }
    xdp_usage_close(&usage);
    xdp_usage_close(&usage);
    assert_null(usage.entries);
}

static void says_why_there_is_no_map(void **state)
{
    struct xdp_usage usage = {.lowest_port = 7};

    (void)state;
    assert_int_equal(xdp_usage_open(-1, &settings, &usage), -EBADF);
    assert_int_equal(usage.lowest_port, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_clears_each_port_by_itself),
        cmocka_unit_test(says_why_there_is_no_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
