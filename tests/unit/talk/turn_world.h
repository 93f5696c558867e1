// SPDX-License-Identifier: Apache-2.0
// A world for conversations in memory: our own TURN server, the host of clients and peers, and a
// clock that jumps to whatever comes next. On request the server's answers are spoilt on their way.
#pragma once

#include "talk/talk.h"
#include "talk/talk_world.h"
#include "turn/turn_server.h"

enum {
    TURN_WORLD_SOCKETS = 128,
    TURN_WORLD_QUEUE = 256,
    TURN_WORLD_ALLOCATIONS = 128,
};

// What happens to all that the server sends to clients.
enum turn_world_twist {
    TURN_WORLD_FAITHFUL,
    TURN_WORLD_SILENT,
    TURN_WORLD_TWICE,
    TURN_WORLD_OTHER_PORT, // it comes from another one
    TURN_WORLD_GARBAGE,    // a few bytes of nothing in its place
    TURN_WORLD_CUT,        // its last 4 bytes are missing
    TURN_WORLD_ENDLESS,    // garbage without end beside it
    TURN_WORLD_SLOW,       // after 2 seconds
    TURN_WORLD_OTHER_CODE, // errors have a code that no RFC knows; 401 and 438 stay as they are
    TURN_WORLD_SPOILT,     // the first byte of data is another one, both ways
    TURN_WORLD_TWISTS,
};

struct turn_world_parcel {
    bool is_there;
    uint32_t socket;
    uint64_t at_ns; // when it arrives
    struct addr from;
    size_t len;
    uint8_t bytes[TALK_DATAGRAM_MAX];
};

struct turn_world {
    struct talk_world world;
    struct turn_server *server;
    struct now now;
    enum turn_world_twist twist;
    uint32_t lost_one_in; // datagrams to the server: every so many-th is lost; 0: none
    uint32_t sent_count;
    uint32_t taken_in_four; // ports at which a proven Allocate gets 437: so many of each four
    uint32_t refused_count; // proven Allocates that get 486 before one is served
    struct addr server_ip4; // where it listens
    struct addr server_ip6;
    struct {
        bool is_open;
        struct addr local;
    } sockets[TURN_WORLD_SOCKETS];
    uint16_t next_port;
    struct turn_world_parcel queue[TURN_WORLD_QUEUE];
    struct {
        bool is_open;
        struct addr relayed;
        struct pool_ref ref;
    } allocations[TURN_WORLD_ALLOCATIONS];
    struct turn_world_parcel out; // what was handed out last
};

// The configuration of its server, to be changed before turn_world_open(): users alice and bob,
// passwords wonder and builder, both families, peers of this host allowed.
struct turn_config turn_world_config(void);

// NULL cannot come of it: a test that has no memory ends.
struct turn_world *turn_world_open(const struct turn_config *config);
void turn_world_close(struct turn_world *world);

// The server as its clients know it.
struct talk_target turn_world_target(const struct turn_world *world);
