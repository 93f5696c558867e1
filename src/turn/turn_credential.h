// SPDX-License-Identifier: Apache-2.0
// Who may use the relay: names, and the keys that their passwords give (RFC 8489 section 9.2).
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/siphash.h"
#include "base/table.h"
#include "stun/stun_key.h"
#include "turn/turn_config.h"

struct turn_credential_user {
    uint32_t name_at; // offset in `names`
    uint32_t name_len;
    uint8_t key[STUN_KEY_LEN];
};

struct turn_credential {
    struct siphash_key hash_key;
    struct table by_name;
    struct turn_credential_user *users;
    uint32_t user_count;
    uint8_t *names; // all names, one behind the other
};

// `users` may be none.
size_t turn_credential_size(const struct turn_user *users, size_t count);
// `memory` is zeroed and aligned for uint64_t. The spans of `users` and `realm` are not kept.
void turn_credential_init(struct turn_credential *credential, void *memory,
                          const struct siphash_key *hash_key, const struct turn_config *config);

// The key of a user. False, with `out` untouched, when there is no such user.
MUST_USE bool turn_credential_find(const struct turn_credential *credential, struct bytes username,
                                   uint8_t out[STUN_KEY_LEN]);
