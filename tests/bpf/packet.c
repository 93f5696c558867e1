// SPDX-License-Identifier: Apache-2.0
#include "bpf/packet.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "support/csum_model.h"

enum {
    IP4_LEN = 20,
    IP6_LEN = 40,
    UDP_LEN = 8,
    UDP = 17,
};

static size_t ip_len(const struct packet *packet)
{
    return packet->from.family == ADDR_IP4 ? IP4_LEN : IP6_LEN;
}

size_t packet_udp_at(const struct packet *packet)
{
    return PACKET_ETH_LEN + ip_len(packet);
}

size_t packet_payload_at(const struct packet *packet)
{
    return packet_udp_at(packet) + UDP_LEN;
}

static void put_u16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void packet_sum_ip4(uint8_t *frame)
{
    uint8_t *ip = frame + PACKET_ETH_LEN;

    put_u16(ip + 10, 0);
    put_u16(ip + 10, csum_model_close(csum_model_add(0, ip, (size_t)(ip[0] & 15) * 4)));
}

// Of the UDP datagram that begins here.
static uint32_t pseudo_sum(const struct packet *packet, const uint8_t *frame, const uint8_t *udp)
{
    bool is_ip4 = packet->from.family == ADDR_IP4;
    uint8_t pseudo[4] = {0, UDP, udp[4], udp[5]};
    uint32_t sum = csum_model_add(0, pseudo, sizeof pseudo);

    // Both addresses.
    return csum_model_add(sum, frame + PACKET_ETH_LEN + (is_ip4 ? 12 : 8), is_ip4 ? 8 : 32);
}

void packet_sum_udp(const struct packet *packet, uint8_t *frame)
{
    uint8_t *udp = frame + packet_udp_at(packet);
    size_t len = (size_t)(udp[4] << 8 | udp[5]);
    uint32_t sum = pseudo_sum(packet, frame, udp);

    put_u16(udp + 6, 0);
    sum = csum_model_close(csum_model_add(sum, udp, len));
    put_u16(udp + 6, sum == 0 ? 0xFFFF : sum);
}

void packet_sum_pseudo(const struct packet *packet, uint8_t *frame)
{
    uint8_t *udp = frame + packet_udp_at(packet);

    put_u16(udp + 6, 0xFFFF ^ csum_model_close(pseudo_sum(packet, frame, udp)));
}

static void ip4_write(struct wr *wr, const struct packet *packet, size_t udp_len)
{
    wr_u8(wr, 0x45);
    wr_u8(wr, packet->tos);
    wr_u16(wr, (uint16_t)(IP4_LEN + udp_len));
    wr_u16(wr, packet->id);
    wr_u16(wr, packet->may_fragment ? 0 : 0x4000);
    wr_u8(wr, packet->ttl);
    wr_u8(wr, UDP);
    wr_u16(wr, 0);
    wr_bytes(wr, addr_ip(&packet->from));
    wr_bytes(wr, addr_ip(&packet->to));
}

static void ip6_write(struct wr *wr, const struct packet *packet, size_t udp_len)
{
    wr_u32(wr, 6U << 28 | (uint32_t)packet->tos << 20 | packet->flow_label);
    wr_u16(wr, (uint16_t)udp_len);
    wr_u8(wr, UDP);
    wr_u8(wr, packet->ttl);
    wr_bytes(wr, addr_ip(&packet->from));
    wr_bytes(wr, addr_ip(&packet->to));
}

size_t packet_write(const struct packet *packet, uint8_t *out)
{
    struct wr wr = wr_init(out, PACKET_MAX);
    bool is_ip4 = packet->from.family == ADDR_IP4;
    size_t head_len = packet->channel == PACKET_CHANNEL_NONE ? 0 : 4;
    size_t udp_len = UDP_LEN + head_len + packet->data_len + packet->padding_len;
    uint8_t trailer[PACKET_TRAILER_MAX];

    assert(packet->from.family == packet->to.family);
    wr_bytes(&wr, (struct bytes){packet->to_mac, 6});
    wr_bytes(&wr, (struct bytes){packet->from_mac, 6});
    wr_u16(&wr, is_ip4 ? 0x0800 : 0x86DD);
    if (is_ip4) {
        ip4_write(&wr, packet, udp_len);
    } else {
        ip6_write(&wr, packet, udp_len);
    }
    wr_u16(&wr, packet->from.port);
    wr_u16(&wr, packet->to.port);
    wr_u16(&wr, (uint16_t)udp_len);
    wr_u16(&wr, 0);
    if (packet->channel != PACKET_CHANNEL_NONE) {
        wr_u16(&wr, (uint16_t)packet->channel);
        wr_u16(&wr, (uint16_t)packet->data_len);
    }
    wr_bytes(&wr, (struct bytes){packet->data, packet->data_len});
    wr_bytes(&wr, (struct bytes){packet->padding, packet->padding_len});
    memset(trailer, 0xEE, sizeof trailer);
    wr_bytes(&wr, (struct bytes){trailer, packet->trailer_len});
    assert(wr_ok(&wr));
    if (is_ip4) {
        packet_sum_ip4(out);
    }
    if (!packet->has_no_checksum) {
        packet_sum_udp(packet, out);
    }
    return wr.len;
}
