// SPDX-License-Identifier: Apache-2.0
// What the two fuzz targets of the server share: a small server, a few clients and peers, a clock.
#pragma once

#include "stun/stun_message.h"
#include "turn/turn_server.h"

enum { TURN_STORY_CLIENTS = 4, TURN_STORY_PEERS = 8, TURN_STORY_USERS = 2 };

struct turn_story {
    struct rd rd; // what is left of the input
    struct turn_server *server;
    struct now now;
    uint8_t *datagram; // the last one, in a block of exactly its size
};

extern const struct turn_user turn_story_users[TURN_STORY_USERS];

// A server with all users, or with none.
void turn_story_begin(struct turn_story *story, const uint8_t *data, size_t size, bool has_users);
void turn_story_end(struct turn_story *story);

// Any number names one.
struct turn_tuple turn_story_client(uint8_t number);
struct addr turn_story_peer(uint8_t number);

// Up to `max` bytes of the input, of which the first says how many they are.
struct bytes turn_story_bytes(struct turn_story *story, size_t max);
// Copies a datagram, so that a read behind its end is seen.
struct bytes turn_story_lay(struct turn_story *story, struct bytes datagram);
