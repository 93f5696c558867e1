// SPDX-License-Identifier: Apache-2.0
#include "base/shares.h"

#include <assert.h>
#include <string.h>

_Static_assert((SHARES_ROW_LEN & (SHARES_ROW_LEN - 1)) == 0,
               "a row's place is some bits of a hash");
_Static_assert(SHARES_IP4_PREFIX % 8 == 0, "a prefix has whole bytes");
_Static_assert(SHARES_IP6_PREFIX % 8 == 0, "a prefix has whole bytes");

struct bytes shares_network(const struct addr *addr)
{
    assert(addr->family != ADDR_NONE);
    return bytes_first(addr_ip(addr),
                       addr->family == ADDR_IP4 ? SHARES_IP4_PREFIX / 8 : SHARES_IP6_PREFIX / 8);
}

void shares_init(struct shares *shares, const struct siphash_key *key, uint64_t rate)
{
    assert(rate > 0);
    shares->key = *key;
    shares->rate = bucket_rate_of(rate);
}

// The place of a network in each row.
static void find_places(const struct shares *shares, const struct addr *addr,
                        uint32_t out[SHARES_ROWS])
{
    uint8_t prefix[1 + SHARES_IP6_PREFIX / 8] = {addr->family};
    const struct bytes network = shares_network(addr);

    memcpy(prefix + 1, network.ptr, network.len);
    uint64_t hash = siphash(&shares->key, (struct bytes){prefix, sizeof prefix});
    for (size_t row = 0; row < SHARES_ROWS; row++) {
        out[row] = (uint32_t)(hash % SHARES_ROW_LEN);
        hash /= SHARES_ROW_LEN;
    }
}

bool shares_has(const struct shares *shares, uint64_t now_ns, const struct addr *addr)
{
    uint32_t places[SHARES_ROWS];

    find_places(shares, addr, places);
    for (size_t row = 0; row < SHARES_ROWS; row++) {
        if (bucket_has(&shares->rows[row][places[row]], &shares->rate, now_ns, 1)) {
            return true;
        }
    }
    return false;
}

void shares_take(struct shares *shares, uint64_t now_ns, const struct addr *addr)
{
    uint32_t places[SHARES_ROWS];

    find_places(shares, addr, places);
    for (size_t row = 0; row < SHARES_ROWS; row++) {
        bucket_drain(&shares->rows[row][places[row]], &shares->rate, now_ns, 1);
    }
}
