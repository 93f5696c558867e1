// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_credential.h"

#include <assert.h>
#include <string.h>

static size_t names_len(const struct turn_user *users, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += users[i].name.len;
    }
    return len;
}

static uint32_t capacity_of(size_t count)
{
    assert(count < UINT32_C(1) << 24);
    return count > 0 ? (uint32_t)count : 1;
}

size_t turn_credential_size(const struct turn_user *users, size_t count)
{
    uint32_t capacity = capacity_of(count);
    return table_size(capacity) + capacity * sizeof(struct turn_credential_user) +
           names_len(users, count);
}

static struct bytes name_of(const struct turn_credential *credential, uint32_t index)
{
    const struct turn_credential_user *user = &credential->users[index];
    return (struct bytes){credential->names + user->name_at, user->name_len};
}

static bool has_name(const void *context, uint32_t index, const void *key)
{
    return bytes_equal(name_of(context, index), *(const struct bytes *)key);
}

static uint32_t index_of(const struct turn_credential *credential, struct bytes name)
{
    return table_find(&credential->by_name, siphash(&credential->hash_key, name), has_name,
                      credential, &name);
}

void turn_credential_init(struct turn_credential *credential, void *memory,
                          const struct siphash_key *hash_key, const struct turn_config *config)
{
    uint32_t capacity = capacity_of(config->user_count);
    uint8_t *users = (uint8_t *)memory + table_size(capacity);
    uint32_t name_at = 0;

    *credential = (struct turn_credential){
        .hash_key = *hash_key,
        .users = (struct turn_credential_user *)(void *)users,
        .names = users + capacity * sizeof(struct turn_credential_user),
    };
    table_init(&credential->by_name, memory, capacity);
    for (size_t i = 0; i < config->user_count; i++) {
        struct bytes name = config->users[i].name;
        uint32_t index = index_of(credential, name);

        assert(name.len >= 1);
        assert(name.len <= TURN_CONFIG_USERNAME_MAX);
        if (index == TABLE_NONE) {
            index = credential->user_count++;
            credential->users[index].name_at = name_at;
            credential->users[index].name_len = (uint32_t)name.len;
            memcpy(credential->names + name_at, name.ptr, name.len);
            name_at += (uint32_t)name.len;
            table_add(&credential->by_name, siphash(hash_key, name), index);
        }
        stun_key_long_term(name, config->realm, config->users[i].password,
                           credential->users[index].key);
    }
}

bool turn_credential_find(const struct turn_credential *credential, struct bytes username,
                          uint8_t out[STUN_KEY_LEN])
{
    uint32_t index = index_of(credential, username);

    if (index == TABLE_NONE) {
        return false;
    }
    memcpy(out, credential->users[index].key, STUN_KEY_LEN);
    return true;
}
