// SPDX-License-Identifier: Apache-2.0
// Each reader of a value: what it accepts has the length that it promises and, written again, reads
// the same; what it refuses leaves no trace. The input is a transaction id, then attributes.
#include "stun/stun_attr.h"

#include <assert.h>

#include "fuzz/fuzz.h"

// The one attribute that a cursor wrote, with the type 0x7abc.
static struct bytes only_value(const struct wr *wr)
{
    struct rd rd = rd_init(wr_done(wr));
    struct stun_attr attr = {0};

    assert(wr_ok(wr));
    bool is_read = stun_attr_read(&rd, &attr);
    assert(is_read);
    assert(rd_is_done(&rd));
    assert(attr.type == 0x7abc);
    return attr.value;
}

static void try_u8(struct bytes value)
{
    uint8_t raw[8];
    struct wr wr = wr_init(raw, sizeof raw);
    uint8_t number = 0;
    uint8_t again = 1;

    if (stun_attr_u8_read(value, &number)) {
        assert(value.len == 1 || value.len == 4);
        stun_attr_u8_write(&wr, 0x7abc, number);
        bool is_read = stun_attr_u8_read(only_value(&wr), &again);
        assert(is_read);
        assert(again == number);
    }
    assert(number == 0 || number == value.ptr[0]);
}

static void try_u16(struct bytes value)
{
    uint8_t raw[8];
    struct wr wr = wr_init(raw, sizeof raw);
    uint16_t number = 0;
    uint16_t again = 1;

    if (!stun_attr_u16_read(value, &number)) {
        assert(number == 0);
        return;
    }
    assert(value.len == 4);
    stun_attr_u16_write(&wr, 0x7abc, number);
    bool is_read = stun_attr_u16_read(only_value(&wr), &again);
    assert(is_read);
    assert(again == number);
    assert(bytes_equal(bytes_first(only_value(&wr), 2), bytes_first(value, 2)));
}

static void try_u32(struct bytes value)
{
    uint8_t raw[8];
    struct wr wr = wr_init(raw, sizeof raw);
    uint32_t number = 0;

    if (!stun_attr_u32_read(value, &number)) {
        assert(number == 0);
        return;
    }
    stun_attr_u32_write(&wr, 0x7abc, number);
    assert(bytes_equal(only_value(&wr), value));
}

static void try_addr(struct bytes value, const struct stun_transaction *transaction)
{
    uint8_t raw[24];
    struct wr wr = wr_init(raw, sizeof raw);
    struct addr plain = {0};
    struct addr hidden = {0};
    bool is_plain = stun_attr_addr_read(value, &plain);
    bool is_hidden = stun_attr_xor_addr_read(value, transaction, &hidden);

    assert(is_plain == is_hidden); // the two differ in the mask alone
    if (!is_hidden) {
        assert(plain.family == ADDR_NONE);
        assert(hidden.family == ADDR_NONE);
        return;
    }
    assert(plain.family == hidden.family);
    assert(value.len == 4 + addr_ip(&hidden).len);
    assert(hidden.zero == 0);
    for (size_t i = addr_ip(&hidden).len; i < sizeof hidden.ip; i++) {
        assert(hidden.ip[i] == 0);
    }
    stun_attr_xor_addr_write(&wr, 0x7abc, transaction, &hidden);
    // The first byte is reserved, and written as zero.
    assert(bytes_equal(bytes_from(only_value(&wr), 1), bytes_from(value, 1)));
    assert(only_value(&wr).ptr[0] == 0);
    wr = wr_init(raw, sizeof raw);
    stun_attr_addr_write(&wr, 0x7abc, &plain);
    assert(bytes_equal(bytes_from(only_value(&wr), 1), bytes_from(value, 1)));
    assert(only_value(&wr).ptr[0] == 0);
}

// Written again with padding of zeros, it has the same length and value.
static void try_whole(const struct stun_attr *attr, size_t wire_len)
{
    static uint8_t raw[STUN_ATTR_HEAD_LEN + 65536];
    struct wr wr = wr_init(raw, wire_len);

    stun_attr_write(&wr, 0x7abc, attr->value);
    assert(wr.room == 0);
    assert(bytes_equal(only_value(&wr), attr->value));
    wr = wr_init(raw, wire_len - 1);
    stun_attr_write(&wr, 0x7abc, attr->value);
    assert(!wr_ok(&wr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd rd = rd_init((struct bytes){data, size});
    struct stun_transaction transaction = {{0}};
    struct stun_attr attr = {0};

    rd_copy(&rd, transaction.id, sizeof transaction.id);
    for (size_t before = rd.left; stun_attr_read(&rd, &attr); before = rd.left) {
        assert(attr.value.ptr >= data);
        assert(attr.value.ptr + attr.value.len <= data + size);
        assert((before - rd.left) % 4 == 0);
        assert(before - rd.left == STUN_ATTR_HEAD_LEN + STUN_ATTR_PADDED(attr.value.len));
        assert(stun_attr_is_required(attr.type) == (attr.type < 0x8000));
        try_whole(&attr, before - rd.left);
        try_u8(attr.value);
        try_u16(attr.value);
        try_u32(attr.value);
        try_addr(attr.value, &transaction);
    }
    return 0;
}
