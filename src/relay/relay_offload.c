// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_offload.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "io/io_fd.h"
#include "io/io_host.h"
#include "io/io_route.h"
#include "log/log.h"
#include "relay/relay_stats.h"
#include "relay/relay_wire.h"

static void add_name(struct relay_offload *offload, const char *name)
{
    for (size_t i = 0; i < offload->name_count; i++) {
        if (strcmp(offload->names[i], name) == 0) {
            return;
        }
    }
    if (offload->name_count < COUNT_OF(offload->names)) {
        snprintf(offload->names[offload->name_count++], IF_NAMESIZE, "%s", name);
    }
}

// The interfaces that the operator names, and for `auto` those that bear the own addresses.
static void choose_links(struct relay_offload *offload, const struct relay_config *config,
                         const struct addr *own, size_t own_count)
{
    for (size_t i = 0; i < config->ebpf_link_count; i++) {
        char name[IF_NAMESIZE];
        snprintf(name, sizeof name, "%.*s", (int)config->ebpf_links[i].len,
                 (const char *)config->ebpf_links[i].ptr);
        add_name(offload, name);
    }
    for (size_t i = 0; config->is_ebpf_auto && i < own_count; i++) {
        char name[IO_HOST_LINK_LEN];
        if (!addr_is_loopback(&own[i]) && io_host_link(&own[i], name) == 0) {
            add_name(offload, name);
        }
    }
}

static void log_link(const struct xdp_link *link)
{
    LOG_INFO("relaying in the kernel", LOG_TEXT("interface", link->name),
             LOG_TEXT("mode", xdp_link_mode_name(link->mode)));
    if (link->refusal.text[0] != '\0') {
        LOG_INFO("not in the faster mode", LOG_TEXT("interface", link->name),
                 LOG_TEXT("reason", link->refusal.text));
    }
}

// The kernel takes up to 20 ms to attach, and not much less to detach: no worker waits meanwhile.
static int attach(struct relay_offload *offload, const char *name, struct xdp_reason *reason)
{
    struct xdp_link link = {.fd = -1};
    int error = xdp_link_open(name, offload->program.fd, offload->mode, &link, reason);

    if (error != 0) {
        return error;
    }
    pthread_mutex_lock(&offload->lock);
    error = xdp_program_join(&offload->program, &link, reason);
    pthread_mutex_unlock(&offload->lock);
    if (error != 0) {
        xdp_link_close(&link);
        return error;
    }
    log_link(&link);
    return 0;
}

static void attach_all(struct relay_offload *offload)
{
    for (size_t i = 0; i < offload->name_count; i++) {
        struct xdp_reason reason;

        if (attach(offload, offload->names[i], &reason) != 0) {
            LOG_WARN("not relaying in the kernel on an interface",
                     LOG_TEXT("interface", offload->names[i]), LOG_TEXT("reason", reason.text));
        }
    }
    offload->is_on = true;
}

static void detach_all(struct relay_offload *offload)
{
    for (size_t i = 0; i < offload->name_count; i++) {
        struct xdp_link link = {.fd = -1};

        pthread_mutex_lock(&offload->lock);
        IGNORE(xdp_program_part(&offload->program, offload->names[i], &link)); // it may not be
        pthread_mutex_unlock(&offload->lock);
        xdp_link_close(&link);
    }
    offload->is_on = false;
}

static void check(int error)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;

    if (error != 0) {
        LOG_LIMITED(&limit, LOG_LEVEL_ERROR, "a table of the kernel's program refuses",
                    LOG_ERROR_NUMBER("error", error));
    }
}

static void take_news(struct io_watch *watch, uint32_t events)
{
    struct relay_offload *offload = watch->context;

    (void)events;
    pthread_mutex_lock(&offload->lock);
    if (offload->is_open) {
        check(xdp_table_read(&offload->table));
    } else {
        io_loop_remove(offload->loop, watch); // it has ended, and nobody reads them any more
    }
    pthread_mutex_unlock(&offload->lock);
}

// The loop has come back to the control thread, which is all that was asked.
static void take_hurry(struct io_watch *watch, uint32_t events)
{
    eventfd_t count = 0;

    (void)events;
    IGNORE(eventfd_read(watch->fd, &count)); // there is nothing to do with the number
}

static void unwatch(struct relay_offload *offload)
{
    io_loop_remove(offload->loop, &offload->news);
    io_loop_remove(offload->loop, &offload->hurry);
    io_fd_close(&offload->hurry.fd);
    xdp_table_close(&offload->table);
    offload->is_watched = false;
}

static int open_table(struct relay_offload *offload)
{
    const uint64_t slot_max = (uint64_t)offload->worker_count * offload->channels_per_worker;
    int error = -E2BIG;

    if (slot_max <= UINT32_MAX) {
        error = xdp_table_open(&offload->program, (uint32_t)slot_max, &offload->table);
    }

    if (error != 0) {
        return error;
    }
    offload->is_watched = true;
    offload->news =
        (struct io_watch){.fd = xdp_table_fd(&offload->table), .fn = take_news, .context = offload};
    offload->hurry =
        (struct io_watch){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .fn = take_hurry};
    error = offload->hurry.fd < 0 ? -errno : 0;
    if (error == 0) {
        error = io_loop_add(offload->loop, &offload->hurry, IO_READABLE);
    }
    if (error == 0) {
        error = io_loop_add(offload->loop, &offload->news, IO_READABLE);
    }
    if (error == 0) {
        error =
            xdp_usage_open(offload->program.usages_fd, &offload->program.settings, &offload->usage);
    }
    if (error != 0) {
        unwatch(offload);
    }
    return error;
}

static int open_all(struct relay_offload *offload, const struct relay_config *config,
                    struct xdp_reason *reason)
{
    struct addr own[XDP_PROGRAM_OWN_MAX];
    size_t own_count = relay_wire_list(offload->relayed, config, own);
    const struct xdp_program_options options = {
        .own = own,
        .own_count = own_count,
        .listen_port = config->listen_port,
        .lowest_port = config->lowest_port,
        .highest_port = config->highest_port,
        .answers_binding = config->software.len == 0 && !config->is_amplification_strict,
        .max_pps = config->max_pps,
        .max_bps = config->max_bps,
        .channel_max = config->max_channels,
    };

    choose_links(offload, config, own, own_count);
    int error = xdp_program_open(&options, &offload->program, reason);
    if (error != 0) {
        return error;
    }
    attach_all(offload);
    if (offload->program.link_count == 0) {
        xdp_reason_set(reason, "no interface takes the program");
        xdp_program_close(&offload->program);
        return -ENODEV;
    }
    error = open_table(offload);
    if (error != 0) {
        xdp_reason_set(reason, "there can be no table of channels: %s", strerror(-error));
        xdp_program_close(&offload->program);
    }
    return error;
}

void relay_offload_open(struct relay_offload *offload, const struct relay_config *config,
                        uint32_t worker_count, struct io_loop *loop)
{
    struct xdp_reason reason;

    *offload = (struct relay_offload){
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .loop = loop,
        .worker_count = worker_count,
        .channels_per_worker = config->max_channels,
        .mode = config->ebpf_attach,
    };
    if (config->ebpf_link_count == 0 && !config->is_ebpf_auto) {
        return;
    }
    offload->relayed[0] = relay_wire_relayed(config, ADDR_IP4);
    offload->relayed[1] = relay_wire_relayed(config, ADDR_IP6);
    offload->is_routed[0] = relay_wire_is_routed(config, ADDR_IP4);
    offload->is_routed[1] = relay_wire_is_routed(config, ADDR_IP6);
    if (open_all(offload, config, &reason) != 0) {
        LOG_WARN("relaying by sockets alone", LOG_TEXT("reason", reason.text));
        return;
    }
    offload->is_open = true;
    LOG_INFO("the kernel's tables have room", LOG_NUMBER("channels", config->max_channels),
             LOG_NUMBER("bytes", xdp_program_memory_len(&offload->program)));
}

void relay_offload_close(struct relay_offload *offload)
{
    pthread_mutex_lock(&offload->lock);
    if (offload->is_open) {
        offload->is_open = false;
        xdp_usage_close(&offload->usage);
        xdp_program_close(&offload->program);
    }
    pthread_mutex_unlock(&offload->lock);
    if (offload->is_watched) {
        unwatch(offload);
    }
}

// The program sends to the peer from the same address as the sockets would.
static bool is_same_source(const struct relay_offload *offload, const struct addr *peer)
{
    const bool is_ip6 = peer->family == ADDR_IP6;
    struct addr source;

    return !offload->is_routed[is_ip6] || (io_route_source_to(peer, &source) == 0 &&
                                           addr_same_ip(&source, &offload->relayed[is_ip6]));
}

// Workers take turns, so that the slots in use lie together: the table walks over all up to the
// last one.
static uint32_t slot_of(const struct relay_offload *offload, uint32_t worker, uint32_t channel)
{
    assert(worker < offload->worker_count);
    assert(channel < offload->channels_per_worker);
    return channel * offload->worker_count + worker;
}

// The control thread may wait for ever while no channel is bound; with one it has work to do.
static void hurry(struct relay_offload *offload)
{
    if (xdp_table_deadline(&offload->table) < offload->tick_ns) {
        offload->tick_ns = 0; // once is enough
        // It fails when the number overflows; then it has been told often enough.
        IGNORE(eventfd_write(offload->hurry.fd, 1));
    }
}

// -errno as xdp_table_bind(). Nothing happens to what is not open.
static int bind_slot(struct relay_offload *offload, uint32_t slot,
                     const struct xdp_binding *binding)
{
    int error = 0;

    pthread_mutex_lock(&offload->lock);
    if (offload->is_open) {
        error = xdp_table_bind(&offload->table, slot, binding);
        hurry(offload);
    }
    pthread_mutex_unlock(&offload->lock);
    return error;
}

void relay_offload_bind(struct relay_offload *offload, uint32_t worker,
                        const struct turn_command_bind *bind)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    const struct addr *relayed = &offload->relayed[bind->relayed.family == ADDR_IP6];
    struct xdp_binding binding = {
        .client = bind->tuple.client,
        .server = bind->tuple.server,
        .peer = bind->peer,
        .relayed = addr_with_port(*relayed, bind->relayed.port),
        .channel = bind->number,
        .is_turned = bind->is_turned,
    };

    if (bind->is_turned) { // known by its public address, but that is on no packet here
        binding.peer = addr_with_port(*relayed, bind->peer.port);
    } else if (!is_same_source(offload, &bind->peer)) {
        return; // the peer knows the relay by another address
    }
    int error = bind_slot(offload, slot_of(offload, worker, bind->channel), &binding);
    if (error != 0) {
        LOG_LIMITED(&limit, LOG_LEVEL_WARN, "a channel is relayed by the sockets alone",
                    LOG_ADDR("client", &binding.client), LOG_ADDR("peer", &binding.peer),
                    LOG_ERROR_NUMBER("error", error));
    }
}

void relay_offload_unbind(struct relay_offload *offload, uint32_t worker,
                          const struct turn_command_unbind *unbind)
{
    const uint32_t slot = slot_of(offload, worker, unbind->channel);

    pthread_mutex_lock(&offload->lock);
    if (offload->is_open) {
        xdp_table_unbind(&offload->table, slot);
    }
    pthread_mutex_unlock(&offload->lock);
}

void relay_offload_begin(struct relay_offload *offload, uint16_t port)
{
    pthread_mutex_lock(&offload->lock);
    if (offload->is_open) {
        xdp_usage_clear(&offload->usage, port);
    }
    pthread_mutex_unlock(&offload->lock);
}

struct turn_usage relay_offload_usage(struct relay_offload *offload, uint16_t port)
{
    struct relay_abi_usage to_peer = {0};
    struct relay_abi_usage to_client = {0};

    pthread_mutex_lock(&offload->lock);
    if (offload->is_open) {
        to_peer = xdp_usage_at(&offload->usage, port, RELAY_ABI_FROM_CLIENT);
        to_client = xdp_usage_at(&offload->usage, port, RELAY_ABI_FROM_PEER);
    }
    pthread_mutex_unlock(&offload->lock);
    return (struct turn_usage){
        .packets_to_peer = to_peer.packets,
        .bytes_to_peer = to_peer.bytes,
        .packets_to_client = to_client.packets,
        .bytes_to_client = to_client.bytes,
    };
}

uint64_t relay_offload_tick(struct relay_offload *offload, struct now now)
{
    uint64_t deadline_ns = NEVER;

    pthread_mutex_lock(&offload->lock);
    if (offload->is_open) {
        if (xdp_table_deadline(&offload->table) <= now.mono_ns) {
            check(xdp_table_tick(&offload->table, now.mono_ns));
        }
        deadline_ns = xdp_table_deadline(&offload->table);
        offload->tick_ns = deadline_ns;
    }
    pthread_mutex_unlock(&offload->lock);
    return deadline_ns;
}

void relay_offload_switch(struct relay_offload *offload)
{
    if (!offload->is_open) {
        LOG_WARN("no relaying in the kernel to switch on or off");
    } else if (offload->is_on) {
        detach_all(offload);
        LOG_INFO("relaying in the kernel is off");
    } else {
        attach_all(offload);
        LOG_INFO("relaying in the kernel is on",
                 LOG_NUMBER("interfaces", offload->program.link_count));
    }
}

bool relay_offload_counts(struct relay_offload *offload, struct xdp_counts *out)
{
    pthread_mutex_lock(&offload->lock);
    const bool is_open = offload->is_open;
    const struct xdp_program program = offload->program;
    pthread_mutex_unlock(&offload->lock);
    // Without the lock, for which workers wait: the counters of many CPUs are long. What it takes
    // of the program stays as it is until that is closed.
    return is_open && xdp_counts_read(&program, out) == 0;
}

uint32_t relay_offload_interface_count(struct relay_offload *offload)
{
    pthread_mutex_lock(&offload->lock);
    const uint32_t count = offload->is_open ? offload->program.link_count : 0;
    pthread_mutex_unlock(&offload->lock);
    return count;
}

void relay_offload_log(struct relay_offload *offload)
{
    struct xdp_counts counts;

    if (!relay_offload_counts(offload, &counts)) {
        return;
    }
    if (memcmp(&counts, &(struct xdp_counts){0}, sizeof counts) == 0) {
        // Said aloud: the operator may wonder why no packet comes.
        LOG_INFO("fast path", LOG_NUMBER("packets", 0));
    } else {
        relay_stats_log("fast path", xdp_counts_metrics, XDP_COUNTS_COUNT, &counts);
    }
}
