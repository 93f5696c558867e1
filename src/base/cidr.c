// SPDX-License-Identifier: Apache-2.0
#include "base/cidr.h"

#include <string.h>

static uint8_t bit_count(const struct addr *addr)
{
    return addr->family == ADDR_IP4 ? ADDR_IP4_LEN * 8 : ADDR_IP6_LEN * 8;
}

// Compares the first `prefix_len` bits.
static bool same_prefix(const uint8_t *a, const uint8_t *b, uint8_t prefix_len)
{
    size_t whole = prefix_len / 8;
    unsigned rest = prefix_len % 8;

    if (memcmp(a, b, whole) != 0) {
        return false;
    }
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool has_host_bits(const struct addr *base, uint8_t prefix_len)
{
    for (unsigned bit = prefix_len; bit < bit_count(base); bit++) {
        if ((base->ip[bit / 8] >> (7 - bit % 8)) % 2 != 0) {
            return true;
        }
    }
    return false;
}

// Like the parts of an address, a length has no leading zeros: some would read 010 as eight.
static bool length_read(struct bytes text, uint64_t max, uint64_t *out)
{
    bool is_padded = text.len > 1 && text.ptr[0] == '0';
    return !is_padded && bytes_to_number(text, max, out);
}

enum cidr_outcome cidr_read(struct bytes text, struct cidr *out)
{
    size_t slash = bytes_index(text, '/');
    struct cidr cidr = {0};
    uint64_t prefix_len = 0;

    if (!addr_read(bytes_first(text, slash), &cidr.base)) {
        return CIDR_NO_ADDRESS;
    }
    if (slash == text.len) {
        prefix_len = bit_count(&cidr.base);
    } else if (!length_read(bytes_from(text, slash + 1), bit_count(&cidr.base), &prefix_len)) {
        return CIDR_BAD_LENGTH;
    }
    cidr.prefix_len = (uint8_t)prefix_len;
    if (has_host_bits(&cidr.base, cidr.prefix_len)) {
        return CIDR_HOST_BITS;
    }
    *out = cidr;
    return CIDR_OK;
}

void cidr_write(struct wr *wr, const struct cidr *cidr)
{
    addr_ip_write(wr, &cidr->base);
    wr_u8(wr, '/');
    wr_decimal(wr, cidr->prefix_len);
}

bool cidr_contains(const struct cidr *cidr, const struct addr *addr)
{
    return addr->family == cidr->base.family &&
           same_prefix(addr->ip, cidr->base.ip, cidr->prefix_len);
}
