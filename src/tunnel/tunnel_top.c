// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_top.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/daemon_json.h"
#include "daemon/daemon_screen.h"

enum {
    HEAD_TEXT_MAX = 4096,
    ROW_TEXT_MAX = 512, // bytes: of JSON, which is the longer one
    LINE_ROOM = 256,
    MS_PER_S = 1000,
};

size_t tunnel_top_text_max(size_t row_count)
{
    return HEAD_TEXT_MAX + row_count * ROW_TEXT_MAX;
}

// What a server has carried a second since the earlier sample.
struct rate {
    uint64_t from_clients;
    uint64_t to_clients;
};

// By port, as the relay tells them.
static const struct tunnel_sample_row *find(const struct tunnel_sample *sample,
                                            const struct tunnel_sample_row *row)
{
    size_t low = 0;
    size_t high = sample->row_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct tunnel_sample_row *found = &sample->rows[middle];

        if (found->numbers[TUNNEL_SAMPLE_PORT] == row->numbers[TUNNEL_SAMPLE_PORT]) {
            const bool is_same =
                found->numbers[TUNNEL_SAMPLE_LINKED_S] == row->numbers[TUNNEL_SAMPLE_LINKED_S];
            return is_same ? found : NULL;
        }
        if (found->numbers[TUNNEL_SAMPLE_PORT] < row->numbers[TUNNEL_SAMPLE_PORT]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static uint64_t grown(const struct tunnel_sample_row *now, const struct tunnel_sample_row *before,
                      enum tunnel_sample_number number)
{
    const uint64_t old = before == NULL ? 0 : before->numbers[number];

    return now->numbers[number] > old ? now->numbers[number] - old : 0;
}

static struct rate rate_of(const struct tunnel_sample *now, const struct tunnel_sample *before,
                           const struct tunnel_sample_row *row)
{
    const struct tunnel_sample_row *old = find(before, row);
    const uint64_t since_ms = now->time_ms > before->time_ms ? now->time_ms - before->time_ms : 1;
    const uint64_t age_ms = row->numbers[TUNNEL_SAMPLE_AGE_S] * MS_PER_S;
    const uint64_t span_ms = old != NULL ? since_ms : age_ms > 0 ? age_ms : MS_PER_S;

    return (struct rate){
        .from_clients = grown(row, old, TUNNEL_SAMPLE_FROM_CLIENTS) * MS_PER_S / span_ms,
        .to_clients = grown(row, old, TUNNEL_SAMPLE_TO_CLIENTS) * MS_PER_S / span_ms,
    };
}

// A row, and what is shown of it besides.
struct shown {
    const struct tunnel_sample_row *row;
    struct rate rate;
};

static int compare(const void *a, const void *b)
{
    const struct shown *left = a;
    const struct shown *right = b;
    const uint64_t left_sum = left->rate.from_clients + left->rate.to_clients;
    const uint64_t right_sum = right->rate.from_clients + right->rate.to_clients;
    const uint64_t left_port = left->row->numbers[TUNNEL_SAMPLE_PORT];
    const uint64_t right_port = right->row->numbers[TUNNEL_SAMPLE_PORT];

    if (left_sum != right_sum) {
        return left_sum > right_sum ? -1 : 1;
    }
    return left_port < right_port ? -1 : left_port > right_port;
}

// All of them, the busiest first; memory of malloc(), or NULL.
static struct shown *sort(const struct tunnel_sample *now, const struct tunnel_sample *before)
{
    struct shown *all = calloc(now->row_count + 1, sizeof *all);

    for (size_t i = 0; all != NULL && i < now->row_count; i++) {
        all[i] = (struct shown){&now->rows[i], rate_of(now, before, &now->rows[i])};
    }
    if (all != NULL) {
        qsort(all, now->row_count, sizeof *all, compare);
    }
    return all;
}

static void head_write(struct wr *wr, const struct tunnel_sample *now, uint32_t columns)
{
    static const char *const gauges[] = {"servers", "pairs", "sessions", "waiting", "handshakes"};
    uint8_t line[LINE_ROOM];
    struct wr head = wr_init(line, sizeof line);

    wr_text(&head, "fairlead-tunnel relay ");
    wr_bytes(&head, bytes_first(now->version, 32));
    for (size_t i = 0; i < COUNT_OF(gauges); i++) {
        wr_text(&head, i == 0 ? "   " : ", ");
        wr_text(&head, gauges[i]);
        wr_text(&head, " ");
        wr_decimal(&head, tunnel_sample_gauge(now, gauges[i]));
    }
    daemon_screen_line(wr, wr_done(&head), columns);
}

static void row_write(struct wr *wr, const struct shown *shown, uint32_t columns)
{
    const uint64_t *numbers = shown->row->numbers;
    const struct bytes server = bytes_first(shown->row->server, 64);
    char text[3][DAEMON_SCREEN_NUMBER_MAX];
    char line[LINE_ROOM];
    const uint64_t total = numbers[TUNNEL_SAMPLE_FROM_CLIENTS] + numbers[TUNNEL_SAMPLE_TO_CLIENTS];

    snprintf(line, sizeof line, "%5llu %8llu %7llu %8llu %8s %8s %8s %8llu  %.*s",
             (unsigned long long)numbers[TUNNEL_SAMPLE_PORT],
             (unsigned long long)numbers[TUNNEL_SAMPLE_SESSIONS],
             (unsigned long long)numbers[TUNNEL_SAMPLE_WAITING],
             (unsigned long long)numbers[TUNNEL_SAMPLE_ENDED],
             daemon_screen_number(text[0], shown->rate.from_clients),
             daemon_screen_number(text[1], shown->rate.to_clients),
             daemon_screen_number(text[2], total), (unsigned long long)numbers[TUNNEL_SAMPLE_AGE_S],
             (int)server.len, (const char *)server.ptr);
    daemon_screen_line(wr, bytes_of_text(line), columns);
}

void tunnel_top_table_write(struct wr *wr, struct tunnel_sample *now,
                            const struct tunnel_sample *before, const struct tunnel_top_view *view)
{
    static const char titles[] = " PORT  CLIENTS WAITING    ENDED     IN/s    OUT/s    BYTES    "
                                 "AGE_s  SERVER";
    struct shown *all = sort(now, before);

    if (all == NULL) {
        return;
    }
    head_write(wr, now, view->columns);
    wr_text(wr, "\n");
    daemon_screen_line(wr, bytes_of_text(titles), view->columns);
    for (size_t i = 0; i < now->row_count && i < view->row_max; i++) {
        row_write(wr, &all[i], view->columns);
    }
    if (now->row_count > view->row_max) {
        wr_text(wr, "and ");
        wr_decimal(wr, now->row_count - view->row_max);
        wr_text(wr, " more\n");
    }
    free(all);
}

void tunnel_top_json_write(struct wr *wr, struct tunnel_sample *now,
                           const struct tunnel_sample *before, uint32_t row_max)
{
    static const char *const names[] = {"port",    "linked_s", "age_s",        "sessions",
                                        "waiting", "ended",    "from_clients", "to_clients"};
    struct shown *all = sort(now, before);

    _Static_assert(COUNT_OF(names) == TUNNEL_SAMPLE_NUMBERS, "each has a name");
    if (all == NULL) {
        return;
    }
    wr_text(wr, "{\"version\":");
    daemon_json_string_write(wr, now->version);
    for (size_t i = 0; i < now->gauge_count; i++) {
        char name[32];

        snprintf(name, sizeof name, "%.*s", (int)now->gauges[i].name.len,
                 (const char *)now->gauges[i].name.ptr);
        daemon_json_number_write(wr, name, now->gauges[i].value);
    }
    wr_text(wr, ",\"list\":[");
    for (size_t i = 0; i < now->row_count && i < row_max; i++) {
        wr_text(wr, i == 0 ? "{\"server\":" : ",{\"server\":");
        daemon_json_string_write(wr, bytes_first(all[i].row->server, 64));
        for (size_t n = 0; n < TUNNEL_SAMPLE_NUMBERS; n++) {
            daemon_json_number_write(wr, names[n], all[i].row->numbers[n]);
        }
        daemon_json_number_write(wr, "from_clients_per_s", all[i].rate.from_clients);
        daemon_json_number_write(wr, "to_clients_per_s", all[i].rate.to_clients);
        wr_text(wr, "}");
    }
    wr_text(wr, "]}\n");
    free(all);
}
