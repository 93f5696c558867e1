// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "daemon/daemon_json.h"
#include "daemon/daemon_screen.h"

enum {
    HEAD_TEXT_MAX = 16384,
    ROW_TEXT_MAX = 2048, // bytes: of JSON, which is the longer one
    LINE_ROOM = 512,
    TEXT_SHOWN_MAX = 192, // bytes of a text of a row
    MS_PER_S = 1000,
};

size_t tunnel_top_text_max(size_t row_count)
{
    return HEAD_TEXT_MAX + row_count * ROW_TEXT_MAX;
}

static struct bytes text_of(const struct daemon_sample_row *row, enum tunnel_sample_text text)
{
    return bytes_first(row->texts[text], TEXT_SHOWN_MAX);
}

static int compare_bytes(struct bytes a, struct bytes b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    const int order = len == 0 ? 0 : memcmp(a.ptr, b.ptr, len);

    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

// Which server or tunnel it is.
static int compare_rows(const void *a, const void *b)
{
    const struct daemon_sample_row *left = a;
    const struct daemon_sample_row *right = b;

    if (left->kind != right->kind) {
        return left->kind < right->kind ? -1 : 1;
    }
    for (size_t i = TUNNEL_SAMPLE_PORT; i <= TUNNEL_SAMPLE_LINKED_S; i++) {
        if (left->numbers[i] != right->numbers[i]) {
            return left->numbers[i] < right->numbers[i] ? -1 : 1;
        }
    }
    const int order =
        compare_bytes(left->texts[TUNNEL_SAMPLE_OWNER], right->texts[TUNNEL_SAMPLE_OWNER]);
    return order != 0
               ? order
               : compare_bytes(left->texts[TUNNEL_SAMPLE_NAME], right->texts[TUNNEL_SAMPLE_NAME]);
}

// A row, and what it has carried a second since the earlier sample.
struct shown {
    const struct daemon_sample_row *row;
    uint64_t from_clients;
    uint64_t to_clients;
};

static uint64_t grown(const struct daemon_sample_row *now, const struct daemon_sample_row *before,
                      enum tunnel_sample_number number)
{
    const uint64_t old = before == NULL ? 0 : before->numbers[number];

    return now->numbers[number] > old ? now->numbers[number] - old : 0;
}

static struct shown rate_of(const struct daemon_sample *now, const struct daemon_sample *before,
                            const struct daemon_sample_row *row)
{
    const struct daemon_sample_row *old =
        before->row_count == 0
            ? NULL
            : bsearch(row, before->rows, before->row_count, sizeof *row, compare_rows);
    const uint64_t since_ms = now->time_ms > before->time_ms ? now->time_ms - before->time_ms : 1;
    const uint64_t age_ms = row->numbers[TUNNEL_SAMPLE_AGE_S] * MS_PER_S;
    const uint64_t span_ms = old != NULL ? since_ms : age_ms > 0 ? age_ms : MS_PER_S;

    return (struct shown){
        .row = row,
        .from_clients = grown(row, old, TUNNEL_SAMPLE_FROM_CLIENTS) * MS_PER_S / span_ms,
        .to_clients = grown(row, old, TUNNEL_SAMPLE_TO_CLIENTS) * MS_PER_S / span_ms,
    };
}

static int compare_shown(const void *a, const void *b)
{
    const struct shown *left = a;
    const struct shown *right = b;
    const uint64_t left_sum = left->from_clients + left->to_clients;
    const uint64_t right_sum = right->from_clients + right->to_clients;

    if (left_sum != right_sum) {
        return left_sum > right_sum ? -1 : 1;
    }
    return compare_rows(left->row, right->row);
}

// All of them, the busiest first; memory of malloc(), or NULL.
static struct shown *sort(const struct daemon_sample *now, struct daemon_sample *before)
{
    struct shown *all = calloc(now->row_count + 1, sizeof *all);

    if (all == NULL) {
        return NULL;
    }
    if (before->row_count > 0) {
        qsort(before->rows, before->row_count, sizeof *before->rows, compare_rows);
    }
    for (size_t i = 0; i < now->row_count; i++) {
        all[i] = rate_of(now, before, &now->rows[i]);
    }
    qsort(all, now->row_count, sizeof *all, compare_shown);
    return all;
}

static void head_write(struct wr *wr, const struct daemon_sample *now, uint32_t columns)
{
    static const char *const gauges[] = {"servers",  "pairs",   "agents",    "tunnels",
                                         "sessions", "waiting", "handshakes"};
    uint8_t line[LINE_ROOM];
    struct wr head = wr_init(line, sizeof line);

    wr_text(&head, "fairlead-tunnel relay ");
    wr_bytes(&head, bytes_first(now->version, 32));
    for (size_t i = 0; i < COUNT_OF(gauges); i++) {
        wr_text(&head, i == 0 ? "   " : ", ");
        wr_text(&head, gauges[i]);
        wr_text(&head, " ");
        wr_decimal(&head, daemon_sample_value(now, bytes_of_text(gauges[i])));
    }
    daemon_screen_line(wr, wr_done(&head), columns);
}

// "laptop/web at 192.0.2.1:4711", or how long an agent that was lost has yet to come back.
static void tunnel_write(struct wr *wr, const struct daemon_sample_row *row)
{
    const uint64_t grace_ms = row->numbers[TUNNEL_SAMPLE_GRACE_MS];
    const struct bytes hosts = text_of(row, TUNNEL_SAMPLE_HOSTS);

    wr_bytes(wr, text_of(row, TUNNEL_SAMPLE_OWNER));
    wr_text(wr, "/");
    wr_bytes(wr, text_of(row, TUNNEL_SAMPLE_NAME));
    if (row->numbers[TUNNEL_SAMPLE_IS_KEPT] != 0) {
        wr_text(wr, " lost, kept for ");
        wr_decimal(wr, grace_ms / MS_PER_S);
        wr_text(wr, " s");
    } else if (bytes_equal_text(row->texts[TUNNEL_SAMPLE_ADDR], "none")) {
        wr_text(wr, " ended");
    } else {
        wr_text(wr, " at ");
        wr_bytes(wr, text_of(row, TUNNEL_SAMPLE_ADDR));
    }
    if (!bytes_equal_text(hosts, "-")) {
        wr_text(wr, " for ");
        wr_bytes(wr, hosts);
    }
}

static void row_write(struct wr *wr, const struct shown *shown, uint32_t columns)
{
    const uint64_t *numbers = shown->row->numbers;
    char text[3][DAEMON_SCREEN_NUMBER_MAX];
    const bool has_hosts = !bytes_equal_text(shown->row->texts[TUNNEL_SAMPLE_HOSTS], "-");
    char port[24];
    char line[LINE_ROOM];
    uint8_t memory[4 * TEXT_SHOWN_MAX + 64];
    struct wr whole = wr_init(memory, sizeof memory);
    const uint64_t total = numbers[TUNNEL_SAMPLE_FROM_CLIENTS] + numbers[TUNNEL_SAMPLE_TO_CLIENTS];

    if (numbers[TUNNEL_SAMPLE_PORT] != 0) {
        snprintf(port, sizeof port, "%llu", (unsigned long long)numbers[TUNNEL_SAMPLE_PORT]);
    } else {
        snprintf(port, sizeof port, "%s", has_hosts ? "tls" : "-");
    }
    snprintf(line, sizeof line, "%5s %8llu %7llu %8llu %8s %8s %8s %8llu  ", port,
             (unsigned long long)numbers[TUNNEL_SAMPLE_SESSIONS],
             (unsigned long long)numbers[TUNNEL_SAMPLE_WAITING],
             (unsigned long long)numbers[TUNNEL_SAMPLE_ENDED],
             daemon_screen_number(text[0], shown->from_clients),
             daemon_screen_number(text[1], shown->to_clients), daemon_screen_number(text[2], total),
             (unsigned long long)numbers[TUNNEL_SAMPLE_AGE_S]);
    wr_text(&whole, line);
    if (shown->row->kind == TUNNEL_SAMPLE_TUNNEL) {
        tunnel_write(&whole, shown->row);
    } else {
        wr_bytes(&whole, text_of(shown->row, TUNNEL_SAMPLE_ADDR));
    }
    daemon_screen_line(wr, wr_done(&whole), columns);
}

void tunnel_top_table_write(struct wr *wr, struct daemon_sample *now, struct daemon_sample *before,
                            const struct daemon_query_view *view)
{
    static const char titles[] = " PORT  CLIENTS WAITING    ENDED     IN/s    OUT/s    BYTES    "
                                 "AGE_s  SERVER OR TUNNEL";
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

static void json_row_write(struct wr *wr, const struct shown *shown)
{
    static const char *const names[] = {"port",     "linked_s", "age_s",        "sessions",
                                        "waiting",  "ended",    "from_clients", "to_clients",
                                        "standing", "is_kept",  "grace_ms"};
    static const char *const texts[] = {"agent", "owner", "name", "hosts"};
    const struct daemon_sample_row *row = shown->row;
    const struct daemon_sample_kind *kind = &tunnel_sample_kinds[row->kind];

    _Static_assert(COUNT_OF(names) == TUNNEL_SAMPLE_TUNNEL_NUMBERS, "each has a name");
    _Static_assert(COUNT_OF(texts) == TUNNEL_SAMPLE_TEXTS, "likewise");
    wr_text(wr, "{");
    for (size_t i = 0; i < kind->text_count; i++) {
        wr_text(wr, i == 0 ? "\"" : ",\"");
        wr_text(wr, row->kind == TUNNEL_SAMPLE_SERVER ? "server" : texts[i]);
        wr_text(wr, "\":");
        daemon_json_string_write(wr, text_of(row, (enum tunnel_sample_text)i));
    }
    for (size_t i = 0; i < kind->number_count; i++) {
        daemon_json_number_write(wr, names[i], row->numbers[i]);
    }
    daemon_json_number_write(wr, "from_clients_per_s", shown->from_clients);
    daemon_json_number_write(wr, "to_clients_per_s", shown->to_clients);
    wr_text(wr, "}");
}

void tunnel_top_json_write(struct wr *wr, struct daemon_sample *now, struct daemon_sample *before,
                           uint32_t row_max)
{
    struct shown *all = sort(now, before);

    if (all == NULL) {
        return;
    }
    wr_text(wr, "{\"version\":");
    daemon_json_string_write(wr, bytes_first(now->version, TEXT_SHOWN_MAX));
    for (size_t i = 0; i < now->named_count; i++) {
        char name[32];

        snprintf(name, sizeof name, "%.*s", (int)now->named[i].name.len,
                 (const char *)now->named[i].name.ptr);
        daemon_json_number_write(wr, name, now->named[i].value);
    }
    wr_text(wr, ",\"list\":[");
    for (size_t i = 0; i < now->row_count && i < row_max; i++) {
        wr_text(wr, i == 0 ? "" : ",");
        json_row_write(wr, &all[i]);
    }
    wr_text(wr, "]}\n");
    free(all);
}
