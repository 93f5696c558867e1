// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_key.h"

struct turn_key turn_key_make(enum stun_password_algorithm algorithm, struct bytes username,
                              struct bytes realm, struct bytes password)
{
    struct turn_key key = {0};

    switch (algorithm) {
    case STUN_PASSWORD_MD5:
        key.len = STUN_KEY_LEN;
        stun_key_long_term(username, realm, password, key.bytes);
        break;
    case STUN_PASSWORD_SHA256:
        key.len = STUN_KEY_SHA256_LEN;
        stun_key_long_term_sha256(username, realm, password, key.bytes);
        break;
    }
    return key;
}

struct bytes turn_key_bytes(const struct turn_key *key)
{
    return (struct bytes){key->bytes, key->len};
}
