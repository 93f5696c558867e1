// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The relay's fast path: an XDP program that relays the packets of bound channels.
//
//      from_*   read and check the packet: is it for us, and does every length agree?
//      find     by whom it was sent: where to; and whether it can leave
//      to_*     move the head of the packet, and write it anew
//
// What is not relayed here goes on to the sockets, as it came. But for what is over a limit, which
// is dropped: up there it would cost more than it does to relay it.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "bpf/binding.h"
#include "bpf/flow.h"
#include "bpf/from_ip4.h"
#include "bpf/from_ip6.h"
#include "bpf/maps.h"
#include "bpf/path.h"
#include "bpf/sample.h"
#include "bpf/to_ip4.h"
#include "bpf/to_ip6.h"
#include "bpf/usage.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

// Moves the head of the packet to where the new one begins, and writes that.
static __always_inline bool write_head(struct xdp_md *ctx, const struct flow *flow,
                                       const struct flow_exit *exit)
{
    int old_len = flow_head_len(flow->family) + (flow->is_from_client ? FLOW_CHANDATA_LEN : 0);
    int new_len = flow_head_len(exit->family) + (exit->chandata != 0 ? FLOW_CHANDATA_LEN : 0);

    if (old_len != new_len && bpf_xdp_adjust_head(ctx, old_len - new_len) != 0) {
        return false;
    }
    struct frame frame = flow_frame(ctx);
    return exit->family == RELAY_ABI_IP4 ? to_ip4(&frame, flow, exit) : to_ip6(&frame, flow, exit);
}

static __always_inline enum relay_abi_verdict relay_packet(struct xdp_md *ctx,
                                                           const struct flow *flow,
                                                           struct relay_abi_key *key,
                                                           struct flow_exit *exit)
{
    enum relay_abi_verdict verdict = path_find(ctx, flow, key, exit);

    if (verdict > RELAY_ABI_VERDICT_turned) {
        return verdict;
    }
    if (!write_head(ctx, flow, exit)) {
        return RELAY_ABI_VERDICT_pass_no_room;
    }
    if (flow->cut > 0) {
        // Cannot fail: it grows shorter, by less than there is.
        (void)bpf_xdp_adjust_tail(ctx, -(int)flow->cut);
    }
    usage_count(flow, exit);
    return verdict;
}

static __always_inline enum relay_abi_verdict handle(struct xdp_md *ctx, const struct flow *flow,
                                                     struct relay_abi_key *key,
                                                     struct flow_exit *exit,
                                                     enum relay_abi_verdict verdict)
{
    if (verdict == RELAY_ABI_VERDICT_pass_stun) {
        return binding_answer(ctx, flow, key);
    }
    return verdict == FLOW_GOES_ON ? relay_packet(ctx, flow, key, exit) : verdict;
}

static __always_inline enum relay_abi_verdict decide(struct xdp_md *ctx, struct flow_exit *exit)
{
    struct frame frame = flow_frame(ctx);
    const struct flow_eth *eth = frame.data;
    struct relay_abi_key key = {0};
    struct flow flow = {0};

    if ((void *)(eth + 1) > frame.end) {
        return RELAY_ABI_VERDICT_pass_foreign;
    }
    // To many: nothing that is for one should come so, and no answer may come from there.
    if ((eth->macs[0] & bpf_htons(0x0100)) != 0) {
        return RELAY_ABI_VERDICT_pass_foreign;
    }
    // Twice, so that the compiler knows which family it is about.
    if (eth->type == bpf_htons(ETH_P_IP)) {
        return handle(ctx, &flow, &key, exit, from_ip4(&frame, &flow, &key));
    }
    if (eth->type == bpf_htons(ETH_P_IPV6)) {
        return handle(ctx, &flow, &key, exit, from_ip6(&frame, &flow, &key));
    }
    return RELAY_ABI_VERDICT_pass_foreign;
}

static __always_inline int act(enum relay_abi_verdict verdict, const struct flow_exit *exit)
{
    switch (verdict) {
    case RELAY_ABI_VERDICT_to_peer:
    case RELAY_ABI_VERDICT_to_client:
    case RELAY_ABI_VERDICT_turned:
        return exit->action;
    case RELAY_ABI_VERDICT_binding:
        return XDP_TX;
    case RELAY_ABI_VERDICT_drop_max_pps:
    case RELAY_ABI_VERDICT_drop_max_bps:
        return XDP_DROP;
    default:
        return XDP_PASS;
    }
}

// How many bytes of data a relayed packet has.
static __always_inline __u32 data_len_of(const struct flow_exit *exit)
{
    return exit->udp_len - sizeof(struct udphdr) - (exit->chandata != 0 ? FLOW_CHANDATA_LEN : 0);
}

// A hundredth by multiplication, exact up to 43,698: the machine's division takes ten times as
// long.
static __always_inline __u32 size_place(__u32 len)
{
    _Static_assert(RELAY_ABI_SIZE_STEP == 100, "that is what it divides by");
    _Static_assert(FLOW_DATA_MAX <= 43698, "so it is exact");
    __u32 place = len == 0 ? 0 : (len - 1) * 5243 >> 19;

    return place < RELAY_ABI_SIZE_COUNT ? place : RELAY_ABI_SIZE_COUNT;
}

static __always_inline void count_data(struct relay_abi_count *count, __u32 len)
{
    count->sizes.counts[size_place(len)]++;
    count->sizes.sum += len;
    if (count->packets % RELAY_ABI_SAMPLE_INTERVAL == 0) {
        sample_ask();
    }
}

SEC("xdp")
int relay(struct xdp_md *ctx)
{
    __u64 began = sample_begin();
    __u64 len = ctx->data_end - ctx->data;
    struct flow_exit exit = {0};
    __u32 verdict = decide(ctx, &exit);
    struct relay_abi_count *count = bpf_map_lookup_elem(&counts, &verdict);

    if (count != NULL) {
        count->packets++;
        count->bytes += len;
        if (verdict <= RELAY_ABI_VERDICT_turned) {
            count_data(count, data_len_of(&exit));
            if (began != 0) {
                sample_end(began);
            }
        }
    }
    return act(verdict, &exit);
}
