// SPDX-License-Identifier: Apache-2.0
// What frame_load.c and its kernel program share.
#pragma once

#include <linux/types.h>

enum {
    FRAME_LOAD_HEAD_MAX = 80, // bytes: Ethernet, IPv6, UDP, ChannelData and some data
    FRAME_LOAD_HEAD_COUNT = 65536,
    FRAME_LOAD_FRAME_MAX = 1514,
    FRAME_LOAD_LINE_COUNT = 1 << 18,
    FRAME_LOAD_STAMP_AT = 64,        // bytes into a frame of IPv4, behind ChannelData's head
    FRAME_LOAD_STEP_NS = 1024,       // of delays as they are counted
    FRAME_LOAD_STEP_COUNT = 1 << 17, // a power of two
};

// When a frame was made (bpf_ktime_get_ns()), and the same with all bits turned over: the two leave
// the UDP checksum as it was with zeros.
struct frame_load_stamp {
    __u64 made_ns;
    __u64 turned_over;
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
