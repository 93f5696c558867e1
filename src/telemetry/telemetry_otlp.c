// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_otlp.h"

#include <assert.h>

char *telemetry_otlp_borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

void *telemetry_otlp_new(struct telemetry_arena *arena, size_t len, telemetry_otlp_init_fn init)
{
    void *message = telemetry_arena_take(arena, 1, len);

    if (message != NULL) {
        init(message);
    }
    return message;
}

void *telemetry_otlp_list(struct telemetry_arena *arena, size_t count)
{
    return telemetry_arena_take(arena, count, sizeof(void *));
}

// A key and a value that is none yet.
static Otlp__KeyValue *pair(struct telemetry_arena *arena, char *key)
{
    Otlp__KeyValue *made = TELEMETRY_OTLP_NEW(arena, Otlp__KeyValue, otlp__key_value__init);
    Otlp__AnyValue *value = TELEMETRY_OTLP_NEW(arena, Otlp__AnyValue, otlp__any_value__init);

    if (made == NULL || value == NULL) {
        return NULL;
    }
    made->key = key;
    made->value = value;
    return made;
}

static Otlp__KeyValue *label(struct telemetry_arena *arena, const struct metric_label *from)
{
    Otlp__KeyValue *made = pair(arena, telemetry_otlp_borrow(from->key));
    uint64_t number = 0;

    if (made == NULL) {
        return NULL;
    }
    switch (from->kind) {
    case METRIC_LABEL_TEXT:
        made->value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
        made->value->string_value = telemetry_otlp_borrow(from->value);
        break;
    case METRIC_LABEL_NUMBER:
        made->value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
        if (!bytes_to_number(bytes_of_text(from->value), INT64_MAX, &number)) {
            assert(!"it is a number");
        }
        made->value->int_value = (int64_t)number;
        break;
    case METRIC_LABEL_TRUTH:
        made->value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
        made->value->bool_value = bytes_equal_text(bytes_of_text(from->value), "true");
        break;
    }
    return made;
}

Otlp__KeyValue **telemetry_otlp_labels(struct telemetry_arena *arena,
                                       const struct metric_label *labels, size_t max, size_t *count)
{
    size_t found = 0;

    while (found < max && labels[found].key != NULL) {
        found++;
    }
    *count = 0;
    if (found == 0) {
        return NULL;
    }
    Otlp__KeyValue **list = telemetry_otlp_list(arena, found);
    for (size_t i = 0; list != NULL && i < found; i++) {
        list[(*count)++] = label(arena, &labels[i]);
    }
    return list;
}

static Otlp__KeyValue *attribute(struct telemetry_arena *arena,
                                 const struct telemetry_attribute *from)
{
    Otlp__KeyValue *made = pair(arena, telemetry_arena_text(arena, from->key.ptr, from->key.len));

    if (made == NULL) {
        return NULL;
    }
    made->value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    made->value->string_value = telemetry_arena_text(arena, from->value.ptr, from->value.len);
    return made;
}

Otlp__Resource *telemetry_otlp_resource(struct telemetry_arena *arena,
                                        const struct telemetry_resource *resource)
{
    Otlp__Resource *made = TELEMETRY_OTLP_NEW(arena, Otlp__Resource, otlp__resource__init);

    if (made == NULL) {
        return NULL;
    }
    made->attributes = telemetry_otlp_list(arena, resource->count);
    for (size_t i = 0; made->attributes != NULL && i < resource->count; i++) {
        made->attributes[made->n_attributes++] = attribute(arena, &resource->attributes[i]);
    }
    return made;
}

Otlp__Scope *telemetry_otlp_scope(struct telemetry_arena *arena, const char *name)
{
    Otlp__Scope *made = TELEMETRY_OTLP_NEW(arena, Otlp__Scope, otlp__scope__init);

    if (made != NULL) {
        made->name = telemetry_otlp_borrow(name);
        made->version = telemetry_otlp_borrow(FAIRLEAD_VERSION);
    }
    return made;
}

bool telemetry_otlp_pack(const struct telemetry_arena *arena, const ProtobufCMessage *message,
                         struct wr *out)
{
    if (arena->is_failed) {
        return false; // the tree has gaps
    }
    const size_t len = protobuf_c_message_get_packed_size(message);
    if (!wr_ok(out) || len > out->room) {
        return false;
    }
    const size_t written = protobuf_c_message_pack(message, out->ptr + out->len);
    assert(written == len);
    out->len += len;
    out->room -= len;
    return true;
}
