// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_otlp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/now.h"
#include "io/io_clock.h"
#include "io/io_random.h"
#include "log/log.h"
#include "relay/relay_metrics.h"
#include "stun/stun_error.h"
#include "stun/stun_header.h"
#include "telemetry/telemetry_otlp_spans.h"
#include "turn/turn_stats.h"

enum {
    CODE_LEN = 4,        // digits of an error code, with a NUL
    SERVER_ERRORS = 500, // the first code of those whose cause is here (RFC 8489 section 14.8)
};

// Firezone's relay has these.
static const struct telemetry_otlp_scope scopes[] = {
    {"relay", "relay."},
    {"connlib", "eventloop."},
};

static void snapshot_take(void *context, void *out)
{
    const struct relay_otlp *otlp = context;

    relay_snapshot_take(out, &otlp->crew->share);
}

static size_t spans_gather(void *context)
{
    struct relay_otlp *otlp = context;
    static struct log_limit limit = {.interval_ns = 60 * SECOND_NS, .burst = 1};
    uint64_t lost_count = 0;

    for (uint32_t i = 0; i < otlp->crew->count; i++) {
        struct relay_spans *spans = &otlp->crew->members[i].worker.spans;
        while (otlp->waiting_count < RELAY_OTLP_SPAN_MAX &&
               relay_spans_take(spans, &otlp->waiting[otlp->waiting_count])) {
            otlp->waiting_count++;
        }
        lost_count += atomic_load_explicit(&spans->lost_count, memory_order_relaxed);
    }
    if (lost_count > otlp->lost_count) {
        LOG_LIMITED(&limit, LOG_LEVEL_WARN, "spans were lost, since more came than are taken",
                    LOG_NUMBER("count", lost_count - otlp->lost_count));
        otlp->lost_count = lost_count;
    }
    return otlp->waiting_count;
}

// `offset_ns` is what the wall clock is ahead of the monotonic one.
static void span_write(const struct relay_span *from, uint64_t offset_ns, char code[CODE_LEN],
                       struct telemetry_otlp_span *out)
{
    const bool is_error = from->code != 0;
    // What is the client's doing is no failure of ours.
    const bool is_failure = from->code >= SERVER_ERRORS;

    snprintf(code, CODE_LEN, "%u", from->code % 1000U);
    *out = (struct telemetry_otlp_span){
        .name = stun_header_method_name(from->method),
        .start_ns = from->start_ns + offset_ns,
        .end_ns = from->end_ns + offset_ns,
        .failure = is_failure ? stun_error_reason((enum stun_error_code)from->code) : NULL,
        .labels =
            {
                {"message_type", turn_stats_word((enum stun_method)from->method),
                 METRIC_LABEL_TEXT},
                {"response_class", is_error ? "error" : "success", METRIC_LABEL_TEXT},
                {"network.transport", "udp", METRIC_LABEL_TEXT},
                {"network.type", from->is_ip6 ? "ipv6" : "ipv4", METRIC_LABEL_TEXT},
                {is_error ? "error_code" : NULL, code, METRIC_LABEL_NUMBER},
            },
    };
    io_random_fill(out->trace_id, sizeof out->trace_id);
    io_random_fill(out->span_id, sizeof out->span_id);
}

static bool spans_write(void *context, struct telemetry_arena *arena,
                        const struct telemetry_resource *resource, struct wr *wr)
{
    const struct relay_otlp *otlp = context;
    const uint64_t offset_ns = daemon_otlp_wall_ns() - io_clock_now().mono_ns;
    struct telemetry_otlp_span *spans = calloc(otlp->waiting_count, sizeof *spans);
    char(*codes)[CODE_LEN] = calloc(otlp->waiting_count, sizeof *codes);
    bool is_written = spans != NULL && codes != NULL;

    for (size_t i = 0; is_written && i < otlp->waiting_count; i++) {
        span_write(&otlp->waiting[i], offset_ns, codes[i], &spans[i]);
    }
    is_written = is_written && telemetry_otlp_spans_write(arena, resource, "relay", spans,
                                                          otlp->waiting_count, wr);
    free(codes);
    free(spans);
    return is_written;
}

static void spans_drop(void *context)
{
    struct relay_otlp *otlp = context;

    otlp->waiting_count = 0;
}

int relay_otlp_open(struct relay_otlp *otlp, const struct relay_config *config,
                    struct relay_crew *crew)
{
    const struct daemon_otlp_subject subject = {
        .scopes = scopes,
        .scope_count = COUNT_OF(scopes),
        .families = relay_metrics_families,
        .family_count = relay_metrics_family_count,
        .snapshot_size = sizeof(struct relay_snapshot),
        .snapshot_take = snapshot_take,
        .spans_gather = spans_gather,
        .spans_write = spans_write,
        .spans_drop = spans_drop,
        .context = otlp,
    };

    otlp->crew = crew;
    otlp->waiting_count = 0;
    otlp->lost_count = 0;
    return daemon_otlp_open(&otlp->daemon, &config->otlp, &subject);
}
