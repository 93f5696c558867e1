// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_resource.h"

#include <string.h>

void telemetry_resource_init(struct telemetry_resource *resource)
{
    resource->count = 0;
    resource->text_len = 0;
}

static struct telemetry_attribute *find(struct telemetry_resource *resource, struct bytes key)
{
    for (size_t i = 0; i < resource->count; i++) {
        if (bytes_equal(resource->attributes[i].key, key)) {
            return &resource->attributes[i];
        }
    }
    return NULL;
}

static struct bytes keep(struct telemetry_resource *resource, struct bytes text)
{
    uint8_t *place = resource->text + resource->text_len;

    if (text.len > 0) {
        memmove(place, text.ptr, text.len);
    }
    resource->text_len += text.len;
    return (struct bytes){place, text.len};
}

bool telemetry_resource_set(struct telemetry_resource *resource, struct bytes key,
                            struct bytes value)
{
    struct telemetry_attribute *attribute = find(resource, key);
    const size_t len = value.len + (attribute == NULL ? key.len : 0);

    if (len > sizeof resource->text - resource->text_len ||
        (attribute == NULL && resource->count == COUNT_OF(resource->attributes))) {
        return false;
    }
    if (attribute == NULL) {
        attribute = &resource->attributes[resource->count++];
        attribute->key = keep(resource, key);
    }
    attribute->value = keep(resource, value);
    return true;
}

enum telemetry_baggage_outcome telemetry_resource_read(struct telemetry_resource *resource,
                                                       struct bytes list)
{
    uint8_t scratch[TELEMETRY_RESOURCE_TEXT_MAX];
    struct wr memory = wr_init(scratch, sizeof scratch);
    struct bytes key = {0};
    struct bytes value = {0};

    for (;;) {
        const enum telemetry_baggage_outcome outcome =
            telemetry_baggage_next(&list, &memory, &key, &value);
        if (outcome != TELEMETRY_BAGGAGE_PAIR) {
            return outcome;
        }
        if (!telemetry_resource_set(resource, key, value)) {
            return TELEMETRY_BAGGAGE_WRONG_ROOM;
        }
    }
}
