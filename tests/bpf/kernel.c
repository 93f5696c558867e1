// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "bpf/kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <unistd.h>

#include "base/bucket.h"
#include "base/macro.h"
#include "relay.skel.h"
#include "xdp/xdp_paths.h"
#include "xdp/xdp_usage.h"

enum {
    PATHS = 64,
    LOOPBACK = 1, // the interface of a new network namespace
    CPUS_MAX = 256,
    SKIP = 77,
};

struct kernel {
    struct relay_bpf *skel;
    struct xdp_paths paths;
    struct xdp_usage usage;
    uint32_t across; // index of the other interface
    int cpu_count;
    int entry; // the program that frames go to
};

static const char *const own_ips[KERNEL_OWN_COUNT] = {
    [KERNEL_OWN_IP4] = "192.0.2.1",
    [KERNEL_OWN_IP6] = "2001:db8::1",
    [KERNEL_OWN_OTHER_IP6] = "2001:db8::2",
    [KERNEL_OWN_OTHER_IP4] = "192.0.2.2",
};

static noreturn void skip(const char *reason)
{
    printf("skipped: %s\n", reason);
    exit(SKIP);
}

static void must(bool is_true, const char *what)
{
    if (!is_true) {
        perror(what);
        exit(1);
    }
}

struct addr kernel_own(uint32_t index, uint16_t port)
{
    struct addr own = {0};

    must(addr_read(bytes_of_text(own_ips[index]), &own), own_ips[index]);
    return addr_with_port(own, port);
}

void kernel_hop(uint32_t hop, uint8_t to_mac[6], uint8_t from_mac[6])
{
    memcpy(to_mac, (const uint8_t[]){0x02, 0x11, 0x22, 0x33, 0x44, (uint8_t)hop}, 6);
    memcpy(from_mac, (const uint8_t[]){0x02, 0xAA, 0xBB, 0xCC, 0xDD, (uint8_t)hop}, 6);
}

static struct relay_abi_settings make_settings(bool answers_binding)
{
    struct relay_abi_settings settings = {
        .own_count = KERNEL_OWN_COUNT,
        .listen_port = KERNEL_LISTEN_PORT,
        .lowest_port = KERNEL_LOWEST_PORT,
        .highest_port = KERNEL_HIGHEST_PORT,
        .answers_binding = answers_binding,
    };

    for (uint32_t i = 0; i < KERNEL_OWN_COUNT; i++) {
        struct addr own = kernel_own(i, 0);
        memcpy(settings.own[i].ip, own.ip, sizeof own.ip);
        settings.own[i].family = own.family;
    }
    return settings;
}

static void set_hop(struct kernel *kernel, uint32_t index, uint32_t ifindex)
{
    struct relay_abi_hop hop = {.ifindex = ifindex, .mtu = KERNEL_MTU};

    kernel_hop(index, hop.to_mac, hop.from_mac);
    must(bpf_map_update_elem(bpf_map__fd(kernel->skel->maps.hops), &index, &hop, BPF_ANY) == 0,
         "hop");
}

// The first packet of each hop passes for its sake; the program has then spoken to it for a while.
static void set_hops(struct kernel *kernel)
{
    struct bpf_devmap_val link = {.ifindex = kernel->across};

    must(bpf_map_update_elem(bpf_map__fd(kernel->skel->maps.links), &kernel->across, &link,
                             BPF_ANY) == 0,
         "link");
    set_hop(kernel, KERNEL_HOP_BACK, LOOPBACK);
    set_hop(kernel, KERNEL_HOP_ACROSS, kernel->across);
    set_hop(kernel, KERNEL_HOP_UNLINKED, kernel->across + 1);
    set_hop(kernel, KERNEL_HOP_SILENT, LOOPBACK);
}

int kernel_program(const struct kernel *kernel)
{
    return bpf_program__fd(kernel->skel->progs.relay);
}

void kernel_enter(struct kernel *kernel, int program)
{
    kernel->entry = program;
}

static struct kernel *open_kernel(struct relay_abi_settings *settings)
{
    struct kernel *kernel = calloc(1, sizeof *kernel);

    if (geteuid() != 0) {
        skip("needs root");
    }
    if (unshare(CLONE_NEWNET) != 0) {
        skip("cannot make a network namespace");
    }
    if (system("ip link add across type veth peer name beyond") != 0) {
        skip("cannot make an interface");
    }
    must(kernel != NULL, "calloc");
    kernel->across = if_nametoindex("across");
    must(kernel->across != 0, "across");
    kernel->cpu_count = libbpf_num_possible_cpus();
    must(kernel->cpu_count > 0 && kernel->cpu_count <= CPUS_MAX, "CPUs");
    kernel->skel = relay_bpf__open();
    must(kernel->skel != NULL, "open");
    must(xdp_paths_choose(PATHS, settings) == 0, "randomness");
    must(bpf_map__set_max_entries(kernel->skel->maps.paths, xdp_paths_entry_count(settings)) == 0,
         "paths");
    must(bpf_map__set_max_entries(kernel->skel->maps.hops, KERNEL_HOP_COUNT) == 0, "hops");
    must(bpf_map__set_max_entries(kernel->skel->maps.buckets,
                                  RELAY_ABI_BUCKETS_PER_PORT *
                                      (KERNEL_HIGHEST_PORT - KERNEL_LOWEST_PORT + 1)) == 0,
         "buckets");
    must(bpf_map__set_max_entries(kernel->skel->maps.usages, xdp_usage_entry_count(settings)) == 0,
         "usages");
    memcpy((void *)&kernel->skel->rodata->settings, settings, sizeof *settings);
    must(relay_bpf__load(kernel->skel) == 0, "load");
    must(xdp_paths_open(bpf_map__fd(kernel->skel->maps.paths), PATHS, settings, &kernel->paths) ==
             0,
         "map");
    must(xdp_usage_open(bpf_map__fd(kernel->skel->maps.usages), settings, &kernel->usage) == 0,
         "map of usages");
    set_hops(kernel);
    kernel->entry = kernel_program(kernel);
    return kernel;
}

struct kernel *kernel_open(void)
{
    struct relay_abi_settings settings = make_settings(true);
    return open_kernel(&settings);
}

struct kernel *kernel_open_silent(void)
{
    struct relay_abi_settings settings = make_settings(false);
    return open_kernel(&settings);
}

struct kernel *kernel_open_limited(uint64_t max_pps, uint64_t max_bps)
{
    struct relay_abi_settings settings = make_settings(true);

    settings.packet_time = bucket_rate_of(max_pps).token_time / RELAY_ABI_PARTS_PER_UNIT;
    settings.byte_time = bucket_rate_of(max_bps).token_time;
    return open_kernel(&settings);
}

void kernel_close(struct kernel *kernel)
{
    xdp_usage_close(&kernel->usage);
    xdp_paths_close(&kernel->paths);
    relay_bpf__destroy(kernel->skel);
    free(kernel);
}

void kernel_bind(struct kernel *kernel, const struct relay_abi_key *key,
                 const struct relay_abi_path *path)
{
    must(xdp_paths_add(&kernel->paths, key, path) == 0, "bind");
}

void kernel_unbind(struct kernel *kernel, const struct relay_abi_key *key)
{
    xdp_paths_remove(&kernel->paths, key);
}

void kernel_clear(struct kernel *kernel)
{
    while (kernel->paths.count > 0) {
        const struct relay_abi_entry *entry = kernel->paths.entries;
        while (entry->key.is_key == 0) {
            entry++;
        }
        const struct relay_abi_key key = entry->key;
        kernel_unbind(kernel, &key);
    }
}

void kernel_tear(struct kernel *kernel)
{
    for (size_t i = 0; i < kernel->paths.len / sizeof *kernel->paths.entries; i++) {
        struct relay_abi_entry *entry = &kernel->paths.entries[i];
        entry->version += entry->key.is_key;
    }
}

static struct relay_abi_hop get_hop(const struct kernel *kernel, uint32_t index)
{
    struct relay_abi_hop hop;

    must(bpf_map_lookup_elem(bpf_map__fd(kernel->skel->maps.hops), &index, &hop) == 0, "hop");
    return hop;
}

uint64_t kernel_spoken_at(const struct kernel *kernel, uint32_t hop)
{
    return get_hop(kernel, hop).spoken_at;
}

void kernel_set_spoken_at(struct kernel *kernel, uint32_t hop, uint64_t jiffies)
{
    struct relay_abi_hop value = get_hop(kernel, hop);

    value.spoken_at = jiffies;
    must(bpf_map_update_elem(bpf_map__fd(kernel->skel->maps.hops), &hop, &value, BPF_ANY) == 0,
         "hop");
}

bool kernel_has_taken(const struct kernel *kernel, uint16_t port, enum relay_abi_from from)
{
    // As src/bpf/maps.h has it: two moments.
    static const uint64_t never[2];
    uint64_t bucket[2];
    uint32_t place =
        (uint32_t)(port - KERNEL_LOWEST_PORT) * RELAY_ABI_BUCKETS_PER_PORT + (uint32_t)from;

    must(bpf_map_lookup_elem(bpf_map__fd(kernel->skel->maps.buckets), &place, bucket) == 0,
         "bucket");
    return memcmp(bucket, never, sizeof bucket) != 0;
}

struct relay_abi_usage kernel_usage(const struct kernel *kernel, uint16_t port,
                                    enum relay_abi_from from)
{
    return xdp_usage_at(&kernel->usage, port, from);
}

static void read_counts(const struct kernel *kernel,
                        struct relay_abi_count out[RELAY_ABI_VERDICT_COUNT])
{
    struct relay_abi_count counts[CPUS_MAX];

    for (uint32_t verdict = 0; verdict < RELAY_ABI_VERDICT_COUNT; verdict++) {
        must(bpf_map_lookup_elem(bpf_map__fd(kernel->skel->maps.counts), &verdict, counts) == 0,
             "count");
        out[verdict] = (struct relay_abi_count){0};
        for (int cpu = 0; cpu < kernel->cpu_count; cpu++) {
            out[verdict].packets += counts[cpu].packets;
            out[verdict].bytes += counts[cpu].bytes;
            for (int i = 0; i <= RELAY_ABI_SIZE_COUNT; i++) {
                out[verdict].sizes.counts[i] += counts[cpu].sizes.counts[i];
            }
            out[verdict].sizes.sum += counts[cpu].sizes.sum;
        }
    }
}

// The data of a frame that was relayed under a verdict: what its UDP header says.
static size_t data_len(const struct kernel_result *result)
{
    const size_t udp_at = result->frame[12] == 0x08 ? 14 + 20 : 14 + 40;
    const size_t udp_len = (size_t)result->frame[udp_at + 4] << 8 | result->frame[udp_at + 5];

    return udp_len - 8 - (result->verdict == RELAY_ABI_VERDICT_to_peer ? 0 : 4);
}

// Each packet that was relayed is counted once by its size, and no other is.
static void check_sizes(const struct kernel_result *result, const struct relay_abi_sizes *before,
                        const struct relay_abi_sizes *after)
{
    const bool is_relayed = result->verdict <= RELAY_ABI_VERDICT_turned;
    const size_t len = is_relayed ? data_len(result) : 0;
    const size_t hundreds = len == 0 ? 0 : (len - 1) / RELAY_ABI_SIZE_STEP;

    must(after->sum - before->sum == len, "the sum of sizes");
    for (size_t i = 0; i <= RELAY_ABI_SIZE_COUNT; i++) {
        const bool is_here = i < RELAY_ABI_SIZE_COUNT ? i == hundreds : i <= hundreds;
        must(after->counts[i] - before->counts[i] == (is_relayed && is_here), "a size's counter");
    }
}

uint64_t kernel_sampled(const struct kernel *kernel)
{
    struct relay_abi_durations durations[CPUS_MAX];
    const uint32_t zero = 0;
    uint64_t count = 0;

    must(bpf_map_lookup_elem(bpf_map__fd(kernel->skel->maps.durations), &zero, durations) == 0,
         "durations");
    for (int cpu = 0; cpu < kernel->cpu_count; cpu++) {
        uint64_t here = 0;
        for (int i = 0; i <= RELAY_ABI_DURATION_COUNT; i++) {
            here += durations[cpu].counts[i];
        }
        must((here > 0) == (durations[cpu].sum > 0), "the sum of durations");
        count += here;
    }
    return count;
}

void kernel_run_once(struct kernel *kernel, const uint8_t *frame, size_t len,
                     struct kernel_result *result)
{
    struct relay_abi_count before[RELAY_ABI_VERDICT_COUNT];
    struct relay_abi_count after[RELAY_ABI_VERDICT_COUNT];
    uint32_t verdicts = 0;
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len,
                .data_out = result->frame, .data_size_out = sizeof result->frame);

    read_counts(kernel, before);
    must(bpf_prog_test_run_opts(kernel->entry, &opts) == 0, "run");
    result->action = opts.retval;
    result->frame_len = opts.data_size_out;
    read_counts(kernel, after);
    for (uint32_t verdict = 0; verdict < RELAY_ABI_VERDICT_COUNT; verdict++) {
        if (after[verdict].packets != before[verdict].packets) {
            result->verdict = verdict;
            result->counted = after[verdict].bytes - before[verdict].bytes;
            check_sizes(result, &before[verdict].sizes, &after[verdict].sizes);
            verdicts += (uint32_t)(after[verdict].packets - before[verdict].packets);
        }
    }
    must(verdicts == 1, "each packet has one verdict");
}

void kernel_run(struct kernel *kernel, const uint8_t *frame, size_t len,
                struct kernel_result *result)
{
    kernel_run_once(kernel, frame, len, result);
    if (result->verdict == RELAY_ABI_VERDICT_pass_spoken) {
        kernel_run_once(kernel, frame, len, result);
    }
}
