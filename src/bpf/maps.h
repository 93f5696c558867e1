// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The maps and settings of the relay's program. Their sizes are set before loading.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "uapi/relay_abi.h"

// By where a packet comes from: where it goes. See relay_abi_entry.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct relay_abi_entry);
} paths SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct relay_abi_hop);
} hops SEC(".maps");

// The interfaces that packets may leave by when they came in by another one: by ifindex.
struct {
    __uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
    __uint(max_entries, RELAY_ABI_LINK_MAX);
    __type(key, __u32);
    __type(value, struct bpf_devmap_val);
} links SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, RELAY_ABI_VERDICT_COUNT);
    __type(key, __u32);
    __type(value, struct relay_abi_count);
} counts SEC(".maps");

// How long it took to relay a packet: see sample.h.
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct relay_abi_durations);
} durations SEC(".maps");

// How much of its limits each relayed port and direction has used: see limit.h.
struct limit_bucket {
    __u64 packets_full_at; // in units of relay_abi_settings
    __u64 bytes_full_at;
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct limit_bucket);
} buckets SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct relay_abi_usage);
} usages SEC(".maps");

// Aligned for the program, which compares addresses by words.
const volatile struct relay_abi_settings settings __attribute__((aligned(8))) = {0};
