// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_sample.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/plain.h"
#include "relay/relay_life.h"
#include "turn/turn_stats.h"
#include "xdp/xdp_counts.h"

#define MILLISECOND_NS (SECOND_NS / 1000)

const struct daemon_sample_kind relay_sample_kind = {"allocation", RELAY_SAMPLE_NUMBERS,
                                                     RELAY_SAMPLE_TEXTS};

_Static_assert(sizeof(struct turn_usage) == 4 * sizeof(uint64_t), "four numbers of a row");

static uint64_t bytes_of(const struct relay_survey_entry *entry)
{
    const struct turn_usage usage = relay_life_usage(&entry->life, &entry->kernel);

    return usage.bytes_to_peer + usage.bytes_to_client;
}

static int compare_bytes(const void *a, const void *b)
{
    const uint64_t left = bytes_of(a);
    const uint64_t right = bytes_of(b);

    return left > right ? -1 : left < right;
}

static void gauge_write(struct wr *wr, const char *name, uint64_t value)
{
    daemon_sample_named_write(wr, DAEMON_SAMPLE_GAUGE, name, value);
}

static void total_write(struct wr *wr, const char *name, uint64_t value)
{
    daemon_sample_named_write(wr, DAEMON_SAMPLE_TOTAL, name, value);
}

// Counters of which the name begins so, and that are not zero.
static void drops_write(struct wr *wr, const struct metric *metrics, size_t count,
                        const void *counters, const char *prefix)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t value = metric_value(&metrics[i], counters);
        if (value > 0 && strncmp(metrics[i].name, prefix, strlen(prefix)) == 0) {
            daemon_sample_drop_write(wr, metrics[i].name, value, metrics[i].help);
        }
    }
}

static void head_write(struct wr *wr, const struct relay_snapshot *snapshot, struct now now)
{
    const struct turn_stats *turn = &snapshot->counts.turn;
    const struct xdp_counts *kernel = &snapshot->kernel;

    daemon_sample_head_write(wr, now.mono_ns);
    gauge_write(wr, "allocations", snapshot->gauges.allocations);
    gauge_write(wr, "permissions", snapshot->gauges.permissions);
    gauge_write(wr, "channels", snapshot->gauges.channels);
    gauge_write(wr, "users", snapshot->gauges.users);
    gauge_write(wr, "workers", snapshot->gauges.workers);
    total_write(wr, "sockets_packets", snapshot->sums.by_sockets.packets);
    total_write(wr, "sockets_bytes", snapshot->sums.by_sockets.bytes);
    total_write(wr, "kernel_packets", snapshot->sums.by_kernel.packets);
    total_write(wr, "kernel_bytes", snapshot->sums.by_kernel.bytes);
    drops_write(wr, turn_stats_metrics, TURN_STATS_COUNT, turn, "dropped_");
    drops_write(wr, turn_stats_metrics, TURN_STATS_COUNT, turn, "refused_");
    drops_write(wr, turn_stats_metrics, TURN_STATS_COUNT, turn, "requests_limited");
    drops_write(wr, xdp_counts_metrics, RELAY_ABI_VERDICT_COUNT, kernel, "drop_");
}

static struct bytes text_of(struct wr *wr, const struct addr *addr)
{
    const size_t start = wr->len;

    if (addr->family == ADDR_NONE) {
        wr_text(wr, "none");
    } else {
        addr_write(wr, addr);
    }
    return bytes_from(wr_done(wr), start);
}

static void row_write(struct wr *wr, const struct relay_survey_entry *entry, struct now now)
{
    const struct turn_life *life = &entry->life;
    const bool has_ip4 = life->relayed[0].family != ADDR_NONE;
    const uint64_t left_ns = life->expires_ns > now.mono_ns ? life->expires_ns - now.mono_ns : 0;
    const uint64_t age_ns = now.mono_ns > life->started_ns ? now.mono_ns - life->started_ns : 0;
    uint8_t memory[RELAY_SAMPLE_ROW_TEXT_MAX];
    struct wr texts = wr_init(memory, sizeof memory);
    struct daemon_sample_row row = {
        .numbers =
            {
                [RELAY_SAMPLE_WORKER] = entry->worker,
                [RELAY_SAMPLE_INDEX] = life->allocation.index,
                [RELAY_SAMPLE_GENERATION] = life->allocation.generation,
                [RELAY_SAMPLE_AGE_MS] = age_ns / MILLISECOND_NS,
                [RELAY_SAMPLE_LEFT_MS] = left_ns / MILLISECOND_NS,
                [RELAY_SAMPLE_PERMISSIONS] = life->permission_count,
                [RELAY_SAMPLE_CHANNELS] = life->channel_count,
            },
        .texts =
            {
                [RELAY_SAMPLE_CLIENT] = text_of(&texts, &life->tuple.client),
                [RELAY_SAMPLE_RELAYED] = text_of(&texts, &life->relayed[has_ip4 ? 0 : 1]),
                [RELAY_SAMPLE_RELAYED_TOO] = text_of(&texts, &life->relayed[has_ip4 ? 1 : 0]),
            },
    };
    const size_t start = texts.len;

    plain_write(&texts, turn_name_bytes(&life->name));
    row.texts[RELAY_SAMPLE_NAME] = bytes_from(wr_done(&texts), start);
    memcpy(&row.numbers[RELAY_SAMPLE_SOCKETS_TO_PEER_PACKETS], &life->usage, sizeof life->usage);
    memcpy(&row.numbers[RELAY_SAMPLE_KERNEL_TO_PEER_PACKETS], &entry->kernel, sizeof entry->kernel);
    daemon_sample_row_write(wr, &relay_sample_kind, &row);
}

void relay_sample_write(struct wr *wr, const struct relay_snapshot *snapshot,
                        struct relay_survey_entry *entries, uint32_t count, uint32_t limit,
                        struct now now)
{
    const uint32_t told = count < limit ? count : limit;

    head_write(wr, snapshot, now);
    if (count > 0) {
        qsort(entries, count, sizeof *entries, compare_bytes);
    }
    for (uint32_t i = 0; i < told; i++) {
        row_write(wr, &entries[i], now);
    }
    wr_text(wr, "left_out ");
    wr_decimal(wr, count - told);
    wr_text(wr, "\nend\n");
}
