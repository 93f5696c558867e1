// SPDX-License-Identifier: Apache-2.0
// addr_read accepts what libc accepts and reads it as libc does; writing and reading it again gives
// the same address, and the second writing the same text.
#include "base/addr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "fuzz/fuzz.h"

// Compares with inet_pton; `is_read` says whether `addr` was read.
static void compare_with_libc(struct bytes text, bool is_read, const struct addr *addr)
{
    char string[64];
    uint8_t ip[ADDR_IP6_LEN] = {0};

    if (text.len >= sizeof string || bytes_index(text, '\0') < text.len) {
        assert(!is_read); // the longest address has 45 characters
        return;
    }
    memset(string, 0, sizeof string);
    if (text.len > 0) {
        memcpy(string, text.ptr, text.len);
    }
    if (inet_pton(AF_INET, string, ip) == 1) {
        assert(is_read);
        assert(addr->family == ADDR_IP4);
    } else if (inet_pton(AF_INET6, string, ip) == 1) {
        assert(is_read);
        assert(addr->family == ADDR_IP6);
    } else {
        assert(!is_read);
    }
    assert(memcmp(addr->ip, ip, sizeof ip) == 0); // all zero when it was not read
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct addr addr = {.port = 1};
    struct addr again = {.port = 2};
    uint8_t first[ADDR_TEXT_MAX];
    uint8_t second[ADDR_TEXT_MAX];

    bool is_accepted = addr_read((struct bytes){data, size}, &addr);
    compare_with_libc((struct bytes){data, size}, is_accepted, &addr);
    if (!is_accepted) {
        assert(addr.port == 1); // untouched
        assert(addr.family == ADDR_NONE);
        return 0;
    }
    assert(addr.port == 0);
    assert(addr.zero == 0);
    assert(addr_ip(&addr).len == (addr.family == ADDR_IP4 ? ADDR_IP4_LEN : ADDR_IP6_LEN));
    for (size_t i = addr_ip(&addr).len; i < sizeof addr.ip; i++) {
        assert(addr.ip[i] == 0);
    }

    struct wr wr = wr_init(first, sizeof first);
    addr_ip_write(&wr, &addr);
    assert(wr_ok(&wr));
    bool is_read = addr_read(wr_done(&wr), &again);
    assert(is_read);
    assert(addr_equal(&addr, &again));

    struct wr other = wr_init(second, sizeof second);
    addr_ip_write(&other, &again);
    assert(bytes_equal(wr_done(&wr), wr_done(&other)));
    // IPv4 has one spelling only.
    assert(addr.family != ADDR_IP4 || bytes_equal(wr_done(&wr), (struct bytes){data, size}));

    // With brackets and the longest port it still fits.
    addr = addr_with_port(addr, UINT16_MAX);
    wr = wr_init(first, sizeof first);
    addr_write(&wr, &addr);
    assert(wr_ok(&wr));
    return 0;
}
