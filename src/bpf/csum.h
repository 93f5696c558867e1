// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Internet checksums (RFC 1071), changed by differences (RFC 1624).
//
// A sum is a plain number of 64 bits, of which only the remainder by 0xFFFF counts: what was in the
// packet is subtracted from it, what will be there is added. It takes words of 16 or 32 bits as
// they stand in memory, in any order; their first byte must lie at an even place.
//
//      sum = csum_open(check);     check is correct for the packet as it is
//      sum -= old; sum += new;     for each word that changes
//      check = csum_close(sum);
#pragma once

#include <linux/types.h>

// A multiple of 0xFFFF between 2^63 and 2^64: as many as 2^31 words can be subtracted from it, and
// 2^15 added to it, before it leaves its 64 bits.
#define CSUM_BASE 0xFFFF000000000000ULL

static inline __u64 csum_open(__u16 check)
{
    return CSUM_BASE + (__u16)~check;
}

// As it is written into a header. It is never 0xFFFF, which is for nothing but zeros: no header is
// that.
static inline __u16 csum_close(__u64 sum)
{
    sum = (sum >> 32) + (__u32)sum;     // up to 33 bits
    sum = (sum >> 16) + (sum & 0xFFFF); // up to 18 bits
    sum = (sum >> 16) + (sum & 0xFFFF); // at most 0x10001
    sum = (sum >> 16) + (sum & 0xFFFF);
    return (__u16)~sum;
}

// As it is written into a UDP header, where zero says that there is none.
static inline __u16 csum_close_udp(__u64 sum)
{
    __u16 check = csum_close(sum);
    return check == 0 ? 0xFFFF : check;
}

// The word that a single byte stands for, `at` bytes behind an even place.
static inline __u32 csum_byte(__u8 byte, __u32 at)
{
    const __u8 word[2] = {at % 2 == 0 ? byte : 0, at % 2 == 0 ? 0 : byte};
    __u16 value;

    __builtin_memcpy(&value, word, sizeof value);
    return value;
}

static inline __u64 csum_ip6(const __u32 ip[4])
{
    return (__u64)ip[0] + ip[1] + ip[2] + ip[3];
}
