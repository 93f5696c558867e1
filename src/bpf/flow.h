// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What lies between reading a packet (from_*) and writing it anew (to_*).
//
// The program is one straight function: everything is inlined, so that a flow lives in registers,
// and no field of a packet is read twice. Every decision is made on the flow before anything in the
// packet is changed, so what passes to the sockets is as it came.
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "bpf/maps.h"

enum {
    FLOW_GOES_ON = RELAY_ABI_VERDICT_COUNT, // there is no verdict yet

    FLOW_CHANDATA_LEN = 4,    // bytes of channel number and length (RFC 8656 section 12.4)
    FLOW_PADDING_MAX = 3,     // bytes that may follow ChannelData
    FLOW_DATA_MAX = 16 << 10, // bytes: more than any frame holds that XDP sees in one piece
};

// An Ethernet frame as it came.
struct frame {
    void *data;
    void *end;
};

// The head of an Ethernet frame. Unlike <linux/if_ether.h> it lets the compiler read whole words.
struct flow_eth {
    __u16 macs[6]; // to, from
    __u16 type;
};
_Static_assert(sizeof(struct flow_eth) == ETH_HLEN, "no padding");

// Words of a packet are as they stand in it; lengths are in host order.
struct flow {
    __u64 addrs;    // both IP addresses: what they come to in checksums
    __u64 sum;      // of the UDP header and data, less all that will change (csum.h)
    __u32 ports;    // of UDP: from, to
    __u32 chandata; // channel number and length
    __u32 cut;      // bytes behind the data: padding, and the end of a short Ethernet frame
    __u16 udp_len;
    __u16 data_len; // without ChannelData's head and padding
    __u8 family;    // enum relay_abi_family
    __u8 own;       // the own address that it was sent to
    __u8 has_sum;   // it has a UDP checksum
    __u8 is_from_client;
    __u8 tos; // or IPv6 traffic class
    __u8 ttl; // or IPv6 hop limit
    // Of IPv4 only:
    __u16 id;
    __u16 fragment; // flags and offset
    __u16 check;    // of the IP header
    // Of IPv6 only:
    __u32 version; // and traffic class, and flow label
};

// How a flow leaves.
struct flow_exit {
    struct relay_abi_path path; // a copy: user space may change the map at any time
    struct relay_abi_hop *hop;
    __u32 chandata; // channel number and length, or 0: it leaves as plain UDP
    __u16 udp_len;
    __u16 sender;   // the relayed port of the client that sent it, if one did; network order
    __u16 receiver; // of the client that it goes to, if it goes to one; likewise
    __u8 family;    // enum relay_abi_family
    int action;     // of XDP
};

static __always_inline __u32 flow_head_len(__u8 family)
{
    return ETH_HLEN + (family == RELAY_ABI_IP4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) +
           sizeof(struct udphdr);
}

static __always_inline struct frame flow_frame(const struct xdp_md *ctx)
{
    return (struct frame){
        .data = (void *)(unsigned long)ctx->data,
        .end = (void *)(unsigned long)ctx->data_end,
    };
}
