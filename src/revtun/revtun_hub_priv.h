// SPDX-License-Identifier: Apache-2.0
// The whole state of a hub, for its files only.
#pragma once

#include "base/heap.h"
#include "base/table.h"
#include "revtun/revtun_denial.h"
#include "revtun/revtun_hosts.h"
#include "revtun/revtun_hub.h"
#include "revtun/revtun_outbox.h"
#include "revtun/revtun_sources.h"

// What an expiry adds at most; so many have to be free.
enum { REVTUN_HUB_STEP = 6 };
_Static_assert(REVTUN_HUB_STEP + 2 <= REVTUN_OUTBOX_MAX, "an expiry and its reports fit");

struct revtun_hub {
    struct revtun_hub_config config; // its texts are the copies below
    uint8_t host[REVTUN_HUB_HOST_MAX];
    uint8_t program[REVTUN_HUB_PROGRAM_MAX];
    const struct revtun_access *access;
    struct siphash_key key;
    struct pool accounts;
    struct table accounts_by_owner;
    struct pool links;
    struct table links_by_sid;
    struct heap link_timers;
    struct pool services;
    struct heap service_timers;
    uint32_t *by_port; // the service of a port plus one, or 0
    struct revtun_hosts hosts;
    struct revtun_names *names;
    struct pool visits;
    struct pool waits;
    struct heap wait_timers;
    struct revtun_sources sources;
    struct pool stands;
    uint64_t id_serial;
    // Of the last bind that was refused, for a report.
    uint8_t denied_name[REVTUN_NAME_MAX];
    uint8_t denial_text[REVTUN_DENIAL_TEXT_MAX];
    uint64_t drain_ns; // when the relay ends; NEVER
    struct revtun_outbox outbox;
    struct revtun_hub_stats stats;
};

// Ids tell where their item lies, so that they are found at once, and are never used twice.
uint64_t revtun_hub_new_id(struct revtun_hub *hub, uint32_t index);
uint32_t revtun_hub_index_of_id(uint64_t id);
