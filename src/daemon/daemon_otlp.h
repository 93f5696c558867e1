// SPDX-License-Identifier: Apache-2.0
// The telemetry thread: sends metrics and traces to collectors, if any is configured.
//
// Whatever collectors do, it costs a fixed amount of memory and a line in the log a minute. Metrics
// that were not taken are part of the next ones. Spans wait where the program keeps them, as long
// as it has room.
//
// When the daemon ends, what is left is sent, which takes DAEMON_OTLP_END_MS at most.
//
// All functions are for one thread, which has the daemon's configuration.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/daemon_otlp_config.h"
#include "io/io_thread.h"
#include "telemetry/telemetry_arena.h"
#include "telemetry/telemetry_otlp_metrics.h"
#include "telemetry/telemetry_pace.h"
#include "telemetry/telemetry_sender.h"

enum {
    DAEMON_OTLP_END_MS = 2000,
    DAEMON_OTLP_REQUEST_MAX = 512 * 1024, // bytes of a request
    DAEMON_OTLP_ARENA_SIZE = 2 * 1024 * 1024,
};

// What is told. Its functions are called in the telemetry thread; the tables outlive it.
struct daemon_otlp_subject {
    const struct telemetry_otlp_scope *scopes; // each family is of one of them
    size_t scope_count;
    const struct metric_family *families;
    size_t family_count;
    size_t snapshot_size; // bytes of the struct that the families describe; a metric is in it
    void (*snapshot_take)(void *context, void *out);
    // Brings in the spans that have come, and says how many wait now. NULL: there are never any.
    size_t (*spans_gather)(void *context);
    // Writes a request (telemetry_otlp_spans.h) of all that wait. False: it cannot.
    bool (*spans_write)(void *context, struct telemetry_arena *arena,
                        const struct telemetry_resource *resource, struct wr *wr);
    // Those that wait are not needed any more.
    void (*spans_drop)(void *context);
    void *context;
};

struct daemon_otlp_signal {
    bool is_on;
    struct telemetry_target target;
    char collector[TELEMETRY_ENDPOINT_MAX + 1]; // for the log
    struct telemetry_pace pace;
    char certificate[4096]; // a file's name
    struct telemetry_sender sender;
};

struct daemon_otlp {
    struct daemon_otlp_subject subject;
    struct io_thread thread;
    bool is_open;
    atomic_bool is_over;
    struct telemetry_arena arena;
    struct telemetry_resource resource;
    struct daemon_otlp_signal signals[DAEMON_OTLP_CONFIG_SIGNALS];
    enum telemetry_otlp_temporality temporality;
    uint64_t start_ns; // Unix time
    uint64_t since_ns; // likewise, of `before`
    void *now;         // snapshots
    void *before;      // as the collector has it
    uint8_t *request;
};

// The wall clock, as spans are told it: Unix time in ns.
uint64_t daemon_otlp_wall_ns(void);

// Opens it if something is to be sent, and logs what fails. `config` is borrowed until this
// returns. 0 or -errno.
MUST_USE int daemon_otlp_open(struct daemon_otlp *otlp, const struct daemon_otlp_config *config,
                              const struct daemon_otlp_subject *subject);
// Closing twice, or what was not opened but is all zero, does nothing.
void daemon_otlp_close(struct daemon_otlp *otlp);

// Starts the thread, if it is open. 0 or -errno, which is logged.
MUST_USE int daemon_otlp_start(struct daemon_otlp *otlp);
// Has it send what is left, and waits until it has ended: call it when all that counts has stopped,
// so that nothing is missing. Nothing happens if it does not run.
void daemon_otlp_stop(struct daemon_otlp *otlp);
