// SPDX-License-Identifier: Apache-2.0
#include "bpf/diff_reading.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

enum {
    IP4_CHECK_AT = PACKET_ETH_LEN + 10,
    IP4_FRAGMENT_AT = PACKET_ETH_LEN + 6,
    UDP_CHECK_AT = 6, // behind the UDP header's beginning
    UDP = 17,
    UDP_LEN = 8,
    ETHERTYPE_IP4 = 0x0800,
    ETHERTYPE_IP6 = 0x86DD,
    DF = 0x4000,
    RESERVED = 0x8000, // which nobody looks at
};

static uint16_t u16_at(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void set_u16_at(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

// How much must be added to the one to come to the other.
static uint16_t error_of(uint16_t check, uint16_t right)
{
    return (uint16_t)((check + 0xFFFFU - right) % 0xFFFF);
}

static bool ip4_read(struct rd *rd, struct diff_reading *out, size_t *udp_len)
{
    uint8_t ip[ADDR_IP4_LEN];
    bool is_plain = rd_u8(rd) == 0x45;

    out->packet.tos = rd_u8(rd);
    size_t len = rd_u16(rd);
    out->packet.id = rd_u16(rd);
    out->fragment = rd_u16(rd);
    out->packet.may_fragment = (out->fragment & DF) == 0;
    out->packet.ttl = rd_u8(rd);
    bool is_udp = rd_u8(rd) == UDP;
    rd_skip(rd, 2);
    rd_copy(rd, ip, sizeof ip);
    out->packet.from = addr_ip4(ip, 0);
    rd_copy(rd, ip, sizeof ip);
    out->packet.to = addr_ip4(ip, 0);
    *udp_len = len - 20;
    return is_plain && is_udp && len >= 20 && (out->fragment & ~(DF | RESERVED)) == 0;
}

static bool ip6_read(struct rd *rd, struct diff_reading *out, size_t *udp_len)
{
    uint8_t ip[ADDR_IP6_LEN];
    uint32_t word = rd_u32(rd);

    out->packet.tos = (uint8_t)(word >> 20);
    out->packet.flow_label = word & 0xFFFFF;
    *udp_len = rd_u16(rd);
    bool is_udp = rd_u8(rd) == UDP;
    out->packet.ttl = rd_u8(rd);
    rd_copy(rd, ip, sizeof ip);
    out->packet.from = addr_ip6(ip, 0);
    rd_copy(rd, ip, sizeof ip);
    out->packet.to = addr_ip6(ip, 0);
    return word >> 28 == 6 && is_udp;
}

static void find_errors(const uint8_t *frame, struct diff_reading *out)
{
    uint8_t right[PACKET_MAX];
    size_t udp_at = packet_udp_at(&out->packet);
    size_t len = udp_at + UDP_LEN + out->packet.data_len;

    memcpy(right, frame, len);
    if (out->packet.from.family == ADDR_IP4) {
        packet_sum_ip4(right);
        out->ip_error = error_of(u16_at(frame + IP4_CHECK_AT), u16_at(right + IP4_CHECK_AT));
    }
    if (!out->packet.has_no_checksum) {
        packet_sum_udp(&out->packet, right);
        out->udp_error =
            error_of(u16_at(frame + udp_at + UDP_CHECK_AT), u16_at(right + udp_at + UDP_CHECK_AT));
        packet_sum_pseudo(&out->packet, right);
        out->is_unfinished = memcmp(frame + udp_at, right + udp_at, UDP_LEN) == 0;
    }
}

bool diff_reading_read(const uint8_t *frame, size_t len, struct diff_reading *out)
{
    struct diff_reading reading = {.packet.channel = PACKET_CHANNEL_NONE};
    struct rd rd = rd_init((struct bytes){frame, len});
    size_t udp_len = 0;

    rd_copy(&rd, reading.packet.to_mac, 6);
    rd_copy(&rd, reading.packet.from_mac, 6);
    uint16_t type = rd_u16(&rd);
    bool is_to_many = (reading.packet.to_mac[0] & 1) != 0;
    if (is_to_many || (type != ETHERTYPE_IP4 && type != ETHERTYPE_IP6)) {
        return false;
    }
    bool is_whole = type == ETHERTYPE_IP4 ? ip4_read(&rd, &reading, &udp_len)
                                          : ip6_read(&rd, &reading, &udp_len);
    reading.packet.from.port = rd_u16(&rd);
    reading.packet.to.port = rd_u16(&rd);
    is_whole = is_whole && rd_u16(&rd) == udp_len && udp_len >= UDP_LEN;
    reading.packet.has_no_checksum = rd_u16(&rd) == 0;
    struct bytes data = rd_bytes(&rd, is_whole ? udp_len - UDP_LEN : 0);
    if (!is_whole || !rd_ok(&rd) || (type == ETHERTYPE_IP6 && reading.packet.has_no_checksum)) {
        return false;
    }
    reading.packet.data = data.ptr;
    reading.packet.data_len = data.len;
    reading.packet.trailer_len = rd.left;
    find_errors(frame, &reading);
    *out = reading;
    return true;
}

static bool has_error(uint8_t *check, uint16_t right, uint16_t error)
{
    uint16_t is = u16_at(check);

    set_u16_at(check, right);
    return error == 0 ? is == right : error_of(is, right) == error;
}

bool diff_reading_matches(const struct diff_reading *want, const uint8_t *frame, size_t len)
{
    uint8_t right[PACKET_MAX];
    uint8_t is[PACKET_MAX];
    const struct packet *packet = &want->packet;
    size_t udp_check_at = packet_udp_at(packet) + UDP_CHECK_AT;
    bool is_so = packet_write(packet, right) == len;

    if (!is_so) {
        return false;
    }
    memcpy(is, frame, len);
    if (packet->from.family == ADDR_IP4) {
        set_u16_at(right + IP4_FRAGMENT_AT, want->fragment);
        packet_sum_ip4(right);
        is_so = has_error(is + IP4_CHECK_AT, u16_at(right + IP4_CHECK_AT), want->ip_error);
    }
    if (!has_error(is + udp_check_at, u16_at(right + udp_check_at), want->udp_error)) {
        return false;
    }
    return is_so && memcmp(is, right, len) == 0;
}
