// SPDX-License-Identifier: Apache-2.0
// The log of a conversation: every datagram that was sent and that came, with its time.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

enum {
    TALK_LOG_ENTRIES = 64, // the first ones; of longer conversations the rest is counted alone
    TALK_LOG_BYTES = 512,  // of a datagram that are kept
};

struct talk_log_entry {
    bool is_sent;
    bool is_peer;     // at a peer's socket; else at a client's
    uint8_t index;    // which peer or client
    uint64_t at_ns;   // since the conversation began
    struct addr with; // where it went, or came from
    uint16_t len;     // bytes of the datagram
    uint8_t bytes[TALK_LOG_BYTES];
};

struct talk_log {
    uint32_t count; // of datagrams; those beyond TALK_LOG_ENTRIES are not kept
    struct talk_log_entry entries[TALK_LOG_ENTRIES];
};

// Adds a datagram; `entry` is complete but for length and bytes.
void talk_log_add(struct talk_log *log, const struct talk_log_entry *entry, struct bytes datagram);

// How many entries are kept.
uint32_t talk_log_kept(const struct talk_log *log);
// The bytes of an entry that are kept.
struct bytes talk_log_bytes(const struct talk_log_entry *entry);
