// SPDX-License-Identifier: Apache-2.0
// What requests of OTLP have in common: labels, the resource, the scope; and how one is packed.
//
// A request is built as a tree of protobuf-c's messages in an arena, from values that are borrowed
// until it has been packed. What does not fit into the arena is noticed when it is packed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <otlp.pb-c.h>

#include "base/bytes.h"
#include "base/metric.h"
#include "telemetry/telemetry_arena.h"
#include "telemetry/telemetry_resource.h"

// The labels that are there (`max` of them, or up to the first without a key) as a list of
// messages, and their number. NULL when there is none or the arena is full.
Otlp__KeyValue **telemetry_otlp_labels(struct telemetry_arena *arena,
                                       const struct metric_label *labels, size_t max,
                                       size_t *count);
// NULL when the arena is full, as with all that follows.
Otlp__Resource *telemetry_otlp_resource(struct telemetry_arena *arena,
                                        const struct telemetry_resource *resource);
Otlp__Scope *telemetry_otlp_scope(struct telemetry_arena *arena, const char *name);

// Writes the message. False when the arena was too small for it, or `out` is.
MUST_USE bool telemetry_otlp_pack(const struct telemetry_arena *arena,
                                  const ProtobufCMessage *message, struct wr *out);

// Memory for a message of protobuf-c's and its initial value: TELEMETRY_OTLP_NEW(arena, Otlp__Span,
// otlp__span__init).
#define TELEMETRY_OTLP_NEW(arena, type, init)                                                      \
    ((type *)telemetry_otlp_new(arena, sizeof(type), (telemetry_otlp_init_fn)(init)))

typedef void (*telemetry_otlp_init_fn)(void *message);
void *telemetry_otlp_new(struct telemetry_arena *arena, size_t len, telemetry_otlp_init_fn init);

// Memory for a list of so many messages, which protobuf-c has as pointers.
void *telemetry_otlp_list(struct telemetry_arena *arena, size_t count);

// A text as protobuf-c takes it: its strings are not const, though to pack them is to read them.
char *telemetry_otlp_borrow(const char *text);
