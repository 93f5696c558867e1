// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_story.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const struct turn_user turn_story_users[TURN_STORY_USERS] = {
    {BYTES_LITERAL("alice"), BYTES_LITERAL("secret")},
    {BYTES_LITERAL("bob"), BYTES_LITERAL("hidden")},
};

static struct addr addr_of(const char *ip, uint16_t port)
{
    struct addr addr = {0};
    bool is_read = addr_read(bytes_of_text(ip), &addr);

    assert(is_read);
    return addr_with_port(addr, port);
}

// The peers of stories are addresses for documentation, which are denied by default.
static const struct turn_peer_rule rules[] = {
    {{{{192, 0, 2}, 0, ADDR_IP4, 0}, 24}, true},
    {{{{0x20, 0x01, 0x0d, 0xb8}, 0, ADDR_IP6, 0}, 32}, true},
};

// Small enough that everything runs out in a short story.
static struct turn_config config_of(bool has_users)
{
    struct turn_config config = turn_config_default();

    config.public_ip4 = addr_of("203.0.113.7", 0);
    config.public_ip6 = addr_of("2001:db8:7::7", 0);
    config.lowest_port = 50001;
    config.highest_port = 50006;
    config.realm = bytes_of_text("fairlead");
    config.users = turn_story_users;
    config.user_count = has_users ? TURN_STORY_USERS : 0;
    config.rules = rules;
    config.rule_count = COUNT_OF(rules);
    config.max_allocations = 3;
    config.max_permissions = 6;
    config.max_channels = 4;
    config.max_reservations = 2;
    config.permissions_per_allocation = 4;
    config.channels_per_allocation = 3;
    return config;
}

void turn_story_begin(struct turn_story *story, const uint8_t *data, size_t size, bool has_users)
{
    static const uint8_t seed[TURN_SERVER_SEED_LEN] = {1, 2, 3};
    struct turn_config config = config_of(has_users);
    void *memory = calloc(1, turn_server_size(&config));

    assert(memory != NULL);
    *story = (struct turn_story){
        .rd = rd_init((struct bytes){data, size}),
        .server = turn_server_init(memory, &config, seed),
        .now = {.mono_ns = 5000 * SECOND_NS, .wall_s = 1700000000},
    };
}

void turn_story_end(struct turn_story *story)
{
    turn_server_deinit(story->server);
    free(story->server);
    free(story->datagram);
}

struct turn_tuple turn_story_client(uint8_t number)
{
    static const char *const ips[TURN_STORY_CLIENTS] = {"198.51.100.1", "198.51.100.1",
                                                        "198.51.100.2", "2001:db8::c"};
    number %= TURN_STORY_CLIENTS;
    return (struct turn_tuple){
        .client = addr_of(ips[number], (uint16_t)(4000 + number)),
        .server = addr_of(number == 3 ? "2001:db8:7::7" : "203.0.113.7", 3478),
    };
}

struct addr turn_story_peer(uint8_t number)
{
    static const struct {
        const char *ip;
        uint16_t port;
    } peers[TURN_STORY_PEERS] = {
        {"192.0.2.1", 1},   {"192.0.2.1", 2}, {"192.0.2.2", 1},   {"192.0.2.3", 0},
        {"2001:db8::1", 1}, {"127.0.0.1", 1}, {"2001:db8::2", 2}, {"::ffff:127.0.0.1", 1},
    };
    return addr_of(peers[number % TURN_STORY_PEERS].ip, peers[number % TURN_STORY_PEERS].port);
}

struct bytes turn_story_bytes(struct turn_story *story, size_t max)
{
    size_t len = rd_u8(&story->rd) % (max + 1);

    return rd_bytes(&story->rd, len < story->rd.left ? len : story->rd.left);
}

struct bytes turn_story_lay(struct turn_story *story, struct bytes datagram)
{
    uint8_t *copy = malloc(datagram.len);

    assert(copy != NULL || datagram.len == 0);
    if (datagram.len > 0) {
        memcpy(copy, datagram.ptr, datagram.len);
    }
    free(story->datagram); // only now: `datagram` may be a part of it
    story->datagram = copy;
    return (struct bytes){copy, datagram.len};
}
