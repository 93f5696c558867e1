// SPDX-License-Identifier: Apache-2.0
#include "bpf/spoil.h"

#include <string.h>

#include "base/macro.h"
#include "bpf/kernel.h"

enum { IP_AT = PACKET_ETH_LEN };

static void put_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static unsigned get_u16(const uint8_t *at)
{
    return (unsigned)(at[0] << 8 | at[1]);
}

// Where the IP header has its length.
static uint8_t *ip_len_at(struct spoil_frame *frame)
{
    return frame->bytes + IP_AT + (frame->packet->from.family == ADDR_IP4 ? 2 : 4);
}

static uint8_t *udp_at(struct spoil_frame *frame)
{
    return frame->bytes + packet_udp_at(frame->packet);
}

static uint8_t *payload_at(struct spoil_frame *frame)
{
    return frame->bytes + packet_payload_at(frame->packet);
}

static uint8_t *to_ip_at(struct spoil_frame *frame)
{
    return frame->bytes + IP_AT + (frame->packet->from.family == ADDR_IP4 ? 16 : 24);
}

// Puts `len` zero bytes where the UDP header was, and lets the IP header's length know.
static void insert(struct spoil_frame *frame, size_t len)
{
    uint8_t *at = udp_at(frame);

    memmove(at + len, at, (size_t)(frame->bytes + frame->len - at));
    memset(at, 0, len);
    frame->len += len;
    put_u16(ip_len_at(frame), get_u16(ip_len_at(frame)) + (unsigned)len);
}

static void arp(struct spoil_frame *frame)
{
    put_u16(frame->bytes + 12, 0x0806);
}

static void group_mac(struct spoil_frame *frame)
{
    frame->bytes[0] |= 1;
}

static void vlan(struct spoil_frame *frame)
{
    memmove(frame->bytes + 16, frame->bytes + 12, frame->len - 12);
    put_u16(frame->bytes + 12, 0x8100);
    put_u16(frame->bytes + 14, 7);
    frame->len += 4;
}

static void tcp(struct spoil_frame *frame)
{
    frame->bytes[IP_AT + (frame->packet->from.family == ADDR_IP4 ? 9 : 6)] = 6;
}

static void other_destination(struct spoil_frame *frame)
{
    to_ip_at(frame)[3] ^= 1;
}

static void last_byte_of_destination(struct spoil_frame *frame)
{
    to_ip_at(frame)[frame->packet->from.family == ADDR_IP4 ? 3 : 15] ^= 0x80;
}

static void to_port(struct spoil_frame *frame, unsigned port)
{
    put_u16(udp_at(frame) + 2, port);
}

static void port_before_listening(struct spoil_frame *frame)
{
    to_port(frame, KERNEL_LISTEN_PORT - 1);
}

static void port_below_range(struct spoil_frame *frame)
{
    to_port(frame, KERNEL_LOWEST_PORT - 1);
}

static void port_above_range(struct spoil_frame *frame)
{
    to_port(frame, KERNEL_HIGHEST_PORT + 1);
}

static void first_port_of_range(struct spoil_frame *frame)
{
    to_port(frame, KERNEL_LOWEST_PORT);
}

static void last_port_of_range(struct spoil_frame *frame)
{
    to_port(frame, KERNEL_HIGHEST_PORT);
}

static void cut_within_ip(struct spoil_frame *frame)
{
    frame->len = IP_AT + 12;
}

static void cut_within_udp(struct spoil_frame *frame)
{
    frame->len = packet_udp_at(frame->packet) + 7;
}

static void cut_by_one(struct spoil_frame *frame)
{
    frame->len--;
}

static void longer_ip(struct spoil_frame *frame)
{
    put_u16(ip_len_at(frame), get_u16(ip_len_at(frame)) + 1);
}

static void shorter_ip(struct spoil_frame *frame)
{
    put_u16(ip_len_at(frame), get_u16(ip_len_at(frame)) - 1);
}

static void no_ip_len(struct spoil_frame *frame)
{
    put_u16(ip_len_at(frame), 0);
}

static void ip_without_udp(struct spoil_frame *frame)
{
    put_u16(ip_len_at(frame), frame->packet->from.family == ADDR_IP4 ? 27 : 7);
    put_u16(udp_at(frame) + 4, 7);
}

static void longer_udp(struct spoil_frame *frame)
{
    put_u16(udp_at(frame) + 4, get_u16(udp_at(frame) + 4) + 1);
}

static void shorter_udp(struct spoil_frame *frame)
{
    put_u16(udp_at(frame) + 4, get_u16(udp_at(frame) + 4) - 1);
}

static void no_udp_len(struct spoil_frame *frame)
{
    put_u16(udp_at(frame) + 4, 0);
}

static void longer_chandata(struct spoil_frame *frame)
{
    put_u16(payload_at(frame) + 2, SPOIL_DATA_LEN + 1);
}

static void longest_chandata(struct spoil_frame *frame)
{
    put_u16(payload_at(frame) + 2, 0xFFFF);
}

static void four_bytes_behind_chandata(struct spoil_frame *frame)
{
    put_u16(payload_at(frame) + 2, SPOIL_DATA_LEN - 4);
}

static void payload_of_three(struct spoil_frame *frame)
{
    frame->len = packet_payload_at(frame->packet) + 3;
    put_u16(ip_len_at(frame), get_u16(ip_len_at(frame)) - SPOIL_DATA_LEN - 1);
    put_u16(udp_at(frame) + 4, 8 + 3);
}

static void other_channel(struct spoil_frame *frame)
{
    payload_at(frame)[1] ^= 4;
}

static void first_byte_of_stun(struct spoil_frame *frame)
{
    payload_at(frame)[0] = 0x3F;
}

static void first_byte_of_nothing(struct spoil_frame *frame)
{
    payload_at(frame)[0] = 0x80;
}

static void other_source_port(struct spoil_frame *frame)
{
    udp_at(frame)[1] ^= 0x40;
}

static void other_source(struct spoil_frame *frame)
{
    frame->bytes[IP_AT + (frame->packet->from.family == ADDR_IP4 ? 15 : 23)] ^= 0x20;
}

static void ip4_options(struct spoil_frame *frame)
{
    insert(frame, 4);
    frame->bytes[IP_AT] = 0x46;
    memset(frame->bytes + IP_AT + 20, 1, 4); // no operation
}

static void ip4_short_header(struct spoil_frame *frame)
{
    frame->bytes[IP_AT] = 0x44;
}

static void ip4_first_fragment(struct spoil_frame *frame)
{
    put_u16(frame->bytes + IP_AT + 6, 0x2000);
}

static void ip4_later_fragment(struct spoil_frame *frame)
{
    put_u16(frame->bytes + IP_AT + 6, 0x0001);
}

static void ip6_extension(struct spoil_frame *frame, uint8_t type)
{
    insert(frame, 8);
    frame->bytes[IP_AT + 6] = type;
    frame->bytes[IP_AT + 40] = 17;
}

static void ip6_hop_by_hop(struct spoil_frame *frame)
{
    ip6_extension(frame, 0);
}

static void ip6_routing(struct spoil_frame *frame)
{
    ip6_extension(frame, 43);
}

static void ip6_fragment(struct spoil_frame *frame)
{
    ip6_extension(frame, 44);
}

static void ip6_authentication(struct spoil_frame *frame)
{
    ip6_extension(frame, 51);
}

static void ip6_destination(struct spoil_frame *frame)
{
    ip6_extension(frame, 60);
}

static void ttl(struct spoil_frame *frame, uint8_t value)
{
    frame->bytes[IP_AT + (frame->packet->from.family == ADDR_IP4 ? 8 : 7)] = value;
}

static void last_ttl(struct spoil_frame *frame)
{
    ttl(frame, 1);
}

static void no_ttl(struct spoil_frame *frame)
{
    ttl(frame, 0);
}

static void checksum_left_to_hardware(struct spoil_frame *frame)
{
    packet_sum_pseudo(frame->packet, frame->bytes);
}

#define CASE(change, applies, verdict)                                                             \
    {                                                                                              \
#        change, change, applies, RELAY_ABI_VERDICT_##verdict                                      \
    }
const struct spoil_case spoil_cases[] = {
    CASE(arp, SPOIL_ALL, pass_foreign),
    CASE(group_mac, SPOIL_ALL, pass_foreign),
    CASE(vlan, SPOIL_ALL, pass_foreign),
    CASE(tcp, SPOIL_ALL, pass_foreign),
    CASE(other_destination, SPOIL_ALL, pass_foreign),
    CASE(last_byte_of_destination, SPOIL_ALL, pass_foreign),
    CASE(port_before_listening, SPOIL_ALL, pass_foreign),
    CASE(port_below_range, SPOIL_ALL, pass_foreign),
    CASE(port_above_range, SPOIL_ALL, pass_foreign),
    CASE(first_port_of_range, SPOIL_ALL, pass_unbound),
    CASE(last_port_of_range, SPOIL_ALL, pass_unbound),
    CASE(cut_within_ip, SPOIL_ALL, pass_foreign),
    CASE(cut_within_udp, SPOIL_ALL, pass_foreign),
    CASE(cut_by_one, SPOIL_ALL, pass_malformed),
    CASE(longer_ip, SPOIL_ALL, pass_malformed),
    CASE(shorter_ip, SPOIL_ALL, pass_malformed),
    CASE(no_ip_len, SPOIL_ALL, pass_malformed),
    CASE(ip_without_udp, SPOIL_ALL, pass_malformed),
    CASE(longer_udp, SPOIL_ALL, pass_malformed),
    CASE(shorter_udp, SPOIL_ALL, pass_malformed),
    CASE(no_udp_len, SPOIL_ALL, pass_malformed),
    CASE(longer_chandata, SPOIL_IP4 | SPOIL_IP6 | SPOIL_CLIENT, pass_malformed),
    CASE(longest_chandata, SPOIL_IP4 | SPOIL_IP6 | SPOIL_CLIENT, pass_malformed),
    CASE(four_bytes_behind_chandata, SPOIL_IP4 | SPOIL_IP6 | SPOIL_CLIENT, pass_malformed),
    CASE(payload_of_three, SPOIL_IP4 | SPOIL_IP6 | SPOIL_CLIENT, pass_malformed),
    CASE(other_channel, SPOIL_IP4 | SPOIL_IP6 | SPOIL_CLIENT, pass_unbound),
    CASE(first_byte_of_stun, SPOIL_IP4 | SPOIL_IP6 | SPOIL_CLIENT, pass_stun),
    CASE(first_byte_of_nothing, SPOIL_IP4 | SPOIL_IP6 | SPOIL_CLIENT, pass_foreign),
    CASE(other_source_port, SPOIL_ALL, pass_unbound),
    CASE(other_source, SPOIL_ALL, pass_unbound),
    CASE(ip4_options, SPOIL_IP4 | SPOIL_CLIENT | SPOIL_PEER, pass_options),
    CASE(ip4_short_header, SPOIL_IP4 | SPOIL_CLIENT | SPOIL_PEER, pass_options),
    CASE(ip4_first_fragment, SPOIL_IP4 | SPOIL_CLIENT | SPOIL_PEER, pass_fragment),
    CASE(ip4_later_fragment, SPOIL_IP4 | SPOIL_CLIENT | SPOIL_PEER, pass_fragment),
    CASE(ip6_hop_by_hop, SPOIL_IP6 | SPOIL_CLIENT | SPOIL_PEER, pass_options),
    CASE(ip6_routing, SPOIL_IP6 | SPOIL_CLIENT | SPOIL_PEER, pass_options),
    CASE(ip6_fragment, SPOIL_IP6 | SPOIL_CLIENT | SPOIL_PEER, pass_fragment),
    CASE(ip6_authentication, SPOIL_IP6 | SPOIL_CLIENT | SPOIL_PEER, pass_options),
    CASE(ip6_destination, SPOIL_IP6 | SPOIL_CLIENT | SPOIL_PEER, pass_options),
    CASE(checksum_left_to_hardware, SPOIL_ALL, pass_no_checksum),
    CASE(last_ttl, SPOIL_ALL, pass_ttl),
    CASE(no_ttl, SPOIL_ALL, pass_ttl),
};

const size_t spoil_case_count = COUNT_OF(spoil_cases);
