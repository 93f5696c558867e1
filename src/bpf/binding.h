// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Answers STUN Binding requests without attributes (RFC 8489) by XOR-MAPPED-ADDRESS alone.
//
// The response grows at the front, where drivers leave room, and all of the request moves up; at
// the end there may be none.
#pragma once

#include "bpf/csum.h"
#include "bpf/flow.h"
#include "bpf/from_ip4.h"

enum {
    BINDING_REQUEST = 0x0001,
    BINDING_SUCCESS = 0x0101,
    BINDING_COOKIE = 0x2112A442,
    BINDING_XOR_MAPPED_ADDRESS = 0x0020,
    BINDING_TTL = 64, // as the system's own packets have it
};

struct binding_header {
    __u16 type;
    __u16 len; // of the attributes
    __u32 cookie;
    __u32 transaction[3];
};
_Static_assert(sizeof(struct binding_header) == 20, "no padding");

struct binding_address {
    __u16 type;
    __u16 len; // of what follows
    __u16 family;
    __u16 port;
    __u32 ip[4]; // IPv4: the first
};
_Static_assert(sizeof(struct binding_address) == 24, "no padding");

static __always_inline __u32 binding_address_len(__u8 family)
{
    return family == RELAY_ABI_IP4 ? 12 : 24;
}

static __always_inline bool binding_is_request(const struct frame *frame, const struct flow *flow)
{
    const struct binding_header *request = frame->data + flow_head_len(flow->family);

    return flow->udp_len == sizeof(struct udphdr) + sizeof *request &&
           (void *)(request + 1) <= frame->end && request->type == bpf_htons(BINDING_REQUEST) &&
           request->len == 0 && request->cookie == bpf_htonl(BINDING_COOKIE);
}

// Nobody can be answered at a port zero, nor at an address that is unspecified, of loopback, or of
// many: the system would have dropped the packet.
static __always_inline bool binding_is_answerable(const struct flow *flow, const __u8 ip[16])
{
    const __u32 *words = (const __u32 *)ip;

    if ((flow->ports & 0xFFFF) == 0) {
        return false;
    }
    if (flow->family == RELAY_ABI_IP4) {
        return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
    }
    bool is_low = words[0] == 0 && words[1] == 0 && words[2] == 0; // :: and ::1 among them
    return ip[0] != 0xFF && !is_low;
}

// Writes the attribute, and says what it comes to in the checksum.
static __always_inline __u64 binding_address_write(struct binding_address *at,
                                                   const struct flow *flow, const __u32 *ip,
                                                   const struct binding_header *header)
{
    bool is_ip4 = flow->family == RELAY_ABI_IP4;
    __u64 sum;

    at->type = bpf_htons(BINDING_XOR_MAPPED_ADDRESS);
    at->len = bpf_htons(binding_address_len(flow->family) - 4);
    at->family = bpf_htons(is_ip4 ? 1 : 2);
    at->port = (flow->ports & 0xFFFF) ^ bpf_htons(BINDING_COOKIE >> 16);
    at->ip[0] = ip[0] ^ bpf_htonl(BINDING_COOKIE);
    sum = (__u64)at->type + at->len + at->family + at->port + at->ip[0];
    if (!is_ip4) {
        for (__u32 i = 0; i < 3; i++) {
            at->ip[i + 1] = ip[i + 1] ^ header->transaction[i];
            sum += at->ip[i + 1];
        }
    }
    return sum;
}

// The IP header of the response: a fresh one, back to where the request came from.
static __always_inline void binding_ip_write(void *at, __u8 family, __u16 udp_len)
{
    if (family == RELAY_ABI_IP4) {
        struct iphdr *ip = at;
        __u32 to = ip->saddr;
        *(__u16 *)ip = bpf_htons(4 << 12 | 5 << 8);
        ip->tot_len = bpf_htons(sizeof *ip + udp_len);
        ip->id = 0;
        ip->frag_off = bpf_htons(0x4000); // DF
        ip->ttl = BINDING_TTL;
        ip->protocol = IPPROTO_UDP;
        ip->saddr = ip->daddr;
        ip->daddr = to;
        ip->check =
            csum_close(CSUM_BASE + bpf_htons(4 << 12 | 5 << 8) + ip->tot_len + ip->frag_off +
                       bpf_htons(BINDING_TTL << 8 | IPPROTO_UDP) + ip->saddr + ip->daddr);
        return;
    }
    struct ipv6hdr *ip = at;
    struct in6_addr to = ip->saddr;
    *(__u32 *)ip = bpf_htonl(6U << 28);
    ip->payload_len = bpf_htons(udp_len);
    ip->hop_limit = BINDING_TTL;
    ip->saddr = ip->daddr;
    ip->daddr = to;
}

// Everything but the IP header.
static __always_inline void binding_write(struct flow_eth *eth, struct udphdr *udp,
                                          const struct flow *flow, const __u32 *ip)
{
    struct binding_header *header = (void *)(udp + 1);
    __u16 attribute_len = binding_address_len(flow->family);
    __u32 udp_len = bpf_htons(flow->udp_len + attribute_len);

    for (__u32 i = 0; i < 3; i++) {
        __u16 to = eth->macs[i + 3];
        eth->macs[i + 3] = eth->macs[i];
        eth->macs[i] = to;
    }
    __u64 sum = flow->sum + flow->addrs + flow->ports + 2 * udp_len - bpf_htons(BINDING_REQUEST) +
                bpf_htons(BINDING_SUCCESS) + bpf_htons(attribute_len);
    header->type = bpf_htons(BINDING_SUCCESS);
    header->len = bpf_htons(attribute_len);
    sum += binding_address_write((void *)(header + 1), flow, ip, header);
    *(__u32 *)udp = flow->ports << 16 | flow->ports >> 16;
    udp->len = udp_len;
    udp->check = csum_close_udp(sum);
}

// Moves what is there to the front, over the room that was made.
static __always_inline void binding_move(__u16 *to, __u32 by, __u32 len)
{
#pragma clang loop unroll(full)
    for (__u32 i = 0; i < len / 2; i++) {
        to[i] = to[i + by / 2];
    }
}

// What to do with STUN, of which the rest is known to be sound.
static __always_inline enum relay_abi_verdict binding_answer(struct xdp_md *ctx,
                                                             const struct flow *flow,
                                                             const struct relay_abi_key *key)
{
    struct frame frame = flow_frame(ctx);
    __u32 head_len = flow_head_len(flow->family);
    __u32 attribute_len = binding_address_len(flow->family);

    if (!settings.answers_binding || !binding_is_request(&frame, flow) ||
        !binding_is_answerable(flow, key->remote_ip)) {
        return RELAY_ABI_VERDICT_pass_stun;
    }
    if (!flow->has_sum) {
        return RELAY_ABI_VERDICT_pass_no_checksum;
    }
    if (flow->family == RELAY_ABI_IP4 && !from_ip4_is_sound(flow)) {
        return RELAY_ABI_VERDICT_pass_malformed;
    }
    if (bpf_xdp_adjust_head(ctx, -(int)attribute_len) != 0) {
        return RELAY_ABI_VERDICT_pass_no_room;
    }
    if (flow->cut > 0) {
        // Cannot fail: it grows shorter, by less than there is.
        (void)bpf_xdp_adjust_tail(ctx, -(int)flow->cut);
    }
    frame = flow_frame(ctx);
    if (frame.data + head_len + sizeof(struct binding_header) + attribute_len > frame.end) {
        return RELAY_ABI_VERDICT_pass_no_room; // cannot be: the verifier does not know
    }
    binding_move(frame.data, attribute_len, head_len + sizeof(struct binding_header));
    binding_write(frame.data, frame.data + head_len - sizeof(struct udphdr), flow,
                  (const __u32 *)key->remote_ip);
    binding_ip_write(frame.data + ETH_HLEN, flow->family, flow->udp_len + attribute_len);
    return RELAY_ABI_VERDICT_binding;
}
