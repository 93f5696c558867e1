// SPDX-License-Identifier: Apache-2.0
// An account: one agent as the access list knows it, as long as it has anything.
#pragma once

#include "base/bucket.h"
#include "base/bytes.h"
#include "base/pool.h"
#include "revtun/revtun_access.h"
#include "revtun/revtun_names.h"

struct revtun_hub;

struct revtun_account {
    const struct revtun_access_entry *entry; // NULL: it was revoked
    uint8_t owner[REVTUN_NAMES_OWNER_MAX];
    uint8_t hash[REVTUN_ACCESS_HASH_LEN]; // of its token's verifier, or its certificate
    uint32_t owner_len;                   // bytes
    uint32_t first_service;               // chain
    uint32_t link_count;
    uint32_t service_count; // services, those that have ended and still have clients included
    uint32_t bound_count;   // of them, those that have not ended
    uint32_t visit_count;   // clients that wait, and sessions
    bool is_token;
    uint8_t zero[7];
    struct bucket binds; // requests for names
    struct bucket bytes; // of lines
};

struct revtun_account *revtun_account_at(const struct revtun_hub *hub, uint32_t index);
struct bytes revtun_account_owner(const struct revtun_account *account);

// Writes who a token is, or a certificate (an `id` that is empty), in REVTUN_NAMES_OWNER_MAX bytes.
void revtun_account_owner_write(struct wr *wr, struct bytes id,
                                const uint8_t hash[REVTUN_ACCESS_HASH_LEN]);
// The account of a token, or of a certificate (an `id` that is empty): found, or made. The hash is
// of the verifier or of the certificate.
uint32_t revtun_account_open(struct revtun_hub *hub, const struct revtun_access_entry *entry,
                             struct bytes id, const uint8_t hash[REVTUN_ACCESS_HASH_LEN]);
// Forgets it if it has nothing any more.
void revtun_account_settle(struct revtun_hub *hub, uint32_t index);
// Looks it up in the access list that there is now.
void revtun_account_review(struct revtun_hub *hub, uint32_t index);
