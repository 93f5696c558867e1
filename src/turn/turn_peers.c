// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_peers.h"

#include <assert.h>

enum { ROOT_IP4 = 1, ROOT_IP6 = 2, FIRST_FREE = 3 };

#define IP4(prefix_len, ...)                                                                       \
    {                                                                                              \
        .base = {.ip = {__VA_ARGS__}, .family = ADDR_IP4}, prefix_len                              \
    }
#define IP6(prefix_len, ...)                                                                       \
    {                                                                                              \
        .base = {.ip = {__VA_ARGS__}, .family = ADDR_IP6}, prefix_len                              \
    }

// Prefixes of IPv6 behind which an IPv4 address follows. Each leads to the root for IPv4: whichever
// way an address or a rule is written, it comes to the same node.
static const struct cidr embeddings[] = {
    IP6(96, [10] = 0xff, 0xff),      // mapped, RFC 4291 section 2.5.5.2
    IP6(96, 0),                      // compatible, section 2.5.5.1
    IP6(96, 0x00, 0x64, 0xff, 0x9b), // NAT64, RFC 6052
    IP6(16, 0x20, 0x02),             // 6to4, RFC 3056
};

// What Firezone's peers may have.
static bool is_private(enum turn_refusal refusal)
{
    return refusal == TURN_REFUSAL_PRIVATE || refusal == TURN_REFUSAL_SHARED ||
           refusal == TURN_REFUSAL_UNIQUE_LOCAL;
}

// The verdict in a node: 0 is none.
static uint16_t verdict_of(enum turn_refusal refusal)
{
    return (uint16_t)(1 + refusal);
}

// What is denied without a rule: what the IANA registries of special-purpose addresses do not call
// globally reachable, and what of IPv6 is not handed out to anybody (global unicast addresses are
// 2000::/3), where networks of their own like to live.
static const struct builtin {
    struct cidr cidr;
    enum turn_refusal refusal;
} builtins[] = {
    {IP4(8, 0), TURN_REFUSAL_UNSPECIFIED},
    {IP4(8, 10), TURN_REFUSAL_PRIVATE},
    {IP4(10, 100, 64), TURN_REFUSAL_SHARED},
    {IP4(8, 127), TURN_REFUSAL_LOOPBACK},
    {IP4(16, 169, 254), TURN_REFUSAL_LINK_LOCAL},
    {IP4(12, 172, 16), TURN_REFUSAL_PRIVATE},
    {IP4(24, 192, 0, 0), TURN_REFUSAL_RESERVED},
    {IP4(24, 192, 0, 2), TURN_REFUSAL_DOCUMENTATION},
    {IP4(24, 192, 88, 99), TURN_REFUSAL_RESERVED}, // was: 6to4 relays
    {IP4(16, 192, 168), TURN_REFUSAL_PRIVATE},
    {IP4(15, 198, 18), TURN_REFUSAL_RESERVED}, // benchmarks
    {IP4(24, 198, 51, 100), TURN_REFUSAL_DOCUMENTATION},
    {IP4(24, 203, 0, 113), TURN_REFUSAL_DOCUMENTATION},
    {IP4(4, 224), TURN_REFUSAL_MULTICAST},
    {IP4(4, 240), TURN_REFUSAL_RESERVED},
    {IP4(32, 255, 255, 255, 255), TURN_REFUSAL_BROADCAST},
    {IP6(128, 0), TURN_REFUSAL_UNSPECIFIED},
    {IP6(128, [15] = 1), TURN_REFUSAL_LOOPBACK},
    {IP6(48, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01),
     TURN_REFUSAL_RESERVED}, // NAT64 of a network's own
    {IP6(8, 0x01), TURN_REFUSAL_RESERVED},
    {IP6(7, 0x02), TURN_REFUSAL_RESERVED},
    {IP6(6, 0x04), TURN_REFUSAL_RESERVED},
    {IP6(5, 0x08), TURN_REFUSAL_RESERVED},
    {IP6(4, 0x10), TURN_REFUSAL_RESERVED},
    {IP6(48, 0x20, 0x01, 0x00, 0x02), TURN_REFUSAL_RESERVED}, // benchmarks
    {IP6(28, 0x20, 0x01, 0x00, 0x10), TURN_REFUSAL_RESERVED}, // ORCHID
    {IP6(28, 0x20, 0x01, 0x00, 0x20), TURN_REFUSAL_RESERVED}, // ORCHIDv2
    {IP6(32, 0x20, 0x01, 0x0d, 0xb8), TURN_REFUSAL_DOCUMENTATION},
    {IP6(20, 0x3f, 0xff), TURN_REFUSAL_DOCUMENTATION},
    {IP6(2, 0x40), TURN_REFUSAL_RESERVED},
    {IP6(1, 0x80), TURN_REFUSAL_RESERVED},
    {IP6(7, 0xfc), TURN_REFUSAL_UNIQUE_LOCAL},
    {IP6(10, 0xfe, 0x80), TURN_REFUSAL_LINK_LOCAL},
    {IP6(8, 0xff), TURN_REFUSAL_MULTICAST},
};

static struct cidr host_of(const struct addr *addr)
{
    return (struct cidr){addr_with_port(*addr, 0), (uint8_t)(addr_ip(addr).len * 8)};
}

static uint32_t capacity_of(const struct turn_config *config)
{
    uint32_t capacity = FIRST_FREE; // the unused node 0 and the two roots

    for (size_t i = 0; i < COUNT_OF(embeddings); i++) {
        capacity += embeddings[i].prefix_len;
    }
    for (size_t i = 0; i < COUNT_OF(builtins); i++) {
        capacity += builtins[i].cidr.prefix_len;
    }
    for (size_t i = 0; i < config->own_addr_count; i++) {
        capacity += host_of(&config->own_addrs[i]).prefix_len;
    }
    for (size_t i = 0; i < config->rule_count; i++) {
        capacity += config->rules[i].cidr.prefix_len;
    }
    return capacity;
}

size_t turn_peers_size(const struct turn_config *config)
{
    return capacity_of(config) * sizeof(struct turn_peers_node);
}

static uint32_t root_of(const struct addr *addr)
{
    return addr->family == ADDR_IP4 ? ROOT_IP4 : ROOT_IP6;
}

static unsigned bit_of(const struct addr *addr, unsigned bit)
{
    return (addr->ip[bit / 8] >> (7 - bit % 8)) % 2;
}

// The node of a prefix, made when it is not there.
static struct turn_peers_node *node_for(struct turn_peers *peers, const struct cidr *cidr)
{
    uint32_t at = root_of(&cidr->base);

    for (unsigned bit = 0; bit < cidr->prefix_len; bit++) {
        uint32_t *child = &peers->nodes[at].child[bit_of(&cidr->base, bit)];
        if (*child == 0) {
            assert(peers->node_count < peers->capacity);
            *child = peers->node_count++;
        }
        at = *child;
    }
    return &peers->nodes[at];
}

// Makes a prefix of IPv6 another name of the root for IPv4.
static void embed(struct turn_peers *peers, const struct cidr *cidr)
{
    struct cidr above = {cidr->base, (uint8_t)(cidr->prefix_len - 1)};
    unsigned last = bit_of(&cidr->base, above.prefix_len);

    node_for(peers, &above)->child[last] = ROOT_IP4;
}

static void apply_rule(struct turn_peers *peers, const struct turn_peer_rule *rule)
{
    struct turn_peers_node *node = node_for(peers, &rule->cidr);

    if (!rule->is_allowed) {
        node->verdict = verdict_of(TURN_REFUSAL_RULE);
    } else if (node->verdict != verdict_of(TURN_REFUSAL_RULE)) {
        node->verdict = verdict_of(TURN_REFUSAL_NONE);
    }
}

void turn_peers_init(struct turn_peers *peers, void *memory, const struct turn_config *config)
{
    *peers = (struct turn_peers){
        .nodes = memory,
        .node_count = FIRST_FREE,
        .capacity = capacity_of(config),
    };
    for (size_t i = 0; i < COUNT_OF(embeddings); i++) {
        embed(peers, &embeddings[i]);
    }
    for (size_t i = 0; i < COUNT_OF(builtins); i++) {
        struct turn_peers_node *node = node_for(peers, &builtins[i].cidr);
        node->verdict = verdict_of(builtins[i].refusal);
        node->is_own = builtins[i].refusal == TURN_REFUSAL_LOOPBACK ||
                       builtins[i].refusal == TURN_REFUSAL_UNSPECIFIED;
    }
    for (size_t i = 0; i < config->own_addr_count; i++) {
        struct cidr host = host_of(&config->own_addrs[i]);
        struct turn_peers_node *node = node_for(peers, &host);
        node->verdict = verdict_of(TURN_REFUSAL_OWN);
        node->is_own = true;
    }
    for (size_t i = 0; i < config->rule_count; i++) {
        apply_rule(peers, &config->rules[i]);
    }
}

bool turn_peers_equal(const struct turn_peers *one, const struct turn_peers *other)
{
    if (one->node_count != other->node_count) {
        return false;
    }
    for (uint32_t i = 0; i < one->node_count; i++) {
        const struct turn_peers_node *left = &one->nodes[i];
        const struct turn_peers_node *right = &other->nodes[i];
        if (left->child[0] != right->child[0] || left->child[1] != right->child[1] ||
            left->verdict != right->verdict || left->is_own != right->is_own) {
            return false;
        }
    }
    return true;
}

static const struct cidr six_to_four = IP6(16, 0x20, 0x02);
static const struct cidr teredo = IP6(32, 0x20, 0x01);

// The IPv4 address of a Teredo client stands at the end of its address, inverted (RFC 4380
// section 4); others stay as they are.
static struct addr without_teredo(const struct addr *addr)
{
    uint8_t ip[ADDR_IP4_LEN];

    if (!cidr_contains(&teredo, addr)) {
        return *addr;
    }
    for (int i = 0; i < ADDR_IP4_LEN; i++) {
        ip[i] = (uint8_t)~addr->ip[ADDR_IP6_LEN - ADDR_IP4_LEN + i];
    }
    return addr_ip4(ip, addr->port);
}

// What the prefixes say that contain an address.
struct finding {
    enum turn_refusal refusal; // of the longest one
    bool is_own;               // of any
};

static struct finding find(const struct turn_peers *peers, const struct addr *addr,
                           bool reaches_private)
{
    unsigned bit_count = (unsigned)addr_ip(addr).len * 8;
    struct finding finding = {0};
    uint16_t verdict = verdict_of(TURN_REFUSAL_NONE);
    uint32_t at = root_of(addr);

    for (unsigned bit = 0; at != 0; bit++) {
        const struct turn_peers_node *node = &peers->nodes[at];
        if (node->verdict != 0) {
            verdict = node->verdict;
        }
        finding.is_own = finding.is_own || node->is_own;
        at = bit < bit_count ? node->child[bit_of(addr, bit)] : 0;
    }
    finding.refusal = (enum turn_refusal)(verdict - 1);
    if (reaches_private && is_private(finding.refusal)) {
        finding.refusal = TURN_REFUSAL_NONE;
    }
    return finding;
}

enum turn_refusal turn_peers_denial(const struct turn_peers *peers, const struct addr *peer,
                                    bool reaches_private)
{
    struct addr inner = without_teredo(peer);
    enum turn_refusal refusal = find(peers, peer, reaches_private).refusal;

    // A rule may be against Teredo itself, or against all of IPv6.
    if (refusal == TURN_REFUSAL_NONE) {
        refusal = find(peers, &inner, reaches_private).refusal;
    }
    // What leads to a place that is denied for its own sake is called that.
    return refusal == TURN_REFUSAL_NONE && turn_peers_is_tunnel(peer) ? TURN_REFUSAL_TUNNEL
                                                                      : refusal;
}

bool turn_peers_is_tunnel(const struct addr *addr)
{
    return cidr_contains(&six_to_four, addr) || cidr_contains(&teredo, addr);
}

bool turn_peers_is_own(const struct turn_peers *peers, const struct addr *peer)
{
    struct addr inner = without_teredo(peer);

    return find(peers, &inner, false).is_own;
}
