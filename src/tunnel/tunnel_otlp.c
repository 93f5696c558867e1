// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_otlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/io_clock.h"
#include "io/io_random.h"
#include "log/log.h"
#include "telemetry/telemetry_otlp_spans.h"
#include "tunnel/tunnel_metrics.h"
#include "tunnel/tunnel_report.h"

enum {
    NUMBERS = 3,     // labels of a span that are numbers
    NUMBER_MAX = 24, // bytes of one
};

#define MILLI_NS (SECOND_NS / 1000)

static const struct telemetry_otlp_scope scopes[] = {{"tunnel", "tunnel."}};

static void snapshot_take(void *context, void *out)
{
    const struct tunnel_otlp *otlp = context;

    tunnel_board_read(otlp->board, out);
}

static size_t spans_gather(void *context)
{
    static struct log_limit limit = {.interval_ns = 60 * SECOND_NS, .burst = 1};
    struct tunnel_otlp *otlp = context;
    uint64_t lost_count = 0;
    uint64_t lost = 0;

    bool has_more = true;
    while (has_more && otlp->waiting_count < TUNNEL_OTLP_SPAN_MAX) {
        struct tunnel_span *place = &otlp->waiting[otlp->waiting_count];
        has_more = tunnel_spans_take(otlp->spans, place, &lost);
        otlp->waiting_count += has_more;
        lost_count += lost;
    }
    if (lost_count > 0) {
        LOG_LIMITED(&limit, LOG_LEVEL_WARN, "spans were lost, since more came than are taken",
                    LOG_NUMBER("count", lost_count));
    }
    return otlp->waiting_count;
}

// `offset_ns` is what the wall clock is ahead of the monotonic one.
static void span_write(const struct tunnel_span *from, uint64_t offset_ns,
                       char numbers[NUMBERS][NUMBER_MAX], struct telemetry_otlp_span *out)
{
    const uint64_t waited_ms = (from->joined_ns - from->start_ns) / MILLI_NS;

    snprintf(numbers[0], NUMBER_MAX, "%" PRIu64, waited_ms);
    snprintf(numbers[1], NUMBER_MAX, "%" PRIu64, from->bytes[0]);
    snprintf(numbers[2], NUMBER_MAX, "%" PRIu64, from->bytes[1]);
    *out = (struct telemetry_otlp_span){
        .name = "session",
        .start_ns = from->start_ns + offset_ns,
        .end_ns = from->end_ns + offset_ns,
        // What client or server does is no failure of ours.
        .failure = from->why == IO_PUMP_NO_MEMORY || from->why == IO_PUMP_FAILED
                       ? tunnel_report_why(from->why)
                       : NULL,
        .labels =
            {
                {"reason", tunnel_report_why(from->why), METRIC_LABEL_TEXT},
                {"waited_ms", numbers[0], METRIC_LABEL_NUMBER},
                {"bytes_from_client", numbers[1], METRIC_LABEL_NUMBER},
                {"bytes_to_client", numbers[2], METRIC_LABEL_NUMBER},
                {"network.transport", "tcp", METRIC_LABEL_TEXT},
                {"network.type", from->is_ip6 ? "ipv6" : "ipv4", METRIC_LABEL_TEXT},
            },
    };
    io_random_fill(out->trace_id, sizeof out->trace_id);
    io_random_fill(out->span_id, sizeof out->span_id);
}

static bool spans_write(void *context, struct telemetry_arena *arena,
                        const struct telemetry_resource *resource, struct wr *wr)
{
    const struct tunnel_otlp *otlp = context;
    const uint64_t offset_ns = daemon_otlp_wall_ns() - io_clock_now().mono_ns;
    struct telemetry_otlp_span *spans = calloc(otlp->waiting_count, sizeof *spans);
    char(*numbers)[NUMBERS][NUMBER_MAX] = calloc(otlp->waiting_count, sizeof *numbers);
    bool is_written = spans != NULL && numbers != NULL;

    for (size_t i = 0; is_written && i < otlp->waiting_count; i++) {
        span_write(&otlp->waiting[i], offset_ns, numbers[i], &spans[i]);
    }
    is_written = is_written && telemetry_otlp_spans_write(arena, resource, "tunnel", spans,
                                                          otlp->waiting_count, wr);
    free(numbers);
    free(spans);
    return is_written;
}

static void spans_drop(void *context)
{
    struct tunnel_otlp *otlp = context;

    otlp->waiting_count = 0;
}

int tunnel_otlp_open(struct tunnel_otlp *otlp, const struct daemon_otlp_config *config,
                     struct tunnel_board *board, struct tunnel_spans *spans)
{
    const struct daemon_otlp_subject subject = {
        .scopes = scopes,
        .scope_count = COUNT_OF(scopes),
        .families = tunnel_metrics_families,
        .family_count = tunnel_metrics_family_count,
        .snapshot_size = sizeof(struct tunnel_snapshot),
        .snapshot_take = snapshot_take,
        .spans_gather = spans_gather,
        .spans_write = spans_write,
        .spans_drop = spans_drop,
        .context = otlp,
    };

    otlp->board = board;
    otlp->spans = spans;
    otlp->waiting_count = 0;
    return daemon_otlp_open(&otlp->daemon, config, &subject);
}
