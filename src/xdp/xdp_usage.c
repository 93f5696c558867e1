// SPDX-License-Identifier: Apache-2.0
#include "xdp/xdp_usage.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

uint32_t xdp_usage_entry_count(const struct relay_abi_settings *settings)
{
    const uint32_t ports = (uint32_t)settings->highest_port - settings->lowest_port + 1;

    return RELAY_ABI_USAGES_PER_PORT * ports;
}

int xdp_usage_open(int fd, const struct relay_abi_settings *settings, struct xdp_usage *out)
{
    struct xdp_usage usage = {
        .len = xdp_usage_entry_count(settings) * sizeof(struct relay_abi_usage),
        .lowest_port = settings->lowest_port,
        .highest_port = settings->highest_port,
    };

    usage.entries = mmap(NULL, usage.len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (usage.entries == MAP_FAILED) {
        return -errno;
    }
    *out = usage;
    return 0;
}

void xdp_usage_close(struct xdp_usage *usage)
{
    if (usage->entries != NULL) {
        const int result = munmap(usage->entries, usage->len);
        assert(result == 0);
        *usage = (struct xdp_usage){.entries = NULL};
    }
}

static struct relay_abi_usage *entry_of(const struct xdp_usage *usage, uint16_t port,
                                        enum relay_abi_from from)
{
    assert(port >= usage->lowest_port);
    assert(port <= usage->highest_port);
    const uint32_t offset = (uint32_t)(port - usage->lowest_port);
    return &usage->entries[offset * RELAY_ABI_USAGES_PER_PORT + from];
}

struct relay_abi_usage xdp_usage_at(const struct xdp_usage *usage, uint16_t port,
                                    enum relay_abi_from from)
{
    const struct relay_abi_usage *entry = entry_of(usage, port, from);

    return (struct relay_abi_usage){
        .packets = __atomic_load_n(&entry->packets, __ATOMIC_RELAXED),
        .bytes = __atomic_load_n(&entry->bytes, __ATOMIC_RELAXED),
    };
}

void xdp_usage_clear(struct xdp_usage *usage, uint16_t port)
{
    static const enum relay_abi_from both[] = {RELAY_ABI_FROM_CLIENT, RELAY_ABI_FROM_PEER};

    for (size_t i = 0; i < COUNT_OF(both); i++) {
        struct relay_abi_usage *entry = entry_of(usage, port, both[i]);
        __atomic_store_n(&entry->packets, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&entry->bytes, 0, __ATOMIC_RELAXED);
    }
}
