// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_peers.h"

#include <assert.h>

enum {
    ROOT_IP4 = 1,
    ROOT_IP6 = 2,
    MAPPED_DEPTH = 95, // nodes between the two roots
};

// ::ffff:0:0/96 holds the IPv4 addresses (RFC 4291 section 2.5.5.2), so the root for IPv4 is the
// node of that prefix below the root for IPv6: whichever way an address or a rule is written, it
// comes to the same node.
static const struct cidr above_mapped = {{{[10] = 0xff, [11] = 0xff}, 0, ADDR_IP6, 0},
                                         MAPPED_DEPTH};

// Why an address is refused; the verdict in a node is one plus the index here.
enum reason {
    ALLOWED,
    BY_RULE,
    UNSPECIFIED,
    LOOPBACK,
    LINK_LOCAL,
    MULTICAST,
    BROADCAST,
};

static const char *const reasons[] = {
    [ALLOWED] = NULL,
    [BY_RULE] = "denied by --deny-peer",
    [UNSPECIFIED] = "an unspecified address",
    [LOOPBACK] = "a loopback address",
    [LINK_LOCAL] = "a link-local address",
    [MULTICAST] = "a multicast address",
    [BROADCAST] = "the broadcast address",
};

// What no rule has to deny.
static const struct builtin {
    struct cidr cidr;
    enum reason reason;
} builtins[] = {
    {{{{0}, 0, ADDR_IP4, 0}, 8}, UNSPECIFIED},
    {{{{127}, 0, ADDR_IP4, 0}, 8}, LOOPBACK},
    {{{{169, 254}, 0, ADDR_IP4, 0}, 16}, LINK_LOCAL},
    {{{{224}, 0, ADDR_IP4, 0}, 4}, MULTICAST},
    {{{{255, 255, 255, 255}, 0, ADDR_IP4, 0}, 32}, BROADCAST},
    {{{{0}, 0, ADDR_IP6, 0}, 128}, UNSPECIFIED},
    {{{{[15] = 1}, 0, ADDR_IP6, 0}, 128}, LOOPBACK},
    {{{{0xfe, 0x80}, 0, ADDR_IP6, 0}, 10}, LINK_LOCAL},
    {{{{0xff}, 0, ADDR_IP6, 0}, 8}, MULTICAST},
};

static uint32_t capacity_of(const struct turn_peer_rule *rules, size_t count)
{
    uint32_t capacity = 3 + MAPPED_DEPTH; // the unused node 0, the two roots, the way between them

    for (size_t i = 0; i < COUNT_OF(builtins); i++) {
        capacity += builtins[i].cidr.prefix_len;
    }
    for (size_t i = 0; i < count; i++) {
        capacity += rules[i].cidr.prefix_len;
    }
    return capacity;
}

size_t turn_peers_size(const struct turn_peer_rule *rules, size_t count)
{
    return capacity_of(rules, count) * sizeof(struct turn_peers_node);
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

void turn_peers_init(struct turn_peers *peers, void *memory, const struct turn_peer_rule *rules,
                     size_t count)
{
    *peers = (struct turn_peers){
        .nodes = memory,
        .node_count = 3,
        .capacity = capacity_of(rules, count),
    };
    node_for(peers, &above_mapped)->child[1] = ROOT_IP4;
    for (size_t i = 0; i < COUNT_OF(builtins); i++) {
        node_for(peers, &builtins[i].cidr)->verdict = 1 + builtins[i].reason;
    }
    for (size_t i = 0; i < count; i++) {
        struct turn_peers_node *node = node_for(peers, &rules[i].cidr);
        if (!rules[i].is_allowed) {
            node->verdict = 1 + BY_RULE;
        } else if (node->verdict != 1 + BY_RULE) {
            node->verdict = 1 + ALLOWED;
        }
    }
}

const char *turn_peers_denial(const struct turn_peers *peers, const struct addr *peer)
{
    unsigned bit_count = (unsigned)addr_ip(peer).len * 8;
    uint32_t verdict = 1 + ALLOWED;
    uint32_t at = root_of(peer);

    for (unsigned bit = 0; at != 0; bit++) {
        if (peers->nodes[at].verdict != 0) {
            verdict = peers->nodes[at].verdict;
        }
        at = bit < bit_count ? peers->nodes[at].child[bit_of(peer, bit)] : 0;
    }
    return reasons[verdict - 1];
}
