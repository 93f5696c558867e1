// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_account.h"

#include <assert.h>
#include <string.h>

#include "revtun/revtun_hub_priv.h"

_Static_assert(sizeof(struct revtun_account) % 8 == 0, "as a pool wants its items");

struct revtun_account *revtun_account_at(const struct revtun_hub *hub, uint32_t index)
{
    return pool_at(&hub->accounts, index);
}

struct bytes revtun_account_owner(const struct revtun_account *account)
{
    return (struct bytes){account->owner, account->owner_len};
}

static bool has_owner(const void *context, uint32_t index, const void *key)
{
    return bytes_equal(revtun_account_owner(revtun_account_at(context, index)),
                       *(const struct bytes *)key);
}

// An id has no colon, so that a token is never taken for a certificate.
void revtun_account_owner_write(struct wr *wr, struct bytes id,
                                const uint8_t hash[REVTUN_ACCESS_HASH_LEN])
{
    if (id.len > 0) {
        wr_bytes(wr, id);
    } else {
        wr_text(wr, "cert:");
        wr_hex(wr, (struct bytes){hash, REVTUN_ACCESS_HASH_LEN});
    }
    assert(wr_ok(wr));
}

uint32_t revtun_account_open(struct revtun_hub *hub, const struct revtun_access_entry *entry,
                             struct bytes id, const uint8_t hash[REVTUN_ACCESS_HASH_LEN])
{
    uint8_t text[REVTUN_NAMES_OWNER_MAX];
    struct wr wr = wr_init(text, sizeof text);
    struct pool_ref ref = {0};

    revtun_account_owner_write(&wr, id, hash);
    const struct bytes owner = wr_done(&wr);
    const uint64_t sum = siphash(&hub->key, owner);
    const uint32_t found = table_find(&hub->accounts_by_owner, sum, has_owner, hub, &owner);
    if (found != TABLE_NONE) {
        return found;
    }
    const bool has_room = pool_take(&hub->accounts, &ref);
    assert(has_room); // there are as many as of what an account has at least one of
    struct revtun_account *account = revtun_account_at(hub, ref.index);
    account->entry = entry;
    memcpy(account->owner, owner.ptr, owner.len);
    memcpy(account->hash, hash, sizeof account->hash);
    account->owner_len = (uint32_t)owner.len;
    account->first_service = POOL_NONE;
    account->is_token = id.len > 0;
    table_add(&hub->accounts_by_owner, sum, ref.index);
    return ref.index;
}

void revtun_account_settle(struct revtun_hub *hub, uint32_t index)
{
    const struct revtun_account *account = revtun_account_at(hub, index);

    if (account->link_count > 0 || account->first_service != POOL_NONE) {
        return;
    }
    assert(account->service_count == 0);
    assert(account->bound_count == 0);
    assert(account->visit_count == 0);
    table_remove(&hub->accounts_by_owner, siphash(&hub->key, revtun_account_owner(account)), index);
    pool_give(&hub->accounts, index);
}

void revtun_account_review(struct revtun_hub *hub, uint32_t index)
{
    struct revtun_account *account = revtun_account_at(hub, index);
    const struct revtun_access_entry *entry =
        account->is_token ? revtun_access_find_token(hub->access, revtun_account_owner(account))
                          : revtun_access_find_cert(hub->access, account->hash);

    // A token with the same name and another secret is another agent.
    if (entry != NULL && account->is_token &&
        memcmp(entry->hash, account->hash, sizeof account->hash) != 0) {
        entry = NULL;
    }
    account->entry = entry;
}
