// SPDX-License-Identifier: Apache-2.0
// The program in the kernel, fed one frame at a time (BPF_PROG_TEST_RUN).
//
// It runs in a network namespace of its own, which goes with the process. Frames come in by the
// loopback interface; there is another one, by which they may leave.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "bpf/packet.h"
#include "uapi/relay_abi.h"

enum {
    KERNEL_LISTEN_PORT = 3478,
    KERNEL_LOWEST_PORT = 50000,
    KERNEL_HIGHEST_PORT = 59999,

    // Own addresses, as kernel_own() knows them.
    KERNEL_OWN_IP4 = 0,
    KERNEL_OWN_IP6 = 1,
    KERNEL_OWN_OTHER_IP6 = 2,
    KERNEL_OWN_OTHER_IP4 = 3,
    KERNEL_OWN_COUNT = 4,

    // Hops, each with MAC addresses of its own.
    KERNEL_HOP_BACK = 1,     // by the interface that frames come in by
    KERNEL_HOP_ACROSS = 2,   // by another
    KERNEL_HOP_UNKNOWN = 3,  // no neighbour is known
    KERNEL_HOP_UNLINKED = 4, // by an interface by which nothing may leave
    KERNEL_HOP_SILENT = 5,   // back, but the system has not spoken to it for long
    KERNEL_HOP_COUNT = 6,

    KERNEL_MTU = 1500, // bytes, of all hops
};

struct kernel;

// What became of a frame.
struct kernel_result {
    uint32_t action; // of XDP
    enum relay_abi_verdict verdict;
    uint64_t counted; // bytes
    uint8_t frame[PACKET_MAX];
    size_t frame_len;
};

// Ends the program with 77, and says why, when the kernel cannot be asked.
struct kernel *kernel_open(void);
// The same without answers to Binding requests.
struct kernel *kernel_open_silent(void);
// The same with limits of what an allocation relays in a second.
struct kernel *kernel_open_limited(uint64_t max_pps, uint64_t max_bps);
void kernel_close(struct kernel *kernel);

struct addr kernel_own(uint32_t index, uint16_t port);
void kernel_hop(uint32_t hop, uint8_t to_mac[6], uint8_t from_mac[6]);

void kernel_bind(struct kernel *kernel, const struct relay_abi_key *key,
                 const struct relay_abi_path *path);
void kernel_unbind(struct kernel *kernel, const struct relay_abi_key *key);
void kernel_clear(struct kernel *kernel);
// All paths that are bound look as while they are written.
void kernel_tear(struct kernel *kernel);

// When a packet was last passed for the sake of the hop; in jiffies.
uint64_t kernel_spoken_at(const struct kernel *kernel, uint32_t hop);
void kernel_set_spoken_at(struct kernel *kernel, uint32_t hop, uint64_t jiffies);

// Something was taken from the limits of a relayed port, of its packets from there.
bool kernel_has_taken(const struct kernel *kernel, uint16_t port, enum relay_abi_from from);

// What has been relayed of a relayed port, of its packets from there.
struct relay_abi_usage kernel_usage(const struct kernel *kernel, uint16_t port,
                                    enum relay_abi_from from);

// Of how many packets it was measured how long they took.
uint64_t kernel_sampled(const struct kernel *kernel);

// A packet that only passed for the sake of the hop is sent again.
void kernel_run(struct kernel *kernel, const uint8_t *frame, size_t len,
                struct kernel_result *result);
// It is not.
void kernel_run_once(struct kernel *kernel, const uint8_t *frame, size_t len,
                     struct kernel_result *result);

// Its file descriptor, which the kernel keeps.
int kernel_program(const struct kernel *kernel);
// Frames go to another program first, which hands them on.
void kernel_enter(struct kernel *kernel, int program);
