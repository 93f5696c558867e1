// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_proxy.h"

#include <assert.h>

#include "revtun/revtun_pattern.h"

enum {
    VERSION_2 = 0x20, // with the command
    COMMAND_LOCAL = 0x0,
    COMMAND_PROXY = 0x1,
    TCP4 = 0x11, // family and transport
    TCP6 = 0x21,
    UNSPECIFIED = 0x00,
    TYPE_AUTHORITY = 0x02, // of a TLV
    TYPE_CRC32C = 0x03,
    CRC32C_LEN = 4, // bytes
};

static const struct bytes start_1 = BYTES_LITERAL("PROXY");
static const struct bytes start_2 = BYTES_LITERAL("\r\n\r\n\0\r\nQUIT\n");

_Static_assert(REVTUN_HOST_MAX + REVTUN_PROXY_START_LEN + 2 * (ADDR_IP6_LEN + 2) + 3 <=
                   REVTUN_PROXY_WRITE_MAX,
               "the longest header fits");

// It agrees with the start as far as it goes.
static bool begins_as(struct bytes received, struct bytes start)
{
    return bytes_equal(bytes_first(received, start.len), bytes_first(start, received.len));
}

// --- version 1 ----------------------------------------------------------------------------------

// Takes the next word off a line, with the space before it.
static struct bytes word_take(struct bytes *line)
{
    if (line->len == 0 || line->ptr[0] != ' ') {
        *line = (struct bytes){0};
        return (struct bytes){0};
    }
    const struct bytes rest = bytes_from(*line, 1);
    const size_t len = bytes_index(rest, ' ');
    *line = bytes_from(rest, len);
    return bytes_first(rest, len);
}

static bool line_addr_read(struct bytes text, struct bytes port_text, uint8_t family,
                           struct addr *out)
{
    uint64_t port = 0;
    struct addr addr = {0};

    if (!addr_read(text, &addr) || addr.family != family ||
        !bytes_to_number(port_text, UINT16_MAX, &port) ||
        (port_text.len > 1 && port_text.ptr[0] == '0')) {
        return false;
    }
    *out = addr_with_port(addr, (uint16_t)port);
    return true;
}

// Reads what stands behind PROXY.
static bool line_read(struct bytes line, struct revtun_proxy *proxy)
{
    const struct bytes family = word_take(&line);

    if (bytes_equal_text(family, "UNKNOWN")) {
        return true; // whatever follows is to be ignored
    }
    const bool is_ip6 = bytes_equal_text(family, "TCP6");
    if (!is_ip6 && !bytes_equal_text(family, "TCP4")) {
        return false;
    }
    const struct bytes src = word_take(&line);
    const struct bytes dst = word_take(&line);
    const struct bytes src_port = word_take(&line);
    const struct bytes dst_port = word_take(&line);
    const uint8_t wanted = is_ip6 ? ADDR_IP6 : ADDR_IP4;
    return line.len == 0 && line_addr_read(src, src_port, wanted, &proxy->src) &&
           line_addr_read(dst, dst_port, wanted, &proxy->dst);
}

static enum revtun_proxy_outcome v1_read(struct bytes received, struct revtun_proxy *out,
                                         size_t *len)
{
    const struct bytes looked_at = bytes_first(received, REVTUN_PROXY_LINE_MAX);
    const size_t lf = bytes_index(looked_at, '\n');
    struct revtun_proxy proxy = {.version = REVTUN_PROXY_V1};

    if (lf == looked_at.len) {
        return looked_at.len < REVTUN_PROXY_LINE_MAX ? REVTUN_PROXY_PART : REVTUN_PROXY_BAD;
    }
    // The start has no LF, so there is a byte before it.
    if (lf < start_1.len || looked_at.ptr[lf - 1] != '\r' ||
        !line_read(bytes_from(bytes_first(looked_at, lf - 1), start_1.len), &proxy)) {
        return REVTUN_PROXY_BAD;
    }
    *out = proxy;
    *len = lf + 1;
    return REVTUN_PROXY_WHOLE;
}

// --- version 2 ----------------------------------------------------------------------------------

static void block_read(struct rd *rd, bool is_ip6, struct revtun_proxy *proxy)
{
    uint8_t src[ADDR_IP6_LEN] = {0};
    uint8_t dst[ADDR_IP6_LEN] = {0};
    const size_t len = is_ip6 ? ADDR_IP6_LEN : ADDR_IP4_LEN;

    rd_copy(rd, src, len);
    rd_copy(rd, dst, len);
    const uint16_t src_port = rd_u16(rd);
    const uint16_t dst_port = rd_u16(rd);
    if (rd_ok(rd)) {
        proxy->src = is_ip6 ? addr_ip6(src, src_port) : addr_ip4(src, src_port);
        proxy->dst = is_ip6 ? addr_ip6(dst, dst_port) : addr_ip4(dst, dst_port);
    }
}

static uint32_t crc32c_add(uint32_t crc, struct bytes span)
{
    for (size_t i = 0; i < span.len; i++) {
        crc ^= span.ptr[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0x82f63b78) : 0);
        }
    }
    return crc;
}

// The checksum at `at` is that of the header with zeros in its place.
static bool is_checksum_right(struct bytes header, size_t at)
{
    static const uint8_t zero[CRC32C_LEN];
    struct rd rd = rd_init(bytes_from(header, at));
    uint32_t crc = crc32c_add(UINT32_MAX, bytes_first(header, at));

    crc = crc32c_add(crc, (struct bytes){zero, sizeof zero});
    crc = crc32c_add(crc, bytes_from(header, at + CRC32C_LEN));
    return rd_u32(&rd) == ~crc;
}

// Reads what follows the addresses.
static bool tlvs_read(struct rd *rd, struct bytes header, struct revtun_proxy *proxy)
{
    bool is_right = true;

    while (rd_ok(rd) && rd->left > 0) {
        const uint8_t type = rd_u8(rd);
        const uint16_t len = rd_u16(rd);
        const struct bytes value = rd_bytes(rd, len);
        if (type == TYPE_AUTHORITY && revtun_pattern_is_host(value)) {
            proxy->authority = value;
        } else if (type == TYPE_CRC32C && rd_ok(rd)) {
            is_right = is_right && len == CRC32C_LEN &&
                       is_checksum_right(header, header.len - rd->left - len);
        }
    }
    return rd_ok(rd) && is_right;
}

// Reads a header that is there as a whole.
static bool header_read(struct bytes header, struct revtun_proxy *proxy)
{
    struct rd rd = rd_init(bytes_from(header, start_2.len));
    const uint8_t command = rd_u8(&rd) & 0xf;
    const uint8_t family = rd_u8(&rd);

    rd_skip(&rd, 2); // the length
    if (command == COMMAND_LOCAL) {
        proxy->is_local = true;
        return true; // whatever follows is to be ignored
    }
    if (command != COMMAND_PROXY) {
        return false;
    }
    if (family == TCP4 || family == TCP6) {
        block_read(&rd, family == TCP6, proxy);
        return rd_ok(&rd) && tlvs_read(&rd, header, proxy);
    }
    // UDP, UNIX sockets and what is not specified say nothing about a client of TCP over IP.
    return true;
}

static enum revtun_proxy_outcome v2_read(struct bytes received, struct revtun_proxy *out,
                                         size_t *len)
{
    struct rd rd = rd_init(received);
    struct revtun_proxy proxy = {.version = REVTUN_PROXY_V2};

    rd_skip(&rd, start_2.len);
    const uint8_t version = rd_u8(&rd);
    const uint8_t family = rd_u8(&rd);
    const uint16_t body_len = rd_u16(&rd);
    if (!rd_ok(&rd)) {
        return REVTUN_PROXY_PART;
    }
    if ((version & 0xf0) != VERSION_2 || family >> 4 > 3 || (family & 0xf) > 2 ||
        body_len > REVTUN_PROXY_READ_MAX - REVTUN_PROXY_START_LEN) {
        return REVTUN_PROXY_BAD;
    }
    rd_skip(&rd, body_len);
    if (!rd_ok(&rd)) {
        return REVTUN_PROXY_PART;
    }
    const struct bytes header = bytes_first(received, received.len - rd.left);
    if (!header_read(header, &proxy)) {
        return REVTUN_PROXY_BAD;
    }
    *out = proxy;
    *len = header.len;
    return REVTUN_PROXY_WHOLE;
}

enum revtun_proxy_outcome revtun_proxy_read(struct bytes received, struct revtun_proxy *out,
                                            size_t *len)
{
    if (received.len == 0) {
        return REVTUN_PROXY_PART;
    }
    if (begins_as(received, start_1)) {
        return v1_read(received, out, len);
    }
    return begins_as(received, start_2) ? v2_read(received, out, len) : REVTUN_PROXY_NONE;
}

// --- writing ------------------------------------------------------------------------------------

// Both addresses are of one family, which a header can tell.
static bool is_told(const struct revtun_proxy *proxy)
{
    return !proxy->is_local && proxy->src.family != ADDR_NONE &&
           proxy->src.family == proxy->dst.family;
}

static void v1_write(struct wr *wr, const struct revtun_proxy *proxy)
{
    wr_bytes(wr, start_1);
    if (!is_told(proxy)) {
        wr_text(wr, " UNKNOWN\r\n");
        return;
    }
    wr_text(wr, proxy->src.family == ADDR_IP6 ? " TCP6 " : " TCP4 ");
    addr_ip_write(wr, &proxy->src);
    wr_text(wr, " ");
    addr_ip_write(wr, &proxy->dst);
    wr_text(wr, " ");
    wr_decimal(wr, proxy->src.port);
    wr_text(wr, " ");
    wr_decimal(wr, proxy->dst.port);
    wr_text(wr, "\r\n");
}

static void v2_write(struct wr *wr, const struct revtun_proxy *proxy)
{
    const bool is_ip6 = proxy->src.family == ADDR_IP6;

    wr_bytes(wr, start_2);
    wr_u8(wr, VERSION_2 | (is_told(proxy) ? COMMAND_PROXY : COMMAND_LOCAL));
    if (!is_told(proxy)) {
        wr_u8(wr, UNSPECIFIED);
        wr_u16(wr, 0);
        return;
    }
    wr_u8(wr, is_ip6 ? TCP6 : TCP4);
    const size_t len_at = wr->len;
    wr_u16(wr, 0);
    wr_bytes(wr, addr_ip(&proxy->src));
    wr_bytes(wr, addr_ip(&proxy->dst));
    wr_u16(wr, proxy->src.port);
    wr_u16(wr, proxy->dst.port);
    if (proxy->authority.len > 0) {
        assert(proxy->authority.len <= REVTUN_HOST_MAX);
        wr_u8(wr, TYPE_AUTHORITY);
        wr_u16(wr, (uint16_t)proxy->authority.len);
        wr_bytes(wr, proxy->authority);
    }
    if (wr_ok(wr)) {
        wr_u16_at(wr, len_at, (uint16_t)(wr->len - len_at - 2));
    }
}

void revtun_proxy_write(struct wr *wr, const struct revtun_proxy *proxy)
{
    switch (proxy->version) {
    case REVTUN_PROXY_V1:
        v1_write(wr, proxy);
        return;
    case REVTUN_PROXY_V2:
        v2_write(wr, proxy);
        return;
    case REVTUN_PROXY_NO:
        return;
    }
    assert(!"a version that there is not");
}
