// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Finds the way out of a flow: its path, and the next hop on it.
#pragma once

#include "bpf/flow.h"
#include "bpf/from_ip4.h"
#include "bpf/limit.h"
#include "bpf/narrow.h"

// A packet of each hop goes on to the sockets in so many ticks of the system's clock (4 to 40
// seconds): sooner than the system forgets a neighbour to which nobody but this program speaks.
enum { PATH_SPEAK_JIFFIES = 4096 };

// The words of an entry, as they are read.
enum {
    PATH_KEY_WORDS = sizeof(struct relay_abi_key) / sizeof(__u64),
    PATH_WORDS = sizeof(struct relay_abi_path) / sizeof(__u64),
    PATH_VERSION = offsetof(struct relay_abi_entry, version) / sizeof(__u64),
};

// The same place, which cannot be read before what was seen: on processors that read out of order
// an address that depends on it holds them back.
static __always_inline const volatile __u64 *path_after(const volatile __u64 *words, __u64 seen)
{
    asm volatile("%0 &= 0" : "+r"(seen));
    return (const volatile void *)words + seen;
}

// Copies the path of an entry, if it is the key's, and of one piece.
static __always_inline bool path_copy(const volatile __u64 *words,
                                      const __u64 wanted[PATH_KEY_WORDS],
                                      struct relay_abi_path *out)
{
    const __u64 version = words[PATH_VERSION];
    __u64 seen = 0;

    words = path_after(words, version);
    for (__u32 i = 0; i < PATH_KEY_WORDS; i++) {
        const __u64 word = words[i];
        if (word != wanted[i]) {
            return false;
        }
        seen |= word;
    }
    for (__u32 i = 0; i < PATH_WORDS; i++) {
        const __u64 word = words[PATH_KEY_WORDS + i];
        ((__u64 *)out)[i] = word;
        seen |= word;
    }
    return version % 2 == 0 && path_after(words, seen)[PATH_VERSION] == version;
}

// Copies the path that the key finds. False when there is none, or none any more.
static __always_inline bool path_read(const struct relay_abi_key *key, struct relay_abi_path *out)
{
    __u32 place = relay_abi_home(key, settings.path_secret, settings.path_homes);
    __u64 wanted[PATH_KEY_WORDS];

    __builtin_memcpy(wanted, key, sizeof wanted);
#pragma clang loop unroll(disable)
    for (__u32 i = 0; i < RELAY_ABI_PROBES; i++) {
        const volatile __u64 *words = bpf_map_lookup_elem(&paths, &place);
        if (words == NULL || words[PATH_KEY_WORDS - 1] == 0) {
            return false;
        }
        if (path_copy(words, wanted, out)) {
            return true;
        }
        place++;
    }
    return false;
}

// The key of the path to another client of this relay: see relay_abi_path.is_turned.
static __always_inline void path_turn(const struct relay_abi_path *path, struct relay_abi_key *key)
{
    for (__u32 i = 0; i < 4; i++) {
        ((__u32 *)key->remote_ip)[i] = ((const __u32 *)path->remote_ip)[i];
    }
    *(__u32 *)key->remote_port = *(const __u32 *)path->local_port;
    key->own = path->own;
    key->from = RELAY_ABI_FROM_PEER;
}

// Whether the sockets should have this one, for the sake of the neighbour.
static __always_inline bool path_must_speak(struct relay_abi_hop *hop)
{
    __u64 now = bpf_jiffies64();

    if (now - hop->spoken_at <= PATH_SPEAK_JIFFIES) {
        return false;
    }
    hop->spoken_at = now;
    return true;
}

// The packet can leave by the path. `exit` is set as far as that is known.
static __always_inline enum relay_abi_verdict path_check(const struct xdp_md *ctx,
                                                         const struct flow *flow,
                                                         struct flow_exit *exit)
{
    bool is_ip4 = exit->family == RELAY_ABI_IP4;

    if (flow->ttl <= 1) {
        return RELAY_ABI_VERDICT_pass_ttl;
    }
    if (!flow->has_sum && (!is_ip4 || flow->family != RELAY_ABI_IP4)) {
        return RELAY_ABI_VERDICT_pass_no_checksum;
    }
    if (!is_ip4 && flow->family == RELAY_ABI_IP4 && !from_ip4_is_sound(flow)) {
        return RELAY_ABI_VERDICT_pass_malformed;
    }
    exit->hop = bpf_map_lookup_elem(&hops, &exit->path.hop);
    if (exit->hop == NULL || exit->hop->ifindex == 0) {
        return RELAY_ABI_VERDICT_pass_no_hop;
    }
    __u32 head_len = is_ip4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
    if (head_len + exit->udp_len > exit->hop->mtu ||
        narrow_stops(exit->path.remote_ip, head_len + exit->udp_len)) {
        return RELAY_ABI_VERDICT_pass_too_long;
    }
    exit->action = XDP_TX;
    if (exit->hop->ifindex != ctx->ingress_ifindex) {
        exit->action = bpf_redirect_map(&links, exit->hop->ifindex, 0);
        if (exit->action != XDP_REDIRECT) {
            return RELAY_ABI_VERDICT_pass_no_hop;
        }
    }
    return path_must_speak(exit->hop) ? RELAY_ABI_VERDICT_pass_spoken : FLOW_GOES_ON;
}

// What the limits say of a packet: those of its sender, if that is a client, and of its receiver.
static __always_inline __u32 path_limit(const struct flow *flow, const struct flow_exit *exit,
                                        bool is_to_client)
{
    if (flow->is_from_client) {
        __u32 limit = limit_pass(exit->sender, RELAY_ABI_FROM_CLIENT, flow->data_len);
        if (limit != FLOW_GOES_ON || !is_to_client) {
            return limit;
        }
    }
    return limit_pass(exit->receiver, RELAY_ABI_FROM_PEER, flow->data_len);
}

// The verdict under which the packet can be written, or why it is not.
static __always_inline enum relay_abi_verdict path_find(const struct xdp_md *ctx,
                                                        const struct flow *flow,
                                                        struct relay_abi_key *key,
                                                        struct flow_exit *exit)
{
    enum relay_abi_verdict verdict =
        flow->is_from_client ? RELAY_ABI_VERDICT_to_peer : RELAY_ABI_VERDICT_to_client;

    if (!path_read(key, &exit->path)) {
        return RELAY_ABI_VERDICT_pass_unbound;
    }
    exit->sender = *(const __u16 *)exit->path.local_port;
    if (exit->path.is_turned) {
        verdict = RELAY_ABI_VERDICT_turned;
        path_turn(&exit->path, key);
        if (!flow->is_from_client || !path_read(key, &exit->path)) {
            return RELAY_ABI_VERDICT_pass_unbound;
        }
    }
    exit->receiver = *(const __u16 *)key->local;
    exit->family = settings.own[exit->path.own % RELAY_ABI_OWN_MAX].family;
    exit->udp_len = sizeof(struct udphdr) + flow->data_len;
    exit->chandata = 0;
    if (verdict != RELAY_ABI_VERDICT_to_peer) {
        exit->udp_len += FLOW_CHANDATA_LEN;
        exit->chandata = *(const __u16 *)exit->path.channel | bpf_htonl(flow->data_len);
    }
    __u32 check = path_check(ctx, flow, exit);
    if (check == FLOW_GOES_ON) {
        check = path_limit(flow, exit, verdict != RELAY_ABI_VERDICT_to_peer);
    }
    return check == FLOW_GOES_ON ? verdict : check;
}
