// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_program.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bucket.h"
#include "log/log.h"
#include "relay.skel.h"
#include "xdp/xdp_paths.h"
#include "xdp/xdp_usage.h"

enum { MESSAGE_MAX = 1024 }; // bytes of one message of libbpf that is kept

PRINTF_LIKE(2, 0)
static int log_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
    char text[MESSAGE_MAX];

    (void)level; // the caller of this room says what an error means to the operator
    const int len = vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\n")] = '\0';
    LOG_DEBUG("libbpf", LOG_TEXT("message", text));
    return len;
}

static struct relay_abi_settings settings_of(const struct xdp_program_options *options)
{
    struct relay_abi_settings settings = {
        .own_count = (uint16_t)options->own_count,
        .listen_port = options->listen_port,
        .lowest_port = options->lowest_port,
        .highest_port = options->highest_port,
        .answers_binding = options->answers_binding,
        .packet_time = bucket_rate_of(options->max_pps).token_time / BUCKET_PARTS_PER_UNIT,
        .byte_time = bucket_rate_of(options->max_bps).token_time,
    };

    _Static_assert((int)RELAY_ABI_IP_LEN == (int)ADDR_IP6_LEN, "an own address is an addr's");
    _Static_assert((int)RELAY_ABI_IP4 == (int)ADDR_IP4, "the families have the same numbers");
    _Static_assert((int)RELAY_ABI_IP6 == (int)ADDR_IP6, "the families have the same numbers");
    _Static_assert((int)RELAY_ABI_UNITS_PER_NS == (int)BUCKET_UNITS_PER_NS, "so has a bucket");
    _Static_assert((int)RELAY_ABI_PARTS_PER_UNIT == (int)BUCKET_PARTS_PER_UNIT, "so has a bucket");
    for (size_t i = 0; i < options->own_count; i++) {
        assert(options->own[i].family != ADDR_NONE);
        settings.own[i].family = options->own[i].family;
        memcpy(settings.own[i].ip, options->own[i].ip, RELAY_ABI_IP_LEN);
    }
    return settings;
}

// Without limits the program does not look into the map, which cannot be empty.
static uint32_t bucket_count(const struct relay_abi_settings *settings)
{
    const uint32_t ports = 1U + settings->highest_port - settings->lowest_port;
    const bool is_limited = settings->packet_time > 0 || settings->byte_time > 0;

    return is_limited ? RELAY_ABI_BUCKETS_PER_PORT * ports : 1;
}

// Sizes the maps, writes the settings, and loads. 0 or -errno.
static int load(struct relay_bpf *skeleton, const struct xdp_program *program)
{
    int error =
        bpf_map__set_max_entries(skeleton->maps.paths, xdp_paths_entry_count(&program->settings));

    if (error != 0) {
        return error;
    }
    error = bpf_map__set_max_entries(skeleton->maps.hops, program->hop_max + 1);
    if (error != 0) {
        return error;
    }
    error = bpf_map__set_max_entries(skeleton->maps.buckets, bucket_count(&program->settings));
    if (error != 0) {
        return error;
    }
    error =
        bpf_map__set_max_entries(skeleton->maps.usages, xdp_usage_entry_count(&program->settings));
    if (error != 0) {
        return error;
    }
    skeleton->rodata->settings = program->settings;
    return relay_bpf__load(skeleton);
}

int xdp_program_open(const struct xdp_program_options *options, struct xdp_program *out,
                     struct xdp_reason *reason)
{
    struct xdp_program program = {
        .channel_max = options->channel_max,
        .hop_max = options->hop_max == 0 ? XDP_PROGRAM_HOP_MAX : options->hop_max,
    };

    assert(options->channel_max >= 1);
    assert(options->lowest_port <= options->highest_port);
    if (options->own_count > XDP_PROGRAM_OWN_MAX) {
        xdp_reason_set(reason, "more than %d own addresses", (int)XDP_PROGRAM_OWN_MAX);
        return -E2BIG;
    }
    if (xdp_reason_is_kernel_old(reason)) {
        return -ENOSYS;
    }
    program.settings = settings_of(options);
    int error =
        xdp_paths_choose(RELAY_ABI_PATHS_PER_CHANNEL * program.channel_max, &program.settings);
    if (error != 0) {
        xdp_reason_set(reason, "there is no randomness: %s", strerror(-error));
        return error;
    }
    libbpf_set_print(log_libbpf);
    program.skeleton = relay_bpf__open();
    if (program.skeleton == NULL) {
        error = -errno;
        xdp_reason_of_load(reason, error);
        return error;
    }
    error = load(program.skeleton, &program);
    if (error != 0) {
        xdp_reason_of_load(reason, error);
        relay_bpf__destroy(program.skeleton);
        return error;
    }
    program.fd = bpf_program__fd(program.skeleton->progs.relay);
    program.paths_fd = bpf_map__fd(program.skeleton->maps.paths);
    program.hops_fd = bpf_map__fd(program.skeleton->maps.hops);
    program.links_fd = bpf_map__fd(program.skeleton->maps.links);
    program.buckets_fd = bpf_map__fd(program.skeleton->maps.buckets);
    program.counts_fd = bpf_map__fd(program.skeleton->maps.counts);
    program.usages_fd = bpf_map__fd(program.skeleton->maps.usages);
    program.durations_fd = bpf_map__fd(program.skeleton->maps.durations);
    *out = program;
    return 0;
}

void xdp_program_close(struct xdp_program *program)
{
    while (program->link_count > 0) {
        xdp_link_close(&program->links[--program->link_count]);
    }
    relay_bpf__destroy(program->skeleton);
    program->skeleton = NULL;
}

static uint32_t find_link(const struct xdp_program *program, const char *name)
{
    uint32_t i = 0;

    while (i < program->link_count && strcmp(program->links[i].name, name) != 0) {
        i++;
    }
    return i;
}

// Native programs hand frames over to drivers, and a driver that takes no program may lose them
// without a word. The kernel itself sends what generic programs hand over, by any driver.
static bool is_exit(const struct xdp_program *program, const struct xdp_link *link)
{
    bool has_native = false;

    for (uint32_t i = 0; i < program->link_count; i++) {
        has_native = has_native || program->links[i].mode == XDP_LINK_DRIVER;
    }
    return link->mode == XDP_LINK_DRIVER || !has_native;
}

// Lets packets that came in elsewhere leave by the interface, if it is fit for that; they pass
// otherwise.
static int set_exit(const struct xdp_program *program, const struct xdp_link *link)
{
    const struct bpf_devmap_val value = {.ifindex = link->ifindex, .bpf_prog.fd = -1};

    if (is_exit(program, link)) {
        return bpf_map_update_elem(program->links_fd, &link->ifindex, &value, BPF_ANY);
    }
    const int error = bpf_map_delete_elem(program->links_fd, &link->ifindex);
    return error == -ENOENT ? 0 : error;
}

static void set_exits(const struct xdp_program *program)
{
    for (uint32_t i = 0; i < program->link_count; i++) {
        // It fails for an interface that is gone, and nothing leaves by that.
        IGNORE(set_exit(program, &program->links[i]));
    }
}

int xdp_program_join(struct xdp_program *program, const struct xdp_link *link,
                     struct xdp_reason *reason)
{
    assert(program->skeleton != NULL);
    assert(link->fd >= 0);
    assert(find_link(program, link->name) == program->link_count);
    if (program->link_count == XDP_PROGRAM_LINK_MAX) {
        xdp_reason_set(reason, "more than %d interfaces", (int)XDP_PROGRAM_LINK_MAX);
        return -E2BIG;
    }
    program->links[program->link_count++] = *link;
    const int error = set_exit(program, link);
    if (error != 0) {
        xdp_reason_set(reason, "packets cannot be sent by %s: %s", link->name, strerror(-error));
        program->link_count--;
        return error;
    }
    set_exits(program);
    program->link_changes++;
    return 0;
}

int xdp_program_attach(struct xdp_program *program, const char *name, enum xdp_link_mode mode,
                       struct xdp_reason *reason)
{
    const uint32_t place = find_link(program, name);
    struct xdp_link link = {.fd = -1};

    assert(program->skeleton != NULL);
    if (place < program->link_count) {
        if (program->links[place].ifindex == if_nametoindex(name)) {
            xdp_reason_set(reason, "%s has it already", name);
            return -EALREADY;
        }
        // The interface was deleted, and made anew; the kernel has detached the program from it.
        IGNORE(xdp_program_detach(program, name));
    }
    int error = xdp_link_open(name, program->fd, mode, &link, reason);
    if (error != 0) {
        return error;
    }
    error = xdp_program_join(program, &link, reason);
    if (error != 0) {
        xdp_link_close(&link);
    }
    return error;
}

int xdp_program_part(struct xdp_program *program, const char *name, struct xdp_link *out)
{
    const uint32_t place = find_link(program, name);

    if (place == program->link_count) {
        return -ENOENT;
    }
    // What would leave by it passes from here on. The kernel has removed it if it is gone.
    IGNORE(bpf_map_delete_elem(program->links_fd, &program->links[place].ifindex));
    *out = program->links[place];
    program->links[place] = program->links[--program->link_count];
    set_exits(program);
    program->link_changes++;
    return 0;
}

int xdp_program_detach(struct xdp_program *program, const char *name)
{
    struct xdp_link link = {.fd = -1};
    const int error = xdp_program_part(program, name, &link);

    if (error == 0) {
        xdp_link_close(&link);
    }
    return error;
}

bool xdp_program_is_attached(const struct xdp_program *program, uint32_t ifindex)
{
    for (uint32_t i = 0; i < program->link_count; i++) {
        if (program->links[i].ifindex == ifindex) {
            return true;
        }
    }
    return false;
}

uint8_t xdp_program_own(const struct xdp_program *program, const struct addr *addr)
{
    for (uint8_t i = 0; i < program->settings.own_count; i++) {
        const struct relay_abi_own *own = &program->settings.own[i];
        if (own->family == addr->family && memcmp(own->ip, addr->ip, RELAY_ABI_IP_LEN) == 0) {
            return i;
        }
    }
    return XDP_PROGRAM_OWN_NONE;
}

// What the kernel says of one descriptor's map; 0 when it does not.
static uint64_t memory_of(int fd)
{
    char line[128];
    uint64_t len = 0;

    // The path of a number is short.
    IGNORE(snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", fd));
    FILE *file = fopen(line, "re");
    if (file == NULL) {
        return 0;
    }
    while (len == 0 && fgets(line, sizeof(line), file) != NULL) {
        // NOLINTNEXTLINE(cert-err34-c): the kernel writes a number.
        if (sscanf(line, "memlock: %" SCNu64, &len) != 1) {
            len = 0;
        }
    }
    // It was only read.
    IGNORE(fclose(file));
    return len;
}

uint64_t xdp_program_memory_len(const struct xdp_program *program)
{
    const struct bpf_map *map = NULL;
    uint64_t len = 0;

    bpf_object__for_each_map(map, program->skeleton->obj)
    {
        len += memory_of(bpf_map__fd(map));
    }
    return len;
}
