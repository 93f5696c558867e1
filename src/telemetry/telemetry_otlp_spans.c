// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_otlp_spans.h"

#include <assert.h>

enum { FLAG_SAMPLED = 1 }; // W3C Trace Context section 3.2.2.5

static ProtobufCBinaryData id(const uint8_t *ptr, size_t len)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)ptr, .len = len};
}

static Otlp__Status *failure_of(struct telemetry_arena *arena, const char *message)
{
    Otlp__Status *status = TELEMETRY_OTLP_NEW(arena, Otlp__Status, otlp__status__init);

    if (status != NULL) {
        status->code = OTLP__STATUS_CODE__STATUS_ERROR;
        status->message = telemetry_otlp_borrow(message);
    }
    return status;
}

static Otlp__Span *make(struct telemetry_arena *arena, const struct telemetry_otlp_span *from)
{
    Otlp__Span *span = TELEMETRY_OTLP_NEW(arena, Otlp__Span, otlp__span__init);

    assert(from->start_ns <= from->end_ns);
    if (span == NULL) {
        return NULL;
    }
    span->trace_id = id(from->trace_id, sizeof from->trace_id);
    span->span_id = id(from->span_id, sizeof from->span_id);
    span->name = telemetry_otlp_borrow(from->name);
    span->kind = OTLP__SPAN_KIND__KIND_SERVER;
    span->flags = FLAG_SAMPLED;
    span->start_time_unix_nano = from->start_ns;
    span->end_time_unix_nano = from->end_ns;
    span->attributes = telemetry_otlp_labels(arena, from->labels, TELEMETRY_OTLP_SPAN_LABEL_MAX,
                                             &span->n_attributes);
    if (from->failure != NULL) {
        span->status = failure_of(arena, from->failure);
    }
    return span;
}

bool telemetry_otlp_spans_write(struct telemetry_arena *arena,
                                const struct telemetry_resource *resource, const char *scope,
                                const struct telemetry_otlp_span *spans, size_t count,
                                struct wr *out)
{
    Otlp__ExportTraceRequest request = OTLP__EXPORT_TRACE_REQUEST__INIT;
    Otlp__ResourceSpans origin = OTLP__RESOURCE_SPANS__INIT;
    Otlp__ScopeSpans group = OTLP__SCOPE_SPANS__INIT;
    Otlp__ResourceSpans *origins[] = {&origin};
    Otlp__ScopeSpans *groups[] = {&group};

    telemetry_arena_reset(arena);
    request.resource_spans = origins;
    request.n_resource_spans = 1;
    origin.resource = telemetry_otlp_resource(arena, resource);
    origin.scope_spans = groups;
    origin.n_scope_spans = 1;
    group.scope = telemetry_otlp_scope(arena, scope);
    group.spans = telemetry_otlp_list(arena, count);
    for (size_t i = 0; group.spans != NULL && i < count; i++) {
        group.spans[group.n_spans++] = make(arena, &spans[i]);
    }
    return telemetry_otlp_pack(arena, &request.base, out);
}
