// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_link.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

const char *xdp_link_mode_name(enum xdp_link_mode mode)
{
    switch (mode) {
    case XDP_LINK_AUTO:
        return "auto";
    case XDP_LINK_DRIVER:
        return "driver";
    case XDP_LINK_GENERIC:
        return "generic";
    }
    assert(!"one of the above");
}

// Returns the link's descriptor or -errno.
static int create(int program_fd, uint32_t ifindex, enum xdp_link_mode mode)
{
    LIBBPF_OPTS(bpf_link_create_opts, options,
                .flags = mode == XDP_LINK_DRIVER ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE);

    assert(mode != XDP_LINK_AUTO);
    const int fd = bpf_link_create(program_fd, (int)ifindex, BPF_XDP, &options);
    if (fd == -EEXIST) { // a program in the other mode, or one that was attached without a link
        return -EBUSY;
    }
    return fd;
}

static void explain(struct xdp_reason *reason, const char *name, enum xdp_link_mode mode, int error)
{
    switch (error) {
    case -EBUSY:
        xdp_reason_set(reason, "another XDP program is attached to %s (ip link show %s)", name,
                       name);
        break;
    case -EOPNOTSUPP:
        xdp_reason_set(reason, "the driver of %s has no native XDP", name);
        break;
    case -ERANGE:
        xdp_reason_set(reason, "the MTU of %s is too long for native XDP (3498 fits most drivers)",
                       name);
        break;
    case -EPERM:
        xdp_reason_set(reason, "no CAP_NET_ADMIN, which attaching to %s needs", name);
        break;
    default:
        xdp_reason_set(reason, "%s refuses XDP in %s mode: %s", name, xdp_link_mode_name(mode),
                       strerror(-error));
    }
}

// The interface is one end of a veth pair.
static bool is_veth(const char *name)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq request = {.ifr_data = (void *)&info};

    assert(strlen(name) < sizeof(request.ifr_name));
    memcpy(request.ifr_name, name, strlen(name));
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    const int error = ioctl(fd, SIOCETHTOOL, &request);
    // Nothing was written to it.
    IGNORE(close(fd));
    return error == 0 && strcmp(info.driver, "veth") == 0;
}

// Driver mode where it works, else generic. *refusal says why it is generic. A veth takes a native
// program, but loses what that sends unless the other end is set up for it (a program there, or
// GRO), which cannot be seen from here: only who asks for it gets it.
static int create_best(int program_fd, const struct xdp_link *link, enum xdp_link_mode *mode,
                       struct xdp_reason *refusal)
{
    int fd = -EOPNOTSUPP;

    if (is_veth(link->name)) {
        xdp_reason_set(refusal, "%s is a veth, whose other end may lose what native XDP sends",
                       link->name);
    } else {
        fd = create(program_fd, link->ifindex, XDP_LINK_DRIVER);
        if (fd < 0) {
            explain(refusal, link->name, XDP_LINK_DRIVER, fd);
        }
    }
    if (fd >= 0 || fd == -EBUSY || fd == -EPERM || fd == -ENODEV) {
        *mode = XDP_LINK_DRIVER;
        return fd;
    }
    *mode = XDP_LINK_GENERIC;
    return create(program_fd, link->ifindex, XDP_LINK_GENERIC);
}

int xdp_link_open(const char *name, int program_fd, enum xdp_link_mode mode, struct xdp_link *out,
                  struct xdp_reason *reason)
{
    struct xdp_link link = {.ifindex = if_nametoindex(name), .mode = mode};

    assert(program_fd >= 0);
    if (link.ifindex == 0) {
        xdp_reason_set(reason, "there is no interface %s", name);
        return -ENODEV;
    }
    assert(strlen(name) < sizeof(link.name)); // or the kernel would not have known it
    memcpy(link.name, name, strlen(name));
    link.fd = mode == XDP_LINK_AUTO ? create_best(program_fd, &link, &link.mode, &link.refusal)
                                    : create(program_fd, link.ifindex, mode);
    if (link.fd < 0) {
        explain(reason, name, link.mode, link.fd);
        return link.fd;
    }
    *out = link;
    return 0;
}

void xdp_link_close(struct xdp_link *link)
{
    if (link->fd >= 0) {
        // The kernel detaches whatever close says.
        IGNORE(close(link->fd));
        link->fd = -1;
    }
}
