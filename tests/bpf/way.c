// SPDX-License-Identifier: Apache-2.0
#include "bpf/way.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct way way_of(uint32_t index)
{
    assert(index < WAY_COUNT);
    return (struct way){
        .kind = index / 4,
        .in = index / 2 % 2 == 0 ? ADDR_IP4 : ADDR_IP6,
        .out = index % 2 == 0 ? ADDR_IP4 : ADDR_IP6,
        .hop = KERNEL_HOP_BACK,
    };
}

const char *way_name(const struct way *way)
{
    static const char *const kinds[WAY_KINDS] = {"channel to UDP", "UDP to channel",
                                                 "channel to channel"};
    static char name[64];

    snprintf(name, sizeof name, "%s, IPv%d to IPv%d", kinds[way->kind], way->in, way->out);
    return name;
}

static struct addr stranger(enum addr_family family, uint8_t host, uint16_t port)
{
    if (family == ADDR_IP4) {
        return addr_ip4((const uint8_t[]){198, 51, 100, host}, port);
    }
    return addr_ip6((const uint8_t[]){0x20, 1, 0x0D, 0xB8, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32,
                                      0x10, 0, 0xFF, 0, host},
                    port);
}

// Clients speak to the first address of their family, peers to the second.
static uint32_t client_side(enum addr_family family)
{
    return family == ADDR_IP4 ? KERNEL_OWN_IP4 : KERNEL_OWN_IP6;
}

static uint32_t peer_side(enum addr_family family)
{
    return family == ADDR_IP4 ? KERNEL_OWN_OTHER_IP4 : KERNEL_OWN_OTHER_IP6;
}

static struct addr client(enum addr_family family)
{
    return stranger(family, 7, 40001);
}

static struct addr other_client(enum addr_family family)
{
    return stranger(family, 8, 3);
}

static struct addr peer(enum addr_family family)
{
    return stranger(family, 9, 65535);
}

static void put_port(uint8_t out[2], uint32_t port)
{
    out[0] = (uint8_t)(port >> 8);
    out[1] = (uint8_t)port;
}

static struct relay_abi_key make_key(enum relay_abi_from from, struct addr remote, uint32_t own,
                                     uint32_t local)
{
    struct relay_abi_key key = {.own = (uint8_t)own, .from = (uint8_t)from, .is_key = 1};

    memcpy(key.remote_ip, remote.ip, sizeof remote.ip);
    put_port(key.remote_port, remote.port);
    put_port(key.local, local);
    return key;
}

static struct relay_abi_path make_path(struct addr remote, uint32_t own, uint32_t port,
                                       uint32_t channel, uint32_t hop)
{
    struct relay_abi_path path = {.own = (uint8_t)own, .hop = hop};

    memcpy(path.remote_ip, remote.ip, sizeof remote.ip);
    put_port(path.remote_port, remote.port);
    put_port(path.local_port, port);
    put_port(path.channel, channel);
    return path;
}

// The key of the path to the second client. The two meet on IPv4 if the first came by it, whatever
// the second one uses.
static struct relay_abi_key other_key(const struct way *way)
{
    uint32_t own = peer_side(way->in);

    return make_key(RELAY_ABI_FROM_PEER, kernel_own(own, WAY_RELAYED_PORT), own, WAY_OTHER_PORT);
}

static void bind_turned(struct kernel *kernel, const struct way *way)
{
    uint32_t own = peer_side(way->in);
    struct addr second = kernel_own(own, WAY_OTHER_PORT);
    struct relay_abi_key key =
        make_key(RELAY_ABI_FROM_CLIENT, client(way->in), client_side(way->in), WAY_CHANNEL);
    struct relay_abi_path path = make_path(second, own, WAY_RELAYED_PORT, 0, KERNEL_HOP_UNKNOWN);

    path.is_turned = 1;
    kernel_bind(kernel, &key, &path);
    key = other_key(way);
    path = make_path(other_client(way->out), client_side(way->out), KERNEL_LISTEN_PORT,
                     WAY_OTHER_CHANNEL, way->hop);
    path.is_turned = 1;
    kernel_bind(kernel, &key, &path);
}

static void bind_all(struct kernel *kernel, const struct way *way)
{
    struct relay_abi_key key;
    struct relay_abi_path path;

    switch (way->kind) {
    case WAY_TO_PEER:
        key = make_key(RELAY_ABI_FROM_CLIENT, client(way->in), client_side(way->in), WAY_CHANNEL);
        path = make_path(peer(way->out), peer_side(way->out), WAY_RELAYED_PORT, 0, way->hop);
        kernel_bind(kernel, &key, &path);
        return;
    case WAY_TO_CLIENT:
        key = make_key(RELAY_ABI_FROM_PEER, peer(way->in), peer_side(way->in), WAY_RELAYED_PORT);
        path = make_path(client(way->out), client_side(way->out), KERNEL_LISTEN_PORT, WAY_CHANNEL,
                         way->hop);
        kernel_bind(kernel, &key, &path);
        return;
    case WAY_TURNED:
        bind_turned(kernel, way);
        return;
    case WAY_KINDS:
        break;
    }
    assert(!"a way that there is not");
}

void way_bind(struct kernel *kernel, const struct way *way)
{
    kernel_clear(kernel);
    bind_all(kernel, way);
    if (way->is_torn) {
        kernel_tear(kernel);
    }
}

void way_unbind_other(struct kernel *kernel, const struct way *way)
{
    struct relay_abi_key key = other_key(way);

    assert(way->kind == WAY_TURNED);
    kernel_unbind(kernel, &key);
}

size_t way_longest(const struct way *way)
{
    size_t ip_len = way->out == ADDR_IP4 ? 20 : 40;
    size_t chandata_len = way->kind == WAY_TO_PEER ? 0 : 4;

    return KERNEL_MTU - ip_len - 8 - chandata_len;
}

struct packet way_in(const struct way *way, const uint8_t *data, size_t data_len)
{
    bool is_from_peer = way->kind == WAY_TO_CLIENT;

    return (struct packet){
        .to_mac = {2, 1, 1, 1, 1, 1},
        .from_mac = {2, 2, 2, 2, 2, 2},
        .from = is_from_peer ? peer(way->in) : client(way->in),
        .to = is_from_peer ? kernel_own(peer_side(way->in), WAY_RELAYED_PORT)
                           : kernel_own(client_side(way->in), KERNEL_LISTEN_PORT),
        .tos = 0xB9,
        .ttl = WAY_TTL,
        .id = 0xBEEF,
        .flow_label = 0xABCDE,
        .channel = is_from_peer ? PACKET_CHANNEL_NONE : WAY_CHANNEL,
        .data = data,
        .data_len = data_len,
    };
}

struct packet way_out(const struct way *way, const struct packet *in)
{
    struct packet out = *in;
    bool is_to_peer = way->kind == WAY_TO_PEER;

    kernel_hop(way->hop, out.to_mac, out.from_mac);
    out.from = is_to_peer ? kernel_own(peer_side(way->out), WAY_RELAYED_PORT)
                          : kernel_own(client_side(way->out), KERNEL_LISTEN_PORT);
    switch (way->kind) {
    case WAY_TO_PEER:
        out.to = peer(way->out);
        out.channel = PACKET_CHANNEL_NONE;
        break;
    case WAY_TO_CLIENT:
        out.to = client(way->out);
        out.channel = WAY_CHANNEL;
        break;
    case WAY_TURNED:
        out.to = other_client(way->out);
        out.channel = WAY_OTHER_CHANNEL;
        break;
    case WAY_KINDS:
        assert(!"a way that there is not");
    }
    out.ttl--;
    if (way->in != ADDR_IP4) {
        out.id = 0;
        out.may_fragment = false;
    }
    if (way->in != ADDR_IP6) {
        out.flow_label = 0;
    }
    out.padding_len = 0;
    out.trailer_len = 0;
    return out;
}

enum relay_abi_verdict way_verdict(const struct way *way)
{
    switch (way->kind) {
    case WAY_TO_PEER:
        return RELAY_ABI_VERDICT_to_peer;
    case WAY_TO_CLIENT:
        return RELAY_ABI_VERDICT_to_client;
    case WAY_TURNED:
    case WAY_KINDS:
        break;
    }
    return RELAY_ABI_VERDICT_turned;
}
