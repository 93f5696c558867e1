// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon_json.h"
#include "daemon/daemon_screen.h"

enum {
    HEAD_TEXT_MAX = 65536,
    ROW_TEXT_MAX = 2048, // bytes: of JSON, which is the longer one
    LINE_ROOM = 512,     // bytes: of the table
    DROPS_SHOWN = 6,
    MS_PER_S = 1000,
};

// What a row has relayed in a second, against the earlier sample.
struct rate {
    const struct daemon_sample_row *row;
    uint64_t to_peer_bytes;
    uint64_t to_peer_packets;
    uint64_t to_client_bytes;
    uint64_t to_client_packets;
    uint64_t kernel_packets;
    uint64_t sockets_packets;
};

size_t relay_top_text_max(size_t row_count)
{
    return HEAD_TEXT_MAX + row_count * ROW_TEXT_MAX;
}

static int compare_ids(const void *a, const void *b)
{
    const struct daemon_sample_row *left = a;
    const struct daemon_sample_row *right = b;

    for (size_t i = RELAY_SAMPLE_WORKER; i <= RELAY_SAMPLE_GENERATION; i++) {
        if (left->numbers[i] != right->numbers[i]) {
            return left->numbers[i] < right->numbers[i] ? -1 : 1;
        }
    }
    return 0;
}

static int compare_rates(const void *a, const void *b)
{
    const struct rate *left = a;
    const struct rate *right = b;
    const uint64_t sums[] = {left->to_peer_bytes + left->to_client_bytes,
                             right->to_peer_bytes + right->to_client_bytes};

    if (sums[0] != sums[1]) {
        return sums[0] > sums[1] ? -1 : 1;
    }
    return compare_ids(left->row, right->row);
}

// A number of both ways, the kernel's and the sockets', since the earlier sample.
static uint64_t grown(const struct daemon_sample_row *now, const struct daemon_sample_row *before,
                      enum relay_sample_number number)
{
    const uint64_t old = before == NULL ? 0 : before->numbers[number];

    return now->numbers[number] > old ? now->numbers[number] - old : 0;
}

static struct rate rate_of(const struct daemon_sample_row *row,
                           const struct daemon_sample_row *before, uint64_t ms)
{
    const uint64_t age_ms = row->numbers[RELAY_SAMPLE_AGE_MS];
    const uint64_t span_ms = before != NULL && ms > 0 ? ms : age_ms > 0 ? age_ms : 1;
    uint64_t grew[8];

    for (size_t i = 0; i < COUNT_OF(grew); i++) {
        grew[i] = grown(row, before,
                        (enum relay_sample_number)(RELAY_SAMPLE_SOCKETS_TO_PEER_PACKETS + i));
    }
    return (struct rate){
        .row = row,
        .to_peer_packets = (grew[0] + grew[4]) * MS_PER_S / span_ms,
        .to_peer_bytes = (grew[1] + grew[5]) * MS_PER_S / span_ms,
        .to_client_packets = (grew[2] + grew[6]) * MS_PER_S / span_ms,
        .to_client_bytes = (grew[3] + grew[7]) * MS_PER_S / span_ms,
        .sockets_packets = grew[0] + grew[2],
        .kernel_packets = grew[4] + grew[6],
    };
}

// The rates of all rows, the highest first; memory of malloc(), or NULL.
static struct rate *rates_of(struct daemon_sample *now, struct daemon_sample *before)
{
    const uint64_t ms = now->time_ms > before->time_ms ? now->time_ms - before->time_ms : 0;
    struct rate *rates = calloc(now->row_count + 1, sizeof *rates);

    if (rates == NULL) {
        return NULL;
    }
    if (before->row_count > 0) {
        qsort(before->rows, before->row_count, sizeof *before->rows, compare_ids);
    }
    for (size_t i = 0; i < now->row_count; i++) {
        const struct daemon_sample_row *old =
            before->row_count == 0 ? NULL
                                   : bsearch(&now->rows[i], before->rows, before->row_count,
                                             sizeof *before->rows, compare_ids);
        rates[i] = rate_of(&now->rows[i], old, ms);
    }
    qsort(rates, now->row_count, sizeof *rates, compare_rates);
    return rates;
}

static const char *path_of(const struct rate *rate)
{
    if (rate->kernel_packets > 0) {
        return rate->sockets_packets > 0 ? "both" : "kernel";
    }
    return rate->sockets_packets > 0 ? "sockets" : "idle";
}

static uint64_t named(const struct daemon_sample *sample, const char *name)
{
    return daemon_sample_value(sample, bytes_of_text(name));
}

static void put_line(struct wr *wr, const char *line, uint32_t columns)
{
    daemon_screen_line(wr, bytes_of_text(line), columns);
}

static void drops_put(struct wr *wr, const struct daemon_sample *now,
                      const struct daemon_sample *before, uint32_t columns)
{
    char line[LINE_ROOM];
    char number[DAEMON_SCREEN_NUMBER_MAX];
    uint32_t shown = 0;

    for (size_t i = 0; i < now->named_count && shown < DROPS_SHOWN; i++) {
        const struct daemon_sample_named *drop = &now->named[i];
        if (drop->sort != DAEMON_SAMPLE_DROP) {
            continue;
        }
        const uint64_t old = daemon_sample_value(before, drop->name);
        snprintf(
            line, sizeof line, "  %7s  (+%llu)  %.*s", daemon_screen_number(number, drop->value),
            (unsigned long long)(drop->value > old ? drop->value - old : 0),
            (int)(drop->words.len < 200 ? drop->words.len : 200), (const char *)drop->words.ptr);
        put_line(wr, line, columns);
        shown++;
    }
}

static void row_put(struct wr *wr, const struct rate *rate, uint32_t columns)
{
    const struct daemon_sample_row *row = rate->row;
    uint64_t total = 0;
    char line[LINE_ROOM];
    char numbers[5][DAEMON_SCREEN_NUMBER_MAX];

    for (size_t i = RELAY_SAMPLE_SOCKETS_TO_PEER_BYTES; i < RELAY_SAMPLE_NUMBERS; i += 2) {
        total += row->numbers[i];
    }
    snprintf(
        line, sizeof line, "%-24.*s %7s %7s %7s %7s %7s  %-7s %6llu  %-22.*s %.*s",
        (int)(row->texts[RELAY_SAMPLE_CLIENT].len < 60 ? row->texts[RELAY_SAMPLE_CLIENT].len : 60),
        (const char *)row->texts[RELAY_SAMPLE_CLIENT].ptr,
        daemon_screen_number(numbers[0], rate->to_peer_bytes),
        daemon_screen_number(numbers[1], rate->to_peer_packets),
        daemon_screen_number(numbers[2], rate->to_client_bytes),
        daemon_screen_number(numbers[3], rate->to_client_packets),
        daemon_screen_number(numbers[4], total), path_of(rate),
        (unsigned long long)(row->numbers[RELAY_SAMPLE_AGE_MS] / MS_PER_S),
        (int)(row->texts[RELAY_SAMPLE_RELAYED].len < 60 ? row->texts[RELAY_SAMPLE_RELAYED].len
                                                        : 60),
        (const char *)row->texts[RELAY_SAMPLE_RELAYED].ptr,
        (int)(row->texts[RELAY_SAMPLE_NAME].len < 200 ? row->texts[RELAY_SAMPLE_NAME].len : 200),
        (const char *)row->texts[RELAY_SAMPLE_NAME].ptr);
    put_line(wr, line, columns);
}

// "1 channel", or "2 channels".
static void count_write(struct wr *wr, uint64_t count, const char *what)
{
    wr_decimal(wr, count);
    wr_u8(wr, ' ');
    wr_text(wr, what);
    wr_text(wr, count == 1 ? "" : "s");
}

// "by the kernel: 2.0M packets, 1.2G bytes"
static void flow_write(struct wr *wr, const char *way, uint64_t packets, uint64_t byte_count)
{
    char number[DAEMON_SCREEN_NUMBER_MAX];

    wr_text(wr, "by ");
    wr_text(wr, way);
    wr_text(wr, ": ");
    wr_text(wr, daemon_screen_number(number, packets));
    wr_text(wr, packets == 1 ? " packet, " : " packets, ");
    wr_text(wr, daemon_screen_number(number, byte_count));
    wr_text(wr, byte_count == 1 ? " byte" : " bytes");
}

static void head_put(struct wr *wr, const struct daemon_sample *now, uint32_t columns)
{
    static const char *const gauges[] = {"allocation", "user", "permission", "channel"};
    static const char *const names[] = {"allocations", "users", "permissions", "channels"};
    uint8_t line[LINE_ROOM];
    struct wr head = wr_init(line, sizeof line);

    wr_text(&head, "fairlead-relay ");
    wr_bytes(&head, bytes_first(now->version, 32));
    for (size_t i = 0; i < COUNT_OF(gauges); i++) {
        wr_text(&head, i == 0 ? "   " : ", ");
        count_write(&head, named(now, names[i]), gauges[i]);
    }
    daemon_screen_line(wr, wr_done(&head), columns);
    head = wr_init(line, sizeof line);
    wr_text(&head, "relayed ");
    flow_write(&head, "the sockets", named(now, "sockets_packets"), named(now, "sockets_bytes"));
    wr_text(&head, "; ");
    flow_write(&head, "the kernel", named(now, "kernel_packets"), named(now, "kernel_bytes"));
    daemon_screen_line(wr, wr_done(&head), columns);
}

void relay_top_table_write(struct wr *wr, struct daemon_sample *now, struct daemon_sample *before,
                           const struct daemon_query_view *view)
{
    struct rate *rates = rates_of(now, before);
    char line[LINE_ROOM];

    if (rates == NULL) {
        return;
    }
    head_put(wr, now, view->columns);
    drops_put(wr, now, before, view->columns);
    snprintf(line, sizeof line, "\n%-24s %7s %7s %7s %7s %7s  %-7s %6s  %-22s %s", "CLIENT",
             "UP B/s", "UP p/s", "DOWN B/s", "DOWN p/s", "BYTES", "PATH", "AGE s", "RELAYED",
             "USER");
    put_line(wr, line, view->columns + 1);
    for (size_t i = 0; i < now->row_count && i < view->row_max; i++) {
        row_put(wr, &rates[i], view->columns);
    }
    const uint64_t shown = now->row_count < view->row_max ? now->row_count : view->row_max;
    const uint64_t all = now->row_count + now->left_out;
    if (all > shown) {
        snprintf(line, sizeof line, "and %llu more", (unsigned long long)(all - shown));
        put_line(wr, line, view->columns);
    }
    free(rates);
}

static void text_write(struct wr *wr, const char *name, struct bytes value)
{
    wr_text(wr, ",\"");
    wr_text(wr, name);
    wr_text(wr, "\":");
    daemon_json_string_write(wr, value);
}

static void row_json_write(struct wr *wr, const struct rate *rate)
{
    static const char *const names[RELAY_SAMPLE_NUMBERS] = {
        [RELAY_SAMPLE_WORKER] = "worker",
        [RELAY_SAMPLE_INDEX] = "index",
        [RELAY_SAMPLE_GENERATION] = "generation",
        [RELAY_SAMPLE_AGE_MS] = "age_ms",
        [RELAY_SAMPLE_LEFT_MS] = "expires_ms",
        [RELAY_SAMPLE_PERMISSIONS] = "permissions",
        [RELAY_SAMPLE_CHANNELS] = "channels",
        [RELAY_SAMPLE_SOCKETS_TO_PEER_PACKETS] = "sockets_to_peer_packets",
        [RELAY_SAMPLE_SOCKETS_TO_PEER_BYTES] = "sockets_to_peer_bytes",
        [RELAY_SAMPLE_SOCKETS_TO_CLIENT_PACKETS] = "sockets_to_client_packets",
        [RELAY_SAMPLE_SOCKETS_TO_CLIENT_BYTES] = "sockets_to_client_bytes",
        [RELAY_SAMPLE_KERNEL_TO_PEER_PACKETS] = "kernel_to_peer_packets",
        [RELAY_SAMPLE_KERNEL_TO_PEER_BYTES] = "kernel_to_peer_bytes",
        [RELAY_SAMPLE_KERNEL_TO_CLIENT_PACKETS] = "kernel_to_client_packets",
        [RELAY_SAMPLE_KERNEL_TO_CLIENT_BYTES] = "kernel_to_client_bytes",
    };
    const struct daemon_sample_row *row = rate->row;

    wr_text(wr, "{\"client\":");
    daemon_json_string_write(wr, row->texts[RELAY_SAMPLE_CLIENT]);
    text_write(wr, "username", row->texts[RELAY_SAMPLE_NAME]);
    text_write(wr, "relayed", row->texts[RELAY_SAMPLE_RELAYED]);
    if (!bytes_equal_text(row->texts[RELAY_SAMPLE_RELAYED_TOO], "none")) {
        text_write(wr, "relayed_too", row->texts[RELAY_SAMPLE_RELAYED_TOO]);
    }
    text_write(wr, "path", bytes_of_text(path_of(rate)));
    daemon_json_number_write(wr, "to_peer_bytes_per_s", rate->to_peer_bytes);
    daemon_json_number_write(wr, "to_peer_packets_per_s", rate->to_peer_packets);
    daemon_json_number_write(wr, "to_client_bytes_per_s", rate->to_client_bytes);
    daemon_json_number_write(wr, "to_client_packets_per_s", rate->to_client_packets);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        daemon_json_number_write(wr, names[i], row->numbers[i]);
    }
    wr_u8(wr, '}');
}

static void object_json_write(struct wr *wr, const struct daemon_sample *sample,
                              enum daemon_sample_sort sort, const char *name)
{
    bool is_first = true;

    wr_text(wr, ",\"");
    wr_text(wr, name);
    wr_text(wr, "\":{");
    for (size_t i = 0; i < sample->named_count; i++) {
        if (sample->named[i].sort == sort) {
            wr_text(wr, is_first ? "" : ",");
            daemon_json_string_write(wr, sample->named[i].name);
            wr_u8(wr, ':');
            wr_decimal(wr, sample->named[i].value);
            is_first = false;
        }
    }
    wr_u8(wr, '}');
}

void relay_top_json_write(struct wr *wr, struct daemon_sample *now, struct daemon_sample *before,
                          uint32_t row_max)
{
    struct rate *rates = rates_of(now, before);

    if (rates == NULL) {
        return;
    }
    wr_text(wr, "{\"version\":");
    daemon_json_string_write(wr, now->version);
    object_json_write(wr, now, DAEMON_SAMPLE_GAUGE, "gauges");
    object_json_write(wr, now, DAEMON_SAMPLE_TOTAL, "totals");
    object_json_write(wr, now, DAEMON_SAMPLE_DROP, "drops");
    wr_text(wr, ",\"allocations\":[");
    for (size_t i = 0; i < now->row_count && i < row_max; i++) {
        wr_text(wr, i > 0 ? "," : "");
        row_json_write(wr, &rates[i]);
    }
    const uint64_t shown = now->row_count < row_max ? now->row_count : row_max;
    wr_text(wr, "]");
    daemon_json_number_write(wr, "left_out", now->row_count + now->left_out - shown);
    wr_text(wr, "}\n");
    free(rates);
}
