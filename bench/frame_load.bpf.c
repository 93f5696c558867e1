// SPDX-License-Identifier: Apache-2.0
// Programs for XDP that make, count and turn round frames: the two ends of a measurement, and its
// floor.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame_load.h"

char LICENSE[] SEC("license") = "Apache-2.0";

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, FRAME_LOAD_HEAD_COUNT);
    __type(key, __u32);
    __type(value, struct frame_load_head);
} heads SEC(".maps");

__u32 head_count;
__u32 next_head;
_Bool is_counting;
__u32 shortest;    // bytes of a frame that is counted; a shorter one is dropped, but not seen
__u64 frames_seen; // on one CPU at a time: there is one queue

// Pace: `burst` frames behind one another, then none until the next burst is due.
__u64 interval_ns; // from burst to burst; 0: no pause
__u64 due_ns;
__u64 first_ns; // when the first frame of all was sent, and the last
__u64 last_ns;
__u64 frames_sent;
__u32 burst;
__u32 burst_left;

enum { LATE_NS = 10 * 1000 * 1000 }; // behind its time by so much, a burst is not caught up with

static __always_inline _Bool is_due(void)
{
    if (burst_left == 0) {
        __u64 now = bpf_ktime_get_ns();
        if (now < due_ns) {
            return 0;
        }
        first_ns = first_ns != 0 ? first_ns : now;
        last_ns = now;
        due_ns = now - due_ns > LATE_NS ? now + interval_ns : due_ns + interval_ns;
        burst_left = burst;
    }
    burst_left--;
    frames_sent++;
    return 1;
}

_Bool is_stamping;
__u64 delays[FRAME_LOAD_STEP_COUNT]; // how many frames were so long under way

static __always_inline _Bool count_delay(const struct frame_load_stamp *stamp, __u64 now)
{
    if (stamp->made_ns == 0 || stamp->made_ns != ~stamp->turned_over) {
        return 0;
    }
    __u64 step = (now - stamp->made_ns) / FRAME_LOAD_STEP_NS;
    step = step < FRAME_LOAD_STEP_COUNT ? step : FRAME_LOAD_STEP_COUNT - 1;
    delays[step & (FRAME_LOAD_STEP_COUNT - 1)]++; // on one CPU at a time, as frames_seen is
    return 1;
}

// ChannelData's head of 4 bytes came off on the way, or went on, or neither.
enum { SHIFT = 4, SHIFT_COUNT = 3 };

// Writes the whole head anew, since pages come back as they were when they were freed.
SEC("xdp")
int make(struct xdp_md *ctx)
{
    __u8 *data = (void *)(long)ctx->data;
    __u8 *data_end = (void *)(long)ctx->data_end;
    __u32 index = next_head;

    if (interval_ns > 0 && !is_due()) {
        return XDP_DROP;
    }
    next_head = index + 1 < head_count ? index + 1 : 0;
    struct frame_load_head *head = bpf_map_lookup_elem(&heads, &index);
    if (head == (void *)0 || data + FRAME_LOAD_HEAD_MAX > data_end) {
        return XDP_DROP;
    }
    __builtin_memcpy(data, head->bytes, FRAME_LOAD_HEAD_MAX);
    if (is_stamping) {
        struct frame_load_stamp stamp = {.made_ns = bpf_ktime_get_ns()};
        stamp.turned_over = ~stamp.made_ns;
        __builtin_memcpy(data + FRAME_LOAD_STAMP_AT, &stamp, sizeof stamp);
    }
    if (head->cut > 0 && bpf_xdp_adjust_tail(ctx, -(int)head->cut) != 0) {
        return XDP_DROP;
    }
    return XDP_TX;
}

// While it counts, UDP: ARP and neighbour discovery must go on.
static __always_inline _Bool is_counted(struct ethhdr *eth, __u8 *data_end)
{
    __u8 protocol = 0;

    if ((__u8 *)(eth + 1) + sizeof(struct iphdr) > data_end) {
        return 0;
    }
    if (eth->h_proto == bpf_htons(ETH_P_IP)) {
        protocol = ((struct iphdr *)(eth + 1))->protocol;
    } else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
        protocol = ((struct ipv6hdr *)(eth + 1))->nexthdr;
    }
    return protocol == IPPROTO_UDP && is_counting;
}

static __always_inline void count_delay_of_frame(struct xdp_md *ctx)
{
    __u64 now = bpf_ktime_get_ns();

    for (int i = 0; i < SHIFT_COUNT; i++) {
        struct frame_load_stamp stamp;
        __u32 at = FRAME_LOAD_STAMP_AT + (i - 1) * SHIFT;
        if (bpf_xdp_load_bytes(ctx, at, &stamp, sizeof stamp) == 0 && count_delay(&stamp, now)) {
            return;
        }
    }
}

struct cut {
    struct __sk_buff *skb;
    __u64 now;
};

// One packet of a train, as if it had been cut.
static long count_delay_of_segment(__u32 index, void *context)
{
    struct cut *cut = context;

    for (int i = 0; i < SHIFT_COUNT; i++) {
        struct frame_load_stamp stamp;
        __u32 at = FRAME_LOAD_STAMP_AT + (i - 1) * SHIFT + index * cut->skb->gso_size;
        if (bpf_skb_load_bytes(cut->skb, at, &stamp, sizeof stamp) == 0 &&
            count_delay(&stamp, cut->now)) {
            return 0;
        }
    }
    return 0;
}

SEC("xdp")
int count(struct xdp_md *ctx)
{
    if (!is_counted((void *)(long)ctx->data, (void *)(long)ctx->data_end)) {
        return XDP_PASS;
    }
    if (ctx->data_end - ctx->data >= shortest) {
        frames_seen++;
        if (is_stamping) {
            count_delay_of_frame(ctx);
        }
    }
    return XDP_DROP;
}

// The same behind the stack's door, where trains that the other end has not cut arrive whole.
SEC("tc")
int count_trains(struct __sk_buff *skb)
{
    if (!is_counted((void *)(long)skb->data, (void *)(long)skb->data_end)) {
        return TC_ACT_OK;
    }
    if (skb->len >= shortest) {
        frames_seen += skb->gso_segs > 1 ? skb->gso_segs : 1;
        if (is_stamping) {
            struct cut cut = {skb, bpf_ktime_get_ns()};
            bpf_loop(skb->gso_segs > 1 ? skb->gso_segs : 1, count_delay_of_segment, &cut, 0);
        }
    }
    return TC_ACT_SHOT;
}

// Lines of memory that the second floor looks into, each flow at one of its own.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, FRAME_LOAD_LINE_COUNT);
    __type(key, __u32);
    __type(value, struct frame_load_line);
} lines SEC(".maps");

const volatile _Bool looks_up;

// Zero, as read from the line of whoever sends from this address and port: what a table of flows
// costs that finds each by one look at memory.
static __always_inline __u32 look_up(__u32 ip, __u32 ports)
{
    __u64 hash = (ip * 0x9E3779B97F4A7C15ull) ^ (ports * 0xC2B2AE3D27D4EB4Full);
    __u32 index = (hash >> 32) % FRAME_LOAD_LINE_COUNT;
    struct frame_load_line *line = bpf_map_lookup_elem(&lines, &index);

    return line == (void *)0 ? 0 : line->zero[0];
}

static __always_inline void swap(__u8 *a, __u8 *b, int len)
{
    for (int i = 0; i < len; i++) {
        __u8 kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

// The floor: addresses and ports change places, which leaves all checksums right, and back.
SEC("xdp")
int turn_round(struct xdp_md *ctx)
{
    struct ethhdr *eth = (void *)(long)ctx->data;
    __u8 *data_end = (void *)(long)ctx->data_end;
    struct udphdr *udp = (void *)0;

    if ((__u8 *)(eth + 1) + sizeof(struct iphdr) + sizeof(struct udphdr) > data_end) {
        return XDP_PASS;
    }
    if (eth->h_proto == bpf_htons(ETH_P_IP)) {
        struct iphdr *ip = (void *)(eth + 1);
        if (ip->protocol != IPPROTO_UDP) {
            return XDP_PASS;
        }
        __be32 kept = ip->saddr;
        ip->saddr = ip->daddr;
        ip->daddr = kept;
        udp = (void *)(ip + 1);
    } else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
        struct ipv6hdr *ip = (void *)(eth + 1);
        if ((__u8 *)(ip + 1) + sizeof(*udp) > data_end || ip->nexthdr != IPPROTO_UDP) {
            return XDP_PASS;
        }
        struct in6_addr kept = ip->saddr;
        ip->saddr = ip->daddr;
        ip->daddr = kept;
        udp = (void *)(ip + 1);
    } else {
        return XDP_PASS;
    }
    __be16 port = udp->source;
    udp->source = udp->dest;
    udp->dest = port;
    if (looks_up) {
        udp->dest += look_up(((__be32 *)udp)[-1], *(__be32 *)udp);
    }
    swap(eth->h_source, eth->h_dest, ETH_ALEN);
    return XDP_TX;
}
