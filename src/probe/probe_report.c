// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_report.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/macro.h"

void probe_report_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

static void rows_print(const struct probe_report *report, FILE *out)
{
    fprintf(out, "\n%-12s %6s %6s %14s %14s %14s\n", "packets/s", "train", "size", "without loss",
            "at overload", "of sent");
    for (uint32_t i = 0; i < report->row_count; i++) {
        const struct probe_report_row *row = &report->rows[i];
        fprintf(out, "%-12s %6u %6u %13.0f%c %14.0f %14.0f\n", probe_config_ways[row->way],
                row->train, row->size, row->loss_free, row->is_limited_by_load ? '+' : ' ',
                row->overload, row->overload_sent);
    }
    fprintf(out, "(0: not measured, or none; +: this host could not send more)\n");
}

static void latencies_print(const struct probe_report *report, FILE *out)
{
    fprintf(out, "\n%-28s %9s %9s %9s %9s\n", "there and back, us", "p50", "p99", "p99.9", "lost");
    for (uint32_t i = 0; i < report->latency_count; i++) {
        const struct probe_report_latency *one = &report->latencies[i];
        fprintf(out, "beside %9.0f packets/s %11.0f %9.0f %9.0f %8.2f%%\n", one->rate,
                (double)one->p50_ns / 1e3, (double)one->p99_ns / 1e3, (double)one->p999_ns / 1e3,
                one->sent > 0 ? 100.0 * (one->sent - one->count) / one->sent : 0);
    }
}

static void floods_print(const struct probe_report *report, FILE *out)
{
    fprintf(out, "\n%-12s %14s %14s %10s\n", "flood", "datagrams/s", "packets/s", "arrived");
    for (uint32_t i = 0; i < report->flood_count; i++) {
        const struct probe_report_flood *one = &report->floods[i];
        fprintf(out, "%-12s %14.0f %14.0f %9.1f%%%s\n", probe_flood_names[one->kind], one->rate,
                one->legitimate, 100 * one->goodput,
                one->is_held ? "" : "  (this host could not send more)");
    }
}

void probe_report_table(const struct probe_report *report, FILE *out)
{
    char text[PROBE_ENDPOINT_TEXT_MAX];

    fprintf(out, "%s, %u clients, trials of %u s\n",
            probe_endpoint_text(&report->config->server, text), report->config->client_count,
            report->config->seconds);
    if (report->row_count > 0) {
        rows_print(report, out);
    }
    if (report->latency_count > 0) {
        latencies_print(report, out);
    }
    if (report->allocations > 0) {
        fprintf(out, "\nallocations/s, each challenged first: %.0f\n", report->allocations);
    }
    if (report->flood_count > 0) {
        floods_print(report, out);
    }
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

void probe_report_json(const struct probe_report *report, FILE *out)
{
    char text[PROBE_ENDPOINT_TEXT_MAX];

    fprintf(out, "{\"server\":\"%s\",\"clients\":%u,\"seconds\":%u,\"packets\":[",
            probe_endpoint_text(&report->config->server, text), report->config->client_count,
            report->config->seconds);
    for (uint32_t i = 0; i < report->row_count; i++) {
        const struct probe_report_row *row = &report->rows[i];
        fprintf(out,
                "%s{\"direction\":\"%s\",\"train\":%u,\"size\":%u,\"loss_free\":%.0f,"
                "\"is_limited_by_load\":%s,\"overload_sent\":%.0f,\"overload\":%.0f}",
                i > 0 ? "," : "", probe_config_ways[row->way], row->train, row->size,
                row->loss_free, truth(row->is_limited_by_load), row->overload_sent, row->overload);
    }
    fprintf(out, "],\"latencies\":[");
    for (uint32_t i = 0; i < report->latency_count; i++) {
        const struct probe_report_latency *one = &report->latencies[i];
        fprintf(out,
                "%s{\"rate\":%.0f,\"sent\":%u,\"returned\":%u,\"p50_ns\":%" PRIu64
                ",\"p99_ns\":%" PRIu64 ",\"p999_ns\":%" PRIu64 "}",
                i > 0 ? "," : "", one->rate, one->sent, one->count, one->p50_ns, one->p99_ns,
                one->p999_ns);
    }
    fprintf(out, "],\"allocations\":%.0f,\"floods\":[", report->allocations);
    for (uint32_t i = 0; i < report->flood_count; i++) {
        const struct probe_report_flood *one = &report->floods[i];
        fprintf(out,
                "%s{\"kind\":\"%s\",\"rate\":%.0f,\"legitimate\":%.0f,\"goodput\":%.4f,"
                "\"is_held\":%s}",
                i > 0 ? "," : "", probe_flood_names[one->kind], one->rate, one->legitimate,
                one->goodput, truth(one->is_held));
    }
    fprintf(out, "]}\n");
}
