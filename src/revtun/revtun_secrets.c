// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_secrets.h"

#include <assert.h>

#include "base/bytes.h"
#include "crypto/crypto_wipe.h"

struct revtun_secrets revtun_secrets_read(const uint8_t exported[REVTUN_SECRETS_EXPORT_LEN])
{
    struct rd rd = rd_init((struct bytes){exported, REVTUN_SECRETS_EXPORT_LEN});
    struct revtun_secrets secrets = {0};

    rd_copy(&rd, secrets.proof, sizeof secrets.proof);
    rd_copy(&rd, secrets.preface, sizeof secrets.preface);
    rd_copy(&rd, secrets.head, sizeof secrets.head);
    assert(rd_is_done(&rd));
    return secrets;
}

void revtun_secrets_deinit(struct revtun_secrets *secrets)
{
    crypto_wipe(secrets, sizeof *secrets);
}
