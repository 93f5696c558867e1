// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_attr.h"

#include <assert.h>

bool stun_attr_is_required(uint16_t type)
{
    return type < 0x8000;
}

bool stun_attr_read(struct rd *rd, struct stun_attr *out)
{
    uint16_t type = rd_u16(rd);
    uint16_t len = rd_u16(rd);
    struct bytes value = rd_bytes(rd, len);

    rd_skip(rd, (size_t)(STUN_ATTR_PADDED(len) - len));
    if (!rd_ok(rd)) {
        return false;
    }
    *out = (struct stun_attr){type, value};
    return true;
}

void stun_attr_write(struct wr *wr, uint16_t type, struct bytes value)
{
    assert(value.len <= UINT16_MAX);
    wr_u16(wr, type);
    wr_u16(wr, (uint16_t)value.len);
    wr_bytes(wr, value);
    wr_zero(wr, STUN_ATTR_PADDED(value.len) - value.len);
}

bool stun_attr_u8_read(struct bytes value, uint8_t *out)
{
    if (value.len != 1 && value.len != 4) {
        return false;
    }
    *out = value.ptr[0];
    return true;
}

bool stun_attr_u16_read(struct bytes value, uint16_t *out)
{
    struct rd rd = rd_init(value);
    uint16_t number = rd_u16(&rd);

    rd_skip(&rd, 2);
    if (!rd_is_done(&rd)) {
        return false;
    }
    *out = number;
    return true;
}

bool stun_attr_u32_read(struct bytes value, uint32_t *out)
{
    struct rd rd = rd_init(value);
    uint32_t number = rd_u32(&rd);

    if (!rd_is_done(&rd)) {
        return false;
    }
    *out = number;
    return true;
}

bool stun_attr_addr_read(struct bytes value, struct addr *out)
{
    struct rd rd = rd_init(value);
    uint8_t ip[ADDR_IP6_LEN] = {0};

    rd_skip(&rd, 1);
    uint8_t family = rd_u8(&rd);
    uint16_t port = rd_u16(&rd);
    if (family != STUN_ATTR_FAMILY_IP4 && family != STUN_ATTR_FAMILY_IP6) {
        return false;
    }
    rd_copy(&rd, ip, family == STUN_ATTR_FAMILY_IP4 ? ADDR_IP4_LEN : ADDR_IP6_LEN);
    if (!rd_is_done(&rd)) {
        return false;
    }
    *out = family == STUN_ATTR_FAMILY_IP4 ? addr_ip4(ip, port) : addr_ip6(ip, port);
    return true;
}

// RFC 8489 section 14.2: the port is masked with the top of the magic cookie, the address with the
// cookie and, as far as it is longer, the transaction id. Masking twice gives back the original.
static struct addr masked(struct addr addr, const struct stun_transaction *transaction)
{
    uint8_t mask[ADDR_IP6_LEN];
    struct wr wr = wr_init(mask, sizeof mask);
    size_t ip_len = addr_ip(&addr).len;

    wr_u32(&wr, STUN_MAGIC_COOKIE);
    wr_bytes(&wr, (struct bytes){transaction->id, STUN_TRANSACTION_LEN});
    assert(wr_ok(&wr));
    for (size_t i = 0; i < ip_len; i++) {
        addr.ip[i] ^= mask[i];
    }
    addr.port ^= (uint16_t)(STUN_MAGIC_COOKIE >> 16);
    return addr;
}

bool stun_attr_xor_addr_read(struct bytes value, const struct stun_transaction *transaction,
                             struct addr *out)
{
    struct addr addr;

    if (!stun_attr_addr_read(value, &addr)) {
        return false;
    }
    *out = masked(addr, transaction);
    return true;
}

void stun_attr_u8_write(struct wr *wr, uint16_t type, uint8_t value)
{
    stun_attr_write(wr, type, (struct bytes){(const uint8_t[4]){value}, 4});
}

void stun_attr_u16_write(struct wr *wr, uint16_t type, uint16_t value)
{
    wr_u16(wr, type);
    wr_u16(wr, 4);
    wr_u16(wr, value);
    wr_u16(wr, 0);
}

void stun_attr_u32_write(struct wr *wr, uint16_t type, uint32_t value)
{
    wr_u16(wr, type);
    wr_u16(wr, 4);
    wr_u32(wr, value);
}

void stun_attr_addr_write(struct wr *wr, uint16_t type, const struct addr *addr)
{
    struct bytes ip = addr_ip(addr);

    assert(ip.len > 0);
    wr_u16(wr, type);
    wr_u16(wr, (uint16_t)(4 + ip.len));
    wr_u8(wr, 0);
    wr_u8(wr, addr->family == ADDR_IP4 ? STUN_ATTR_FAMILY_IP4 : STUN_ATTR_FAMILY_IP6);
    wr_u16(wr, addr->port);
    wr_bytes(wr, ip);
}

void stun_attr_xor_addr_write(struct wr *wr, uint16_t type,
                              const struct stun_transaction *transaction, const struct addr *addr)
{
    struct addr hidden = masked(*addr, transaction);

    stun_attr_addr_write(wr, type, &hidden);
}
