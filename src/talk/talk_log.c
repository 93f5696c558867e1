// SPDX-License-Identifier: Apache-2.0
#include "talk/talk_log.h"

#include <assert.h>
#include <string.h>

void talk_log_add(struct talk_log *log, const struct talk_log_entry *entry, struct bytes datagram)
{
    struct bytes kept = bytes_first(datagram, TALK_LOG_BYTES);

    assert(datagram.len <= UINT16_MAX);
    if (log->count < TALK_LOG_ENTRIES) {
        struct talk_log_entry *to = &log->entries[log->count];
        to->is_sent = entry->is_sent;
        to->is_peer = entry->is_peer;
        to->index = entry->index;
        to->at_ns = entry->at_ns;
        to->with = entry->with;
        to->len = (uint16_t)datagram.len;
        if (kept.len > 0) {
            memcpy(to->bytes, kept.ptr, kept.len);
        }
    }
    log->count++;
}

uint32_t talk_log_kept(const struct talk_log *log)
{
    return log->count < TALK_LOG_ENTRIES ? log->count : TALK_LOG_ENTRIES;
}

struct bytes talk_log_bytes(const struct talk_log_entry *entry)
{
    return bytes_first((struct bytes){entry->bytes, TALK_LOG_BYTES}, entry->len);
}
