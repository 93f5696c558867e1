// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the relay and its kernel program share: the keys and values of the maps, the settings, and
// the list of verdicts.
//
// A channel is two paths, one for each direction of its packets:
//
//      from the client   (client, own address, channel number)  ->  to the peer, as plain UDP
//      from the peer     (peer, own address, relayed port)      ->  to the client, as ChannelData
//
// A packet whose path is known is rewritten and leaves; everything else goes on to the sockets.
// When the peer is another client of the same relay, the path from the client is marked TURNED:
// the packet would arrive at a relayed port of ours, so the path from that peer's side is looked up
// in its place, and the packet leaves as ChannelData for the second client.
//
// Addresses and ports are in network order, as they stand in packets. An IPv4 address fills the
// first four of 16 bytes, and the others are zero. Numbers that no packet bears are in host order.
#pragma once

#include <linux/types.h>

enum {
    RELAY_ABI_OWN_MAX = 16,  // own addresses that the program knows, of both families together
    RELAY_ABI_IP_LEN = 16,   // bytes of either family's address
    RELAY_ABI_MAC_LEN = 6,   // bytes
    RELAY_ABI_LINK_MAX = 16, // interfaces that the program may be attached to
    RELAY_ABI_PATHS_PER_CHANNEL = 2,
    RELAY_ABI_HOP_NONE = 0,   // the hop that is never known: packets pass
    RELAY_ABI_SECRET_LEN = 7, // words of what the table of paths is hashed with
    // Entries that a search in the table of paths looks at. With half of the entries in use, one
    // path of millions finds no place within so many, and its packets go by the sockets.
    RELAY_ABI_PROBES = 64,

    // Of each relayed port: one for each direction. The map of them has one entry without limits.
    RELAY_ABI_BUCKETS_PER_PORT = 2,
    // Likewise: what has been relayed (relay_abi_usage).
    RELAY_ABI_USAGES_PER_PORT = 2,
    RELAY_ABI_UNITS_PER_NS = 16, // what limits count in, so that 64 bits last for 36 years
    RELAY_ABI_PARTS_PER_UNIT = 4096,
};
// A bucket holds as much as fills it in a second.
#define RELAY_ABI_SECOND_UNITS (1000000000ULL * RELAY_ABI_UNITS_PER_NS)

// What a packet is, by where it comes from.
enum relay_abi_from {
    RELAY_ABI_FROM_CLIENT,
    RELAY_ABI_FROM_PEER,
};

enum relay_abi_family {
    RELAY_ABI_IP4 = 4,
    RELAY_ABI_IP6 = 6,
};

// Finds the path of a packet.
struct relay_abi_key {
    __u8 remote_ip[RELAY_ABI_IP_LEN]; // who sent it
    __u8 remote_port[2];
    __u8 local[2]; // from a client: the channel's number; from a peer: the relayed port
    __u8 own;      // which own address it was sent to: an index of relay_abi_settings.own
    __u8 from;     // enum relay_abi_from
    __u8 is_key;   // 1: no key is all zeros, as a free entry is
    __u8 zero;
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct relay_abi_key) == 24, "no padding: it is hashed whole");

// Where the packet goes.
struct relay_abi_path {
    __u8 remote_ip[RELAY_ABI_IP_LEN];
    __u8 local_port[2]; // that it leaves from: the relayed port, or to a client the listening port
    __u8 remote_port[2];
    __u8 channel[2]; // to a client: the number in front of the data; to a peer: zero
    __u8 own;        // the own address that it leaves from, of the remote address's family
    // The peer is another client's relayed address, our own. From the client: the path that is
    // looked up in its place has this one's remote address (the relay has one that its clients know
    // for each family), this one's local port as the remote, its remote port as the local. From the
    // peer: only such packets take it; what comes from outside with our address is forged.
    __u8 is_turned;
    __u32 hop; // an index of the map of hops
    __u8 zero[4];
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct relay_abi_path) == 32, "no padding");

// The table of paths is an array that user space maps and writes: open addressing, with one cache
// line for each path, so that a packet of one among many costs one miss. A search begins at the
// key's home and goes on by one until it meets the key, a free entry, or the limit of probes. User
// space moves entries together when one goes, so that none lies behind a free one.
//
// The version tells the program, which reads while user space may write, that what it has read is
// of one piece: it is odd while the entry is written, and another one afterwards. What was not, or
// was just being moved, is not found, and its packet goes by the sockets.
struct relay_abi_entry {
    struct relay_abi_key key; // all zeros: free
    struct relay_abi_path path;
    __u64 version;
};
_Static_assert(sizeof(struct relay_abi_entry) == 64, "a cache line");

// The home of a key among so many: multiply-shift over its words (Dietzfelbinger, 1996), with odd
// and secret multipliers, so that strangers cannot choose keys that meet.
static inline __u32 relay_abi_home(const struct relay_abi_key *key,
                                   const volatile __u64 secret[RELAY_ABI_SECRET_LEN], __u32 homes)
{
    enum { WORDS = sizeof *key / sizeof(__u32) };
    __u32 words[WORDS];
    __u64 sum = secret[WORDS];

    __builtin_memcpy(words, key, sizeof words);
    for (__u32 i = 0; i < WORDS; i++) {
        sum += words[i] * secret[i];
    }
    sum ^= sum >> 32; // keys in a row must not have homes in a row
    sum *= secret[0];
    return (__u32)((sum >> 32) * homes >> 32);
}

// Where a frame goes next. The map is an array.
struct relay_abi_hop {
    __u32 ifindex; // 0: no neighbour is known, and packets pass
    __u32 mtu;     // bytes: of the longest IP packet
    __u8 to_mac[RELAY_ABI_MAC_LEN];
    __u8 from_mac[RELAY_ABI_MAC_LEN];
    __u32 zero;
    // The program's own note: when it last passed a packet to the sockets for the sake of the
    // neighbour, which the system would forget if it never spoke to it. In jiffies.
    __u64 spoken_at;
};
_Static_assert(sizeof(struct relay_abi_hop) == 32, "no padding");

// What has been relayed of one relayed port and direction since user space last wrote zeros, data
// alone. The map is an array of the ports from settings.lowest_port on, each with an entry for
// RELAY_ABI_FROM_CLIENT and one for RELAY_ABI_FROM_PEER, which user space has mapped.
//
// By port, not by path: it is the allocation that is asked for, which has one port and perhaps many
// paths, and fewer lines of memory are touched. Each entry is a line of its own, since packets of
// its neighbours are counted on other CPUs.
struct relay_abi_usage {
    __u64 packets;
    __u64 bytes;
    __u64 zero[6];
};
_Static_assert(sizeof(struct relay_abi_usage) == 64, "a cache line");

// One own address: clients send to it, or peers do, or both.
struct relay_abi_own {
    __u8 ip[RELAY_ABI_IP_LEN];
    __u8 family; // enum relay_abi_family, or 0: none
    __u8 zero[3];
};
_Static_assert(sizeof(struct relay_abi_own) == 20, "no padding");

// Written into .rodata before the program is loaded, and never changed after that.
struct relay_abi_settings {
    struct relay_abi_own own[RELAY_ABI_OWN_MAX]; // those that are there come first
    __u16 own_count;
    __u16 listen_port;    // host order
    __u16 lowest_port;    // of the relayed ones, host order
    __u16 highest_port;   // likewise
    __u8 answers_binding; // STUN Binding requests without attributes are answered here
    __u8 zero[3];
    __u32 path_homes; // of the table of paths
    __u64 path_secret[RELAY_ABI_SECRET_LEN];
    // What an allocation may relay, each way; 0: no limit.
    __u64 packet_time; // units until there is another packet
    __u64 byte_time;   // parts of a unit until there is another byte of data
};
_Static_assert(sizeof(struct relay_abi_settings) == 408, "no padding");

// What became of a packet: X(name, help), one line for each. It is the index of the counter, and
// the name of the metric. The first ones leave from here, the last ones end here, and all others go
// on to the sockets.
#define RELAY_ABI_VERDICTS(X)                                                                      \
    X(to_peer, "ChannelData relayed to peers as UDP.")                                             \
    X(to_client, "UDP of peers relayed to clients as ChannelData.")                                \
    X(turned, "ChannelData relayed to another client of this relay.")                              \
    X(binding, "STUN Binding requests answered.")                                                  \
    X(pass_foreign, "Not UDP, not for an address and port of this relay, or nothing it knows.")    \
    X(pass_stun, "STUN for the server.")                                                           \
    X(pass_unbound, "ChannelData and UDP of peers for which no channel is bound here.")            \
    X(pass_malformed, "A length or a header's checksum that does not agree.")                      \
    X(pass_options, "IPv4 options and IPv6 extension headers.")                                    \
    X(pass_fragment, "Fragments.")                                                                 \
    X(pass_no_checksum, "No UDP checksum where one must be, or one left to hardware.")             \
    X(pass_ttl, "A TTL or hop limit that ends here.")                                              \
    X(pass_too_long, "Too long for the link over which it leaves, or for one on its way.")         \
    X(pass_no_hop, "No neighbour is known through which it leaves.")                               \
    X(pass_spoken, "One now and then, which keeps the neighbour known to the system.")             \
    X(pass_no_room, "The driver has left no room for a longer header.")                            \
    X(drop_max_pps, "Data over --max-pps, dropped.")                                               \
    X(drop_max_bps, "Data over --max-bps, dropped.")

enum relay_abi_verdict {
#define RELAY_ABI_VERDICT(name, help) RELAY_ABI_VERDICT_##name,
    RELAY_ABI_VERDICTS(RELAY_ABI_VERDICT)
#undef RELAY_ABI_VERDICT
        RELAY_ABI_VERDICT_COUNT, // how many there are
};

// Histograms: for each bound how many values were at most that much and more than the bound before,
// how many were more than the last, and the sum of all.

enum {
    RELAY_ABI_SIZE_STEP = 100, // bytes of data between two bounds
    RELAY_ABI_SIZE_COUNT = 15, // bounds: the last is at 1500 bytes
};

struct relay_abi_sizes {
    __u64 counts[RELAY_ABI_SIZE_COUNT + 1];
    __u64 sum;
};

// One for each verdict and CPU.
struct relay_abi_count {
    __u64 packets;
    __u64 bytes;                  // whole frames as they came in
    struct relay_abi_sizes sizes; // of data that was relayed, without ChannelData's head
};
_Static_assert(sizeof(struct relay_abi_count) == 19 * sizeof(__u64), "no padding");

// Bounds of how long it took to relay a packet: X(ns).
#define RELAY_ABI_DURATIONS(X)                                                                     \
    X(50)                                                                                          \
    X(100)                                                                                         \
    X(200)                                                                                         \
    X(500)                                                                                         \
    X(1000)                                                                                        \
    X(2000)                                                                                        \
    X(5000)                                                                                        \
    X(10000)                                                                                       \
    X(20000)                                                                                       \
    X(50000)                                                                                       \
    X(100000)

enum {
#define RELAY_ABI_DURATION(ns) RELAY_ABI_DURATION_##ns,
    RELAY_ABI_DURATIONS(RELAY_ABI_DURATION)
#undef RELAY_ABI_DURATION
        RELAY_ABI_DURATION_COUNT, // how many there are
};

enum {
    RELAY_ABI_SAMPLE_INTERVAL = 1024, // packets of a verdict and CPU of which one is measured
};

// One for each CPU.
struct relay_abi_durations {
    __u64 counts[RELAY_ABI_DURATION_COUNT + 1];
    __u64 sum; // ns
};
