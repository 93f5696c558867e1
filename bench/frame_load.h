// SPDX-License-Identifier: Apache-2.0
// What frame_load.c and its kernel program share.
#pragma once

#include <linux/types.h>

enum {
    FRAME_LOAD_HEAD_MAX = 80, // bytes: Ethernet, IPv6, UDP, ChannelData and some data
    FRAME_LOAD_HEAD_COUNT = 65536,
    FRAME_LOAD_FRAME_MAX = 1514,
    FRAME_LOAD_LINE_COUNT = 1 << 18,
};

// A line of the cache.
struct frame_load_line {
    __u32 zero[16];
};

// How a frame begins; the rest of it is as it was made.
struct frame_load_head {
    __u8 bytes[FRAME_LOAD_HEAD_MAX];
    __u32 cut; // bytes by which it is shorter than the others
};
