// SPDX-License-Identifier: Apache-2.0
// The door of the room xdp: the relay's kernel program, loaded with its maps and attached.
//
// The room knows how to load, attach and fill tables; what a channel is, and whether one may be
// relayed, the caller knows. What it cannot do it says, and the sockets go on without it.
// xdp_table.h has the channels, xdp_counts.h the counters.
//
// Loading needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON. After xdp_program_open() all else works
// without any, attaching included: the program's descriptor is the right.
//
// Its memory must not move while it is open, and belongs to one thread at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "uapi/relay_abi.h"
#include "xdp/xdp_link.h"
#include "xdp/xdp_reason.h"

enum {
    XDP_PROGRAM_OWN_MAX = RELAY_ABI_OWN_MAX,
    XDP_PROGRAM_LINK_MAX = RELAY_ABI_LINK_MAX,
    XDP_PROGRAM_HOP_MAX = 16384,                // one for each neighbour that packets leave through
    XDP_PROGRAM_OWN_NONE = XDP_PROGRAM_OWN_MAX, // no index of an own address
};

struct xdp_program_options {
    const struct addr *own; // own addresses, as packets bear them on arrival; ports are ignored
    size_t own_count;       // up to XDP_PROGRAM_OWN_MAX
    uint16_t listen_port;
    uint16_t lowest_port; // of the relayed ones
    uint16_t highest_port;
    bool answers_binding; // STUN Binding requests without attributes are answered by the program
    uint64_t max_pps;     // packets that an allocation relays in a second, each way; 0: no limit
    uint64_t max_bps;     // bytes of data, likewise
    uint32_t channel_max; // channels that can be bound at a time; at least 1
    uint32_t hop_max;     // next hops that can be known at a time; 0: XDP_PROGRAM_HOP_MAX
};

struct relay_bpf;

struct xdp_program {
    struct relay_bpf *skeleton; // NULL: not open
    struct relay_abi_settings settings;
    uint32_t channel_max;
    uint32_t hop_max; // the last index of the map of hops
    struct xdp_link links[XDP_PROGRAM_LINK_MAX];
    uint32_t link_count;
    uint32_t link_changes; // how often an interface was attached or detached
    // Borrowed from the skeleton.
    int fd;
    int paths_fd;
    int hops_fd;
    int links_fd;
    int buckets_fd;
    int counts_fd;
    int usages_fd;
    int durations_fd;
};

// Loads the program and makes its maps; it is attached to nothing yet. Messages of libbpf go to
// the log's debug level from the first call on. *out is untouched unless 0, and *reason says why.
MUST_USE int xdp_program_open(const struct xdp_program_options *options, struct xdp_program *out,
                              struct xdp_reason *reason);
// Detaches everywhere. Closing twice does nothing.
void xdp_program_close(struct xdp_program *program);

// Attaches to one more interface; what it got is program->links[program->link_count - 1]. As long
// as some are in driver mode, packets that came in by another one leave by those alone. Errors as
// of xdp_link_open(), and -EALREADY when it is attached there, -E2BIG beyond LINK_MAX.
MUST_USE int xdp_program_attach(struct xdp_program *program, const char *name,
                                enum xdp_link_mode mode, struct xdp_reason *reason);
// The same in two steps, for who keeps the program under a lock: an interface that was opened with
// program->fd, which may take the kernel long, and then becomes the program's, which does not.
// After an error it is still the caller's to close.
MUST_USE int xdp_program_join(struct xdp_program *program, const struct xdp_link *link,
                              struct xdp_reason *reason);
// And an interface that is the program's no more, which is then the caller's to close. -ENOENT,
// with *out untouched, when it was not.
MUST_USE int xdp_program_part(struct xdp_program *program, const char *name, struct xdp_link *out);

// Detaches from an interface; -ENOENT when it was not attached there. The channels stay bound,
// and packets that would leave by it pass.
MUST_USE int xdp_program_detach(struct xdp_program *program, const char *name);

// It is attached to this interface: packets may leave by it.
bool xdp_program_is_attached(const struct xdp_program *program, uint32_t ifindex);

// The index of an own address, whatever its port, or XDP_PROGRAM_OWN_NONE.
uint8_t xdp_program_own(const struct xdp_program *program, const struct addr *addr);

// Bytes of kernel memory that the maps take, as the kernel says.
uint64_t xdp_program_memory_len(const struct xdp_program *program);
