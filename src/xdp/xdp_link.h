// SPDX-License-Identifier: Apache-2.0
// One interface to which an XDP program is attached.
//
// It is a bpf_link: it vanishes with the process, however that ends. An XDP program that is there
// already is never replaced, and nobody replaces ours.
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "xdp/xdp_reason.h"

enum xdp_link_mode {
    XDP_LINK_AUTO,    // driver, and generic where that is refused
    XDP_LINK_DRIVER,  // native: before the kernel has made anything of the frame
    XDP_LINK_GENERIC, // by the kernel, on every interface, at the price of most of the speed
};

struct xdp_link {
    char name[IF_NAMESIZE];
    uint32_t ifindex;
    int fd;                  // of the bpf_link
    enum xdp_link_mode mode; // that it got; never XDP_LINK_AUTO
    // XDP_LINK_AUTO, and the driver did not take it: why. Empty otherwise.
    struct xdp_reason refusal;
};

// "auto", "driver" or "generic".
const char *xdp_link_mode_name(enum xdp_link_mode mode);

// Attaches. -ENODEV: no such interface. -EBUSY: another program is attached to it. -EOPNOTSUPP:
// its driver cannot do it. -ERANGE: its MTU is too long for native XDP. Others as the kernel has
// them; *reason says what, in each case. *out is untouched unless 0.
MUST_USE int xdp_link_open(const char *name, int program_fd, enum xdp_link_mode mode,
                           struct xdp_link *out, struct xdp_reason *reason);

// Detaches; closing twice does nothing.
void xdp_link_close(struct xdp_link *link);
