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

static void line_write(struct wr *wr, const char *kind, const char *name, uint64_t value)
{
    wr_text(wr, kind);
    wr_text(wr, " ");
    wr_text(wr, name);
    wr_text(wr, " ");
    wr_decimal(wr, value);
}

static void number_write(struct wr *wr, const char *kind, const char *name, uint64_t value)
{
    line_write(wr, kind, name, value);
    wr_text(wr, "\n");
}

// Counters of which the name begins so, and that are not zero.
static void drops_write(struct wr *wr, const struct metric *metrics, size_t count,
                        const void *counters, const char *prefix)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t value = metric_value(&metrics[i], counters);
        if (value > 0 && strncmp(metrics[i].name, prefix, strlen(prefix)) == 0) {
            line_write(wr, "drop", metrics[i].name, value);
            wr_text(wr, " ");
            wr_text(wr, metrics[i].help);
            wr_text(wr, "\n");
        }
    }
}

static void head_write(struct wr *wr, const struct relay_snapshot *snapshot, struct now now)
{
    const struct turn_stats *turn = &snapshot->counts.turn;
    const struct xdp_counts *kernel = &snapshot->kernel;

    wr_text(wr, "version " FAIRLEAD_VERSION "\ntime_ms ");
    wr_decimal(wr, now.mono_ns / MILLISECOND_NS);
    wr_text(wr, "\n");
    number_write(wr, "gauge", "allocations", snapshot->gauges.allocations);
    number_write(wr, "gauge", "permissions", snapshot->gauges.permissions);
    number_write(wr, "gauge", "channels", snapshot->gauges.channels);
    number_write(wr, "gauge", "users", snapshot->gauges.users);
    number_write(wr, "gauge", "workers", snapshot->gauges.workers);
    number_write(wr, "total", "sockets_packets", snapshot->sums.by_sockets.packets);
    number_write(wr, "total", "sockets_bytes", snapshot->sums.by_sockets.bytes);
    number_write(wr, "total", "kernel_packets", snapshot->sums.by_kernel.packets);
    number_write(wr, "total", "kernel_bytes", snapshot->sums.by_kernel.bytes);
    drops_write(wr, turn_stats_metrics, TURN_STATS_COUNT, turn, "dropped_");
    drops_write(wr, turn_stats_metrics, TURN_STATS_COUNT, turn, "refused_");
    drops_write(wr, turn_stats_metrics, TURN_STATS_COUNT, turn, "requests_limited");
    drops_write(wr, xdp_counts_metrics, RELAY_ABI_VERDICT_COUNT, kernel, "drop_");
}

static void addr_or_none_write(struct wr *wr, const struct addr *addr)
{
    wr_text(wr, " ");
    if (addr->family == ADDR_NONE) {
        wr_text(wr, "none");
    } else {
        addr_write(wr, addr);
    }
}

static void row_write(struct wr *wr, const struct relay_survey_entry *entry, struct now now)
{
    const struct turn_life *life = &entry->life;
    const bool has_ip4 = life->relayed[0].family != ADDR_NONE;
    const uint64_t left_ns = life->expires_ns > now.mono_ns ? life->expires_ns - now.mono_ns : 0;
    const uint64_t age_ns = now.mono_ns > life->started_ns ? now.mono_ns - life->started_ns : 0;
    uint64_t numbers[RELAY_SAMPLE_NUMBERS] = {
        [RELAY_SAMPLE_WORKER] = entry->worker,
        [RELAY_SAMPLE_INDEX] = life->allocation.index,
        [RELAY_SAMPLE_GENERATION] = life->allocation.generation,
        [RELAY_SAMPLE_AGE_MS] = age_ns / MILLISECOND_NS,
        [RELAY_SAMPLE_LEFT_MS] = left_ns / MILLISECOND_NS,
        [RELAY_SAMPLE_PERMISSIONS] = life->permission_count,
        [RELAY_SAMPLE_CHANNELS] = life->channel_count,
    };

    memcpy(&numbers[RELAY_SAMPLE_SOCKETS_TO_PEER_PACKETS], &life->usage, sizeof life->usage);
    memcpy(&numbers[RELAY_SAMPLE_KERNEL_TO_PEER_PACKETS], &entry->kernel, sizeof entry->kernel);
    wr_text(wr, "allocation");
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        wr_text(wr, " ");
        wr_decimal(wr, numbers[i]);
    }
    addr_or_none_write(wr, &life->tuple.client);
    addr_or_none_write(wr, &life->relayed[has_ip4 ? 0 : 1]);
    addr_or_none_write(wr, has_ip4 ? &life->relayed[1] : &life->relayed[0]);
    wr_text(wr, " ");
    plain_write(wr, turn_name_bytes(&life->name));
    wr_text(wr, "\n");
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

// The text up to the next space or the end, which is taken from the front.
static struct bytes take_word(struct bytes *text)
{
    const size_t len = bytes_index(*text, ' ');
    const struct bytes word = bytes_first(*text, len);

    *text = bytes_from(*text, len + 1);
    return word;
}

static bool take_number(struct bytes *text, uint64_t *out)
{
    return bytes_to_number(take_word(text), UINT64_MAX, out);
}

static bool read_row(struct bytes line, struct relay_sample_row *out)
{
    for (size_t i = 0; i < RELAY_SAMPLE_NUMBERS; i++) {
        if (!take_number(&line, &out->numbers[i])) {
            return false;
        }
    }
    out->client = take_word(&line);
    out->relayed = take_word(&line);
    out->relayed_too = take_word(&line);
    out->name = line;
    return out->relayed_too.len > 0;
}

static bool read_named(enum relay_sample_kind kind, struct bytes line, struct relay_sample *sample)
{
    struct relay_sample_named named = {.kind = kind, .name = take_word(&line)};

    if (!take_number(&line, &named.value) || sample->named_count == COUNT_OF(sample->named)) {
        return false;
    }
    named.words = line;
    sample->named[sample->named_count++] = named;
    return true;
}

static bool read_line(struct bytes line, struct relay_sample *sample)
{
    const struct bytes kind = take_word(&line);

    if (bytes_equal_text(kind, "allocation")) {
        return read_row(line, &sample->rows[sample->row_count++]);
    }
    if (bytes_equal_text(kind, "gauge")) {
        return read_named(RELAY_SAMPLE_GAUGE, line, sample);
    }
    if (bytes_equal_text(kind, "total")) {
        return read_named(RELAY_SAMPLE_TOTAL, line, sample);
    }
    if (bytes_equal_text(kind, "drop")) {
        return read_named(RELAY_SAMPLE_DROP, line, sample);
    }
    if (bytes_equal_text(kind, "time_ms")) {
        return take_number(&line, &sample->time_ms);
    }
    if (bytes_equal_text(kind, "left_out")) {
        return take_number(&line, &sample->left_out);
    }
    if (bytes_equal_text(kind, "version")) {
        sample->version = line;
    }
    return true;
}

static size_t count_lines(struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += text.ptr[i] == '\n';
    }
    return count;
}

bool relay_sample_read(struct bytes text, struct relay_sample *out)
{
    struct relay_sample sample = {.row_count = 0};
    const size_t line_count = count_lines(text);
    bool is_good = line_count <= RELAY_SAMPLE_LIMIT_MAX + RELAY_SAMPLE_NAMED_MAX;
    bool has_end = false;

    if (is_good) {
        sample.rows = calloc(line_count + 1, sizeof *sample.rows);
        is_good = sample.rows != NULL;
    }
    for (size_t i = 0; i < line_count && is_good; i++) {
        const struct bytes line = bytes_first(text, bytes_index(text, '\n'));
        text = bytes_from(text, line.len + 1);
        has_end = bytes_equal_text(line, "end");
        is_good = read_line(line, &sample);
    }
    if (!is_good || !has_end) {
        relay_sample_free(&sample);
        return false;
    }
    *out = sample;
    return true;
}

void relay_sample_free(struct relay_sample *sample)
{
    free(sample->rows);
    sample->rows = NULL;
}
