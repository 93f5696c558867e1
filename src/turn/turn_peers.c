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

// Why an address is refused; the verdict in a node is one plus the index here.
enum reason {
    ALLOWED,
    BY_RULE,
    OWN,
    UNSPECIFIED,
    LOOPBACK,
    LINK_LOCAL,
    PRIVATE,
    SHARED,
    UNIQUE_LOCAL,
    MULTICAST,
    BROADCAST,
    RESERVED,
    DOCUMENTATION,
};

static const struct {
    const char *text;
    bool is_private; // not refused where private addresses are reached
} reasons[] = {
    [ALLOWED] = {NULL, false},
    [BY_RULE] = {"denied by --deny-peer", false},
    [OWN] = {"an address of the relay's own host", false},
    [UNSPECIFIED] = {"an unspecified address", false},
    [LOOPBACK] = {"a loopback address", false},
    [LINK_LOCAL] = {"a link-local address", false},
    [PRIVATE] = {"a private address", true},
    [SHARED] = {"a shared address of a carrier's NAT", true},
    [UNIQUE_LOCAL] = {"a unique local address", true},
    [MULTICAST] = {"a multicast address", false},
    [BROADCAST] = {"the broadcast address", false},
    [RESERVED] = {"a reserved address", false},
    [DOCUMENTATION] = {"an address for documentation", false},
};

// What is denied without a rule: what the IANA registries of special-purpose addresses do not call
// globally reachable, and what of IPv6 is not handed out to anybody (global unicast addresses are
// 2000::/3), where networks of their own like to live.
static const struct builtin {
    struct cidr cidr;
    enum reason reason;
} builtins[] = {
    {IP4(8, 0), UNSPECIFIED},
    {IP4(8, 10), PRIVATE},
    {IP4(10, 100, 64), SHARED},
    {IP4(8, 127), LOOPBACK},
    {IP4(16, 169, 254), LINK_LOCAL},
    {IP4(12, 172, 16), PRIVATE},
    {IP4(24, 192, 0, 0), RESERVED},
    {IP4(24, 192, 0, 2), DOCUMENTATION},
    {IP4(24, 192, 88, 99), RESERVED}, // was: 6to4 relays
    {IP4(16, 192, 168), PRIVATE},
    {IP4(15, 198, 18), RESERVED}, // benchmarks
    {IP4(24, 198, 51, 100), DOCUMENTATION},
    {IP4(24, 203, 0, 113), DOCUMENTATION},
    {IP4(4, 224), MULTICAST},
    {IP4(4, 240), RESERVED},
    {IP4(32, 255, 255, 255, 255), BROADCAST},
    {IP6(128, 0), UNSPECIFIED},
    {IP6(128, [15] = 1), LOOPBACK},
    {IP6(48, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01), RESERVED}, // NAT64 of a network's own
    {IP6(8, 0x01), RESERVED},
    {IP6(7, 0x02), RESERVED},
    {IP6(6, 0x04), RESERVED},
    {IP6(5, 0x08), RESERVED},
    {IP6(4, 0x10), RESERVED},
    {IP6(48, 0x20, 0x01, 0x00, 0x02), RESERVED}, // benchmarks
    {IP6(28, 0x20, 0x01, 0x00, 0x10), RESERVED}, // ORCHID
    {IP6(28, 0x20, 0x01, 0x00, 0x20), RESERVED}, // ORCHIDv2
    {IP6(32, 0x20, 0x01, 0x0d, 0xb8), DOCUMENTATION},
    {IP6(20, 0x3f, 0xff), DOCUMENTATION},
    {IP6(2, 0x40), RESERVED},
    {IP6(1, 0x80), RESERVED},
    {IP6(7, 0xfc), UNIQUE_LOCAL},
    {IP6(10, 0xfe, 0x80), LINK_LOCAL},
    {IP6(8, 0xff), MULTICAST},
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
        node->verdict = 1 + BY_RULE;
    } else if (node->verdict != 1 + BY_RULE) {
        node->verdict = 1 + ALLOWED;
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
        node->verdict = (uint16_t)(1 + builtins[i].reason);
        node->is_own = builtins[i].reason == LOOPBACK || builtins[i].reason == UNSPECIFIED;
    }
    for (size_t i = 0; i < config->own_addr_count; i++) {
        struct cidr host = host_of(&config->own_addrs[i]);
        struct turn_peers_node *node = node_for(peers, &host);
        node->verdict = 1 + OWN;
        node->is_own = true;
    }
    for (size_t i = 0; i < config->rule_count; i++) {
        apply_rule(peers, &config->rules[i]);
    }
}

// The IPv4 address of a Teredo client stands at the end of its address, inverted (RFC 4380
// section 4); others stay as they are.
static struct addr without_teredo(const struct addr *addr)
{
    static const struct cidr teredo = IP6(32, 0x20, 0x01);
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
    const char *denial; // of the longest one
    bool is_own;        // of any
};

static struct finding find(const struct turn_peers *peers, const struct addr *addr,
                           bool reaches_private)
{
    unsigned bit_count = (unsigned)addr_ip(addr).len * 8;
    struct finding finding = {0};
    uint32_t verdict = 1 + ALLOWED;
    uint32_t at = root_of(addr);

    for (unsigned bit = 0; at != 0; bit++) {
        const struct turn_peers_node *node = &peers->nodes[at];
        if (node->verdict != 0) {
            verdict = node->verdict;
        }
        finding.is_own = finding.is_own || node->is_own;
        at = bit < bit_count ? node->child[bit_of(addr, bit)] : 0;
    }
    if (!reaches_private || !reasons[verdict - 1].is_private) {
        finding.denial = reasons[verdict - 1].text;
    }
    return finding;
}

const char *turn_peers_denial(const struct turn_peers *peers, const struct addr *peer,
                              bool reaches_private)
{
    struct addr inner = without_teredo(peer);
    const char *denial = find(peers, peer, reaches_private).denial;

    // A rule may be against Teredo itself, or against all of IPv6.
    return denial != NULL ? denial : find(peers, &inner, reaches_private).denial;
}

bool turn_peers_is_own(const struct turn_peers *peers, const struct addr *peer)
{
    struct addr inner = without_teredo(peer);

    return find(peers, &inner, false).is_own;
}

bool turn_peers_is_rule(const char *denial)
{
    assert(denial != NULL);
    return denial == reasons[BY_RULE].text;
}
