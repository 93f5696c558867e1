// SPDX-License-Identifier: Apache-2.0
// Sends requests of OTLP to collectors, over gRPC or HTTP, one at a time, and brings the answers.
//
// gRPC goes past the proxies that the environment names; HTTP goes by them.
//
// A request takes no longer than its timeout, whatever the collector does, and its answer no more
// memory than TELEMETRY_SENDER_BODY_MAX. Nothing is tried again here.
//
// All functions are for one thread, but telemetry_sender_wake() and telemetry_sender_end_by().
#pragma once

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "telemetry/telemetry_answer.h"
#include "telemetry/telemetry_arena.h"
#include "telemetry/telemetry_endpoint.h"

enum {
    TELEMETRY_SENDER_HEAD_LEN = 5, // bytes that a request leaves free in front, for gRPC's frame
    TELEMETRY_SENDER_BODY_MAX = 16384, // bytes of an answer; what is longer is none
};

// Where requests of one signal go. All of it is the caller's, and outlives the sender.
struct telemetry_target {
    enum telemetry_protocol protocol;
    char url[TELEMETRY_ENDPOINT_URL_MAX];
};

// Borrowed by telemetry_sender_open() alone, but for the file's name.
struct telemetry_sender_config {
    struct bytes headers;    // as OTEL_EXPORTER_OTLP_HEADERS has them, and well formed
    uint32_t timeout_ms;     // of one request
    const char *certificate; // file with the roots to trust, in PEM; NULL: the system's
    size_t gzip_max;         // bytes of the longest request, which are compressed; 0: none is
};

struct telemetry_sender {
    CURLM *multi;
    struct curl_slist *headers[2]; // by protocol
    const char *certificate;
    uint32_t timeout_ms;
    _Atomic uint64_t end_ns; // no request lasts beyond it (monotonic)
    struct telemetry_arena arena;
    uint8_t *packed;    // memory for a compressed request, or NULL
    size_t packed_size; // of it
    size_t body_len;
    size_t head_len; // bytes of all headers so far
    bool is_flooded; // the answer was too long
    uint8_t body[TELEMETRY_SENDER_BODY_MAX];
};

// 0 or -ENOMEM. Before the process has threads that use libcurl.
MUST_USE int telemetry_sender_open(struct telemetry_sender *sender,
                                   const struct telemetry_sender_config *config);
// Closing twice, or what is all zero, does nothing.
void telemetry_sender_close(struct telemetry_sender *sender);

// Sends a message, which stands in `request` behind TELEMETRY_SENDER_HEAD_LEN bytes of room, and
// waits for the answer. Where none comes, the answer is LATER and says why.
void telemetry_sender_post(struct telemetry_sender *sender, const struct telemetry_target *target,
                           uint8_t *request, size_t request_len, struct telemetry_answer *out);

// Waits until then (monotonic), or until somebody wakes it.
void telemetry_sender_wait(struct telemetry_sender *sender, uint64_t until_ns);

// For any thread.

// Ends the waiting, or the next one.
void telemetry_sender_wake(struct telemetry_sender *sender);
// Lets no request last beyond then (monotonic), the current one included; wakes it.
void telemetry_sender_end_by(struct telemetry_sender *sender, uint64_t end_ns);
