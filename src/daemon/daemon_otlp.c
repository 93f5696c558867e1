// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_otlp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/now.h"
#include "io/io_clock.h"
#include "io/io_random.h"
#include "log/log.h"

enum { MILLI_NS = 1000000 };

#define TRACES_INTERVAL_NS SECOND_NS

static const char *const signal_names[] = {
    [TELEMETRY_METRICS] = "metrics",
    [TELEMETRY_TRACES] = "traces",
};

uint64_t daemon_otlp_wall_ns(void)
{
    struct timespec at = {0};

    clock_gettime(CLOCK_REALTIME, &at);
    return (uint64_t)at.tv_sec * SECOND_NS + (uint64_t)at.tv_nsec;
}

static uint32_t chance(void)
{
    uint8_t bytes[sizeof(uint32_t)];
    struct rd rd = rd_init((struct bytes){bytes, sizeof bytes});

    io_random_fill(bytes, sizeof bytes);
    return rd_u32(&rd);
}

// --- opening -----------------------------------------------------------------------------------

static void open_signal(struct daemon_otlp_signal *signal, enum telemetry_signal which,
                        const struct daemon_otlp_config_signal *from)
{
    signal->is_on = from->is_on;
    if (!from->is_on) {
        return;
    }
    signal->target.protocol = from->protocol;
    telemetry_endpoint_url(&from->endpoint, from->protocol, which, from->is_whole,
                           signal->target.url);
    // Without the path, which may be a secret.
    memcpy(signal->collector, from->endpoint.authority.ptr, from->endpoint.authority.len);
    signal->collector[from->endpoint.authority.len] = '\0';
    LOG_INFO("telemetry", LOG_TEXT("signal", signal_names[which]),
             LOG_TEXT("collector", signal->collector),
             LOG_TEXT("protocol", from->protocol == TELEMETRY_GRPC ? "grpc" : "http/protobuf"));
}

// The file has to be readable now, so that a wrong name is noticed.
static int open_certificate(struct daemon_otlp_signal *signal, struct bytes name)
{
    if (name.len == 0) {
        return 0;
    }
    assert(name.len < sizeof signal->certificate);
    memcpy(signal->certificate, name.ptr, name.len);
    signal->certificate[name.len] = '\0';
    if (access(signal->certificate, R_OK) != 0) {
        const int error = -errno;
        LOG_ERROR("--otlp-certificate cannot be read", LOG_ERROR_NUMBER("error", error),
                  LOG_TEXT("file", signal->certificate));
        return error;
    }
    return 0;
}

// Each signal has a sender, though it may be off: that of metrics is what the thread waits with.
static int open_sender(struct daemon_otlp_signal *signal,
                       const struct daemon_otlp_config_signal *from)
{
    const struct telemetry_sender_config config = {
        .headers = from->headers,
        .timeout_ms = from->timeout_ms,
        .certificate = from->certificate.len > 0 ? signal->certificate : NULL,
        .gzip_max = from->is_compressed ? DAEMON_OTLP_REQUEST_MAX : 0,
    };
    int error = open_certificate(signal, from->certificate);

    if (error == 0) {
        error = telemetry_sender_open(&signal->sender, &config);
        if (error != 0) {
            LOG_ERROR("telemetry cannot be sent", LOG_ERROR_NUMBER("error", error));
        }
    }
    return error;
}

static int open_memory(struct daemon_otlp *otlp)
{
    const int error = telemetry_arena_open(&otlp->arena, DAEMON_OTLP_ARENA_SIZE);

    otlp->request = malloc(DAEMON_OTLP_REQUEST_MAX);
    otlp->now = calloc(1, otlp->subject.snapshot_size);
    otlp->before = calloc(1, otlp->subject.snapshot_size);
    if (error != 0 || otlp->request == NULL || otlp->now == NULL || otlp->before == NULL) {
        LOG_ERROR("telemetry cannot be sent", LOG_ERROR_NUMBER("error", -ENOMEM));
        return -ENOMEM;
    }
    return 0;
}

static int open_all(struct daemon_otlp *otlp, const struct daemon_otlp_config *config)
{
    int error = open_memory(otlp);

    for (size_t i = 0; error == 0 && i < COUNT_OF(otlp->signals); i++) {
        error = open_sender(&otlp->signals[i], &config->signals[i]);
    }
    return error;
}

int daemon_otlp_open(struct daemon_otlp *otlp, const struct daemon_otlp_config *config,
                     const struct daemon_otlp_subject *subject)
{
    const uint64_t now_ns = io_clock_now().mono_ns;
    const uint64_t interval_ns = (uint64_t)config->interval_ms * MILLI_NS;
    struct telemetry_pace *paces[] = {&otlp->signals[TELEMETRY_METRICS].pace,
                                      &otlp->signals[TELEMETRY_TRACES].pace};

    *otlp = (struct daemon_otlp){.subject = *subject, .temporality = config->temporality};
    if (!daemon_otlp_config_is_on(config)) {
        return 0;
    }
    const int error = open_all(otlp, config);
    if (error != 0) {
        daemon_otlp_close(otlp);
        return error;
    }
    if (!daemon_otlp_config_resource(config, &otlp->resource)) {
        assert(!"the configuration was found to be good");
    }
    for (size_t i = 0; i < COUNT_OF(otlp->signals); i++) {
        open_signal(&otlp->signals[i], (enum telemetry_signal)i, &config->signals[i]);
    }
    telemetry_pace_init(paces[TELEMETRY_METRICS], interval_ns, now_ns);
    telemetry_pace_init(paces[TELEMETRY_TRACES],
                        interval_ns < TRACES_INTERVAL_NS ? interval_ns : TRACES_INTERVAL_NS,
                        now_ns);
    otlp->start_ns = daemon_otlp_wall_ns();
    otlp->since_ns = otlp->start_ns;
    otlp->is_open = true;
    return 0;
}

void daemon_otlp_close(struct daemon_otlp *otlp)
{
    daemon_otlp_stop(otlp);
    for (size_t i = 0; i < COUNT_OF(otlp->signals); i++) {
        telemetry_sender_close(&otlp->signals[i].sender);
    }
    telemetry_arena_close(&otlp->arena);
    free(otlp->request);
    free(otlp->now);
    free(otlp->before);
    otlp->request = NULL;
    otlp->now = NULL;
    otlp->before = NULL;
    otlp->is_open = false;
}

// --- what is sent ------------------------------------------------------------------------------

static void log_answer(struct daemon_otlp_signal *signal, enum telemetry_signal which,
                       const struct telemetry_answer *answer)
{
    static struct log_limit limits[] = {
        [TELEMETRY_METRICS] = {.interval_ns = 60 * SECOND_NS, .burst = 1},
        [TELEMETRY_TRACES] = {.interval_ns = 60 * SECOND_NS, .burst = 1},
    };
    static struct log_limit relief = {.interval_ns = 60 * SECOND_NS, .burst = 1};

    if (answer->kind != TELEMETRY_ANSWER_TAKEN) {
        LOG_LIMITED(&limits[which], LOG_LEVEL_WARN, "telemetry was not taken",
                    LOG_TEXT("signal", signal_names[which]),
                    LOG_TEXT("collector", signal->collector), LOG_TEXT("why", answer->text),
                    LOG_NUMBER("failures", (uint64_t)signal->pace.tries + 1));
    } else if (answer->rejected_count > 0) {
        LOG_LIMITED(&limits[which], LOG_LEVEL_WARN, "part of the telemetry was thrown away",
                    LOG_TEXT("signal", signal_names[which]),
                    LOG_TEXT("collector", signal->collector), LOG_TEXT("why", answer->text),
                    LOG_NUMBER("count", answer->rejected_count));
    } else if (signal->pace.tries > 0) {
        LOG_LIMITED(&relief, LOG_LEVEL_INFO, "telemetry is taken again",
                    LOG_TEXT("signal", signal_names[which]),
                    LOG_TEXT("collector", signal->collector),
                    LOG_NUMBER("failures", signal->pace.tries));
    }
}

// Sends a request that was written, and notes how it went.
static enum telemetry_answer_kind post(struct daemon_otlp *otlp, enum telemetry_signal which,
                                       size_t len)
{
    struct daemon_otlp_signal *signal = &otlp->signals[which];
    struct telemetry_answer answer;

    telemetry_sender_post(&signal->sender, &signal->target, otlp->request, len, &answer);
    log_answer(signal, which, &answer);
    telemetry_pace_answered(&signal->pace, &answer, io_clock_now().mono_ns, chance());
    return answer.kind;
}

static struct wr request_begin(struct daemon_otlp *otlp)
{
    return wr_init(otlp->request + TELEMETRY_SENDER_HEAD_LEN,
                   DAEMON_OTLP_REQUEST_MAX - TELEMETRY_SENDER_HEAD_LEN);
}

static void send_metrics(struct daemon_otlp *otlp)
{
    const struct daemon_otlp_subject *subject = &otlp->subject;
    struct wr wr = request_begin(otlp);
    const uint64_t wall = daemon_otlp_wall_ns();
    // The clock may have been set back.
    const uint64_t now_ns = wall > otlp->since_ns ? wall : otlp->since_ns;
    const struct telemetry_otlp_metrics metrics = {
        .resource = &otlp->resource,
        .scopes = subject->scopes,
        .scope_count = subject->scope_count,
        .families = subject->families,
        .family_count = subject->family_count,
        .now = otlp->now,
        .before = otlp->before,
        .window = {otlp->start_ns, otlp->since_ns, now_ns, otlp->temporality},
    };

    subject->snapshot_take(subject->context, otlp->now);
    if (!telemetry_otlp_metrics_write(&metrics, &otlp->arena, &wr)) {
        assert(!"the table of metrics is ours, and there is room for it");
    }
    if (post(otlp, TELEMETRY_METRICS, wr.len) == TELEMETRY_ANSWER_TAKEN) {
        memcpy(otlp->before, otlp->now, subject->snapshot_size);
        otlp->since_ns = now_ns;
    }
}

static void send_traces(struct daemon_otlp *otlp)
{
    const struct daemon_otlp_subject *subject = &otlp->subject;
    struct daemon_otlp_signal *signal = &otlp->signals[TELEMETRY_TRACES];
    struct wr wr = request_begin(otlp);
    const size_t count =
        subject->spans_gather == NULL ? 0 : subject->spans_gather(subject->context);

    if (count == 0 || !subject->spans_write(subject->context, &otlp->arena, &otlp->resource, &wr)) {
        signal->pace.due_ns = io_clock_now().mono_ns + signal->pace.interval_ns;
        return;
    }
    switch (post(otlp, TELEMETRY_TRACES, wr.len)) {
    case TELEMETRY_ANSWER_LATER:
        break;
    case TELEMETRY_ANSWER_UNSUPPORTED:
        LOG_INFO("the collector takes no traces, so none are sent any more",
                 LOG_TEXT("collector", signal->collector));
        signal->is_on = false;
        break;
    case TELEMETRY_ANSWER_TAKEN:
    case TELEMETRY_ANSWER_REFUSED:
        subject->spans_drop(subject->context);
        break;
    }
}

// --- the thread --------------------------------------------------------------------------------

static void send_due(struct daemon_otlp *otlp, uint64_t now_ns)
{
    static void (*const senders[])(struct daemon_otlp *) = {
        [TELEMETRY_METRICS] = send_metrics,
        [TELEMETRY_TRACES] = send_traces,
    };

    for (size_t i = 0; i < COUNT_OF(senders); i++) {
        if (otlp->signals[i].is_on && otlp->signals[i].pace.due_ns <= now_ns) {
            senders[i](otlp);
        }
    }
}

static uint64_t next_ns(const struct daemon_otlp *otlp)
{
    uint64_t next = NEVER;

    for (size_t i = 0; i < COUNT_OF(otlp->signals); i++) {
        if (otlp->signals[i].is_on && otlp->signals[i].pace.due_ns < next) {
            next = otlp->signals[i].pace.due_ns;
        }
    }
    return next;
}

static void *run(void *context)
{
    struct daemon_otlp *otlp = context;

    while (!atomic_load(&otlp->is_over)) {
        send_due(otlp, io_clock_now().mono_ns);
        if (!atomic_load(&otlp->is_over)) {
            telemetry_sender_wait(&otlp->signals[TELEMETRY_METRICS].sender, next_ns(otlp));
        }
    }
    send_due(otlp, NEVER); // what is left
    return NULL;
}

int daemon_otlp_start(struct daemon_otlp *otlp)
{
    if (!otlp->is_open) {
        return 0;
    }
    const int error = io_thread_start(&otlp->thread, "telemetry", run, otlp);
    if (error != 0) {
        LOG_ERROR("the telemetry thread cannot be started", LOG_ERROR_NUMBER("error", error));
    }
    return error;
}

void daemon_otlp_stop(struct daemon_otlp *otlp)
{
    if (!otlp->thread.is_running) {
        return;
    }
    const uint64_t end_ns = io_clock_now().mono_ns + (uint64_t)DAEMON_OTLP_END_MS * MILLI_NS;

    atomic_store(&otlp->is_over, true);
    for (size_t i = 0; i < COUNT_OF(otlp->signals); i++) {
        telemetry_sender_end_by(&otlp->signals[i].sender, end_ns);
    }
    io_thread_join(&otlp->thread);
}
