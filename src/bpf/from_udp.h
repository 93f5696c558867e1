// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Reads the UDP header (RFC 768), and ChannelData behind it (RFC 8656 section 12.4).
#pragma once

#include "bpf/csum.h"
#include "bpf/flow.h"

// The sum loses the padding, whose bytes may be of any value.
static __always_inline enum relay_abi_verdict from_udp_padding(const struct frame *frame,
                                                               const __u8 *data, __u32 padding_len,
                                                               struct flow *flow)
{
    __u64 data_len = flow->data_len;

    // The compiler must not forget that it is this value which the check is about.
    asm volatile("" : "+r"(data_len));
    if (data_len > FLOW_DATA_MAX) {
        return RELAY_ABI_VERDICT_pass_too_long;
    }
    const __u8 *padding = data + data_len;
    for (__u32 i = 0; i < FLOW_PADDING_MAX; i++) {
        if (i < padding_len && (void *)(padding + i + 1) <= frame->end) {
            flow->sum -= csum_byte(padding[i], flow->data_len + i);
        }
    }
    flow->cut += padding_len;
    return FLOW_GOES_ON;
}

// What was sent to the listening port.
static __always_inline enum relay_abi_verdict from_udp_client(const struct frame *frame,
                                                              const struct udphdr *udp,
                                                              struct flow *flow,
                                                              struct relay_abi_key *key)
{
    const __u8 *payload = (const void *)(udp + 1);
    __u32 payload_len = flow->udp_len - sizeof *udp;

    if (payload_len < FLOW_CHANDATA_LEN || (void *)(payload + FLOW_CHANDATA_LEN) > frame->end) {
        return RELAY_ABI_VERDICT_pass_malformed;
    }
    flow->chandata = *(const __u32 *)payload;
    __u32 word = bpf_ntohl(flow->chandata);
    __u32 kind = word >> 30; // RFC 8656 section 12
    if (kind != 1) {
        return kind == 0 ? RELAY_ABI_VERDICT_pass_stun : RELAY_ABI_VERDICT_pass_foreign;
    }
    flow->data_len = word;
    __u32 padding_len = payload_len - FLOW_CHANDATA_LEN - flow->data_len;
    if (padding_len > FLOW_PADDING_MAX) { // or less than zero
        return RELAY_ABI_VERDICT_pass_malformed;
    }
    flow->is_from_client = true;
    flow->sum -= flow->chandata;
    *(__u32 *)key->remote_port = (flow->ports & 0xFFFF) | flow->chandata << 16;
    key->from = RELAY_ABI_FROM_CLIENT;
    return padding_len == 0
               ? FLOW_GOES_ON
               : from_udp_padding(frame, payload + FLOW_CHANDATA_LEN, padding_len, flow);
}

// In the place of the checksum is the sum of the pseudo header alone: whoever sent it, on this host
// or another guest of it, left the rest to hardware that it never passed; or these are several
// datagrams in one (GSO, GRO). The system knows what to do with it, XDP is not told. One in 65,535
// of the others looks like that, and goes by the sockets as well.
static __always_inline bool from_udp_is_unfinished(const struct udphdr *udp,
                                                   const struct flow *flow)
{
    return udp->check == (__u16)~csum_close(flow->addrs + bpf_htons(IPPROTO_UDP) + udp->len);
}

// `len` is what the IP header leaves for UDP.
static __always_inline enum relay_abi_verdict from_udp(const struct frame *frame,
                                                       const struct udphdr *udp, __u32 len,
                                                       struct flow *flow, struct relay_abi_key *key)
{
    flow->ports = *(const __u32 *)udp;
    __u16 port = bpf_ntohs(flow->ports >> 16);
    bool is_from_client = port == settings.listen_port;

    if (!is_from_client && (port < settings.lowest_port || port > settings.highest_port)) {
        return RELAY_ABI_VERDICT_pass_foreign;
    }
    flow->udp_len = len;
    if (bpf_ntohs(udp->len) != len || len < sizeof *udp) {
        return RELAY_ABI_VERDICT_pass_malformed;
    }
    if (from_udp_is_unfinished(udp, flow)) {
        return RELAY_ABI_VERDICT_pass_no_checksum;
    }
    flow->has_sum = udp->check != 0;
    // The length is summed twice: in the header, and in the pseudo header.
    flow->sum = csum_open(udp->check) - flow->addrs - flow->ports - 2 * (__u32)udp->len;
    key->own = flow->own;
    key->is_key = 1;
    if (is_from_client) {
        return from_udp_client(frame, udp, flow, key);
    }
    flow->data_len = len - sizeof *udp;
    *(__u32 *)key->remote_port = flow->ports;
    key->from = RELAY_ABI_FROM_PEER;
    return FLOW_GOES_ON;
}
