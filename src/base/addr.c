// SPDX-License-Identifier: Apache-2.0
#include "base/addr.h"

#include <assert.h>
#include <string.h>

#include "base/ascii.h"

enum { GROUP_COUNT = 8 }; // 16-bit groups in an IPv6 address

// RFC 4291 section 2.5.5.2: an IPv4 address follows.
static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

struct addr addr_ip4(const uint8_t ip[ADDR_IP4_LEN], uint16_t port)
{
    struct addr addr = {.family = ADDR_IP4, .port = port};
    memcpy(addr.ip, ip, ADDR_IP4_LEN);
    return addr;
}

struct addr addr_ip6(const uint8_t ip[ADDR_IP6_LEN], uint16_t port)
{
    struct addr addr = {.family = ADDR_IP6, .port = port};
    memcpy(addr.ip, ip, ADDR_IP6_LEN);
    return addr;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool addr_same_ip(const struct addr *a, const struct addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

struct addr addr_with_port(struct addr addr, uint16_t port)
{
    addr.port = port;
    return addr;
}

struct bytes addr_ip(const struct addr *addr)
{
    switch ((enum addr_family)addr->family) {
    case ADDR_IP4:
        return (struct bytes){addr->ip, ADDR_IP4_LEN};
    case ADDR_IP6:
        return (struct bytes){addr->ip, ADDR_IP6_LEN};
    case ADDR_NONE:
        break;
    }
    return (struct bytes){0};
}

static bool is_mapped(const uint8_t ip[ADDR_IP6_LEN])
{
    return memcmp(ip, mapped_prefix, sizeof mapped_prefix) == 0;
}

struct addr addr_unmapped(const struct addr *addr)
{
    if (addr->family == ADDR_IP6 && is_mapped(addr->ip)) {
        return addr_ip4(addr->ip + sizeof mapped_prefix, addr->port);
    }
    return *addr;
}

bool addr_is_unspecified(const struct addr *addr)
{
    static const uint8_t zero[ADDR_IP6_LEN];
    return addr->family != ADDR_NONE && memcmp(addr->ip, zero, sizeof zero) == 0;
}

bool addr_is_loopback(const struct addr *addr)
{
    static const uint8_t ip6[ADDR_IP6_LEN] = {[15] = 1};

    if (addr->family == ADDR_IP4) {
        return addr->ip[0] == 127;
    }
    return addr->family == ADDR_IP6 && memcmp(addr->ip, ip6, sizeof ip6) == 0;
}

bool addr_is_link_local(const struct addr *addr)
{
    if (addr->family == ADDR_IP4) {
        return addr->ip[0] == 169 && addr->ip[1] == 254;
    }
    return addr->family == ADDR_IP6 && addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80;
}

// Reads four decimal numbers with dots; leading zeros are refused, since some read them as octal.
static bool ip4_read(struct bytes text, uint8_t ip[ADDR_IP4_LEN])
{
    for (int i = 0; i < ADDR_IP4_LEN; i++) {
        size_t len = bytes_index(text, '.');
        struct bytes part = bytes_first(text, len);
        uint64_t value = 0;

        if ((len == text.len) != (i == ADDR_IP4_LEN - 1)) {
            return false;
        }
        if (part.len > 3 || !bytes_to_number(part, 255, &value) ||
            (part.len > 1 && part.ptr[0] == '0')) {
            return false;
        }
        ip[i] = (uint8_t)value;
        text = bytes_from(text, len + 1);
    }
    return true;
}

// Reads one to four hexadecimal digits that fill the span.
static bool group_read(struct bytes text, uint16_t *out)
{
    unsigned value = 0;

    if (text.len == 0 || text.len > 4) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        const unsigned digit = ascii_hex_digit(text.ptr[i]);

        if (digit == ASCII_NO_DIGIT) {
            return false;
        }
        value = value * 16 + digit;
    }
    *out = (uint16_t)value;
    return true;
}

// Reads groups separated by single colons, the last two perhaps as a dotted IPv4 address.
// An empty text is no group. Returns false when it is malformed or holds more than eight.
static bool groups_read(struct bytes text, uint16_t groups[GROUP_COUNT], int *count)
{
    *count = 0;
    while (text.len > 0) {
        size_t len = bytes_index(text, ':');
        struct bytes part = bytes_first(text, len);
        uint8_t ip4[ADDR_IP4_LEN];

        if (len == text.len && *count <= GROUP_COUNT - 2 && ip4_read(part, ip4)) {
            groups[(*count)++] = (uint16_t)(ip4[0] * 256 + ip4[1]);
            groups[(*count)++] = (uint16_t)(ip4[2] * 256 + ip4[3]);
            return true;
        }
        if (*count == GROUP_COUNT || !group_read(part, &groups[*count])) {
            return false;
        }
        (*count)++;
        if (len + 1 == text.len) {
            return false; // a colon at the end
        }
        text = bytes_from(text, len + 1);
    }
    return true;
}

// The position of the first "::", or text.len.
static size_t gap_index(struct bytes text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.ptr[i] == ':' && text.ptr[i + 1] == ':') {
            return i;
        }
    }
    return text.len;
}

static bool ip6_read(struct bytes text, uint8_t ip[ADDR_IP6_LEN])
{
    size_t gap = gap_index(text);
    uint16_t head[GROUP_COUNT] = {0};
    uint16_t tail[GROUP_COUNT] = {0};
    uint16_t groups[GROUP_COUNT] = {0};
    int head_count = 0;
    int tail_count = 0;

    if (!groups_read(bytes_first(text, gap), head, &head_count)) {
        return false;
    }
    if (gap < text.len) {
        if (bytes_index(bytes_first(text, gap), '.') < gap ||
            !groups_read(bytes_from(text, gap + 2), tail, &tail_count) ||
            head_count + tail_count >= GROUP_COUNT) {
            return false;
        }
    } else if (head_count != GROUP_COUNT) {
        return false;
    }
    memcpy(groups, head, (size_t)head_count * sizeof head[0]);
    memcpy(groups + GROUP_COUNT - tail_count, tail, (size_t)tail_count * sizeof tail[0]);
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        ip[i * 2] = (uint8_t)(groups[i] >> 8);
        ip[i * 2 + 1] = (uint8_t)groups[i];
    }
    return true;
}

bool addr_read(struct bytes text, struct addr *out)
{
    uint8_t ip[ADDR_IP6_LEN] = {0};

    if (bytes_index(text, ':') < text.len) {
        if (!ip6_read(text, ip)) {
            return false;
        }
        *out = addr_ip6(ip, 0);
        return true;
    }
    if (!ip4_read(text, ip)) {
        return false;
    }
    *out = addr_ip4(ip, 0);
    return true;
}

bool addr_read_with_port(struct bytes text, struct addr *out)
{
    const bool is_bracketed = text.len > 0 && text.ptr[0] == '[';
    const size_t end = bytes_index(text, is_bracketed ? ']' : ':');
    const struct bytes host = bytes_from(bytes_first(text, end), is_bracketed ? 1 : 0);
    const struct bytes tail = bytes_from(text, is_bracketed ? end + 1 : end);
    struct addr addr = {0};
    uint64_t port = 0;

    if (tail.len == 0 || tail.ptr[0] != ':' ||
        !bytes_to_number(bytes_from(tail, 1), UINT16_MAX, &port) || !addr_read(host, &addr) ||
        (addr.family == ADDR_IP6) != is_bracketed) {
        return false;
    }
    *out = addr_with_port(addr, (uint16_t)port);
    return true;
}

static void ip4_write(struct wr *wr, const uint8_t *ip)
{
    for (int i = 0; i < ADDR_IP4_LEN; i++) {
        if (i > 0) {
            wr_u8(wr, '.');
        }
        wr_decimal(wr, ip[i]);
    }
}

static void group_write(struct wr *wr, uint16_t group)
{
    static const char digits[] = "0123456789abcdef";
    bool has_begun = false;

    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = (unsigned)(group >> shift) % 16;
        has_begun = has_begun || digit != 0 || shift == 0;
        if (has_begun) {
            wr_u8(wr, (uint8_t)digits[digit]);
        }
    }
}

// RFC 5952: the first longest run of two or more zero groups becomes "::".
static void ip6_write(struct wr *wr, const uint8_t *ip)
{
    uint16_t groups[GROUP_COUNT];
    int gap_at = -1;
    int gap_len = 1;

    if (is_mapped(ip)) {
        wr_text(wr, "::ffff:");
        ip4_write(wr, ip + sizeof mapped_prefix);
        return;
    }
    for (size_t i = 0; i < GROUP_COUNT; i++) {
        groups[i] = (uint16_t)(ip[i * 2] * 256 + ip[i * 2 + 1]);
    }
    for (int i = 0; i < GROUP_COUNT; i++) {
        int len = 0;
        while (i + len < GROUP_COUNT && groups[i + len] == 0) {
            len++;
        }
        if (len > gap_len) {
            gap_at = i;
            gap_len = len;
        }
    }
    for (int i = 0; i < GROUP_COUNT; i++) {
        if (i == gap_at) {
            wr_text(wr, "::");
            i += gap_len - 1;
            continue;
        }
        if (i > 0 && i != gap_at + gap_len) {
            wr_u8(wr, ':');
        }
        group_write(wr, groups[i]);
    }
}

void addr_ip_write(struct wr *wr, const struct addr *addr)
{
    switch ((enum addr_family)addr->family) {
    case ADDR_IP4:
        ip4_write(wr, addr->ip);
        return;
    case ADDR_IP6:
        ip6_write(wr, addr->ip);
        return;
    case ADDR_NONE:
        wr_text(wr, "none");
        return;
    }
    assert(!"an address of no known family");
}

void addr_write(struct wr *wr, const struct addr *addr)
{
    bool is_bracketed = addr->family == ADDR_IP6;

    if (is_bracketed) {
        wr_u8(wr, '[');
    }
    addr_ip_write(wr, addr);
    if (is_bracketed) {
        wr_u8(wr, ']');
    }
    wr_u8(wr, ':');
    wr_decimal(wr, addr->port);
}
