// SPDX-License-Identifier: Apache-2.0
#include "portal_link/portal_link_frame.h"

#include <assert.h>
#include <jansson.h>

// jansson calls itself for each level, so it is not shown what is deeper than we want. Brackets in
// strings do not count; what is no JSON at all may be counted wrongly, and is refused anyway.
static bool is_deep(struct bytes text)
{
    size_t depth = 0;
    bool is_string = false;

    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        if (is_string) {
            i += c == '\\';
            is_string = c != '"';
        } else if (c == '"') {
            is_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > PORTAL_LINK_FRAME_DEPTH_MAX) {
                return true;
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

// Empty when there is none of the name, or it is no string.
static struct bytes text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_string(value)) {
        return (struct bytes){0};
    }
    return (struct bytes){(const uint8_t *)json_string_value(value), json_string_length(value)};
}

enum portal_link_frame_outcome portal_link_frame_read(struct bytes text,
                                                      struct portal_link_frame *out)
{
    if (is_deep(text)) {
        return PORTAL_LINK_FRAME_DEEP;
    }
    json_t *root = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (root == NULL) {
        return PORTAL_LINK_FRAME_UNKNOWN;
    }
    const json_t *payload = json_object_get(root, "payload");
    const json_t *ref = json_object_get(root, "ref");
    struct phoenix_message message = {
        .topic = text_of(root, "topic"),
        .event = text_of(root, "event"),
        .status = text_of(payload, "status"),
        .reason = text_of(json_object_get(payload, "response"), "reason"),
    };
    if (message.topic.len == 0 || message.event.len == 0) {
        json_decref(root);
        return PORTAL_LINK_FRAME_STRANGE;
    }
    if (message.reason.len == 0) {
        message.reason = text_of(payload, "reason");
    }
    if (json_is_integer(ref) && json_integer_value(ref) >= 0) {
        message.has_ref = true;
        message.ref = (uint64_t)json_integer_value(ref);
    }
    *out = (struct portal_link_frame){.root = root, .message = message};
    return PORTAL_LINK_FRAME_READ;
}

void portal_link_frame_free(struct portal_link_frame *frame)
{
    json_decref(frame->root);
    *frame = (struct portal_link_frame){0};
}

bool portal_link_frame_is_plain(struct bytes secret)
{
    for (size_t i = 0; i < secret.len; i++) {
        const uint8_t c = secret.ptr[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\') {
            return false;
        }
    }
    return true;
}

void portal_link_frame_write(struct wr *wr, const struct phoenix_push *push, struct bytes topic,
                             struct bytes secret)
{
    static const char *const events[] = {
        [PHOENIX_JOIN] = "phx_join",
        [PHOENIX_HEARTBEAT] = "heartbeat",
        [PHOENIX_LEAVE] = "phx_leave",
    };

    assert(portal_link_frame_is_plain(topic));
    assert(portal_link_frame_is_plain(secret));
    wr_text(wr, "{\"topic\":\"");
    wr_bytes(wr, push->event == PHOENIX_HEARTBEAT ? bytes_of_text("phoenix") : topic);
    wr_text(wr, "\",\"event\":\"");
    wr_text(wr, events[push->event]);
    wr_text(wr, "\",\"payload\":{");
    if (push->event == PHOENIX_JOIN) {
        wr_text(wr, "\"stamp_secret\":\"");
        wr_bytes(wr, secret);
        wr_u8(wr, '"');
    }
    wr_text(wr, "},\"ref\":");
    wr_decimal(wr, push->ref);
    wr_u8(wr, '}');
}
