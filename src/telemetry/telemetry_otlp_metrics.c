// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_otlp_metrics.h"

#include <assert.h>

// A family on its way into the request.
struct part {
    const struct telemetry_otlp_metrics *from;
    const struct metric_family *family;
    struct telemetry_arena *arena;
};

static bool is_delta(const struct part *part)
{
    return part->from->window.temporality != TELEMETRY_OTLP_CUMULATIVE &&
           part->family->kind != METRIC_GAUGE;
}

static Otlp__Temporality temporality(const struct part *part)
{
    return is_delta(part) ? OTLP__TEMPORALITY__DELTA : OTLP__TEMPORALITY__CUMULATIVE;
}

static uint64_t start_ns(const struct part *part)
{
    return is_delta(part) ? part->from->window.since_ns : part->from->window.start_ns;
}

static double in_unit(const struct part *part, uint64_t steps)
{
    return part->family->steps > 1 ? (double)steps / (double)part->family->steps : (double)steps;
}

// What is to be told of one number among those of a series.
static uint64_t told(const struct part *part, const struct metric_series *series, size_t index)
{
    const uint64_t now = metric_series_value(series, part->from->now)[index];
    const uint64_t before = metric_series_value(series, part->from->before)[index];

    // What the kernel counts begins anew with its program.
    return is_delta(part) && now >= before ? now - before : now;
}

// NULL: there is nothing to tell, or the arena is full.
static Otlp__NumberPoint *number(const struct part *part, const struct metric_series *series)
{
    const uint64_t value = told(part, series, 0);

    if (is_delta(part) && value == 0) {
        return NULL;
    }
    Otlp__NumberPoint *point =
        TELEMETRY_OTLP_NEW(part->arena, Otlp__NumberPoint, otlp__number_point__init);
    if (point != NULL) {
        point->start_time_unix_nano = start_ns(part);
        point->time_unix_nano = part->from->window.now_ns;
        point->value_case = OTLP__NUMBER_POINT__VALUE_AS_INT;
        point->as_int = (int64_t)value;
        point->attributes = telemetry_otlp_labels(part->arena, series->labels, METRIC_LABEL_MAX,
                                                  &point->n_attributes);
    }
    return point;
}

// The points of a sum or gauge. NULL when the arena is full.
static Otlp__NumberPoint **numbers(const struct part *part, size_t *count)
{
    Otlp__NumberPoint **points = telemetry_otlp_list(part->arena, part->family->series_count);

    assert(part->family->steps <= 1); // numbers are told as integers
    *count = 0;
    for (size_t i = 0; points != NULL && i < part->family->series_count; i++) {
        Otlp__NumberPoint *point = number(part, &part->family->series[i]);
        if (point != NULL) {
            points[(*count)++] = point;
        }
    }
    return points;
}

static bool add_sum(const struct part *part, Otlp__Metric *metric)
{
    Otlp__Sum *sum = TELEMETRY_OTLP_NEW(part->arena, Otlp__Sum, otlp__sum__init);

    if (sum == NULL) {
        return false;
    }
    sum->aggregation_temporality = temporality(part);
    sum->is_monotonic = part->family->kind == METRIC_COUNTER;
    sum->data_points = numbers(part, &sum->n_data_points);
    metric->data_case = OTLP__METRIC__DATA_SUM;
    metric->sum = sum;
    return sum->n_data_points > 0;
}

static bool add_gauge(const struct part *part, Otlp__Metric *metric)
{
    Otlp__Gauge *gauge = TELEMETRY_OTLP_NEW(part->arena, Otlp__Gauge, otlp__gauge__init);

    if (gauge == NULL) {
        return false;
    }
    gauge->data_points = numbers(part, &gauge->n_data_points);
    metric->data_case = OTLP__METRIC__DATA_GAUGE;
    metric->gauge = gauge;
    return gauge->n_data_points > 0;
}

// NULL as above.
static Otlp__HistogramPoint *histogram(const struct part *part, const struct metric_series *series,
                                       double *bounds)
{
    const size_t bound_count = part->family->bounds->count;
    uint64_t *counts = telemetry_arena_take(part->arena, bound_count + 1, sizeof(*counts));
    uint64_t all = 0;

    for (size_t i = 0; counts != NULL && i <= bound_count; i++) {
        counts[i] = told(part, series, i);
        all += counts[i];
    }
    if (is_delta(part) && all == 0) {
        return NULL;
    }
    Otlp__HistogramPoint *point =
        TELEMETRY_OTLP_NEW(part->arena, Otlp__HistogramPoint, otlp__histogram_point__init);
    if (point == NULL) {
        return NULL;
    }
    point->start_time_unix_nano = start_ns(part);
    point->time_unix_nano = part->from->window.now_ns;
    point->count = all;
    point->summed_case = OTLP__HISTOGRAM_POINT__SUMMED_SUM;
    point->sum = in_unit(part, told(part, series, bound_count + 1));
    point->bucket_counts = counts;
    point->n_bucket_counts = bound_count + 1;
    point->explicit_bounds = bounds;
    point->n_explicit_bounds = bound_count;
    point->attributes =
        telemetry_otlp_labels(part->arena, series->labels, METRIC_LABEL_MAX, &point->n_attributes);
    return point;
}

static bool add_histogram(const struct part *part, Otlp__Metric *metric)
{
    const struct histogram_bounds *bounds = part->family->bounds;
    Otlp__Histogram *made = TELEMETRY_OTLP_NEW(part->arena, Otlp__Histogram, otlp__histogram__init);
    Otlp__HistogramPoint **points = telemetry_otlp_list(part->arena, part->family->series_count);
    double *upper = telemetry_arena_take(part->arena, bounds->count, sizeof(*upper));

    if (made == NULL || points == NULL || upper == NULL) {
        return false;
    }
    for (size_t i = 0; i < bounds->count; i++) {
        upper[i] = in_unit(part, bounds->upper[i]);
    }
    made->aggregation_temporality = temporality(part);
    made->data_points = points;
    for (size_t i = 0; i < part->family->series_count; i++) {
        Otlp__HistogramPoint *point = histogram(part, &part->family->series[i], upper);
        if (point != NULL) {
            points[made->n_data_points++] = point;
        }
    }
    metric->data_case = OTLP__METRIC__DATA_HISTOGRAM;
    metric->histogram = made;
    return made->n_data_points > 0;
}

// NULL: it has no points, or the arena is full.
static Otlp__Metric *metric_of(const struct part *part)
{
    const struct metric_family *family = part->family;
    Otlp__Metric *metric = TELEMETRY_OTLP_NEW(part->arena, Otlp__Metric, otlp__metric__init);
    bool has_points = false;

    if (metric == NULL || family->series_count == 0) {
        return NULL;
    }
    metric->name = telemetry_otlp_borrow(family->name);
    metric->unit = telemetry_otlp_borrow(family->unit);
    metric->description = telemetry_otlp_borrow(family->help);
    switch (family->kind) {
    case METRIC_COUNTER:
        has_points = add_sum(part, metric);
        break;
    case METRIC_GAUGE:
        has_points = bytes_equal_text(bytes_of_text(family->unit), "1") ? add_gauge(part, metric)
                                                                        : add_sum(part, metric);
        break;
    case METRIC_HISTOGRAM:
        has_points = add_histogram(part, metric);
        break;
    case METRIC_FOREIGN:
        break;
    }
    return has_points ? metric : NULL;
}

static const struct telemetry_otlp_scope *scope_of(const struct telemetry_otlp_metrics *metrics,
                                                   const struct metric_family *family)
{
    for (size_t i = 0; i < metrics->scope_count; i++) {
        const struct bytes prefix = bytes_of_text(metrics->scopes[i].prefix);
        if (bytes_equal(bytes_first(bytes_of_text(family->name), prefix.len), prefix)) {
            return &metrics->scopes[i];
        }
    }
    return NULL;
}

static void scope_make(const struct telemetry_otlp_metrics *metrics,
                       const struct telemetry_otlp_scope *scope, struct telemetry_arena *arena,
                       Otlp__ScopeMetrics *out)
{
    *out = (Otlp__ScopeMetrics)OTLP__SCOPE_METRICS__INIT;
    out->scope = telemetry_otlp_scope(arena, scope->name);
    out->metrics = telemetry_otlp_list(arena, metrics->family_count);
    for (size_t i = 0; out->metrics != NULL && i < metrics->family_count; i++) {
        const struct part part = {metrics, &metrics->families[i], arena};
        Otlp__Metric *metric = NULL;

        if (scope_of(metrics, part.family) == scope) {
            metric = metric_of(&part);
        }
        if (metric != NULL) {
            out->metrics[out->n_metrics++] = metric;
        }
    }
}

bool telemetry_otlp_metrics_write(const struct telemetry_otlp_metrics *metrics,
                                  struct telemetry_arena *arena, struct wr *out)
{
    Otlp__ExportMetricsRequest request = OTLP__EXPORT_METRICS_REQUEST__INIT;
    Otlp__ResourceMetrics origin = OTLP__RESOURCE_METRICS__INIT;
    Otlp__ScopeMetrics scopes[TELEMETRY_OTLP_SCOPE_MAX];
    Otlp__ResourceMetrics *origins[] = {&origin};
    Otlp__ScopeMetrics *list[TELEMETRY_OTLP_SCOPE_MAX];

    assert(metrics->window.start_ns <= metrics->window.since_ns);
    assert(metrics->window.since_ns <= metrics->window.now_ns);
    assert(metrics->scope_count <= TELEMETRY_OTLP_SCOPE_MAX);
    telemetry_arena_reset(arena);
    request.resource_metrics = origins;
    request.n_resource_metrics = 1;
    origin.resource = telemetry_otlp_resource(arena, metrics->resource);
    origin.scope_metrics = list;
    for (size_t i = 0; i < metrics->scope_count; i++) {
        scope_make(metrics, &metrics->scopes[i], arena, &scopes[i]);
        if (scopes[i].n_metrics > 0) {
            list[origin.n_scope_metrics++] = &scopes[i];
        }
    }
    return telemetry_otlp_pack(arena, &request.base, out);
}
